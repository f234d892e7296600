//! auscult-host.
