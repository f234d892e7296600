//! auscult-ingest.
