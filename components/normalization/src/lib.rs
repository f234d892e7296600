//! auscult-normalization-component.
