//! Files observations again when an assignment was added or changed after they were stored.
//!
//! Moving and telling are two steps with a list between: what was moved stays in `observation_moved`
//! until scoring has taken it, so that a crash in between forgets nobody.

use std::collections::BTreeSet;

use auscult_model::Timestamp;
use auscult_model::events::RecordedObservation;
use auscult_store::{Database, StoreError, transaction};
use serde_json::json;

use crate::store::recorded;
use crate::{MappingSets, windows};

/// Observations moved in one transaction: bounds how long it holds the writer.
const MOVED_MAX: i64 = 500;

/// Windows of mapped readings made anew in one transaction: a window may hold an hour of them.
const WINDOWS_MAX: i64 = 100;

/// Assignments looked at in one round.
const ASSIGNMENTS_MAX: i64 = 50;

/// What one round did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Round {
    /// What scoring is to hear: for the patient who has an observation now, and for the one who had it.
    pub recorded: Vec<RecordedObservation>,
    /// Observations to strike off the list once scoring has taken them.
    pub told: Vec<String>,
    /// Whether another round would find more.
    pub more: bool,
}

/// Moves observations to their wearers by every assignment that changed since it was last looked at,
/// and lists what scoring has not heard of.
///
/// # Errors
/// [`StoreError`] when the database cannot be read or written.
pub fn round(db: &dyn Database, now: Timestamp) -> Result<Round, StoreError> {
    let changed = db.query(
        "SELECT a.id, a.version, a.device FROM assignment AS a
         LEFT JOIN assignment_filed AS f ON f.assignment = a.id
         WHERE f.version IS NULL OR f.version < a.version ORDER BY a.id LIMIT ?1",
        &[ASSIGNMENTS_MAX.into()],
    )?;
    let mut moved_all = true;
    if !changed.is_empty() {
        let mut devices = Vec::new();
        let mut versions = Vec::new();
        for row in changed.iter() {
            devices.push(row.text("device")?.to_owned());
            versions.push(json!({ "id": row.text("id")?, "version": row.integer("version")? }));
        }
        let devices = serde_json::to_string(&devices)?;
        moved_all = transaction(db, |db| {
            let moved = move_to_wearers(db, &devices, now)?;
            let windows = windows::misfiled(db, &devices, WINDOWS_MAX)?;
            let all = moved < MOVED_MAX && windows.is_empty();
            let windows: BTreeSet<&str> = windows.iter().map(String::as_str).collect();
            if !windows.is_empty() {
                windows::remake(db, &windows, &MappingSets::default(), now)?;
            }
            if all {
                mark_filed(db, &versions)?;
            }
            Ok::<_, StoreError>(all)
        })?;
    }
    let waiting = !changed.is_empty() || !moved_all;
    untold(db, waiting)
}

/// Moves up to [`MOVED_MAX`] observations of these devices whose wearer is not the patient they are
/// filed to; returns how many.
fn move_to_wearers(db: &dyn Database, devices: &str, now: Timestamp) -> Result<i64, StoreError> {
    // Who wore the device counts only when the message names nobody else.
    let wrong = db.query(
        "SELECT id, patient, wearer, resource FROM (
             SELECT o.id, o.patient, o.resource,
                    (SELECT a.patient FROM assignment AS a
                     WHERE a.device = o.device AND a.active = 1 AND a.start_ms <= o.effective_ms
                       AND (a.end_ms IS NULL OR o.effective_ms < a.end_ms)
                       AND (o.claim IS NULL OR o.claim = a.patient OR EXISTS (
                           SELECT 1 FROM resource AS p, json_each(p.body, '$.identifier') AS i
                            WHERE p.type = 'Patient' AND p.id = a.patient
                              AND i.value ->> 'value' = o.claim))
                     ORDER BY a.id LIMIT 1) AS wearer
             FROM observation AS o
             WHERE o.made_of IS NULL AND o.device IN (SELECT value FROM json_each(?1))) AS it
         WHERE patient IS DISTINCT FROM wearer LIMIT ?2",
        &[devices.into(), MOVED_MAX.into()],
    )?;
    let mut rows = Vec::with_capacity(wrong.len());
    for row in wrong.iter() {
        let wearer = row.text_or_null("wearer")?;
        let resource = auscult_fhir::with_subject(row.text("resource")?, wearer)
            .map_err(|it| StoreError::Failed(format!("a stored resource: {it}")))?;
        rows.push(json!({
            "id": row.text("id")?,
            "was": row.text_or_null("patient")?,
            "patient": wearer,
            "resource": resource,
        }));
    }
    let moved = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    if moved > 0 {
        let rows = serde_json::to_string(&rows)?;
        db.query(
            "UPDATE observation SET patient = it.value->>'patient', resource = it.value->>'resource',
                    version = version + 1, updated_ms = ?2
             FROM json_each(?1) AS it WHERE observation.id = it.value->>'id'",
            &[(&rows).into(), now.into()],
        )?;
        db.query(
            "INSERT INTO observation_moved (observation, was)
             SELECT value->>'id', value->>'was' FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING",
            &[(&rows).into()],
        )?;
    }
    Ok(moved)
}

fn mark_filed(db: &dyn Database, versions: &[serde_json::Value]) -> Result<(), StoreError> {
    let versions = serde_json::to_string(versions)?;
    db.query(
        "INSERT INTO assignment_filed (assignment, version)
         SELECT value->>'id', value->>'version' FROM json_each(?1) WHERE true
         ON CONFLICT (assignment) DO UPDATE SET version = excluded.version",
        &[(&versions).into()],
    )
    .map(drop)
}

fn untold(db: &dyn Database, waiting: bool) -> Result<Round, StoreError> {
    let rows = db.query(
        "SELECT o.id, o.code, o.effective_ms, o.quality, o.received_ms, o.inputs, o.patient, m.was
         FROM observation_moved AS m JOIN observation AS o ON o.id = m.observation
         ORDER BY m.rowid LIMIT ?1",
        &[MOVED_MAX.into()],
    )?;
    let mut round = Round { more: waiting || !rows.is_empty(), ..Round::default() };
    for row in rows.iter() {
        round.told.push(row.text("id")?.to_owned());
        for patient in
            [row.text_or_null("patient")?, row.text_or_null("was")?].into_iter().flatten()
        {
            round.recorded.push(recorded(row, patient)?);
        }
    }
    Ok(round)
}

/// Strikes what scoring has taken off the list.
///
/// # Errors
/// [`StoreError`] when the database cannot be written; scoring is then told again.
pub fn told(db: &dyn Database, observations: &[String]) -> Result<(), StoreError> {
    let ids = serde_json::to_string(observations)?;
    db.query(
        "DELETE FROM observation_moved WHERE observation IN (SELECT value FROM json_each(?1))",
        &[(&ids).into()],
    )
    .map(drop)
}
