//! Absence while nothing arrives at all: due times that passed become assessments.
//!
//! A due time stays in the table until what it caused has been sent: whoever dies in between sends the
//! same assessments again, under the same ids.

use auscult_model::Timestamp;
use auscult_store::{Database, StoreError, transaction};

use super::engine::{Span, evaluate};
use super::store::current;
use crate::engine::Emission;
use crate::error::ScoringError;

/// Due times worked off in one tick; the next tick goes on.
const TICK_MAX: i64 = 200;

/// What a tick caused.
#[derive(Debug, Default)]
pub struct Ticked {
    /// To be sent on.
    pub emissions: Vec<Emission>,
    /// What to settle with [`settle`] once that is done: patient, rule, due time.
    pub due: Vec<(String, String, i64)>,
}

/// Assesses everything that was due by `now`.
///
/// # Errors
/// [`ScoringError::Store`] when the database fails; nothing has been written then.
pub fn tick(db: &dyn Database, now: Timestamp) -> Result<Ticked, ScoringError> {
    if overdue(db, now)?.is_empty() {
        return Ok(Ticked::default());
    }
    transaction(db, |db| {
        let set = current(db)?;
        let due = overdue(db, now)?;
        let mut spans = Vec::new();
        for (patient, rule, _) in &due {
            // From the beginning of time nothing comes before, and what comes last is what counts.
            let (patient, rule) = (patient.clone(), rule.clone());
            spans.push(Span { patient, rule, from_ms: now.unix_ms(), to_ms: i64::MAX - 1 });
        }
        let mut ticked = Ticked { emissions: evaluate(db, &set, &spans, now)?.emissions, due };
        // The evaluation took the due times out; they leave for good when all is sent.
        put_back(db, &ticked.due)?;
        ticked.due.dedup();
        Ok(ticked)
    })
}

fn overdue(db: &dyn Database, now: Timestamp) -> Result<Vec<(String, String, i64)>, StoreError> {
    let rows = db.query(
        "SELECT patient, rule, due_ms FROM absence_due WHERE due_ms <= ?1 ORDER BY due_ms LIMIT ?2",
        &[now.into(), TICK_MAX.into()],
    )?;
    rows.iter()
        .map(|row| {
            let (patient, rule) = (row.text("patient")?.to_owned(), row.text("rule")?.to_owned());
            Ok((patient, rule, row.integer("due_ms")?))
        })
        .collect()
}

fn put_back(db: &dyn Database, due: &[(String, String, i64)]) -> Result<(), StoreError> {
    let text = serde_json::to_string(due)?;
    db.query(
        "INSERT INTO absence_due (patient, rule, due_ms)
         SELECT value ->> 0, value ->> 1, CAST(value ->> 2 AS BIGINT) FROM json_each(?1) WHERE true
         ON CONFLICT (patient, rule) DO NOTHING",
        &[(&text).into()],
    )?;
    Ok(())
}

/// Forgets due times whose assessments have been sent. One that a reading has moved stays.
///
/// # Errors
/// [`ScoringError::Store`] when the database fails.
pub fn settle(db: &dyn Database, due: &[(String, String, i64)]) -> Result<(), ScoringError> {
    if due.is_empty() {
        return Ok(());
    }
    let text = serde_json::to_string(due).map_err(StoreError::from)?;
    db.query(
        "DELETE FROM absence_due WHERE (patient, rule, due_ms) IN
         (SELECT value ->> 0, value ->> 1, CAST(value ->> 2 AS BIGINT) FROM json_each(?1))",
        &[(&text).into()],
    )?;
    Ok(())
}
