//! auscult-records.
