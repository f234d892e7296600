//! Writes what was decided, one statement per table however many alerts there are.

use auscult_model::alert::Transition;
use auscult_model::{AlertStatus, PatientId, Timestamp, digest};
use auscult_store::{Database, StoreError};
use serde::Serialize;
use serde_json::{Value, json};

use crate::desk::Page;
use crate::fold::{State, Step};
use crate::store::load::{AlertBody, AlertRow};

/// Everything that is new about one alert.
pub struct Change {
    pub alert: String,
    pub patient: PatientId,
    pub cause: String,
    /// Steps from here on are replaced by `steps`; `None` leaves them alone.
    pub from: Option<Timestamp>,
    /// Whether nothing is stored from `from` on.
    pub fresh: bool,
    pub steps: Vec<Step>,
    /// Transitions that never were after all.
    pub erased: Vec<Transition>,
    pub body: AlertBody,
    /// Where the patient lies.
    pub unit: String,
    /// The state as it was shown before, which a retraction has to name.
    pub known: Option<State>,
    pub due: Option<Timestamp>,
    pub held: Option<NewHeld>,
    pub page: Option<Page>,
    pub deliveries: Vec<NewDelivery>,
    /// As it was stored before.
    pub row: Option<AlertRow>,
}

impl Change {
    /// A change of an alert whose transitions stay as they are.
    pub fn unmoved(row: AlertRow) -> Self {
        Self {
            alert: row.id.clone(),
            patient: row.patient.clone(),
            cause: row.cause.clone(),
            from: None,
            fresh: false,
            steps: Vec::new(),
            erased: Vec::new(),
            unit: row.unit.clone(),
            known: None,
            body: row.body.clone(),
            due: None,
            held: None,
            page: None,
            deliveries: Vec::new(),
            row: Some(row),
        }
    }

    fn status(&self) -> AlertStatus {
        match &self.body.state {
            None => AlertStatus::Retracted,
            Some(_) if self.body.ledger.is_pending() => AlertStatus::Pending,
            Some(state) => state.status(),
        }
    }
}

/// A row of `alert_held`.
pub struct NewHeld {
    pub id: String,
    pub alert: String,
    pub reason: &'static str,
    pub detail: &'static str,
    pub until: Option<Timestamp>,
}

/// A row of `delivery`.
#[derive(Serialize)]
pub struct NewDelivery {
    pub id: String,
    pub alert: String,
    pub receiver: String,
    pub body: String,
}

/// Writes all changes.
pub fn changes(db: &dyn Database, changes: &[Change], now: Timestamp) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let alerts = changes.iter().map(|it| alert_json(it, now)).collect::<Result<Vec<_>, _>>()?;
    run(db, UPSERT_ALERTS, &alerts, None)?;
    let replaced = changes.iter().filter(|it| !it.fresh);
    let replaced = replaced.filter_map(|it| Some(json!([it.alert, it.from?.unix_ms()])));
    run(db, DELETE_STEPS, &replaced.collect::<Vec<_>>(), None)?;
    let steps = changes.iter().flat_map(|it| steps_json(&it.alert, &it.steps));
    run(db, INSERT_STEPS, &steps.collect::<Result<Vec<_>, _>>()?, None)?;
    let erased = changes.iter().filter(|it| !it.erased.is_empty());
    let erased = erased.map(erased_json).collect::<Result<Vec<_>, _>>()?;
    run(db, INSERT_REVISIONS, &erased, Some(now))?;
    let held = changes.iter().filter_map(|it| it.held.as_ref());
    let held = held.map(|it| held_json(it)).collect::<Vec<_>>();
    run(db, INSERT_HELD, &held, Some(now))?;
    let pages = changes.iter().filter_map(page_json).collect::<Vec<_>>();
    run(db, INSERT_PAGES, &pages, Some(now))?;
    // Whoever was held back because of another alert of the patient is looked at again.
    let moved = changes.iter().filter(|it| it.from.is_some() && it.row.is_some());
    let patients = moved.map(|it| json!(it.patient.reveal())).collect::<Vec<_>>();
    run(db, WAKE_INHIBITED, &patients, Some(now))?;
    let deliveries = changes.iter().flat_map(|it| &it.deliveries).collect::<Vec<_>>();
    if !deliveries.is_empty() {
        let deliveries = serde_json::to_string(&deliveries)?;
        db.query(INSERT_DELIVERIES, &[(&deliveries).into(), now.into()])?;
        // A page in its backoff goes out at once before a newer one about the same patient.
        db.query(HURRY_DELIVERIES, &[(&deliveries).into(), now.into()])?;
    }
    Ok(())
}

fn run(
    db: &dyn Database,
    sql: &str,
    rows: &[Value],
    now: Option<Timestamp>,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = serde_json::to_string(rows)?;
    match now {
        Some(now) => db.query(sql, &[(&rows).into(), now.into()])?,
        None => db.query(sql, &[(&rows).into()])?,
    };
    Ok(())
}

const UPSERT_ALERTS: &str = "
    INSERT INTO alert (id, patient, cause, severity, status, opened_ms, updated_ms, assessment, body, due_ms,
                       unit, held, revision)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, CAST(value ->> 5 AS BIGINT),
           CAST(value ->> 6 AS BIGINT), value ->> 7, value ->> 8, CAST(value ->> 9 AS BIGINT),
           value ->> 10, value ->> 11, 1
    FROM json_each(?1) WHERE true
    ON CONFLICT (id) DO UPDATE SET
        severity = excluded.severity, status = excluded.status, opened_ms = excluded.opened_ms,
        updated_ms = excluded.updated_ms, assessment = excluded.assessment, body = excluded.body,
        due_ms = excluded.due_ms, unit = excluded.unit, held = excluded.held,
        revision = alert.revision + 1";

