//! Alerts from assessments: one per patient and cause, paged to the right receivers and to no other.
//!
//! [`fold`] is the state machine, [`page`] decides who is told and when, [`policy`] is the document
//! that says so, [`delivery`] is what leaves for a receiver and [`channel`] the form it takes. All of these are pure. [`store`] loads,
//! asks them, and writes, in one transaction each.

pub mod channel;
pub mod delivery;
pub mod desk;
pub mod duration;
pub mod fold;
pub mod gate;
pub mod page;
pub mod policy;
mod refold;
pub mod silence;
pub mod store;

pub use fold::{Answer, AnswerKind, Item, Observed, State, Step, Verdict};
pub use page::{Decision, HoldReason, SendReason, decide};
pub use policy::Policy;

use auscult_model::{PatientId, digest};

/// The id of the one alert of a patient and a cause. Holds no value and no time, so late data
/// never gives the same trouble a second name.
#[must_use]
pub fn alert_id(patient: &PatientId, cause: &str) -> String {
    digest(&["alert", patient.reveal(), cause])
}
