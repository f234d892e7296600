//! auscult-normalization.
