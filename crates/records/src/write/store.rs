//! The statements that write resources: their number does not grow with the number of resources.

use std::collections::HashMap;

use auscult_fhir::ResourceType;
use auscult_store::{Database, StoreError};
use serde_json::json;

use super::{Change, Put, Written};
use crate::RecordsError;
use crate::assignment::Assignment;
use crate::read::{Stored, kept};

/// Whatever is there under the ids of these, by type and id.
pub(super) fn existing(
    db: &dyn Database,
    puts: &[Put],
) -> Result<HashMap<(String, String), Stored>, RecordsError> {
    let wanted: Vec<_> =
        puts.iter().map(|it| json!({ "type": it.kind.as_str(), "id": it.id })).collect();
    let rows = db.query(
        "SELECT r.type, r.id, r.version, r.updated_ms, r.body FROM json_each(?1) AS it
         JOIN resource AS r ON r.type = it.value ->> 'type' AND r.id = it.value ->> 'id'",
        &[(&serde_json::to_string(&wanted)?).into()],
    )?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows.iter() {
        let name = row.text("type")?;
        let kind = ResourceType::parse(name).ok_or_else(|| StoreError::Shape("type".to_owned()))?;
        found.insert((name.to_owned(), row.text("id")?.to_owned()), kept(kind, row)?);
    }
    Ok(found)
}

/// Writes the new versions.
pub(super) fn upsert(db: &dyn Database, written: &[Written]) -> Result<(), RecordsError> {
    let rows: Vec<_> = written
        .iter()
        .filter(|it| it.change != Change::Unchanged)
        .map(|it| {
            json!({
                "type": it.stored.kind.as_str(),
                "id": it.stored.id,
                "version": it.stored.version,
                "updated_ms": it.stored.updated.unix_ms(),
                "body": it.stored.resource,
            })
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    db.query(
        "INSERT INTO resource (type, id, version, updated_ms, body)
         SELECT value ->> 'type', value ->> 'id', value ->> 'version', value ->> 'updated_ms',
                value ->> 'body' FROM json_each(?1) WHERE true
         ON CONFLICT (type, id) DO UPDATE SET version = excluded.version,
             updated_ms = excluded.updated_ms, body = excluded.body",
        &[(&serde_json::to_string(&rows)?).into()],
    )?;
    Ok(())
}

/// What writing an assignment meant for its device.
pub(super) struct Moved {
    /// Its id.
    pub assignment: String,
    /// The devices it is about now and was about before.
    pub devices: Vec<String>,
    /// Whether its device is worn by somebody else at the same time.
    pub overlaps: bool,
}

/// Writes the assignments of changed DeviceUseStatements.
pub(super) fn assign(
    db: &dyn Database,
    assignments: &[Assignment],
) -> Result<Vec<Moved>, RecordsError> {
    if assignments.is_empty() {
        return Ok(Vec::new());
    }
    let rows = serde_json::to_string(assignments)?;
    // A statement may come to name another device. Its old device keeps a row that assigns nothing:
    // normalization sees that row as new and files the old device's readings again.
    db.query(
        "INSERT INTO assignment (id, version, device, patient, start_ms, end_ms, active)
         SELECT a.id || '#' || a.version, 1, a.device, a.patient, a.start_ms, a.end_ms, 0
         FROM json_each(?1) AS it JOIN assignment AS a ON a.id = it.value ->> 'id'
         WHERE a.device <> it.value ->> 'device' ON CONFLICT (id) DO NOTHING",
        &[(&rows).into()],
    )?;
    let before = db.query(
        "SELECT a.id, a.device FROM json_each(?1) AS it
         JOIN assignment AS a ON a.id = it.value ->> 'id'",
        &[(&rows).into()],
    )?;
    db.query(
        "INSERT INTO assignment (id, version, device, patient, start_ms, end_ms, active)
         SELECT value ->> 'id', value ->> 'version', value ->> 'device', value ->> 'patient',
                value ->> 'start_ms', value ->> 'end_ms', value ->> 'active'
         FROM json_each(?1) WHERE true
         ON CONFLICT (id) DO UPDATE SET version = excluded.version, device = excluded.device,
             patient = excluded.patient, start_ms = excluded.start_ms, end_ms = excluded.end_ms,
             active = excluded.active",
        &[(&rows).into()],
    )?;
    // The end of time in milliseconds, for uses that last.
    let overlaps = db.query(
        "SELECT DISTINCT a.id FROM json_each(?1) AS it
         JOIN assignment AS a ON a.id = it.value ->> 'id' AND a.active = 1
         JOIN assignment AS b ON b.device = a.device AND b.active = 1 AND b.id <> a.id
         WHERE a.start_ms < coalesce(b.end_ms, 9223372036854775807)
           AND b.start_ms < coalesce(a.end_ms, 9223372036854775807)",
        &[(&rows).into()],
    )?;
    let mut moved: Vec<Moved> = assignments
        .iter()
        .map(|it| Moved {
            assignment: it.id.clone(),
            devices: vec![it.device.clone()],
            overlaps: false,
        })
        .collect();
    for row in before.iter() {
        let (id, device) = (row.text("id")?, row.text("device")?);
        for it in moved.iter_mut().filter(|it| it.assignment == id) {
            if !it.devices.iter().any(|it| it == device) {
                it.devices.push(device.to_owned());
            }
        }
    }
    for row in overlaps.iter() {
        let id = row.text("id")?;
        moved.iter_mut().filter(|it| it.assignment == id).for_each(|it| it.overlaps = true);
    }
    Ok(moved)
}
