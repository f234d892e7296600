//! auscult-ingest-component.
