//! auscult-fhir.
