//! auscult-console.
