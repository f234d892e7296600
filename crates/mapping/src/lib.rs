//! auscult-mapping.
