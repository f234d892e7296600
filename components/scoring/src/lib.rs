//! auscult-scoring-component.
