//! auscult-store.
