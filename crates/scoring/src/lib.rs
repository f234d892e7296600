//! Scores as pure functions, and the engine that evaluates them in event time.
//!
//! [`news2::score`] and its neighbours take values and return points; [`engine`] finds out which
//! instants a batch of observations touches and makes their assessments agree with the readings.

pub mod bands;
pub mod engine;
pub mod error;
pub mod list;
pub mod news2;
pub mod reevaluate;
pub mod rules;
pub mod scores;
pub mod series;
pub mod settings;
pub mod stats;
mod store;
pub mod touched;
pub mod verify;
pub mod window;

pub use engine::{Emission, Progress, Step, record, step};
pub use error::ScoringError;
