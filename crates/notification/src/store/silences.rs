//! Silences people asked for.

use auscult_model::{Severity, Timestamp, digest};
use auscult_store::{Database, Row, StoreError, transaction};

use crate::policy::Match;
use crate::silence::{SILENCE_MS_MAX, Silence};
use crate::store::load;

/// A silence as it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewSilence {
    /// The `Idempotency-Key`, when there was one.
    pub key: Option<String>,
    /// Which alerts.
    pub of: Match,
    /// Only this patient's.
    pub patient: Option<String>,
    /// Only this alert, up to the severity it has now.
    pub alert: Option<String>,
    /// Who.
    pub author: String,
    /// Why.
    pub comment: Option<String>,
    /// Until when.
    pub until_ms: i64,
}

/// Why a silence was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SilenceError {
    /// It names no alert, patient or match, and would silence everything.
    #[error("a silence says what it silences")]
    Everything,
    /// Its end is past or too far off.
    #[error("the end of a silence lies ahead, within a week")]
    End,
    /// No alert has that id.
    #[error("there is no such alert")]
    NoAlert,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Silences that have not ended.
pub fn active(db: &dyn Database, now: Timestamp) -> Result<Vec<Silence>, StoreError> {
    let rows = db.query(
        "SELECT body FROM silence WHERE until_ms > ?1 AND ended_ms IS NULL",
        &[now.into()],
    )?;
    rows.iter().map(|row: Row<'_>| row.json("body")).collect()
}

/// Silences that have not ended, the first to end first.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn silences(db: &dyn Database, now: Timestamp) -> Result<Vec<Silence>, StoreError> {
    let mut found = active(db, now)?;
    found.sort_by(|a, b| (a.until, &a.id).cmp(&(b.until, &b.id)));
    Ok(found)
}

/// Takes a silence in. It covers emergencies only when it names their severity, or is about one alert
/// that its author saw to be one.
///
/// # Errors
/// [`SilenceError`]; then nothing changed.
pub fn put_silence(
    db: &dyn Database,
    new: &NewSilence,
    now: Timestamp,
) -> Result<Silence, SilenceError> {
    if new.of.is_empty() && new.patient.is_none() && new.alert.is_none() {
        return Err(SilenceError::Everything);
    }
    let until = Timestamp::from_unix_ms(new.until_ms);
    if until <= now || until.since_ms(now) > SILENCE_MS_MAX {
        return Err(SilenceError::End);
    }
    transaction(db, |db| {
        let seen = match &new.alert {
            Some(alert) => {
                let mut rows = load::alerts(db, std::iter::once(alert.as_str()))?;
                Some(rows.remove(alert).ok_or(SilenceError::NoAlert)?.severity)
            }
            None => None,
        };
        let named = new.of.severities.contains(&Severity::Emergency);
        let covers = seen.unwrap_or(if named { Severity::Emergency } else { Severity::Urgent });
        let of = serde_json::to_string(&new.of).map_err(StoreError::from)?;
        let id = match &new.key {
            Some(key) => digest(&["silence", key]),
            None => {
                let patient = new.patient.as_deref().unwrap_or_default();
                let alert = new.alert.as_deref().unwrap_or_default();
                let times = format!("{now} {until}");
                digest(&["silence", &of, patient, alert, &new.author, &times])
            }
        };
        let silence = Silence {
            id,
            of: new.of.clone(),
            patient: new.patient.clone(),
            alert: new.alert.clone(),
            covers,
            author: new.author.clone(),
            comment: new.comment.clone(),
            from: now,
            until,
        };
        let body = serde_json::to_string(&silence).map_err(StoreError::from)?;
        db.query(
            "INSERT INTO silence (id, body, created_ms, until_ms) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO NOTHING",
            &[(&silence.id).into(), (&body).into(), now.into(), until.into()],
        )?;
        let rows = db.query("SELECT body FROM silence WHERE id = ?1", &[(&silence.id).into()])?;
        let stored = rows.first().ok_or_else(|| StoreError::Shape("silence".to_owned()))?;
        Ok(stored.json("body")?)
    })
}

/// Ends a silence early and has every open alert looked at again. False when there is none.
///
/// # Errors
/// [`StoreError`] when the database cannot be written.
pub fn end_silence(
    db: &dyn Database,
    id: &str,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    transaction(db, |db| {
        let rows = db.query("SELECT id FROM silence WHERE id = ?1", &[id.into()])?;
        if rows.first().is_none() {
            return Ok(false);
        }
        db.query(
            "UPDATE silence SET ended_ms = ?2, ended_by = ?3
             WHERE id = ?1 AND ended_ms IS NULL AND until_ms > ?2",
            &[id.into(), now.into(), by.into()],
        )?;
        db.query(
            "UPDATE alert SET due_ms = ?1 WHERE status IN ('open', 'pending') AND held = 'silenced'",
            &[now.into()],
        )?;
        Ok(true)
    })
}
