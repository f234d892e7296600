//! The nouns every stage shares: ids, instants, readings, and what travels between stages.
//!
//! This crate depends on nothing of ours and does no I/O.

pub mod alert;
pub mod assessment;
pub mod digest;
pub mod events;
pub mod ids;
pub mod problem;
pub mod reading;
pub mod time;

pub use alert::{Alert, AlertStatus, Severity};
pub use assessment::{Assessment, AssessmentStatus};
pub use digest::digest;
pub use ids::{DeviceId, MessageId, PatientId};
pub use problem::{Fault, Problem};
pub use reading::{Quality, Reading, ReadingValue};
pub use time::Timestamp;
