//! auscult-tests.
