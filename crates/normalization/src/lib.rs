//! The second stage: device messages become FHIR Observations, filed to the right patient.
//!
//! Read in this order: [`decode`] turns one message into readings, [`observe`] readings into
//! Observations, [`assign`] says whose they are, [`store`] keeps them, [`refile`] moves them when an
//! assignment changes, [`mappings`] keeps the mapping sets.

pub mod assign;
pub mod by_mapping;
pub mod decode;
pub mod explain;
pub mod mapped;
pub mod mappings;
pub mod observe;
pub mod refile;
pub mod sets;
pub mod store;
mod windows;

pub use assign::Assignments;
pub use decode::{Decoded, decode};
pub use observe::{Observation, observe};
pub use sets::MappingSets;

use auscult_model::events::{ObservationRecorded, RecordedObservation};

/// Items in one event to scoring, as everywhere between stages.
pub const EVENT_ITEMS_MAX: usize = 1_000;

/// The events for scoring: every observation that is filed to a patient, new or repeated.
#[must_use]
pub fn events(recorded: Vec<RecordedObservation>) -> Vec<ObservationRecorded> {
    let mut events = Vec::new();
    let mut rest = recorded.into_iter().peekable();
    while rest.peek().is_some() {
        events.push(ObservationRecorded {
            observations: rest.by_ref().take(EVENT_ITEMS_MAX).collect(),
        });
    }
    events
}
