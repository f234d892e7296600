//! Windows of mapped readings in the database: taken in, and their Observations made anew.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use auscult_model::{Fault, Timestamp};
use auscult_store::{Database, StoreError};
use serde_json::json;

use crate::MappingSets;
use crate::decode::problem;
use crate::mapped::{MappedReading, observations};
use crate::observe::Observation;
use crate::store::{Outcome, worn};

/// The Observations of some windows, as they stand now.
#[derive(Debug, Default)]
pub(crate) struct Remade {
    /// All of them, changed or not.
    pub observations: Vec<Observation>,
    /// Windows of which none could be made, and why.
    faults: HashMap<String, Fault>,
}

impl Remade {
    /// Names in the outcome of a message the Observations that its readings are in.
    pub(crate) fn complete(&self, outcome: &mut Outcome, mapped: &[MappedReading]) {
        let mine = mapped.iter().filter(|it| it.message == outcome.message);
        let windows: BTreeSet<&str> = mine.map(|it| it.made_of.as_str()).collect();
        let is_mine =
            |it: &&Observation| it.made_of.as_deref().is_some_and(|it| windows.contains(it));
        outcome
            .observations
            .extend(self.observations.iter().filter(is_mine).map(|it| it.id.clone()));
        let mut faults: Vec<Fault> =
            windows.iter().filter_map(|it| self.faults.get(*it)).cloned().collect();
        if faults.is_empty() {
            return;
        }
        if let Some(problem) = outcome.problem.take() {
            faults.extend(problem.errors);
        }
        let nothing = outcome.observations.is_empty();
        outcome.problem = problem(&faults, nothing);
        outcome.status = if nothing { "rejected" } else { "normalized" };
    }
}

/// Adds readings to their windows and makes the Observations of those windows anew. Part of its
/// caller's transaction.
pub(crate) fn take_in(
    db: &dyn Database,
    mapped: &[MappedReading],
    sets: &MappingSets,
    now: Timestamp,
) -> Result<Remade, StoreError> {
    let mut rows = Vec::with_capacity(mapped.len());
    for it in mapped {
        rows.push((
            &it.made_of,
            it.occurred,
            &it.message,
            it.place,
            &it.device,
            it.occurred_ms(),
            serde_json::to_string(it)?,
        ));
    }
    db.query(
        "INSERT INTO mapped_reading (made_of, occurred, message, place, device, occurred_ms, body)
         SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), value ->> 2, CAST(value ->> 3 AS BIGINT),
                value ->> 4, CAST(value ->> 5 AS BIGINT), value ->> 6
           FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING",
        &[(&serde_json::to_string(&rows)?).into()],
    )?;
    let windows: BTreeSet<&str> = mapped.iter().map(|it| it.made_of.as_str()).collect();
    remake(db, &windows, sets, now)
}

/// Makes the Observations of some windows anew and stores what differs. An Observation that changed
/// its patient is put on the list of those scoring has not heard of.
pub(crate) fn remake(
    db: &dyn Database,
    windows: &BTreeSet<&str>,
    sets: &MappingSets,
    now: Timestamp,
) -> Result<Remade, StoreError> {
    let asked = serde_json::to_string(windows)?;
    let readings = readings(db, &asked)?;
    let devices: BTreeSet<&str> =
        readings.values().flatten().map(|it| it.device.as_str()).collect();
    let claimed = readings.values().flatten().any(|it| it.claim.is_some());
    let assignments = worn(db, devices.into_iter(), claimed)?;
    let older = older_versions(db, &readings, sets)?;
    let mut remade = Remade::default();
    let mut wearers = Vec::new();
    for (window, readings) in &readings {
        for it in readings {
            let at = Timestamp::from_unix_ms(it.occurred_ms());
            let wearer = assignments.patient(&it.device, at);
            wearers.push((&it.made_of, it.occurred, &it.message, it.place, wearer));
        }
        let newest = readings.iter().max_by_key(|it| (it.received_ms, it.message.as_str()));
        let Some(version) = newest.map(|it| it.mapping.as_str()) else { continue };
        let compiled = sets.version(version).or_else(|| older.version(version));
        let made = match compiled {
            Some(compiled) => observations(&compiled.set, readings, &assignments),
            None => Err(Fault {
                path: String::new(),
                code: "mapping-missing".to_owned(),
                detail: format!("{version} is not stored here"),
            }),
        };
        match made {
            Ok(made) => remade.observations.extend(made),
            Err(fault) => {
                remade.faults.insert(window.clone(), fault);
            }
        }
    }
    note_wearers(db, &wearers)?;
    settle(db, &asked, &remade, now)?;
    Ok(remade)
}

