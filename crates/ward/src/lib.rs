//! auscult-ward.
