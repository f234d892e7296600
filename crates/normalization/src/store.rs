//! Observations, outcomes and assignments in the database.

use auscult_model::events::{ObservedValue, ReceivedMessage, RecordedObservation};
use auscult_model::{Problem, Quality, Timestamp};
use auscult_store::{Database, Row, StoreError, transaction};
use serde::Serialize;
use serde_json::json;

use crate::assign::Assignment;
use crate::decode::{CATALOGUE, DeviceReading, problem};
use crate::observe::{Observation, Origin};
use crate::{Assignments, Decoded, MappingSets, decode, observe};

/// What became of one message; a row of `message_outcome`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// Message id.
    pub message: String,
    /// `normalized` when any observation came of it, else `rejected`.
    pub status: &'static str,
    /// Ids of its observations, repeats included.
    pub observations: Vec<String>,
    /// Every refused value.
    pub problem: Option<Problem>,
    /// What decoded it.
    pub mapping: String,
}

/// Normalizes a batch and stores all of it in one transaction. Returns what scoring is to hear, which
/// is the same however often the batch comes.
///
/// # Errors
/// [`StoreError`] when nothing was stored.
pub fn normalize(
    db: &dyn Database,
    messages: &[ReceivedMessage],
    mappings: &MappingSets,
    now: Timestamp,
) -> Result<Vec<RecordedObservation>, StoreError> {
    let decoded: Vec<Result<Decoded, Problem>> =
        messages.iter().map(|it| decode(it, mappings)).collect();
    let readings = decoded.iter().flatten().flat_map(|it| &it.readings);
    let assignments = assignments(db, readings)?;
    let mut observations = Vec::new();
    let mut outcomes = Vec::with_capacity(messages.len());
    for (message, decoded) in messages.iter().zip(decoded) {
        let (made, outcome) = outcome(message, decoded, &assignments);
        observations.extend(made);
        outcomes.push(outcome);
    }
    transaction(db, |db| {
        insert_observations(db, &observations, now)?;
        upsert_outcomes(db, &outcomes, now)
    })?;
    Ok(observations.iter().filter_map(Observation::recorded).collect())
}

fn outcome(
    message: &ReceivedMessage,
    decoded: Result<Decoded, Problem>,
    assignments: &Assignments,
) -> (Vec<Observation>, Outcome) {
    let (made, problem, mapping) = match decoded {
        Err(problem) => (Vec::new(), Some(problem), CATALOGUE.to_owned()),
        Ok(Decoded { readings, mut faults, mapping }) => {
            let origin =
                Origin { message: &message.id, mapping: &mapping, received: message.received };
            let (made, more) = observe(&readings, assignments, origin);
            faults.extend(more);
            let problem = problem(&faults, made.is_empty());
            (made, problem, mapping)
        }
    };
    let outcome = Outcome {
        message: message.id.clone(),
        status: if made.is_empty() { "rejected" } else { "normalized" },
        observations: made.iter().map(|it| it.id.clone()).collect(),
        problem,
        mapping,
    };
    (made, outcome)
}

fn assignments<'a>(
    db: &dyn Database,
    readings: impl Iterator<Item = &'a DeviceReading>,
) -> Result<Assignments, StoreError> {
    let mut devices: Vec<&str> = readings.map(|it| it.device.as_str()).collect();
    devices.sort_unstable();
    devices.dedup();
    let mut assignments = Assignments::default();
    if devices.is_empty() {
        return Ok(assignments);
    }
    let devices = serde_json::to_string(&devices)?;
    let rows = db.query(
        "SELECT id, device, patient, start_ms, end_ms FROM assignment
         WHERE active = 1 AND device IN (SELECT value FROM json_each(?1))",
        &[(&devices).into()],
    )?;
    for row in rows.iter() {
        assignments.add(
            row.text("device")?,
            Assignment {
                id: row.text("id")?.to_owned(),
                patient: row.text("patient")?.to_owned(),
                start: Timestamp::from_unix_ms(row.integer("start_ms")?),
                end: row.integer_or_null("end_ms")?.map(Timestamp::from_unix_ms),
            },
        );
    }
    Ok(assignments)
}

fn insert_observations(
    db: &dyn Database,
    observations: &[Observation],
    now: Timestamp,
) -> Result<(), StoreError> {
    if observations.is_empty() {
        return Ok(());
    }
    let rows = serde_json::to_string(observations)?;
    db.query(
        "INSERT INTO observation (id, message, device, patient, code, codes, effective_ms, end_ms, inputs,
                                  quality, mapping, received_ms, updated_ms, resource)
         SELECT value->>'id', value->>'message', value->>'device', value->>'patient', value->>'code',
                value->>'codes', value->>'effective_ms', value->>'end_ms', value->'inputs',
                value->>'quality', value->>'mapping', value->>'received_ms', ?2, value->>'resource'
         FROM json_each(?1) WHERE true
         ON CONFLICT (id) DO NOTHING",
        &[(&rows).into(), now.into()],
    )
    .map(drop)
}

fn upsert_outcomes(
    db: &dyn Database,
    outcomes: &[Outcome],
    now: Timestamp,
) -> Result<(), StoreError> {
    let rows = serde_json::to_string(outcomes)?;
    db.query(
        "INSERT INTO message_outcome (message, status, observations, problem, mapping, at_ms)
         SELECT value->>'message', value->>'status', value->'observations',
                nullif(value->'problem', 'null'), value->>'mapping', ?2
         FROM json_each(?1) WHERE true
         ON CONFLICT (message) DO UPDATE SET status = excluded.status,
             observations = excluded.observations, problem = excluded.problem,
             mapping = excluded.mapping, at_ms = excluded.at_ms",
        &[(&rows).into(), now.into()],
    )
    .map(drop)
}

/// A stored observation as scoring hears of it, for this patient.
///
/// # Errors
/// [`StoreError`] when the row is not one of `observation`.
pub fn recorded(row: Row<'_>, patient: &str) -> Result<RecordedObservation, StoreError> {
    let quality = row.text("quality")?;
    Ok(RecordedObservation {
        id: row.text("id")?.to_owned(),
        patient: patient.to_owned(),
        code: row.text("code")?.to_owned(),
        effective: Timestamp::from_unix_ms(row.integer("effective_ms")?),
        quality: Quality::parse(quality).ok_or_else(|| StoreError::Shape("quality".to_owned()))?,
        received: Timestamp::from_unix_ms(row.integer("received_ms")?),
        inputs: row.json::<Vec<ObservedValue>>("inputs")?,
    })
}

/// The mapping sets that messages of this batch name, compiled.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn mapping_sets(
    db: &dyn Database,
    messages: &[ReceivedMessage],
) -> Result<MappingSets, StoreError> {
    let mut names: Vec<&str> = messages.iter().filter_map(|it| it.source.as_deref()).collect();
    names.sort_unstable();
    names.dedup();
    let mut sets = MappingSets::default();
    if names.is_empty() {
        return Ok(sets);
    }
    let names = json!(names).to_string();
    let rows = db.query(
        "SELECT name, max(version) AS version, document FROM mapping
         WHERE active = 1 AND name IN (SELECT value FROM json_each(?1)) GROUP BY name",
        &[(&names).into()],
    )?;
    for row in rows.iter() {
        sets.add(row.text("name")?, row.integer("version")?, row.text("document")?);
    }
    Ok(sets)
}