/// Every reading of the windows.
fn readings(
    db: &dyn Database,
    windows: &str,
) -> Result<BTreeMap<String, Vec<MappedReading>>, StoreError> {
    let rows = db.query(
        "SELECT m.made_of, m.occurred, m.message, m.place, m.device, m.body
           FROM json_each(?1) AS w JOIN mapped_reading AS m ON m.made_of = w.value",
        &[windows.into()],
    )?;
    let mut found: BTreeMap<String, Vec<MappedReading>> = BTreeMap::new();
    for row in rows.iter() {
        let made_of = row.text("made_of")?.to_owned();
        let reading = MappedReading {
            made_of: made_of.clone(),
            occurred: row.integer("occurred")?,
            message: row.text("message")?.to_owned(),
            place: row.integer("place")?,
            device: row.text("device")?.to_owned(),
            ..row.json("body")?
        };
        found.entry(made_of).or_default().push(reading);
    }
    Ok(found)
}

/// Versions that read some of these readings and are not among the sets at hand.
fn older_versions(
    db: &dyn Database,
    readings: &BTreeMap<String, Vec<MappedReading>>,
    sets: &MappingSets,
) -> Result<MappingSets, StoreError> {
    let named = readings.values().flatten().map(|it| it.mapping.as_str());
    let missing: BTreeSet<&str> = named.filter(|it| sets.version(it).is_none()).collect();
    let mut older = MappingSets::default();
    if missing.is_empty() {
        return Ok(older);
    }
    let parts: Vec<(&str, i64)> = missing
        .iter()
        .filter_map(|it| it.rsplit_once('@'))
        .filter_map(|(name, version)| Some((name, version.parse().ok()?)))
        .collect();
    let rows = db.query(
        "SELECT m.name, m.version, m.document FROM json_each(?1) AS w JOIN mapping AS m
             ON m.name = w.value ->> 0 AND m.version = CAST(w.value ->> 1 AS BIGINT)",
        &[(&serde_json::to_string(&parts)?).into()],
    )?;
    for row in rows.iter() {
        older.add_version(row.text("name")?, row.integer("version")?, row.text("document")?);
    }
    Ok(older)
}

/// Who wore the device at each reading, so that a change of assignments finds what it touches.
fn note_wearers(
    db: &dyn Database,
    wearers: &[(&String, i64, &String, i64, Option<&str>)],
) -> Result<(), StoreError> {
    db.query(
        "UPDATE mapped_reading SET wearer = w.value ->> 4 FROM json_each(?1) AS w
          WHERE made_of = w.value ->> 0 AND occurred = CAST(w.value ->> 1 AS BIGINT)
            AND message = w.value ->> 2 AND place = CAST(w.value ->> 3 AS BIGINT)
            AND wearer IS DISTINCT FROM w.value ->> 4",
        &[(&serde_json::to_string(wearers)?).into()],
    )
    .map(drop)
}

