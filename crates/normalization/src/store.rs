//! Observations, outcomes and assignments in the database.

use std::collections::BTreeSet;

use auscult_model::events::{ObservedValue, ReceivedMessage, RecordedObservation};
use auscult_model::{Problem, Quality, Timestamp};
use auscult_store::{Database, Row, StoreError, transaction};
use serde::Serialize;

use crate::assign::Assignment;
use crate::decode::{CATALOGUE, problem};
use crate::mapped::MappedReading;
use crate::observe::{Observation, Origin};
use crate::sets::{DeviceTypes, device_of};
use crate::{Assignments, Decoded, MappingSets, decode, observe, windows};

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
    let assignments = assignments(db, decoded.iter().flatten())?;
    let mut observations = Vec::new();
    let mut outcomes = Vec::with_capacity(messages.len());
    let mut mapped = Vec::new();
    for (message, decoded) in messages.iter().zip(decoded) {
        let (made, windowed, outcome) = outcome(message, decoded, &assignments);
        observations.extend(made);
        mapped.extend(windowed);
        outcomes.push(outcome);
    }
    transaction(db, |db| {
        insert_observations(db, &observations, now)?;
        if !mapped.is_empty() {
            let remade = windows::take_in(db, &mapped, mappings, now)?;
            for outcome in &mut outcomes {
                remade.complete(outcome, &mapped);
            }
            observations.extend(remade.observations);
        }
        upsert_outcomes(db, &outcomes, now)
    })?;
    Ok(observations.iter().filter_map(Observation::recorded).collect())
}

fn outcome(
    message: &ReceivedMessage,
    decoded: Result<Decoded, Problem>,
    assignments: &Assignments,
) -> (Vec<Observation>, Vec<MappedReading>, Outcome) {
    let (made, mapped, problem, mapping) = match decoded {
        Err(problem) => (Vec::new(), Vec::new(), Some(problem), CATALOGUE.to_owned()),
        Ok(Decoded { readings, mapped, mut faults, mapping }) => {
            let origin =
                Origin { message: &message.id, mapping: &mapping, received: message.received };
            let (made, more) = observe(&readings, assignments, origin);
            faults.extend(more);
            faults.extend(mapped.iter().filter_map(|it| it.mismatch(assignments)));
            let problem = problem(&faults, made.is_empty() && mapped.is_empty());
            (made, mapped, problem, mapping)
        }
    };
    let nothing = made.is_empty() && mapped.is_empty();
    let outcome = Outcome {
        message: message.id.clone(),
        status: if nothing { "rejected" } else { "normalized" },
        observations: made.iter().map(|it| it.id.clone()).collect(),
        problem,
        mapping,
    };
    (made, mapped, outcome)
}

/// Who wears the devices of a batch, and the names of the wearers where a message names its patient.
fn assignments<'a>(
    db: &dyn Database,
    decoded: impl Iterator<Item = &'a Decoded> + Clone,
) -> Result<Assignments, StoreError> {
    let readings = decoded.clone().flat_map(|it| &it.readings).map(|it| it.device.as_str());
    let mapped = decoded.clone().flat_map(|it| &it.mapped).map(|it| it.device.as_str());
    let devices: BTreeSet<&str> = readings.chain(mapped).collect();
    let mut claims = decoded.flat_map(|it| {
        let readings = it.readings.iter().map(|it| it.claim.is_some());
        readings.chain(it.mapped.iter().map(|it| it.claim.is_some()))
    });
    worn(db, devices.into_iter(), claims.any(|it| it))
}

/// The assignments of some devices; with `identified` also the identifiers of their wearers.
pub(crate) fn worn<'a>(
    db: &dyn Database,
    devices: impl Iterator<Item = &'a str>,
    identified: bool,
) -> Result<Assignments, StoreError> {
    let devices: Vec<&str> = devices.collect();
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
    if identified {
        identify(db, &mut assignments)?;
    }
    Ok(assignments)
}

fn identify(db: &dyn Database, assignments: &mut Assignments) -> Result<(), StoreError> {
    let patients: BTreeSet<&str> = assignments.patients().collect();
    let patients = serde_json::to_string(&patients)?;
    let rows = db.query(
        "SELECT id, body FROM resource
         WHERE type = 'Patient' AND id IN (SELECT value FROM json_each(?1))",
        &[(&patients).into()],
    )?;
    for row in rows.iter() {
        let patient: serde_json::Value = row.json("body")?;
        for it in patient["identifier"].as_array().into_iter().flatten() {
            if let Some(value) = it["value"].as_str() {
                assignments.identify(row.text("id")?, value);
            }
        }
    }
    Ok(())
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
        "INSERT INTO observation (id, message, device, patient, claim, code, codes, effective_ms, end_ms,
                                  inputs, quality, mapping, received_ms, updated_ms, resource)
         SELECT value->>'id', value->>'message', value->>'device', value->>'patient', value->>'claim',
                value->>'code',
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

/// The mapping sets that messages of this batch are for, compiled.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn mapping_sets(
    db: &dyn Database,
    messages: &[ReceivedMessage],
) -> Result<MappingSets, StoreError> {
    let names: BTreeSet<&str> = messages.iter().filter_map(|it| it.source.as_deref()).collect();
    let names = serde_json::to_string(&names)?;
    let rows = db.query(
        "SELECT name, version, document FROM mapping AS m
         WHERE version = (SELECT max(o.version) FROM mapping AS o WHERE o.name = m.name)
           AND (chooses = 1 OR name IN (SELECT value FROM json_each(?1)))",
        &[(&names).into()],
    )?;
    let mut sets = MappingSets::default();
    for row in rows.iter() {
        sets.add(row.text("name")?, row.integer("version")?, row.text("document")?);
    }
    if sets.ask_for_types() {
        sets.know(device_types(db, messages)?);
    }
    Ok(sets)
}

/// What the devices of messages that name no set are.
fn device_types(
    db: &dyn Database,
    messages: &[ReceivedMessage],
) -> Result<DeviceTypes, StoreError> {
    let unnamed = messages.iter().filter(|it| it.source.is_none());
    let devices: BTreeSet<&str> = unnamed.filter_map(device_of).collect();
    let devices = serde_json::to_string(&devices)?;
    let rows = db.query(
        "SELECT id, body FROM resource
         WHERE type = 'Device' AND id IN (SELECT value FROM json_each(?1))",
        &[(&devices).into()],
    )?;
    let mut types = DeviceTypes::new();
    for row in rows.iter() {
        let device: serde_json::Value = row.json("body")?;
        let codings = device["type"]["coding"].as_array().into_iter().flatten();
        let text = |it: &serde_json::Value| it.as_str().unwrap_or_default().to_owned();
        let codings = codings.map(|it| (text(&it["system"]), text(&it["code"])));
        types.insert(row.text("id")?.to_owned(), codings.collect());
    }
    Ok(types)
}
