//! The mapping sets of a tenant: checked, versioned, tried on stored messages, rolled back.

use auscult_mapping::{FhirMapping, MappingFault, MappingSet};
use auscult_model::events::ReceivedMessage;
use auscult_model::{Problem, Timestamp};
use auscult_store::{Database, StoreError, transaction};
use serde::Serialize;

use crate::explain::{Explanation, Reader, explain};
use crate::sets::device_of;

/// Most stored messages one dry run looks at.
pub const DRY_RUN_MAX: i64 = 200;
/// Most versions of one set that are listed.
const VERSIONS_MAX: i64 = 200;

/// One version of a mapping set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Version {
    /// Name of the set.
    pub name: String,
    /// 1, 2, 3 …; the highest is in force.
    pub version: i64,
    /// Who put it here.
    pub author: String,
    /// When.
    pub created: Timestamp,
    /// What made it, when no document was sent: `rollback to 3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The file as it was sent.
    #[serde(skip)]
    pub document: String,
}

/// Checks a mapping set: every fault that keeps something from loading.
///
/// # Errors
/// 400 with the place, code and reason of each fault.
pub fn check(document: &str) -> Result<Vec<MappingFault>, Problem> {
    let loaded = MappingSet::compile(document);
    if loaded.is_sound() {
        return Ok(loaded.faults);
    }
    Err(faulty(&loaded.faults))
}

fn faulty(faults: &[MappingFault]) -> Problem {
    let problem = Problem::new(400, "mapping-faulty", "The mapping does not load whole");
    faults.iter().filter(|it| it.fatal).fold(problem, |problem, it| {
        let advice = it.suggestion.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
        let detail = format!("line {} column {}: {}{advice}", it.line, it.column, it.detail);
        problem.fault(&it.path, it.code.as_str(), detail)
    })
}

/// The set that has this FHIR mapping beside the device mapping of the set in force: how somebody who
/// holds two files puts both here.
///
/// # Errors
/// 400 with every fault of the FHIR mapping, 409 when the set in force cannot be written anew.
pub fn with_fhir(current: &str, fhir: &str) -> Result<String, Problem> {
    let loaded = FhirMapping::compile(fhir);
    if !loaded.is_sound() {
        return Err(faulty(&loaded.faults));
    }
    let text = serde_json::from_str::<serde_json::Value>(current).ok();
    let is_set = text.as_ref().is_none_or(|it| it.get("device").is_some());
    if !is_set || (text.is_none() && MappingSet::compile(current).mapping.fhir.is_none()) {
        // The texts stay as they were written, comments and all.
        return Ok(format!("{{\n\"device\": {},\n\"fhir\": {}\n}}\n", current.trim(), fhir.trim()));
    }
    let conflict = || {
        Problem::new(409, "not-plain-json", "The set in force is not plain JSON")
            .detail("send the whole set with both mappings instead")
    };
    let mut set = text.ok_or_else(conflict)?;
    let fhir = serde_json::from_str(fhir).map_err(|_| conflict())?;
    if let Some(members) = set.as_object_mut() {
        members.insert("fhir".to_owned(), fhir);
    }
    serde_json::to_string_pretty(&set).map_err(|_| conflict())
}

/// Why a version was not stored.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The database cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The set is at another version than the caller has seen.
    #[error("the set is at version {0}")]
    VersionMismatch(i64),
    /// There is no such version.
    #[error("there is no such version")]
    NoSuchVersion,
}

/// What somebody does to a set.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// Name of the set.
    pub name: &'a str,
    /// Who.
    pub author: &'a str,
    /// When.
    pub now: Timestamp,
    /// The version the caller has seen, when it must still be in force; 0 for none.
    pub expected: Option<i64>,
}

/// Stores a new version; the document in force again changes nothing. Returns the version in force.
///
/// # Errors
/// [`MappingError`], and nothing was stored.
pub fn put(db: &dyn Database, change: Change<'_>, document: &str) -> Result<Version, MappingError> {
    transaction(db, |db| {
        let current = current(db, change.name)?;
        if let Some(same) = current.as_ref().filter(|it| it.document == document) {
            return Ok(same.clone());
        }
        append(db, change, current.map_or(0, |it| it.version), document, None)
    })
}

/// Puts an earlier version in force again, as a new one: what was read meanwhile keeps its name.
///
/// # Errors
/// [`MappingError`], and nothing was stored.
pub fn roll_back(db: &dyn Database, change: Change<'_>, to: i64) -> Result<Version, MappingError> {
    transaction(db, |db| {
        let current = current(db, change.name)?.ok_or(MappingError::NoSuchVersion)?;
        let wanted = version(db, change.name, to)?.ok_or(MappingError::NoSuchVersion)?;
        if wanted.document == current.document {
            return Ok(current);
        }
        let note = format!("rollback to {to}");
        append(db, change, current.version, &wanted.document, Some(note))
    })
}

fn append(
    db: &dyn Database,
    change: Change<'_>,
    current: i64,
    document: &str,
    note: Option<String>,
) -> Result<Version, MappingError> {
    if change.expected.is_some_and(|it| it != current) {
        return Err(MappingError::VersionMismatch(current));
    }
    let Change { name, author, now, .. } = change;
    let version = current.saturating_add(1);
    let chooses = !MappingSet::compile(document).mapping.applies.is_empty();
    db.query(
        "INSERT INTO mapping (name, version, document, author, created_ms, active, chooses, note)
         VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7)",
        &[
            name.into(),
            version.into(),
            document.into(),
            author.into(),
            now.into(),
            i64::from(chooses).into(),
            note.as_deref().into(),
        ],
    )?;
    Ok(Version {
        name: name.to_owned(),
        version,
        author: author.to_owned(),
        created: now,
        note,
        document: document.to_owned(),
    })
}

