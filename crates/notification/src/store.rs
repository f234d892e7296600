//! Everything notification reads and writes, each change in one transaction.

mod alerts;
mod answers;
mod bundle;
mod dead;
mod deliveries;
mod heartbeat;
mod load;
mod policies;
mod publish;
mod scenes;
mod settle;
mod silences;
mod views;
mod write;

pub use crate::delivery::{Claimed, Outcome};
pub use alerts::{Changed, on_assessments};
pub use answers::{AnswerError, NewAnswer, answer, replay_answer};
pub use dead::{DeliveryView, deliveries, delivery, replay_delivery};
pub use deliveries::{about, claim, record};
pub use heartbeat::{Beat, beat, beat_due};
pub use policies::{
    PolicyError, PolicyVersion, StoredPolicy, policy, policy_version, policy_versions, put_policy,
    rollback_policy,
};
pub use publish::{Unpublished, published, unpublished};
pub use settle::repeat_due;
pub use silences::{NewSilence, SilenceError, end_silence, put_silence, silences};
pub use views::{
    AlertView, Cursor, Filter, HeldFilter, HeldView, PageView, Revision, Suppressed, alert,
    held_back, list,
};

use auscult_model::Timestamp;
use auscult_store::{Database, StoreError};

/// What a clock finds to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Some open alert may have to page again.
    pub alerts: bool,
    /// Some delivery may go out.
    pub deliveries: bool,
}

/// Whether there is anything to do now: one statement over two partial indexes.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn due(db: &dyn Database, now: Timestamp) -> Result<Due, StoreError> {
    let rows = db.query(
        "SELECT (SELECT min(due_ms) FROM alert WHERE due_ms IS NOT NULL) AS alerts,
                (SELECT min(due_ms) FROM delivery WHERE state = 'pending') AS deliveries",
        &[],
    )?;
    let Some(row) = rows.first() else { return Ok(Due { alerts: false, deliveries: false }) };
    let past = |column: &str| -> Result<bool, StoreError> {
        Ok(row.integer_or_null(column)?.is_some_and(|it| it <= now.unix_ms()))
    };
    Ok(Due { alerts: past("alerts")?, deliveries: past("deliveries")? })
}
