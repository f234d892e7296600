//! One message through every stage: what became of it, when, and why. No values are shown.

use auscult_model::Timestamp;
use auscult_store::{Database, Row, StoreError};
use serde::Serialize;
use serde_json::{Value, json};

/// Assessments and alerts of one message that are told: a message gives a handful.
const ROWS_MAX: i64 = 200;

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trace {
    /// Message id.
    pub id: String,
    /// In the order of the stages, within a stage oldest first.
    pub steps: Vec<Step>,
}

/// One thing that a stage did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// `ingest`, `normalization`, `scoring` or `notification`.
    pub stage: &'static str,
    /// When; for scores and alerts the event time they speak of.
    pub at: Timestamp,
    /// What came of it, in one word of the stage's own.
    pub result: String,
    /// Ids, times, codes and reasons.
    pub detail: Value,
}

/// Follows a message by its id, or by the id of an Observation made from it. `None` when unknown.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn trace(db: &dyn Database, id: &str) -> Result<Option<Trace>, StoreError> {
    let rows = db.query(
        "SELECT id, device, source, state, attempts, received_ms, problem FROM inbox
         WHERE id = ?1 OR id = (SELECT message FROM observation WHERE id = ?1)
         ORDER BY id = ?1 DESC LIMIT 1",
        &[id.into()],
    )?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let message = row.text("id")?;
    let mut steps = vec![taken(row)?];
    steps.extend(normalized(db, message)?);
    steps.extend(scored(db, message)?);
    steps.extend(notified(db, message)?);
    Ok(Some(Trace { id: message.to_owned(), steps }))
}

fn taken(row: Row<'_>) -> Result<Step, StoreError> {
    let state = row.text("state")?;
    Ok(Step {
        stage: "ingest",
        at: at(row, "received_ms")?,
        result: state.to_owned(),
        detail: json!({
            "device": row.text_or_null("device")?,
            "source": row.text_or_null("source")?,
            "attempts": row.integer("attempts")?,
            "problem": json_or_null(row, "problem")?,
        }),
    })
}

fn normalized(db: &dyn Database, message: &str) -> Result<Vec<Step>, StoreError> {
    let outcomes = db.query(
        "SELECT status, mapping, problem, at_ms FROM message_outcome WHERE message = ?1",
        &[message.into()],
    )?;
    let mut steps = Vec::new();
    for row in outcomes.iter() {
        steps.push(Step {
            stage: "normalization",
            at: at(row, "at_ms")?,
            result: row.text("status")?.to_owned(),
            detail: json!({
                "mapping": row.text_or_null("mapping")?,
                "problem": json_or_null(row, "problem")?,
            }),
        });
    }
    let observations = db.query(
        &format!(
            "WITH made AS ({MADE})
             SELECT id, device, code, quality, effective_ms, updated_ms, version,
                    patient IS NOT NULL AS filed, message = ?1 AS own
             FROM made ORDER BY effective_ms, id LIMIT ?2"
        ),
        &[message.into(), ROWS_MAX.into()],
    )?;
    for row in observations.iter() {
        let filed = row.integer("filed")? == 1;
        steps.push(Step {
            stage: "normalization",
            at: at(row, "updated_ms")?,
            result: if filed { "filed" } else { "unassigned" }.to_owned(),
            detail: json!({
                "observation": row.text("id")?,
                "device": row.text("device")?,
                "code": row.text("code")?,
                "effective": at(row, "effective_ms")?,
                "quality": row.text("quality")?,
                "version": row.integer("version")?,
                // Another message brought the same measurement first.
                "repeat": row.integer("own")? == 0,
            }),
        });
    }
    Ok(steps)
}

/// The Observations of message `?1`: its own, and those it repeated.
const MADE: &str = "SELECT * FROM observation WHERE message = ?1
     UNION SELECT o.* FROM message_outcome AS m, json_each(m.observations) AS it
     JOIN observation AS o ON o.id = it.value WHERE m.message = ?1";

/// Longest time that an input stays fresh in any rule, weight with 36 h: no assessment later than that
/// can rest on the message.
const FRESH_MS_MAX: i64 = 36 * 3_600_000;

