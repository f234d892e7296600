//! One message through every stage.

use auscult_model::events::ObservedValue;
use auscult_model::{Assessment, Problem, Quality, Timestamp};
use auscult_store::{Database, Row, StoreError};
use serde_json::Value;

use super::alerts::{self, AlertRow};
use super::{json_array, time};

/// Assessments shown for one message: a reading is used by every score until the next one replaces
/// it, and the first ones are those it caused.
const ASSESSMENTS_MAX: i64 = 20;
/// How long after a reading scores are looked for when no later one replaces it: the longest a vital
/// sign stays fresh.
const USED_FOR_MS: i64 = 12 * 3_600_000;

/// What became of a message at each stage.
#[derive(Debug, Clone, PartialEq)]
pub struct MessagePage {
    /// Its id.
    pub id: String,
    /// The device it names, when it does.
    pub device: Option<String>,
    /// `?source=`.
    pub source: Option<String>,
    /// When ingest took it.
    pub received: Timestamp,
    /// `pending`, `done`, `dead`, `rejected`.
    pub state: String,
    /// How often it was moved on.
    pub attempts: i64,
    /// Why it was rejected, given up on, or last failed.
    pub problem: Option<Problem>,
    /// As received, indented when it is JSON.
    pub body: String,
    /// What normalization made of it; `None` while it has not seen it.
    pub outcome: Option<Outcome>,
    /// The Observations in it.
    pub observations: Vec<MadeObservation>,
    /// Scores that used them, oldest first.
    pub used_by: Vec<UsedBy>,
    /// Alerts that those scores changed.
    pub alerts: Vec<AlertRow>,
}

/// What normalization made of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// `normalized`, `rejected`.
    pub status: String,
    /// How many Observations, repeats included.
    pub n_observations: usize,
    /// Every rejected value with its place and rule.
    pub problem: Option<Problem>,
    /// What made it: `catalogue@1`.
    pub mapping: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// One Observation of the message.
#[derive(Debug, Clone, PartialEq)]
pub struct MadeObservation {
    /// Its id.
    pub id: String,
    /// Whose; `None` while no assignment covers it.
    pub patient: Option<String>,
    /// Canonical name.
    pub code: String,
    /// When it was measured.
    pub effective: Timestamp,
    /// Whether it may be scored; `None` for a word this page does not know.
    pub quality: Option<Quality>,
    /// The values in it.
    pub values: Vec<ObservedValue>,
}

/// One score that used an Observation of the message.
#[derive(Debug, Clone, PartialEq)]
pub struct UsedBy {
    /// As stored.
    pub assessment: Assessment,
    /// Whether it still stands, or a later one corrected it.
    pub is_current: bool,
}

/// The page of one message, found by its id or by that of an Observation made of it. `None` when
/// nothing has that id.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn message_page(db: &dyn Database, id: &str) -> Result<Option<MessagePage>, StoreError> {
    let rows = db.query(
        "SELECT id, device, source, body, received_ms, state, attempts, problem FROM inbox
         WHERE id = ?1 OR id = (SELECT message FROM observation WHERE id = ?1)
         ORDER BY id = ?1 DESC LIMIT 1",
        &[id.into()],
    )?;
    let Some(row) = rows.first() else { return Ok(None) };
    let id = row.text("id")?;
    let observations = observations(db, id)?;
    let used_by = used_by(db, id)?;
    let assessments = json_array(used_by.iter().map(|it| it.assessment.id.as_str()))?;
    let alerts =
        if used_by.is_empty() { Vec::new() } else { alerts::changed_by(db, &assessments)? };
    Ok(Some(MessagePage {
        id: id.to_owned(),
        device: row.text_or_null("device")?.map(str::to_owned),
        source: row.text_or_null("source")?.map(str::to_owned),
        received: time(&row, "received_ms")?,
        state: row.text("state")?.to_owned(),
        attempts: row.integer("attempts")?,
        problem: problem(&row)?,
        body: indented(row.text("body")?),
        outcome: outcome(db, id)?,
        observations,
        used_by,
        alerts,
    }))
}

fn problem(row: &Row<'_>) -> Result<Option<Problem>, StoreError> {
    let text = row.text_or_null("problem")?;
    Ok(text.map(serde_json::from_str).transpose()?)
}

fn indented(body: &str) -> String {
    let value: Option<Value> = serde_json::from_str(body).ok();
    value.and_then(|it| serde_json::to_string_pretty(&it).ok()).unwrap_or_else(|| body.to_owned())
}

fn outcome(db: &dyn Database, id: &str) -> Result<Option<Outcome>, StoreError> {
    let rows = db.query(
        "SELECT status, observations, problem, mapping, at_ms FROM message_outcome WHERE message = ?1",
        &[id.into()],
    )?;
    let Some(row) = rows.first() else { return Ok(None) };
    let observations: Vec<String> = row.json("observations")?;
    Ok(Some(Outcome {
        status: row.text("status")?.to_owned(),
        n_observations: observations.len(),
        problem: problem(&row)?,
        mapping: row.text_or_null("mapping")?.map(str::to_owned),
        at: time(&row, "at_ms")?,
    }))
}

/// Through the outcome, so that a repeat of a reading finds the Observation of the first.
const OBSERVATIONS: &str = "
SELECT id, patient, code, effective_ms, quality, inputs FROM observation
WHERE message = ?1 OR id IN (SELECT j.value FROM message_outcome m, json_each(m.observations) j
    WHERE m.message = ?1)
ORDER BY seq";

fn observations(db: &dyn Database, id: &str) -> Result<Vec<MadeObservation>, StoreError> {
    let rows = db.query(OBSERVATIONS, &[id.into()])?;
    let made = rows.iter().map(|row| {
        Ok(MadeObservation {
            id: row.text("id")?.to_owned(),
            patient: row.text_or_null("patient")?.map(str::to_owned),
            code: row.text("code")?.to_owned(),
            effective: time(&row, "effective_ms")?,
            quality: Quality::parse(row.text("quality")?),
            values: row.json("inputs")?,
        })
    });
    made.collect()
}

const USED_BY: &str = "
WITH made (id, patient, at_ms, until_ms) AS (
    SELECT id, patient, effective_ms, min(effective_ms + ?2, coalesce((
        SELECT min(n.effective_ms) FROM observation n
        WHERE n.patient = o.patient AND n.code = o.code AND n.quality = 'accepted'
            AND n.effective_ms > o.effective_ms), effective_ms + ?2))
    FROM observation o
    WHERE patient IS NOT NULL AND (message = ?1 OR id IN (
        SELECT j.value FROM message_outcome m, json_each(m.observations) j WHERE m.message = ?1))
)
SELECT DISTINCT a.seq, a.current, a.body FROM made JOIN assessment a
    ON a.patient = made.patient AND a.effective_ms BETWEEN made.at_ms AND made.until_ms
WHERE EXISTS (SELECT 1 FROM json_each(a.body, '$.inputs') i
    WHERE json_extract(i.value, '$.observation') = made.id)
ORDER BY a.effective_ms, a.seq LIMIT ?3";

fn used_by(db: &dyn Database, id: &str) -> Result<Vec<UsedBy>, StoreError> {
    let rows = db.query(USED_BY, &[id.into(), USED_FOR_MS.into(), ASSESSMENTS_MAX.into()])?;
    let used = rows.iter().map(|row| {
        Ok(UsedBy { assessment: row.json("body")?, is_current: row.integer("current")? == 1 })
    });
    used.collect()
}
