//! auscult-console-component.
