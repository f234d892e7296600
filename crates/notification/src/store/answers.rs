//! Takes a person's answer in.

use auscult_model::{Timestamp, digest};
use auscult_store::{Database, StoreError, transaction};

use crate::fold::{Answer, AnswerKind, after_answer};
use crate::policy::Policy;
use crate::store::load::{self, AlertRow, Touched};
use crate::store::policies;
use crate::store::settle::settle;

/// An answer as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAnswer {
    /// The `Idempotency-Key`, when there was one.
    pub key: Option<String>,
    /// What was done.
    pub kind: AnswerKind,
    /// Who.
    pub by: String,
    /// In their own words.
    pub comment: Option<String>,
}

/// Why an answer was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// No alert has that id.
    #[error("there is no such alert")]
    NoAlert,
    /// The key names another answer already.
    #[error("the idempotency key was used for another answer")]
    KeyConflict,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores an answer and brings the alert up to it. An acknowledgement of an alert that is not open
/// changes nothing and is not kept: it must not cover what late data opens later.
///
/// # Errors
/// [`AnswerError`]; then nothing changed.
pub fn answer(
    db: &dyn Database,
    alert: &str,
    new: &NewAnswer,
    now: Timestamp,
) -> Result<(), AnswerError> {
    transaction(db, |db| {
        let mut rows = load::alerts(db, std::iter::once(alert))?;
        let row = rows.remove(alert).ok_or(AnswerError::NoAlert)?;
        let id = match &new.key {
            Some(key) => digest(&["answer", alert, key]),
            None => {
                let comment = new.comment.as_deref().unwrap_or_default();
                let at = now.unix_ms().to_string();
                digest(&["answer", alert, new.kind.as_str(), &new.by, comment, &at])
            }
        };
        if let Some(stored) = stored(db, &id)? {
            let same =
                stored.kind == new.kind && stored.by == new.by && stored.comment == new.comment;
            return if same { Ok(()) } else { Err(AnswerError::KeyConflict) };
        }
        let Some(state) = &row.body.state else { return Ok(()) };
        let newest = load::newest(db, std::iter::once(&row))?;
        let newest = newest.get(alert).map_or(state.effective, |(any, _)| *any);
        let policy = match new.kind {
            AnswerKind::Resolve => policies::in_force(db)?,
            _ => None,
        };
        let dismissal_ms = Policy::dismissal_ms(policy.as_ref());
        // After all that was seen, even when a device's clock runs ahead of ours.
        let after = row.body.last_at.map_or(now, |it| it.plus_ms(1));
        let answer = Answer {
            id,
            at: now.max(after),
            kind: new.kind.clone(),
            by: new.by.clone(),
            comment: new.comment.clone(),
            severity: state.severity,
            seen: newest.max(state.effective),
            dismissal_ms,
        };
        if after_answer(Some(state), &answer).is_none() {
            return Ok(());
        }
        Ok(take(db, row, &answer, now)?)
    })
}

/// Stores an answer whose time and view are known already, as a replay of history does, and brings
/// the alert up to it. The same answer twice counts once.
///
/// # Errors
/// [`AnswerError`]; then nothing changed.
pub fn replay_answer(
    db: &dyn Database,
    alert: &str,
    answer: &Answer,
    now: Timestamp,
) -> Result<(), AnswerError> {
    transaction(db, |db| {
        let mut rows = load::alerts(db, std::iter::once(alert))?;
        let row = rows.remove(alert).ok_or(AnswerError::NoAlert)?;
        match stored(db, &answer.id)? {
            Some(stored) if stored == *answer => Ok(()),
            Some(_) => Err(AnswerError::KeyConflict),
            None => Ok(take(db, row, answer, now)?),
        }
    })
}

fn take(
    db: &dyn Database,
    row: AlertRow,
    answer: &Answer,
    now: Timestamp,
) -> Result<(), StoreError> {
    store(db, &row.id, answer)?;
    let AlertRow { id: alert, patient, cause, .. } = row;
    let touched = Touched { alert, patient, cause, from: answer.at, to: answer.at };
    settle(db, std::slice::from_ref(&touched), now).map(|_| ())
}

fn stored(db: &dyn Database, id: &str) -> Result<Option<Answer>, StoreError> {
    let rows = db.query("SELECT body FROM alert_answer WHERE id = ?1", &[id.into()])?;
    rows.first().map(|it| it.json("body")).transpose()
}

fn store(db: &dyn Database, alert: &str, answer: &Answer) -> Result<(), StoreError> {
    let body = serde_json::to_string(answer)?;
    db.query(
        "INSERT INTO alert_answer (id, alert, at_ms, kind, by, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            (&answer.id).into(),
            alert.into(),
            answer.at.into(),
            answer.kind.as_str().into(),
            (&answer.by).into(),
            (&body).into(),
        ],
    )?;
    Ok(())
}
