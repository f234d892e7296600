//! FHIR R4: Observations from readings and assessments, validation of what others send, search
//! parameters, errors. Built on `fhir-sdk`'s R4B types, which agree with R4 in all that is used here.
//!
//! R4B (4.3.0) differs from R4 (4.0.1) in other resources: Patient, Device, DeviceUseStatement and
//! Observation have the same elements in both.

mod assessment;
mod capability;
mod coding;
mod date;
mod error;
mod mapped;
mod members;
mod observation;
mod outcome;
mod refile;
mod resource;
pub mod search;
mod validate;
mod wire;

pub use assessment::{assessment_observation, assessment_tokens};
pub use capability::capability_statement;
pub use coding::{ACVPU, CATEGORY, Coding, LOINC, MDC, OWN_CODES, TokenKind, UCUM, codings};
pub use date::DateRange;
pub use error::FhirError;
pub use mapped::{MappedParts, absent_error, mapped_observation, resource_tokens};
pub use members::Members;
pub use observation::{
    Absent, Component, FILING_TAG, NATIVE_EXTENSION, OBSERVATION_IDENTIFIER, ObservationParts,
    QUALITY_TAG, Value, observation, search_tokens,
};
pub use outcome::operation_outcome;
pub use refile::{entered_in_error, kept, same_content, stamped, with_subject};
pub use validate::{ResourceType, is_resource_id, validate};

/// The version of FHIR that is served.
pub const FHIR_VERSION: &str = "4.0.1";
/// The media type of FHIR JSON.
pub const MEDIA_TYPE: &str = "application/fhir+json";
