//! Alerts as the API shows them.

use std::collections::HashMap;

use auscult_model::alert::{Delivery, Held, Transition};
use auscult_model::{Alert, AlertStatus, Severity, Timestamp};
use auscult_store::{Database, Param, Row, StoreError};
use serde::Serialize;
use serde_json::json;

use crate::fold::{BY_DATA, Step};
use crate::store::load::{self, ALERT_COLUMNS, AlertRow};

/// Newest entries of each history an alert is shown with; an alert that repeats for weeks would
/// otherwise answer with megabytes.
const HISTORY_MAX: i64 = 200;

/// An alert with what only this stage knows about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertView {
    /// The alert.
    #[serde(flatten)]
    pub alert: Alert,
    /// Who shall come, once somebody said so.
    pub assigned: Option<String>,
    /// What late data took back, oldest first.
    pub revisions: Vec<Revision>,
}

/// Transitions that late data showed never to have been.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Revision {
    /// When it came to light.
    pub at: Timestamp,
    /// Always `late data`.
    pub why: &'static str,
    /// As they were shown until then.
    pub transitions: Vec<Transition>,
}

/// Where a page ended: time of the last change in milliseconds, and a serial number.
pub type Cursor = (i64, i64);

/// Which alerts to list; everything absent lets all through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Any of these.
    pub statuses: Vec<AlertStatus>,
    /// Any of these.
    pub severities: Vec<Severity>,
    /// Whose.
    pub patient: Option<String>,
    /// Where the page before ended: `next` of [`list`].
    pub after: Option<Cursor>,
    /// Most alerts of one page.
    pub limit: u32,
}

/// One alert, `None` when no alert has that id.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn alert(db: &dyn Database, id: &str) -> Result<Option<AlertView>, StoreError> {
    let rows = load::alerts(db, std::iter::once(id))?;
    Ok(views(db, rows.into_values().collect())?.pop())
}

/// A page of alerts, the last changed first, and where the next page goes on.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn list(
    db: &dyn Database,
    filter: &Filter,
) -> Result<(Vec<AlertView>, Option<Cursor>), StoreError> {
    let statuses: Vec<_> = filter.statuses.iter().map(|it| it.as_str()).collect();
    let severities: Vec<_> = filter.severities.iter().map(|it| it.as_str()).collect();
    let (statuses, severities) =
        (serde_json::to_string(&statuses)?, serde_json::to_string(&severities)?);
    let limit = i64::from(filter.limit);
    let mut sql = format!("SELECT {ALERT_COLUMNS} FROM alert a WHERE true");
    let mut params: Vec<Param<'_>> = Vec::new();
    if !filter.statuses.is_empty() {
        params.push((&statuses).into());
        sql += &format!(" AND a.status IN (SELECT value FROM json_each(?{}))", params.len());
    }
    if !filter.severities.is_empty() {
        params.push((&severities).into());
        sql += &format!(" AND a.severity IN (SELECT value FROM json_each(?{}))", params.len());
    }
    if let Some(patient) = &filter.patient {
        params.push(patient.into());
        sql += &format!(" AND a.patient = ?{}", params.len());
    }
    if let Some((updated, seq)) = filter.after {
        params.extend([updated.into(), seq.into()]);
        let last = params.len();
        sql += &format!(" AND (a.updated_ms, a.seq) < (?{}, ?{last})", last - 1);
    }
    // One more than asked for tells whether there is a next page.
    params.push((limit + 1).into());
    sql += &format!(" ORDER BY a.updated_ms DESC, a.seq DESC LIMIT ?{}", params.len());
    let rows = db.query(&sql, &params)?;
    let mut found = Vec::new();
    for row in rows.iter() {
        found.push((row.integer("seq")?, load::alert_row(row)?));
    }
    let more = found.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        found.pop();
    }
    let last = found.last().map(|(seq, row)| (row.updated.unix_ms(), *seq));
    let views = views(db, found.into_iter().map(|(_, row)| row).collect())?;
    Ok((views, last.filter(|_| more)))
}

