//! auscult-notification-component.