const DELETE_STEPS: &str = "
    DELETE FROM alert_transition WHERE (alert, at_ms, place) IN (
        SELECT t.alert, t.at_ms, t.place FROM json_each(?1) w CROSS JOIN alert_transition t
        ON t.alert = w.value ->> 0 AND t.at_ms >= w.value ->> 1)";

const INSERT_STEPS: &str = "
    INSERT INTO alert_transition (alert, at_ms, place, body)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1)";

const INSERT_REVISIONS: &str = "
    INSERT INTO alert_revision (id, alert, at_ms, body)
    SELECT value ->> 0, value ->> 1, ?2, value ->> 2 FROM json_each(?1) WHERE true
    ON CONFLICT (id) DO NOTHING";

const INSERT_HELD: &str = "
    INSERT INTO alert_held (id, alert, at_ms, reason, detail, until_ms)
    SELECT value ->> 0, value ->> 1, ?2, value ->> 2, value ->> 3, CAST(value ->> 4 AS BIGINT) FROM json_each(?1) WHERE true
    ON CONFLICT (id) DO NOTHING";

const INSERT_PAGES: &str = "
    INSERT INTO alert_page (alert, page, at_ms, patient, unit, severity, reason, calls, leads, receivers)
    SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), ?2, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
           CAST(value ->> 6 AS BIGINT), CAST(value ->> 7 AS BIGINT), value ->> 8
    FROM json_each(?1) WHERE true
    ON CONFLICT (alert, page) DO NOTHING";

const WAKE_INHIBITED: &str = "
    UPDATE alert SET due_ms = ?2 WHERE held = 'inhibited' AND due_ms IS NULL
      AND status IN ('open', 'pending') AND patient IN (SELECT value FROM json_each(?1))";

const INSERT_DELIVERIES: &str = "
    INSERT INTO delivery (id, alert, receiver, body, state, created_ms, due_ms, lane)
    SELECT w.value ->> 'id', w.value ->> 'alert', w.value ->> 'receiver', w.value ->> 'body', 'pending', ?2, ?2,
           COALESCE(a.patient, '')
    FROM json_each(?1) w LEFT JOIN alert a ON a.id = w.value ->> 'alert' WHERE true
    ON CONFLICT (id) DO NOTHING";

const HURRY_DELIVERIES: &str = "
    UPDATE delivery SET due_ms = ?2
    WHERE state = 'pending' AND due_ms > ?2 AND lease_until_ms <= ?2
      AND (receiver, lane) IN (SELECT n.receiver, n.lane FROM delivery n
          WHERE n.id IN (SELECT value ->> 'id' FROM json_each(?1)))";

fn alert_json(change: &Change, now: Timestamp) -> Result<Value, StoreError> {
    let body = serde_json::to_string(&change.body)?;
    let state = change.body.state.as_ref();
    let row = change.row.as_ref();
    let taken_back = row.filter(|_| state.is_none());
    let severity = state.map(|it| it.severity).or(row.map(|it| it.severity));
    let opened = state.map(|it| it.opened).or(row.map(|it| it.opened)).unwrap_or(now);
    let updated = match taken_back {
        Some(row) if row.status == AlertStatus::Retracted => row.updated,
        Some(_) => now,
        None => change.body.last_at.unwrap_or(now),
    };
    Ok(json!([
        change.alert,
        change.patient.reveal(),
        change.cause,
        severity.map(auscult_model::Severity::as_str),
        change.status().as_str(),
        opened.unix_ms(),
        updated.unix_ms(),
        state.map(|it| &it.assessment),
        body,
        change.due.map(Timestamp::unix_ms),
        change.unit,
        change.body.ledger.held.map(crate::page::HoldReason::as_str),
    ]))
}

fn held_json(held: &NewHeld) -> Value {
    json!([held.id, held.alert, held.reason, held.detail, held.until.map(Timestamp::unix_ms)])
}

fn page_json(change: &Change) -> Option<Value> {
    let page = change.page.as_ref()?;
    let state = change.body.state.as_ref().or(change.known.as_ref());
    Some(json!([
        change.alert,
        page.number,
        change.patient.reveal(),
        change.unit,
        state.map(|it| it.severity.as_str()),
        page.reason.as_str(),
        i64::from(page.reason.calls()),
        i64::from(!change.deliveries.is_empty()),
        json!(page.receivers).to_string(),
    ]))
}

fn steps_json<'a>(
    alert: &'a str,
    steps: &'a [Step],
) -> impl Iterator<Item = Result<Value, StoreError>> + 'a {
    let mut before = None;
    let mut place = 0;
    steps.iter().map(move |step| {
        let at = step.transition.at;
        place = if before == Some(at) { place + 1 } else { 0 };
        before = Some(at);
        Ok(json!([alert, at.unix_ms(), place, serde_json::to_string(step)?]))
    })
}

fn erased_json(change: &Change) -> Result<Value, StoreError> {
    let erased = serde_json::to_string(&change.erased)?;
    let id = digest(&["revision", &change.alert, &erased]);
    Ok(json!([id, change.alert, erased]))
}
