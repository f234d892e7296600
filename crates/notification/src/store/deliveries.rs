//! Claims what is due to go out, and records what became of it.

use auscult_model::Timestamp;
use auscult_store::{Database, Row, StoreError};
use serde_json::json;

use crate::delivery::{TRIES_MAX, retry_after_ms};

/// How long a claim lasts, in milliseconds: three times the time a receiver has to answer. A host
/// that dies in between leaves the page to the next.
pub const LEASE_MS: i64 = 30_000;
/// Most pages on their way at once, over all calls: a receiver that hangs ties up no more.
const IN_FLIGHT_MAX: i64 = 64;

/// A page this call may send, and nobody else until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// `webhook-id`.
    pub id: String,
    /// Name in the policy.
    pub receiver: String,
    /// The payload.
    pub body: String,
    /// Number of this try, from 1.
    pub tries: u32,
}

/// What became of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver answered 2xx.
    Delivered,
    /// It did not; the text is a stable code such as `status-500`, `timeout`, `unreachable`.
    Failed {
        /// The code.
        code: String,
        /// The receiver's own wish when to try again, in milliseconds.
        wait_ms: Option<i64>,
    },
}

/// Claims at most `most` pages that are due, oldest first. Pages about one alert go to a receiver
/// one after the other, so that "resolved" never comes before "opened".
///
/// # Errors
/// [`StoreError`] when the database cannot be written.
pub fn claim(db: &dyn Database, now: Timestamp, most: u32) -> Result<Vec<Claimed>, StoreError> {
    let rows = db.query(
        "UPDATE delivery SET lease_until_ms = ?2, due_ms = ?2, attempts = attempts + 1
         WHERE seq IN (
             SELECT d.seq FROM delivery d
             WHERE d.state = 'pending' AND d.due_ms <= ?1 AND NOT EXISTS (
                 SELECT 1 FROM delivery e WHERE e.alert = d.alert AND e.receiver = d.receiver
                 AND e.state = 'pending' AND e.seq < d.seq)
             ORDER BY d.due_ms, d.seq
             LIMIT max(0, min(?3, ?4 - (SELECT count(*) FROM delivery
                 WHERE state = 'pending' AND due_ms > ?1 AND lease_until_ms > ?1))))
         RETURNING seq, id, receiver, body, attempts",
        &[now.into(), now.plus_ms(LEASE_MS).into(), i64::from(most).into(), IN_FLIGHT_MAX.into()],
    )?;
    let mut claimed: Vec<(i64, Claimed)> = rows.iter().map(one).collect::<Result<_, _>>()?;
    claimed.sort_by_key(|(seq, _)| *seq);
    Ok(claimed.into_iter().map(|(_, it)| it).collect())
}

fn one(row: Row<'_>) -> Result<(i64, Claimed), StoreError> {
    let claimed = Claimed {
        id: row.text("id")?.to_owned(),
        receiver: row.text("receiver")?.to_owned(),
        body: row.text("body")?.to_owned(),
        tries: u32::try_from(row.integer("attempts")?).unwrap_or(u32::MAX),
    };
    Ok((row.integer("seq")?, claimed))
}

/// Records what became of claimed pages. Pages about the same alert that waited behind one go on
/// when it does.
///
/// # Errors
/// [`StoreError`] when the database cannot be written; the lease then ends by itself.
pub fn record(
    db: &dyn Database,
    done: &[(Claimed, Outcome)],
    now: Timestamp,
) -> Result<(), StoreError> {
    if done.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = done
        .iter()
        .map(|(page, outcome)| match outcome {
            Outcome::Delivered => json!([page.id, "delivered", now.unix_ms(), now.unix_ms(), null]),
            Outcome::Failed { code, wait_ms } => {
                let state = if page.tries >= TRIES_MAX { "failed" } else { "pending" };
                let wait = retry_after_ms(&page.id, page.tries).max(wait_ms.unwrap_or(0));
                json!([page.id, state, now.plus_ms(wait).unix_ms(), null, code])
            }
        })
        .collect();
    let rows = serde_json::to_string(&rows)?;
    db.query(
        "UPDATE delivery SET state = w.value ->> 1, due_ms = w.value ->> 2, lease_until_ms = 0,
                delivered_ms = w.value ->> 3, last_error = coalesce(w.value ->> 4, last_error)
         FROM json_each(?1) w WHERE delivery.id = w.value ->> 0 AND delivery.state = 'pending'",
        &[(&rows).into()],
    )?;
    db.query(
        "UPDATE delivery SET due_ms = CASE WHEN first.state = 'pending' THEN first.due_ms ELSE ?2 END
         FROM json_each(?1) w CROSS JOIN delivery first ON first.id = w.value ->> 0
         WHERE delivery.alert = first.alert AND delivery.receiver = first.receiver
           AND delivery.state = 'pending' AND delivery.seq > first.seq",
        &[(&rows).into(), now.into()],
    )?;
    Ok(())
}
