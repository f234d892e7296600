//! FHIR R4: Observations from readings and assessments, validation of what others send, search
//! parameters, errors. Built on `fhir-sdk`'s R4B types, which agree with R4 for all resources used here.

mod coding;
mod error;
mod members;
mod observation;
mod refile;
mod resource;
mod wire;

pub use coding::{ACVPU, Coding, LOINC, MDC, OWN_CODES, TokenKind, UCUM, codings};
pub use error::FhirError;
pub use members::Members;
pub use observation::{Absent, Component, ObservationParts, Value, observation, search_tokens};
pub use refile::{stamped, with_subject};
