//! auscult-scoring.
