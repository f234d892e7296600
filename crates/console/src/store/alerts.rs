//! Alerts: those that are not over, one patient's, one with its whole history.

use auscult_model::alert::{Delivery, Held, Transition};
use auscult_model::{AlertStatus, Severity, Timestamp};
use auscult_store::{Database, Param, Row, Rows, StoreError};

use super::people::{self, Person};
use super::time;

/// Entries of one history on a page. A history that long is read through the API.
const HISTORY_MAX: i64 = 100;

/// One alert in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRow {
    /// Digest of patient and cause.
    pub id: String,
    /// Logical id.
    pub patient: String,
    /// `news2` …
    pub cause: String,
    /// How fast somebody must come.
    pub severity: Severity,
    /// Where it stands.
    pub status: AlertStatus,
    /// Event time of the reading that opened it.
    pub opened: Timestamp,
    /// Time of the last change.
    pub updated: Timestamp,
    /// Why it is as it is: the reason of the last change.
    pub why: String,
    /// Who last said that they are coming, and when.
    pub acknowledged: Option<(String, Timestamp)>,
}

const COLUMNS: &str = "
SELECT a.id, a.patient, a.cause, a.severity, a.status, a.opened_ms, a.updated_ms,
    (SELECT json_extract(body, '$.why') FROM alert_transition WHERE alert = a.id
     ORDER BY at_ms DESC, place DESC LIMIT 1) AS why,
    (SELECT by FROM alert_answer WHERE alert = a.id AND kind = 'acknowledge'
     ORDER BY at_ms DESC LIMIT 1) AS acknowledged_by,
    (SELECT max(at_ms) FROM alert_answer WHERE alert = a.id AND kind = 'acknowledge')
        AS acknowledged_ms
FROM alert a WHERE ";

fn list(db: &dyn Database, which: &str, params: &[Param<'_>]) -> Result<Vec<AlertRow>, StoreError> {
    let rows = db.query(&format!("{COLUMNS}{which}"), params)?;
    let mut alerts = Vec::with_capacity(rows.len());
    for row in rows.iter() {
        alerts.push(alert(&row)?);
    }
    Ok(alerts)
}

fn alert(row: &Row<'_>) -> Result<AlertRow, StoreError> {
    let shape = |column: &str| StoreError::Shape(column.to_owned());
    let by = row.text_or_null("acknowledged_by")?.map(str::to_owned);
    let at = row.integer_or_null("acknowledged_ms")?.map(Timestamp::from_unix_ms);
    Ok(AlertRow {
        id: row.text("id")?.to_owned(),
        patient: row.text("patient")?.to_owned(),
        cause: row.text("cause")?.to_owned(),
        severity: Severity::parse(row.text("severity")?).ok_or_else(|| shape("severity"))?,
        status: AlertStatus::parse(row.text("status")?).ok_or_else(|| shape("status"))?,
        opened: time(row, "opened_ms")?,
        updated: time(row, "updated_ms")?,
        why: row.text_or_null("why")?.unwrap_or_default().to_owned(),
        acknowledged: by.zip(at),
    })
}

/// Every alert that is not over.
pub fn open(db: &dyn Database) -> Result<Vec<AlertRow>, StoreError> {
    list(db, "a.status IN ('open', 'acknowledged')", &[])
}

/// Every alert of one patient, the one changed last first.
pub fn of_patient(db: &dyn Database, patient: &str) -> Result<Vec<AlertRow>, StoreError> {
    list(db, "a.patient = ?1 ORDER BY a.updated_ms DESC LIMIT 50", &[patient.into()])
}

/// The alerts that these assessments changed; `assessments` is a JSON array of ids.
pub fn changed_by(db: &dyn Database, assessments: &str) -> Result<Vec<AlertRow>, StoreError> {
    let which = "a.patient IN (SELECT patient FROM assessment WHERE id IN (SELECT value FROM json_each(?1)))
        AND EXISTS (SELECT 1 FROM alert_transition t WHERE t.alert = a.id
            AND json_extract(t.body, '$.assessment') IN (SELECT value FROM json_each(?1)))";
    list(db, which, &[assessments.into()])
}

/// One alert with everything that happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertPage {
    /// The alert.
    pub alert: AlertRow,
    /// Whose.
    pub person: Person,
    /// Newest first.
    pub transitions: Vec<Transition>,
    /// Newest first.
    pub held: Vec<Held>,
    /// Newest first.
    pub deliveries: Vec<Delivery>,
}

/// The page of one alert, `None` when there is no such alert.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn alert_page(
    db: &dyn Database,
    id: &str,
    now: Timestamp,
) -> Result<Option<AlertPage>, StoreError> {
    let Some(alert) = list(db, "a.id = ?1", &[id.into()])?.pop() else { return Ok(None) };
    let (transitions, held, deliveries) = history(db, id)?;
    let person = people::one(db, &alert.patient, now)?;
    Ok(Some(AlertPage { alert, person, transitions, held, deliveries }))
}

type History = (Vec<Transition>, Vec<Held>, Vec<Delivery>);

fn history(db: &dyn Database, id: &str) -> Result<History, StoreError> {
    let read = |sql: &str| db.query(sql, &[id.into(), HISTORY_MAX.into()]);
    let transitions = read(
        "SELECT body FROM alert_transition WHERE alert = ?1 ORDER BY at_ms DESC, place DESC LIMIT ?2",
    )?;
    let held = read(
        "SELECT at_ms, reason, detail FROM alert_held WHERE alert = ?1 ORDER BY at_ms DESC LIMIT ?2",
    )?;
    let deliveries = read(
        "SELECT id, receiver, state, attempts, created_ms, delivered_ms, last_error
         FROM delivery WHERE alert = ?1 ORDER BY created_ms DESC, seq DESC LIMIT ?2",
    )?;
    Ok((
        each(&transitions, |row| row.json("body"))?,
        each(&held, |row| {
            Ok(Held {
                at: time(row, "at_ms")?,
                reason: row.text("reason")?.to_owned(),
                detail: row.text("detail")?.to_owned(),
            })
        })?,
        each(&deliveries, |row| {
            Ok(Delivery {
                id: row.text("id")?.to_owned(),
                receiver: row.text("receiver")?.to_owned(),
                state: row.text("state")?.to_owned(),
                attempts: u32::try_from(row.integer("attempts")?).unwrap_or(u32::MAX),
                created: time(row, "created_ms")?,
                delivered: row.integer_or_null("delivered_ms")?.map(Timestamp::from_unix_ms),
                last_error: row.text_or_null("last_error")?.map(str::to_owned),
            })
        })?,
    ))
}

fn each<T>(
    rows: &Rows,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    rows.iter().map(|row| read(&row)).collect()
}
