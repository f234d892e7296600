//! auscult-notification.
