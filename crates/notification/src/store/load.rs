//! Reads what the fold needs, for many alerts in one statement each.

use std::collections::HashMap;

use auscult_model::{AlertStatus, AssessmentStatus, PatientId, Severity, Timestamp};
use auscult_store::{Database, Row, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::fold::{Answer, Observed, State, Step, Verdict};
use crate::page::Ledger;
use crate::refold::Past;
use crate::store::scenes::Who;

/// One patient and cause with the span of event time in which something changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    pub alert: String,
    pub patient: PatientId,
    pub cause: String,
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Touched {
    /// Which alert.
    pub fn who(&self) -> Who<'_> {
        Who { alert: &self.alert, patient: self.patient.reveal(), cause: &self.cause }
    }
}

/// The column `alert.body`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertBody {
    /// The state after the last transition; null when late data took the alert back.
    pub state: Option<State>,
    /// Time of that transition.
    pub last_at: Option<Timestamp>,
    /// What receivers were told.
    pub ledger: Ledger,
}

/// One stored alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRow {
    pub id: String,
    pub patient: PatientId,
    pub cause: String,
    pub severity: Severity,
    pub status: AlertStatus,
    pub opened: Timestamp,
    pub updated: Timestamp,
    pub assessment: Option<String>,
    pub unit: String,
    pub body: AlertBody,
}

pub const ALERT_COLUMNS: &str = "a.seq, a.id, a.patient, a.cause, a.severity, a.status, a.opened_ms, a.updated_ms, a.assessment, a.unit, a.body";

pub fn alert_row(row: Row<'_>) -> Result<AlertRow, StoreError> {
    let shape = |column: &str| StoreError::Shape(column.to_owned());
    Ok(AlertRow {
        id: row.text("id")?.to_owned(),
        patient: PatientId::parse(row.text("patient")?).ok_or_else(|| shape("patient"))?,
        cause: row.text("cause")?.to_owned(),
        severity: Severity::parse(row.text("severity")?).ok_or_else(|| shape("severity"))?,
        status: AlertStatus::parse(row.text("status")?).ok_or_else(|| shape("status"))?,
        opened: Timestamp::from_unix_ms(row.integer("opened_ms")?),
        updated: Timestamp::from_unix_ms(row.integer("updated_ms")?),
        assessment: row.text_or_null("assessment")?.map(str::to_owned),
        unit: row.text("unit")?.to_owned(),
        body: row.json("body")?,
    })
}

/// The alerts of those ids.
pub fn alerts<'a>(
    db: &dyn Database,
    ids: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, AlertRow>, StoreError> {
    let ids = serde_json::to_string(&ids.collect::<Vec<_>>())?;
    let rows = db.query(
        &format!(
            "SELECT {ALERT_COLUMNS} FROM json_each(?1) w CROSS JOIN alert a ON a.id = w.value"
        ),
        &[(&ids).into()],
    )?;
    rows.iter().map(|row| alert_row(row).map(|it| (it.id.clone(), it))).collect()
}

/// What is stored from each change on, with the last step before it.
pub fn pasts<'a>(
    db: &dyn Database,
    touched: impl Iterator<Item = &'a Touched>,
) -> Result<HashMap<String, Past>, StoreError> {
    let spans: HashMap<&str, i64> =
        touched.map(|it| (it.alert.as_str(), it.from.unix_ms())).collect();
    let wanted: Vec<_> = spans.iter().map(|(alert, from)| json!([alert, from])).collect();
    let rows = db.query(
        "SELECT t.alert, t.body FROM json_each(?1) w CROSS JOIN alert_transition t
         ON t.alert = w.value ->> 0 AND t.at_ms >= coalesce(
             (SELECT max(b.at_ms) FROM alert_transition b
              WHERE b.alert = w.value ->> 0 AND b.at_ms < w.value ->> 1),
             w.value ->> 1)
         ORDER BY t.alert, t.at_ms, t.place",
        &[(&serde_json::to_string(&wanted)?).into()],
    )?;
    let mut pasts: HashMap<String, Past> = HashMap::new();
    for row in rows.iter() {
        let alert = row.text("alert")?;
        let step: Step = row.json("body")?;
        let from = spans.get(alert).copied().unwrap_or(i64::MIN);
        let past = pasts.entry(alert.to_owned()).or_default();
        if step.transition.at.unix_ms() < from {
            past.base = Some(step);
        } else {
            past.steps.push(step);
        }
    }
    Ok(pasts)
}

