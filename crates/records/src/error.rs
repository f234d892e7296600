//! Why a request about records could not be answered as asked.

use auscult_fhir::FhirError;
use auscult_model::Problem;
use auscult_store::StoreError;

/// Why a request could not be answered as asked.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// The caller asked for something that cannot be; tells what.
    #[error("refused with status {}: {}", .0.status, .0.code())]
    Refused(Box<Problem>),
    /// The database failed. Worth trying again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored cannot be written as FHIR.
    #[error(transparent)]
    Fhir(#[from] FhirError),
}

impl From<Problem> for RecordsError {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

impl From<serde_json::Error> for RecordsError {
    fn from(error: serde_json::Error) -> Self {
        Self::Store(error.into())
    }
}
