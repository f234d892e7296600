//! What is kept, served as FHIR R4: read, search, and the resources people and systems put here
//! (Patient, Device, DeviceUseStatement). And the trace of one message through every stage.

mod assignment;
mod bundle;
mod error;
mod read;
mod search;
mod trace;
mod write;

pub use bundle::{Base, search_bundle, transaction_bundle};
pub use error::RecordsError;
pub use read::{Stored, read};
pub use search::{Found, find};
pub use trace::{Step, Trace, trace};
pub use write::{Change, Condition, Put, Written, put, transact};