/// The current assessments of each span; `None` as its end means all there are.
pub fn assessments<'a>(
    db: &dyn Database,
    spans: impl Iterator<Item = (&'a Touched, Timestamp, Option<Timestamp>)>,
) -> Result<HashMap<String, Vec<Observed>>, StoreError> {
    let wanted: Vec<_> = spans
        .map(|(it, from, to)| {
            let to = to.map_or(i64::MAX, Timestamp::unix_ms);
            json!([it.alert, it.patient.reveal(), it.cause, from.unix_ms(), to])
        })
        .collect();
    let rows = db.query(
        "SELECT w.value ->> 0 AS alert, s.id, s.effective_ms, s.status, s.severity, s.value,
                s.body ->> '$.band' AS band
         FROM json_each(?1) w CROSS JOIN assessment s
         ON s.patient = w.value ->> 1 AND s.rule = w.value ->> 2 AND s.current = 1
            AND s.effective_ms >= w.value ->> 3 AND s.effective_ms <= w.value ->> 4
         ORDER BY s.effective_ms",
        &[(&serde_json::to_string(&wanted)?).into()],
    )?;
    let mut found: HashMap<String, Vec<Observed>> = HashMap::new();
    for row in rows.iter() {
        let seen = observed(row)?;
        match found.get_mut(row.text("alert")?) {
            Some(list) => list.push(seen),
            None => {
                found.insert(row.text("alert")?.to_owned(), vec![seen]);
            }
        }
    }
    Ok(found)
}

fn observed(row: Row<'_>) -> Result<Observed, StoreError> {
    let status = status(row.text("status")?)?;
    let severity = row.text_or_null("severity")?.and_then(Severity::parse);
    Ok(Observed {
        effective: Timestamp::from_unix_ms(row.integer("effective_ms")?),
        assessment: row.text("id")?.to_owned(),
        verdict: Verdict::of(status, severity),
        value: row.integer_or_null("value")?,
        band: row.text_or_null("band")?.map(str::to_owned),
    })
}

fn status(text: &str) -> Result<AssessmentStatus, StoreError> {
    use AssessmentStatus::{Complete, Failed, Incomplete, NotApplicable};
    match text {
        "complete" => Ok(Complete),
        "incomplete" => Ok(Incomplete),
        "not-applicable" => Ok(NotApplicable),
        "failed" => Ok(Failed),
        _ => Err(StoreError::Shape("status".to_owned())),
    }
}

/// What people answered from each change on.
pub fn answers<'a>(
    db: &dyn Database,
    touched: impl Iterator<Item = &'a Touched>,
) -> Result<HashMap<String, Vec<Answer>>, StoreError> {
    let wanted: Vec<_> = touched.map(|it| json!([it.alert, it.from.unix_ms()])).collect();
    let rows = db.query(
        "SELECT p.alert, p.body FROM json_each(?1) w CROSS JOIN alert_answer p
         ON p.alert = w.value ->> 0 AND p.at_ms >= w.value ->> 1
         ORDER BY p.at_ms, p.id",
        &[(&serde_json::to_string(&wanted)?).into()],
    )?;
    let mut found: HashMap<String, Vec<Answer>> = HashMap::new();
    for row in rows.iter() {
        found.entry(row.text("alert")?.to_owned()).or_default().push(row.json("body")?);
    }
    Ok(found)
}

/// Event time of the newest current assessment of each, and of the newest that speaks for an alert.
pub fn newest<'a>(
    db: &dyn Database,
    alerts: impl Iterator<Item = &'a AlertRow>,
) -> Result<HashMap<String, (Timestamp, Option<Timestamp>)>, StoreError> {
    let wanted: Vec<_> = alerts.map(|it| json!([it.id, it.patient.reveal(), it.cause])).collect();
    let rows = db.query(
        "SELECT w.value ->> 0 AS alert,
             (SELECT max(s.effective_ms) FROM assessment s WHERE s.current = 1
              AND s.patient = w.value ->> 1 AND s.rule = w.value ->> 2) AS any_ms,
             (SELECT s.effective_ms FROM assessment s WHERE s.current = 1
              AND s.patient = w.value ->> 1 AND s.rule = w.value ->> 2 AND s.severity IS NOT NULL
              ORDER BY s.effective_ms DESC LIMIT 1) AS above_ms
         FROM json_each(?1) w",
        &[(&serde_json::to_string(&wanted)?).into()],
    )?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows.iter() {
        let any = row.integer_or_null("any_ms")?.unwrap_or(i64::MIN);
        let above = row.integer_or_null("above_ms")?.map(Timestamp::from_unix_ms);
        found.insert(row.text("alert")?.to_owned(), (Timestamp::from_unix_ms(any), above));
    }
    Ok(found)
}
