//! Why scoring could not do what it was asked.

use auscult_model::Fault;
use auscult_store::StoreError;

/// A failure of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScoringError {
    /// The database refused or failed: later.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The document changed since the caller read it.
    #[error("the document is at another version")]
    VersionMismatch {
        /// The version that stands.
        current: i64,
    },
    /// The document is not a settings document.
    #[error("the settings document has {} faults", .0.len())]
    Invalid(Vec<Fault>),
    /// The document is not a rule set.
    #[error("the rule set has {} faults", .0.len())]
    InvalidRules(Vec<Fault>),
}
