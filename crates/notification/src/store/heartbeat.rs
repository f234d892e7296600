//! The dead man's switch: a page that goes out every so often whether anything is wrong or not, so
//! that silence means trouble.

use auscult_model::{Timestamp, digest};
use auscult_store::{Database, StoreError, transaction};
use serde::Serialize;
use serde_json::json;

use crate::policy::Heartbeat;
use crate::store::policies;

/// What `delivery.alert` says of a heartbeat: no alert has this id.
pub const HEARTBEAT: &str = "heartbeat";

/// How the heartbeat stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Beat {
    /// Name in the policy: a receiver or a schedule.
    pub receiver: String,
    /// How often, in seconds.
    pub interval_seconds: i64,
    /// When the last one was taken; null when none ever was.
    pub delivered: Option<Timestamp>,
    /// When the next one is made.
    pub next: Timestamp,
    /// Nothing has arrived for two intervals.
    pub overdue: bool,
    /// Code of the last failure of the newest.
    pub last_error: Option<String>,
}

const fn period(heartbeat: &Heartbeat, now: Timestamp) -> i64 {
    now.unix_ms().div_euclid(heartbeat.interval_ms)
}

/// Lays down the heartbeat of the present period once. Returns whether one was due. Periods missed
/// while nothing ran are gone: a late heartbeat says nothing about then.
///
/// # Errors
/// [`StoreError`] when the database cannot be read or written.
pub fn beat_due(db: &dyn Database, now: Timestamp) -> Result<bool, StoreError> {
    let Some(policy) = policies::in_force(db)? else { return Ok(false) };
    let Some(heartbeat) = &policy.heartbeat else { return Ok(false) };
    let period = period(heartbeat, now);
    let made = "SELECT count(*) AS n FROM heartbeat WHERE period = ?1 AND interval_ms = ?2";
    let made = db.query(made, &[period.into(), heartbeat.interval_ms.into()])?;
    if made.first().map(|it| it.integer("n")).transpose()? != Some(0) {
        return Ok(false);
    }
    let receiver = policy.who(&heartbeat.receiver, now);
    let id = digest(&[HEARTBEAT, &heartbeat.interval_ms.to_string(), &period.to_string()]);
    let next = Timestamp::from_unix_ms((period + 1).saturating_mul(heartbeat.interval_ms));
    let body = json!({
        "type": "heartbeat",
        "timestamp": now,
        "data": { "period": period, "interval_seconds": heartbeat.interval_ms / 1_000, "next": next },
    })
    .to_string();
    transaction(db, |db| {
        // One row of the last interval is enough to know that it beats; older ones are forgotten.
        db.query(
            "DELETE FROM heartbeat WHERE created_ms < ?1 OR period = ?2",
            &[now.plus_ms(-KEPT_MS).into(), period.into()],
        )?;
        db.query(
            "INSERT INTO heartbeat (period, interval_ms, delivery, receiver, created_ms)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            &[
                period.into(),
                heartbeat.interval_ms.into(),
                (&id).into(),
                receiver.into(),
                now.into(),
            ],
        )?;
        // One that never arrived is given up for the new one.
        db.query(
            "UPDATE delivery SET state = 'failed', last_error = 'superseded'
             WHERE alert = ?1 AND state = 'pending'",
            &[HEARTBEAT.into()],
        )?;
        db.query(
            "INSERT INTO delivery (id, alert, receiver, body, state, created_ms, due_ms)
             VALUES (?1, ?2, ?3, ?4, 'pending', ?5, ?5) ON CONFLICT (id) DO NOTHING",
            &[(&id).into(), HEARTBEAT.into(), receiver.into(), (&body).into(), now.into()],
        )?;
        Ok(true)
    })
}

/// How long heartbeats are remembered, in milliseconds: 30 days.
const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// How the heartbeat stands; `None` when the policy asks for none.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn beat(db: &dyn Database, now: Timestamp) -> Result<Option<Beat>, StoreError> {
    let Some(stored) = policies::policy(db)? else { return Ok(None) };
    let Some(heartbeat) = stored.policy.heartbeat.clone() else { return Ok(None) };
    let rows = db.query(
        "SELECT max(delivered_ms) AS delivered_ms, (SELECT e.last_error FROM delivery e
             WHERE e.alert = ?1 ORDER BY e.created_ms DESC LIMIT 1) AS last_error,
             (SELECT p.created_ms FROM policy p ORDER BY p.version DESC LIMIT 1) AS asked_ms
         FROM delivery d WHERE d.alert = ?1 AND d.state = 'delivered'",
        &[HEARTBEAT.into()],
    )?;
    let row = rows.first().ok_or_else(|| StoreError::Shape("delivered_ms".to_owned()))?;
    let delivered = row.integer_or_null("delivered_ms")?.map(Timestamp::from_unix_ms);
    let asked = row.integer_or_null("asked_ms")?.map(Timestamp::from_unix_ms);
    let since = delivered.max(asked).unwrap_or(now);
    Ok(Some(Beat {
        interval_seconds: heartbeat.interval_ms / 1_000,
        delivered,
        next: Timestamp::from_unix_ms((period(&heartbeat, now) + 1) * heartbeat.interval_ms),
        overdue: now.since_ms(since) > 2 * heartbeat.interval_ms,
        last_error: row.text_or_null("last_error")?.map(str::to_owned),
        receiver: heartbeat.receiver,
    }))
}
