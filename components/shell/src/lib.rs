//! auscult-shell.
