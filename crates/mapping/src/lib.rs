//! The mapping language of device-content and FHIR templates.
//!
//! A device mapping is compiled once with [`DeviceMapping::compile`] and turns each message into
//! measurements with [`DeviceMapping::measure`]. Files written for the Azure MedTech service and
//! `iomt-fhir` run unchanged; `docs/mapping.md` tells what differs on purpose.
//!
//! Pure: no I/O, no clock, no randomness.

pub mod convert;
pub mod dates;
pub mod device;
pub mod envelope;
pub mod fhir;
pub mod identity;
pub mod jmespath;
pub mod json;
pub mod jsonpath;
pub mod load;
pub mod moment;
pub mod number;
pub mod set;
pub mod token;
pub mod validate;

pub use device::{DeviceMapping, Measured, Measurement, MessageFault, MessageFaultCode};
pub use envelope::{EnvelopeFault, envelope, parse_token};
pub use fhir::FhirMapping;
pub use load::{FaultCode, Loaded, MappingFault};
pub use moment::Instant;
pub use set::MappingSet;
pub use token::{Object, Token};
