//! Messages that did not become observations: listed, shown, and put back to be tried again.

use auscult_model::{Problem, Timestamp};
use auscult_store::{Database, Row, StoreError};
use serde::{Deserialize, Serialize};

/// One message that was rejected or given up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeadLetter {
    /// Message id.
    pub id: String,
    /// The device, where it is known.
    pub device: Option<String>,
    /// When it was received.
    pub received: Timestamp,
    /// `ingest` when rejected at the door, `normalization` when its values were, `relay` when given up.
    pub stage: String,
    /// Tries to move it on.
    pub attempts: i64,
    /// Why.
    pub problem: Option<Problem>,
    /// The message as received; only when one is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// Which dead letters are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Only of this device.
    pub device: Option<String>,
    /// Only with this problem code.
    pub code: Option<String>,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// Newest first.
    pub items: Vec<DeadLetter>,
    /// Path of the next page.
    pub next: Option<String>,
}

/// Largest page.
pub const LIMIT_MAX: usize = 200;

const SELECT: &str = "
    SELECT inbox.seq, inbox.id, inbox.device, inbox.received_ms, inbox.attempts, inbox.state, inbox.body,
           coalesce(outcome.problem, inbox.problem) AS problem
    FROM inbox LEFT JOIN message_outcome AS outcome ON outcome.message = inbox.id
    WHERE (inbox.state IN ('dead', 'rejected') OR outcome.problem IS NOT NULL)";

/// Dead letters, newest first, older than row `before`.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn list(
    db: &dyn Database,
    filter: &Filter,
    before: Option<i64>,
    limit: usize,
) -> Result<Page, StoreError> {
    let limit = limit.clamp(1, LIMIT_MAX);
    let sql = format!(
        "{SELECT} AND inbox.seq < ?1 AND (?2 IS NULL OR inbox.device = ?2)
         AND (?3 IS NULL OR coalesce(outcome.problem, inbox.problem)->>'type' = ?3)
         ORDER BY inbox.seq DESC LIMIT ?4"
    );
    let urn = filter.code.as_ref().map(|it| format!("urn:auscult:problem:{it}"));
    let rows = db.query(
        &sql,
        &[
            before.unwrap_or(i64::MAX).into(),
            filter.device.as_deref().into(),
            urn.as_deref().into(),
            i64::try_from(limit + 1).unwrap_or(i64::MAX).into(),
        ],
    )?;
    let mut items = Vec::with_capacity(limit);
    let mut last = None;
    for row in rows.iter().take(limit) {
        last = Some(row.integer("seq")?);
        items.push(DeadLetter { body: None, ..letter(row)? });
    }
    let next = last.filter(|_| rows.len() > limit);
    Ok(Page { items, next: next.map(|it| format!("/dead-letters?limit={limit}&before={it}")) })
}

/// One dead letter with its message.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn show(db: &dyn Database, id: &str) -> Result<Option<DeadLetter>, StoreError> {
    let rows = db.query(&format!("{SELECT} AND inbox.id = ?1"), &[id.into()])?;
    rows.first().map(letter).transpose()
}

/// Puts dead letters back to be tried again; they keep their ids, so what they had effected is not
/// doubled. Messages that are not JSON stay: nothing could read them. Returns the ids put back.
///
/// # Errors
/// [`StoreError`] when the database cannot be written.
pub fn replay(
    db: &dyn Database,
    id: Option<&str>,
    filter: &Filter,
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let sql = format!(
        "UPDATE inbox SET state = 'pending', attempts = 0, due_ms = ?1, problem = NULL
         WHERE json_valid(body) AND id IN (
             SELECT id FROM ({SELECT} AND (?2 IS NULL OR inbox.id = ?2)
             AND (?3 IS NULL OR inbox.device = ?3)
             AND (?4 IS NULL OR coalesce(outcome.problem, inbox.problem)->>'type' = ?4)
             ORDER BY inbox.seq LIMIT 1000))
         RETURNING id"
    );
    let urn = filter.code.as_ref().map(|it| format!("urn:auscult:problem:{it}"));
    let rows = db.query(
        &sql,
        &[now.into(), id.into(), filter.device.as_deref().into(), urn.as_deref().into()],
    )?;
    rows.iter().map(|it| Ok(it.text("id")?.to_owned())).collect()
}

fn letter(row: Row<'_>) -> Result<DeadLetter, StoreError> {
    let stage = match row.text("state")? {
        "rejected" => "ingest",
        "dead" => "relay",
        _ => "normalization",
    };
    let problem = row.text_or_null("problem")?.map(serde_json::from_str).transpose()?;
    Ok(DeadLetter {
        id: row.text("id")?.to_owned(),
        device: row.text_or_null("device")?.map(str::to_owned),
        received: Timestamp::from_unix_ms(row.integer("received_ms")?),
        stage: stage.to_owned(),
        attempts: row.integer("attempts")?,
        problem,
        body: Some(row.text("body")?.to_owned()),
    })
}
