//! auscult-records-component.