/// Stores the Observations of some windows; one that is no longer made of anything is withdrawn.
fn settle(
    db: &dyn Database,
    windows: &str,
    remade: &Remade,
    now: Timestamp,
) -> Result<(), StoreError> {
    let stands = db.query(
        "SELECT o.id, o.made_of, o.patient, o.resource FROM json_each(?1) AS w
           JOIN observation AS o ON o.made_of = w.value",
        &[windows.into()],
    )?;
    let made: HashMap<&str, &Observation> =
        remade.observations.iter().map(|it| (it.id.as_str(), it)).collect();
    let (mut moved, mut withdrawn) = (Vec::new(), Vec::new());
    for row in stands.iter() {
        let (id, was) = (row.text("id")?, row.text_or_null("patient")?);
        match made.get(id) {
            Some(now) if now.patient.as_deref() == was => continue,
            Some(_) => {}
            None if remade.faults.contains_key(row.text("made_of")?) => continue,
            None => {
                let resource = auscult_fhir::entered_in_error(row.text("resource")?)
                    .map_err(|it| StoreError::Failed(format!("a stored resource: {it}")))?;
                withdrawn.push(json!({ "id": id, "resource": resource }));
            }
        }
        moved.push(json!({ "id": id, "was": was }));
    }
    db.query(
        "INSERT INTO observation (id, message, device, patient, made_of, code, codes, effective_ms, end_ms,
                                  inputs, quality, mapping, received_ms, updated_ms, resource)
         SELECT value ->> 'id', value ->> 'message', value ->> 'device', value ->> 'patient',
                value ->> 'made_of', value ->> 'code', value ->> 'codes',
                CAST(value ->> 'effective_ms' AS BIGINT), CAST(value ->> 'end_ms' AS BIGINT),
                value -> 'inputs', value ->> 'quality', value ->> 'mapping',
                CAST(value ->> 'received_ms' AS BIGINT), ?2, value ->> 'resource'
           FROM json_each(?1) WHERE true
         ON CONFLICT (id) DO UPDATE SET message = excluded.message, patient = excluded.patient,
                code = excluded.code, codes = excluded.codes, effective_ms = excluded.effective_ms,
                end_ms = excluded.end_ms, inputs = excluded.inputs, quality = excluded.quality,
                mapping = excluded.mapping, received_ms = excluded.received_ms,
                updated_ms = excluded.updated_ms, resource = excluded.resource,
                version = observation.version + 1
          WHERE observation.resource <> excluded.resource",
        &[(&serde_json::to_string(&remade.observations)?).into(), now.into()],
    )?;
    if !withdrawn.is_empty() {
        db.query(
            "UPDATE observation SET patient = NULL, inputs = '[]', resource = w.value ->> 'resource',
                    version = version + 1, updated_ms = ?2
               FROM json_each(?1) AS w WHERE observation.id = w.value ->> 'id'",
            &[(&serde_json::to_string(&withdrawn)?).into(), now.into()],
        )?;
    }
    if !moved.is_empty() {
        db.query(
            "INSERT INTO observation_moved (observation, was)
             SELECT value ->> 'id', value ->> 'was' FROM json_each(?1) WHERE true
             ON CONFLICT DO NOTHING",
            &[(&serde_json::to_string(&moved)?).into()],
        )?;
    }
    Ok(())
}

/// Windows of these devices that hold a reading whose wearer is no longer the one it was made with.
pub(crate) fn misfiled(
    db: &dyn Database,
    devices: &str,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let rows = db.query(
        "SELECT DISTINCT made_of FROM (
             SELECT m.made_of, m.wearer,
                    (SELECT a.patient FROM assignment AS a
                      WHERE a.device = m.device AND a.active = 1 AND a.start_ms <= m.occurred_ms
                        AND (a.end_ms IS NULL OR m.occurred_ms < a.end_ms)
                      ORDER BY a.id LIMIT 1) AS wears
               FROM mapped_reading AS m
              WHERE m.device IN (SELECT value FROM json_each(?1))) AS it
          WHERE wearer IS DISTINCT FROM wears LIMIT ?2",
        &[devices.into(), limit.into()],
    )?;
    rows.iter().map(|row| Ok(row.text("made_of")?.to_owned())).collect()
}
