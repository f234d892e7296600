//! Resources that people and systems put here, one at a time or as a transaction: all or nothing.

mod bundle;
mod check;
mod store;

use auscult_fhir::{ResourceType, kept, same_content};
use auscult_model::{Problem, Timestamp};
use auscult_store::{Database, transaction};
use serde_json::Value;

use crate::RecordsError;
use crate::assignment::Assignment;
use crate::read::Stored;

pub use bundle::transact;

/// What the caller expects of the version that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Condition {
    /// Nothing.
    #[default]
    None,
    /// `If-Match`: it is this version.
    Version(i64),
    /// `If-None-Match: *`: there is none.
    Absent,
}

/// One resource to store under its id.
#[derive(Debug, Clone, PartialEq)]
pub struct Put {
    /// Its type.
    pub kind: ResourceType,
    /// Its logical id, from the URL.
    pub id: String,
    /// The resource as sent.
    pub resource: Value,
    /// What must hold before.
    pub condition: Condition,
}

/// What a put did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// There was none.
    Created,
    /// A new version.
    Updated,
    /// The same content as before: no new version.
    Unchanged,
}

impl Change {
    /// The HTTP status that tells it.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Created => 201,
            Self::Updated | Self::Unchanged => 200,
        }
    }
}

/// A stored resource and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// What happened.
    pub change: Change,
    /// What is there now.
    pub stored: Stored,
    /// Devices whose assignments changed.
    pub devices: Vec<String>,
}

/// Stores one resource.
///
/// # Errors
/// [`RecordsError::Refused`] with 400 when the resource is not valid, 409 when a device would be worn
/// twice at once, 412 when the condition does not hold.
pub fn put(db: &dyn Database, put: Put, now: Timestamp) -> Result<Written, RecordsError> {
    let written = apply(db, vec![put], now, |_| String::new())?;
    let none = Problem::new(500, "nothing-written", "Nothing was written");
    written.into_iter().next().ok_or_else(|| none.into())
}

/// Stores all or nothing. `place` says where the resource of an entry is, for faults.
fn apply(
    db: &dyn Database,
    puts: Vec<Put>,
    now: Timestamp,
    place: impl Fn(usize) -> String,
) -> Result<Vec<Written>, RecordsError> {
    check::resources(&puts, &place)?;
    transaction(db, |db| {
        let existing = store::existing(db, &puts)?;
        let mut written = Vec::with_capacity(puts.len());
        let mut assignments: Vec<Assignment> = Vec::new();
        for (entry, put) in puts.iter().enumerate() {
            let before = existing.get(&(put.kind.as_str().to_owned(), put.id.clone()));
            check::condition(put, before)?;
            let (one, new) = decide(put, before, now, || place(entry))?;
            written.push(one);
            assignments.extend(new);
        }
        store::upsert(db, &written)?;
        let moved = store::assign(db, &assignments)?;
        for (entry, one) in written.iter_mut().enumerate() {
            let devices = moved.iter().filter(|it| it.assignment == one.stored.id);
            if one.stored.kind == ResourceType::DeviceUseStatement
                && one.change != Change::Unchanged
            {
                one.devices = devices.flat_map(|it| it.devices.clone()).collect();
                if moved.iter().any(|it| it.assignment == one.stored.id && it.overlaps) {
                    return Err(check::overlap(&place(entry)).into());
                }
            }
        }
        Ok(written)
    })
}

/// What storing one resource means, given what is there.
fn decide(
    put: &Put,
    before: Option<&Stored>,
    now: Timestamp,
    place: impl Fn() -> String,
) -> Result<(Written, Option<Assignment>), RecordsError> {
    if let Some(before) = before {
        let old: Value = serde_json::from_str(&before.resource)?;
        if same_content(&old, &put.resource) {
            let written =
                Written { change: Change::Unchanged, stored: before.clone(), devices: Vec::new() };
            return Ok((written, None));
        }
    }
    let version = before.map_or(1, |it| it.version + 1);
    let assignment = match put.kind {
        ResourceType::DeviceUseStatement => {
            let read = crate::assignment::assignment(&put.id, version, &put.resource);
            Some(read.map_err(|faults| check::invalid(faults, &place()))?)
        }
        _ => None,
    };
    let stored = Stored {
        kind: put.kind,
        id: put.id.clone(),
        version,
        updated: now,
        resource: kept(&put.resource, &put.id, version, now)?,
    };
    let change = if before.is_some() { Change::Updated } else { Change::Created };
    Ok((Written { change, stored, devices: Vec::new() }, assignment))
}