/// The assessments that rest on the Observations of message `?1`.
fn resting() -> String {
    format!(
        "WITH made AS ({MADE}),
         span AS (SELECT patient, min(effective_ms) AS low, max(effective_ms) AS high FROM made
                  WHERE patient IS NOT NULL GROUP BY patient),
         resting AS (SELECT a.* FROM span JOIN assessment AS a ON a.patient = span.patient
             AND a.effective_ms >= span.low AND a.effective_ms <= span.high + {FRESH_MS_MAX}
             WHERE EXISTS (SELECT 1 FROM json_each(a.body, '$.inputs') AS i
                           WHERE i.value ->> 'observation' IN (SELECT id FROM made)))"
    )
}

fn scored(db: &dyn Database, message: &str) -> Result<Vec<Step>, StoreError> {
    let rows = db.query(
        &format!(
            "{} SELECT id, rule, effective_ms, current, status, created_ms,
                    body ->> '$.reason' AS reason, body ->> '$.supersedes' AS supersedes,
                    body -> '$.missing' AS missing
             FROM resting ORDER BY effective_ms, rule, seq LIMIT ?2",
            resting()
        ),
        &[message.into(), ROWS_MAX.into()],
    )?;
    let steps = rows.iter().map(|row| {
        Ok(Step {
            stage: "scoring",
            at: at(row, "created_ms")?,
            result: row.text("status")?.to_owned(),
            detail: json!({
                "assessment": row.text("id")?,
                "rule": row.text("rule")?,
                "effective": at(row, "effective_ms")?,
                "current": row.integer("current")? == 1,
                "reason": row.text_or_null("reason")?,
                "supersedes": row.text_or_null("supersedes")?,
                "missing": json_or_null(row, "missing")?,
            }),
        })
    });
    steps.collect()
}

fn notified(db: &dyn Database, message: &str) -> Result<Vec<Step>, StoreError> {
    let resting = resting();
    let transitions = db.query(
        &format!(
            "{resting} SELECT t.alert, a.cause, t.at_ms, t.body ->> '$.to' AS became,
                    t.body ->> '$.severity' AS severity, t.body ->> '$.assessment' AS assessment
             FROM alert AS a JOIN alert_transition AS t ON t.alert = a.id
             WHERE a.patient IN (SELECT patient FROM span)
               AND t.body ->> '$.assessment' IN (SELECT id FROM resting)
             ORDER BY t.at_ms, t.place LIMIT ?2"
        ),
        &[message.into(), ROWS_MAX.into()],
    )?;
    let mut steps = Vec::new();
    for row in transitions.iter() {
        steps.push(Step {
            stage: "notification",
            at: at(row, "at_ms")?,
            result: row.text("became")?.to_owned(),
            detail: json!({
                "alert": row.text("alert")?,
                "cause": row.text("cause")?,
                "severity": row.text_or_null("severity")?,
                "assessment": row.text_or_null("assessment")?,
            }),
        });
    }
    let deliveries = db.query(
        &format!(
            "{resting} SELECT d.id, d.alert, d.receiver, d.state, d.attempts, d.created_ms,
                    d.delivered_ms, d.last_error
             FROM delivery AS d WHERE d.alert IN (
                 SELECT t.alert FROM alert AS a JOIN alert_transition AS t ON t.alert = a.id
                 WHERE a.patient IN (SELECT patient FROM span)
                   AND t.body ->> '$.assessment' IN (SELECT id FROM resting))
               AND d.created_ms >= (SELECT received_ms FROM inbox WHERE id = ?1)
             ORDER BY d.created_ms, d.seq LIMIT ?2"
        ),
        &[message.into(), ROWS_MAX.into()],
    )?;
    for row in deliveries.iter() {
        let delivered = row.integer_or_null("delivered_ms")?.map(Timestamp::from_unix_ms);
        steps.push(Step {
            stage: "notification",
            at: at(row, "created_ms")?,
            result: row.text("state")?.to_owned(),
            detail: json!({
                "delivery": row.text("id")?,
                "alert": row.text("alert")?,
                "receiver": row.text("receiver")?,
                "attempts": row.integer("attempts")?,
                "delivered": delivered,
                "last_error": row.text_or_null("last_error")?,
            }),
        });
    }
    Ok(steps)
}

fn at(row: Row<'_>, column: &str) -> Result<Timestamp, StoreError> {
    row.integer(column).map(Timestamp::from_unix_ms)
}

fn json_or_null(row: Row<'_>, column: &str) -> Result<Value, StoreError> {
    match row.text_or_null(column)? {
        Some(text) => Ok(serde_json::from_str(text)?),
        None => Ok(Value::Null),
    }
}
