//! Why a resource could not be written.

/// Why a resource could not be written or read back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FhirError {
    /// FHIR times have four-digit years.
    #[error("time is outside the years FHIR can write")]
    TimeOutOfRange,
    /// A part that FHIR demands was not given: a fault of ours.
    #[error("a demanded element was left out")]
    Incomplete,
    /// What was stored is not the resource it should be.
    #[error("stored resource does not parse: line {line} column {column}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
}

impl From<fhir_sdk::BuilderError> for FhirError {
    fn from(_: fhir_sdk::BuilderError) -> Self {
        Self::Incomplete
    }
}

impl From<serde_json::Error> for FhirError {
    /// Keeps the place of the fault, not the text around it, which may be a patient's.
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed { line: error.line(), column: error.column() }
    }
}
