//! Deliveries as people see them: what waits, what arrived, what was given up, and another go.

use auscult_model::Timestamp;
use auscult_store::{Database, Param, Row, StoreError, transaction};
use serde::Serialize;

use crate::delivery::Receipt;

/// One delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliveryView {
    /// The receiver's idempotency key.
    pub id: String,
    /// Alert id.
    pub alert: String,
    /// Name in the policy.
    pub receiver: String,
    /// `alert.opened` …
    pub event: String,
    /// `pending`, `delivered`, `failed`.
    pub state: String,
    /// Tries so far.
    pub attempts: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it is tried next, while it is pending.
    pub due: Option<Timestamp>,
    /// When the receiver took it.
    pub delivered: Option<Timestamp>,
    /// What the receiver said then.
    pub receipt: Option<Receipt>,
    /// Code of the last failure.
    pub last_error: Option<String>,
    /// The delivery whose receiver could not be reached.
    pub fallback_of: Option<String>,
}

const COLUMNS: &str = "seq, id, alert, receiver, body, state, attempts, created_ms, due_ms,
    delivered_ms, receipt, last_error, fallback_of";

fn view(row: Row<'_>) -> Result<DeliveryView, StoreError> {
    let text = |column: &str| row.text(column).map(str::to_owned);
    let optional = |column: &str| row.text_or_null(column).map(|it| it.map(str::to_owned));
    let time = |column: &str| row.integer_or_null(column).map(|it| it.map(Timestamp::from_unix_ms));
    let body: serde_json::Value = row.json("body")?;
    let state = text("state")?;
    let receipt = optional("receipt")?;
    Ok(DeliveryView {
        id: text("id")?,
        alert: text("alert")?,
        receiver: text("receiver")?,
        event: body.get("type").and_then(|it| it.as_str()).unwrap_or_default().to_owned(),
        attempts: row.integer("attempts")?,
        created: Timestamp::from_unix_ms(row.integer("created_ms")?),
        due: time("due_ms")?.filter(|_| state == "pending"),
        state,
        delivered: time("delivered_ms")?,
        receipt: receipt.map(|it| serde_json::from_str(&it)).transpose()?,
        last_error: optional("last_error")?,
        fallback_of: optional("fallback_of")?,
    })
}

/// A page of deliveries, the newest first, in one state or in all, and where the next goes on.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn deliveries(
    db: &dyn Database,
    state: Option<&str>,
    before: Option<i64>,
    limit: u32,
) -> Result<(Vec<DeliveryView>, Option<i64>), StoreError> {
    let mut sql = format!("SELECT {COLUMNS} FROM delivery WHERE true");
    let mut params: Vec<Param<'_>> = Vec::new();
    if let Some(state) = state {
        params.push(state.into());
        sql += &format!(" AND state = ?{}", params.len());
    }
    if let Some(before) = before {
        params.push(before.into());
        sql += &format!(" AND seq < ?{}", params.len());
    }
    // One more than asked for tells whether there is a next page.
    params.push((i64::from(limit) + 1).into());
    sql += &format!(" ORDER BY seq DESC LIMIT ?{}", params.len());
    let rows = db.query(&sql, &params)?;
    let mut found = Vec::new();
    for row in rows.iter() {
        found.push((row.integer("seq")?, view(row)?));
    }
    let more = found.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        found.pop();
    }
    let next = found.last().map(|(seq, _)| *seq).filter(|_| more);
    Ok((found.into_iter().map(|(_, it)| it).collect(), next))
}

/// One delivery, `None` when there is none of that id.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn delivery(db: &dyn Database, id: &str) -> Result<Option<DeliveryView>, StoreError> {
    let rows = db.query(&format!("SELECT {COLUMNS} FROM delivery WHERE id = ?1"), &[id.into()])?;
    rows.first().map(view).transpose()
}

/// Sends one that was given up again, with its tries counted anew and under its old id. One that is
/// pending goes out at once; one that arrived stays as it is.
///
/// # Errors
/// [`StoreError`] when the database cannot be written.
pub fn replay_delivery(
    db: &dyn Database,
    id: &str,
    now: Timestamp,
) -> Result<Option<DeliveryView>, StoreError> {
    transaction(db, |db| {
        db.query(
            "UPDATE delivery SET attempts = CASE WHEN state = 'failed' THEN 0 ELSE attempts END,
                    state = 'pending', due_ms = ?2
             WHERE id = ?1 AND state IN ('failed', 'pending') AND lease_until_ms <= ?2",
            &[id.into(), now.into()],
        )?;
        delivery(db, id)
    })
}