fn views(db: &dyn Database, rows: Vec<AlertRow>) -> Result<Vec<AlertView>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids = serde_json::to_string(&json!(rows.iter().map(|it| &it.id).collect::<Vec<_>>()))?;
    let mut transitions =
        histories(db, &ids, TRANSITIONS, |row| row.json::<Step>("body").map(|it| it.transition))?;
    let mut held = histories(db, &ids, HELD, held)?;
    let mut deliveries = histories(db, &ids, DELIVERIES, delivery)?;
    let mut revisions = histories(db, &ids, REVISIONS, |row| {
        Ok(Revision { at: time(row, "at_ms")?, why: "late data", transitions: row.json("body")? })
    })?;
    let views = rows.into_iter().map(|row| {
        let revisions = revisions.remove(&row.id).unwrap_or_default();
        let mut transitions = transitions.remove(&row.id).unwrap_or_default();
        if row.status == AlertStatus::Retracted {
            transitions.push(retraction(&row, &revisions));
        }
        let held = held.remove(&row.id).unwrap_or_default();
        let deliveries = deliveries.remove(&row.id).unwrap_or_default();
        let assigned = row.body.state.as_ref().and_then(|it| it.assigned.clone());
        AlertView { alert: shown(row, transitions, held, deliveries), assigned, revisions }
    });
    Ok(views.collect())
}

fn shown(
    row: AlertRow,
    transitions: Vec<Transition>,
    held: Vec<Held>,
    deliveries: Vec<Delivery>,
) -> Alert {
    Alert {
        id: row.id,
        patient: row.patient,
        cause: row.cause,
        severity: row.severity,
        status: row.status,
        opened: row.opened,
        updated: row.updated,
        assessment: row.assessment,
        transitions,
        held,
        deliveries,
    }
}

/// The fold knows no retraction, because to it there never was an alert; people do.
fn retraction(row: &AlertRow, revisions: &[Revision]) -> Transition {
    let last = revisions.last().and_then(|it| it.transitions.last());
    Transition {
        at: row.updated,
        from: last.map(|it| it.to),
        to: AlertStatus::Retracted,
        by: BY_DATA.to_owned(),
        why: "late data".to_owned(),
        severity: row.severity,
        assessment: None,
    }
}

const TRANSITIONS: &str = "SELECT alert, at_ms, place AS seq, body FROM alert_transition";
const HELD: &str = "SELECT alert, at_ms, id AS seq, reason, detail FROM alert_held";
const DELIVERIES: &str = "SELECT alert, created_ms AS at_ms, seq, id, receiver, state, attempts,
        delivered_ms, last_error FROM delivery";
const REVISIONS: &str = "SELECT alert, at_ms, id AS seq, body FROM alert_revision";

/// The newest entries of each alert, oldest first.
fn histories<T>(
    db: &dyn Database,
    ids: &str,
    select: &str,
    read: impl Fn(Row<'_>) -> Result<T, StoreError>,
) -> Result<HashMap<String, Vec<T>>, StoreError> {
    let rows = db.query(
        &format!(
            "SELECT * FROM (
                 SELECT *, row_number() OVER (PARTITION BY alert ORDER BY at_ms DESC, seq DESC) AS nth
                 FROM ({select} WHERE alert IN (SELECT value FROM json_each(?1))))
             WHERE nth <= ?2 ORDER BY alert, at_ms, seq"
        ),
        &[ids.into(), HISTORY_MAX.into()],
    )?;
    let mut found: HashMap<String, Vec<T>> = HashMap::new();
    for row in rows.iter() {
        found.entry(row.text("alert")?.to_owned()).or_default().push(read(row)?);
    }
    Ok(found)
}

fn held(row: Row<'_>) -> Result<Held, StoreError> {
    Ok(Held {
        at: time(row, "at_ms")?,
        reason: row.text("reason")?.to_owned(),
        detail: row.text("detail")?.to_owned(),
    })
}

fn delivery(row: Row<'_>) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        id: row.text("id")?.to_owned(),
        receiver: row.text("receiver")?.to_owned(),
        state: row.text("state")?.to_owned(),
        attempts: u32::try_from(row.integer("attempts")?).unwrap_or(u32::MAX),
        created: time(row, "at_ms")?,
        delivered: row.integer_or_null("delivered_ms")?.map(Timestamp::from_unix_ms),
        last_error: row.text_or_null("last_error")?.map(str::to_owned),
    })
}

fn time(row: Row<'_>, column: &str) -> Result<Timestamp, StoreError> {
    row.integer(column).map(Timestamp::from_unix_ms)
}
