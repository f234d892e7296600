//! auscult-catalogue.
