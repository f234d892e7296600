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
    /// Where the patient lies; absent when nobody said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Why nobody is called at present although it is open, and until when.
    pub suppressed: Option<Suppressed>,
    /// Steps of the escalation chain taken since the call that nobody answered.
    pub escalated: usize,
    /// Every page and its reason, oldest first.
    pub pages: Vec<PageView>,
    /// What late data took back, oldest first.
    pub revisions: Vec<Revision>,
}

/// Why nobody is called at present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suppressed {
    /// Stable code.
    pub reason: &'static str,
    /// For people.
    pub detail: &'static str,
    /// When a clock looks again; null when something else has to happen first.
    pub until: Option<Timestamp>,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PageView {
    /// Counts from 1.
    pub page: i64,
    /// When it was made.
    pub at: Timestamp,
    /// Why: `first`, `worsened`, `reopened`, `repeat`, `escalated`, `resolved`, `retracted`.
    pub reason: String,
    /// The severity it told of.
    pub severity: Option<String>,
    /// To whom.
    pub receivers: Vec<String>,
    /// Whether it went out inside the delivery of another page.
    pub shared: bool,
}

/// One page that was held back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldView {
    /// Names it.
    pub id: String,
    /// The alert.
    pub alert: String,
    /// Whose.
    pub patient: String,
    /// The rule.
    pub cause: String,
    /// The alert's severity now.
    pub severity: String,
    /// Where the patient lies.
    pub unit: String,
    /// When it would have gone out.
    pub at: Timestamp,
    /// Stable code.
    pub reason: String,
    /// For people.
    pub detail: String,
    /// Until when, if a clock could tell.
    pub until: Option<Timestamp>,
    /// Whether it is held for this reason still.
    pub held_now: bool,
}

/// Which held pages to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeldFilter {
    /// Only this reason.
    pub reason: Option<String>,
    /// Only this unit.
    pub unit: Option<String>,
    /// Only this alert.
    pub alert: Option<String>,
    /// Earliest, included.
    pub from_ms: Option<i64>,
    /// Where the page before ended.
    pub after: Option<(i64, String)>,
    /// Most of one page.
    pub limit: u32,
}

/// A page of what was held back, newest first, and where the next page goes on.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn held_back(
    db: &dyn Database,
    filter: &HeldFilter,
) -> Result<(Vec<HeldView>, Option<(i64, String)>), StoreError> {
    let mut sql = String::from(
        "SELECT h.id, h.alert, a.patient, a.cause, a.severity, a.unit, h.at_ms, h.reason, h.detail,
                h.until_ms, a.held FROM alert_held h JOIN alert a ON a.id = h.alert WHERE true",
    );
    let mut params: Vec<Param<'_>> = Vec::new();
    for (column, value) in
        [("h.reason", &filter.reason), ("a.unit", &filter.unit), ("h.alert", &filter.alert)]
    {
        if let Some(value) = value {
            params.push(value.into());
            sql += &format!(" AND {column} = ?{}", params.len());
        }
    }
    if let Some(from) = filter.from_ms {
        params.push(from.into());
        sql += &format!(" AND h.at_ms >= ?{}", params.len());
    }
    if let Some((at, id)) = &filter.after {
        params.extend([(*at).into(), id.into()]);
        let last = params.len();
        sql += &format!(" AND (h.at_ms, h.id) < (?{}, ?{last})", last - 1);
    }
    let limit = i64::from(filter.limit);
    params.push((limit + 1).into());
    sql += &format!(" ORDER BY h.at_ms DESC, h.id DESC LIMIT ?{}", params.len());
    let rows = db.query(&sql, &params)?;
    let mut found = rows.iter().map(held_view).collect::<Result<Vec<_>, _>>()?;
    let more = found.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        found.pop();
    }
    let next = found.last().filter(|_| more).map(|it| (it.at.unix_ms(), it.id.clone()));
    Ok((found, next))
}

fn held_view(row: Row<'_>) -> Result<HeldView, StoreError> {
    let text = |column: &str| row.text(column).map(str::to_owned);
    let reason = text("reason")?;
    Ok(HeldView {
        id: text("id")?,
        alert: text("alert")?,
        patient: text("patient")?,
        cause: text("cause")?,
        severity: text("severity")?,
        unit: text("unit")?,
        at: time(row, "at_ms")?,
        held_now: row.text_or_null("held")? == Some(reason.as_str()),
        reason,
        detail: text("detail")?,
        until: row.integer_or_null("until_ms")?.map(Timestamp::from_unix_ms),
    })
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

/// Alerts with their histories, in the order given.
pub fn views(db: &dyn Database, rows: Vec<AlertRow>) -> Result<Vec<AlertView>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids = serde_json::to_string(&json!(rows.iter().map(|it| &it.id).collect::<Vec<_>>()))?;
    let mut transitions =
        histories(db, &ids, TRANSITIONS, |row| row.json::<Step>("body").map(|it| it.transition))?;
    let mut held = histories(db, &ids, HELD, held)?;
    let mut deliveries = histories(db, &ids, DELIVERIES, delivery)?;
    let mut pages = histories(db, &ids, PAGES, page_view)?;
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
        let ledger = &row.body.ledger;
        let suppressed = ledger.held.map(|reason| Suppressed {
            reason: reason.as_str(),
            detail: reason.detail(),
            until: ledger.held_until,
        });
        AlertView {
            assigned,
            unit: Some(row.unit.clone()).filter(|it| !it.is_empty()),
            suppressed,
            escalated: ledger.told.as_ref().map_or(0, |it| it.level),
            pages: pages.remove(&row.id).unwrap_or_default(),
            revisions,
            alert: shown(row, transitions, held, deliveries),
        }
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
const PAGES: &str =
    "SELECT alert, at_ms, page AS seq, severity, reason, leads, receivers FROM alert_page";
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

fn page_view(row: Row<'_>) -> Result<PageView, StoreError> {
    Ok(PageView {
        page: row.integer("seq")?,
        at: time(row, "at_ms")?,
        reason: row.text("reason")?.to_owned(),
        severity: row.text_or_null("severity")?.map(str::to_owned),
        receivers: row.json("receivers")?,
        shared: row.integer("leads")? == 0,
    })
}

fn time(row: Row<'_>, column: &str) -> Result<Timestamp, StoreError> {
    row.integer(column).map(Timestamp::from_unix_ms)
}