const COLUMNS: &str = "name, version, document, author, created_ms, note";

/// The version in force.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn current(db: &dyn Database, name: &str) -> Result<Option<Version>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM mapping WHERE name = ?1 ORDER BY version DESC LIMIT 1");
    db.query(&sql, &[name.into()])?.first().map(read).transpose()
}

/// One version.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn version(db: &dyn Database, name: &str, version: i64) -> Result<Option<Version>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM mapping WHERE name = ?1 AND version = ?2");
    db.query(&sql, &[name.into(), version.into()])?.first().map(read).transpose()
}

/// Every version of a set, newest first.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn versions(db: &dyn Database, name: &str) -> Result<Vec<Version>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM mapping WHERE name = ?1 ORDER BY version DESC LIMIT ?2");
    db.query(&sql, &[name.into(), VERSIONS_MAX.into()])?.iter().map(read).collect()
}

/// The version in force of every set.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn list(db: &dyn Database) -> Result<Vec<Version>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM mapping AS m
          WHERE version = (SELECT max(o.version) FROM mapping AS o WHERE o.name = m.name)
          ORDER BY name LIMIT 200"
    );
    db.query(&sql, &[])?.iter().map(read).collect()
}

fn read(row: auscult_store::Row<'_>) -> Result<Version, StoreError> {
    Ok(Version {
        name: row.text("name")?.to_owned(),
        version: row.integer("version")?,
        author: row.text("author")?.to_owned(),
        created: Timestamp::from_unix_ms(row.integer("created_ms")?),
        note: row.text_or_null("note")?.map(str::to_owned),
        document: row.text("document")?.to_owned(),
    })
}

/// What a new version would change.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DryRun {
    /// Stored messages that were looked at.
    pub messages: usize,
    /// Those that would give the same.
    pub same: usize,
    /// Those that would not.
    pub changed: Vec<Difference>,
}

/// What would become of one message, before and after.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// Message id.
    pub message: String,
    /// As things are.
    pub before: Explanation,
    /// With the new version.
    pub after: Explanation,
}

/// Tries a document on the last `n` stored messages that the set of that name is for, now or with the
/// document in force.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn dry_run(
    db: &dyn Database,
    name: &str,
    document: &str,
    n: i64,
) -> Result<DryRun, StoreError> {
    let stands = current(db, name)?;
    let applies = MappingSet::compile(document).mapping.applies;
    let rows = db.query(
        "SELECT id, device, allowed, source, body, received_ms FROM inbox
          WHERE source = ?1 OR (source IS NULL AND ?2 = 1) ORDER BY seq DESC LIMIT ?3",
        &[name.into(), i64::from(!applies.is_empty()).into(), n.clamp(1, DRY_RUN_MAX).into()],
    )?;
    let mut run = DryRun::default();
    for row in rows.iter() {
        let Ok(message) = received(row) else { continue };
        // Device types are not looked up here: only what the sender's id says counts.
        let chosen = device_of(&message).is_some_and(|it| applies.covers(it, &[]));
        if message.source.is_none() && !chosen {
            continue;
        }
        let text = message.body.get();
        let reader =
            stands.as_ref().map_or(Reader::Catalogue(None), |it| Reader::Set(&it.document));
        let before = explain(reader, text, message.received);
        let after = explain(Reader::Set(document), text, message.received);
        run.messages += 1;
        if before.says_the_same(&after) {
            run.same += 1;
        } else {
            run.changed.push(Difference { message: message.id, before, after });
        }
    }
    Ok(run)
}

fn received(row: auscult_store::Row<'_>) -> Result<ReceivedMessage, StoreError> {
    Ok(ReceivedMessage {
        id: row.text("id")?.to_owned(),
        device: row.text_or_null("device")?.map(str::to_owned),
        allowed: row.json("allowed")?,
        source: row.text_or_null("source")?.map(str::to_owned),
        received: Timestamp::from_unix_ms(row.integer("received_ms")?),
        body: row.json("body")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: &str = r#"{ "templateType": "CollectionContent", "template": [] }"#;
    const FHIR: &str = r#"{ "templateType": "CollectionFhir", "template": [] }"#;

    #[test]
    fn a_fhir_mapping_joins_the_set_in_force() {
        #[rustfmt::skip]
        let rows = [
            DEVICE.to_owned(),
            format!("// by hand\n{DEVICE}"),
            format!(r#"{{ "device": {DEVICE}, "description": "kept" }}"#),
            format!(r#"{{ "device": {DEVICE}, "fhir": {FHIR} }}"#),
        ];
        for current in rows {
            let joined = with_fhir(&current, FHIR).unwrap();
            let loaded = MappingSet::compile(&joined);
            assert!(loaded.is_sound() && loaded.mapping.fhir.is_some(), "{joined}");
            assert_eq!(joined.contains("kept"), current.contains("kept"));
        }
        let problem = with_fhir(DEVICE, "{").unwrap_err();
        assert_eq!((problem.status, problem.code()), (400, "mapping-faulty"));
    }
}
