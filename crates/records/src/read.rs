//! One resource by its id.

use auscult_fhir::{ResourceType, assessment_observation, stamped};
use auscult_model::Timestamp;
use auscult_store::{Database, Row};

use crate::RecordsError;

/// A resource as it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its type.
    pub kind: ResourceType,
    /// Its logical id.
    pub id: String,
    /// Its version, counted from 1.
    pub version: i64,
    /// When it was last changed.
    pub updated: Timestamp,
    /// FHIR JSON with version and time of change in it.
    pub resource: String,
}

/// Reads one resource. Scores are Observations too.
///
/// # Errors
/// [`RecordsError`] when the database fails or holds something else.
pub fn read(
    db: &dyn Database,
    kind: ResourceType,
    id: &str,
) -> Result<Option<Stored>, RecordsError> {
    if kind != ResourceType::Observation {
        let rows = db.query(
            "SELECT id, version, updated_ms, body FROM resource WHERE type = ?1 AND id = ?2",
            &[kind.as_str().into(), id.into()],
        )?;
        return rows.first().map(|row| kept(kind, row)).transpose();
    }
    let rows = db.query(
        "SELECT id, version, updated_ms, resource AS body FROM observation WHERE id = ?1",
        &[id.into()],
    )?;
    if let Some(row) = rows.first() {
        return measured(row).map(Some);
    }
    // The same result can have stood, been replaced and stand again.
    let rows = db.query(
        "SELECT id, created_ms AS updated_ms, body FROM assessment WHERE id = ?1
         ORDER BY current DESC, seq DESC LIMIT 1",
        &[id.into()],
    )?;
    rows.first().map(scored).transpose()
}

/// A row of `resource`: its text has version and time in it.
pub(crate) fn kept(kind: ResourceType, row: Row<'_>) -> Result<Stored, RecordsError> {
    Ok(Stored {
        kind,
        id: row.text("id")?.to_owned(),
        version: row.integer("version")?,
        updated: Timestamp::from_unix_ms(row.integer("updated_ms")?),
        resource: row.text("body")?.to_owned(),
    })
}

/// A row of `observation`.
pub(crate) fn measured(row: Row<'_>) -> Result<Stored, RecordsError> {
    let (id, version) = (row.text("id")?, row.integer("version")?);
    let updated = Timestamp::from_unix_ms(row.integer("updated_ms")?);
    Ok(Stored {
        kind: ResourceType::Observation,
        id: id.to_owned(),
        version,
        updated,
        resource: stamped(row.text("body")?, id, version, updated)?,
    })
}

/// A row of `assessment`; a corrected result has another id, so each has one version.
pub(crate) fn scored(row: Row<'_>) -> Result<Stored, RecordsError> {
    let id = row.text("id")?;
    let updated = Timestamp::from_unix_ms(row.integer("updated_ms")?);
    let observation = assessment_observation(&row.json("body")?)?;
    Ok(Stored {
        kind: ResourceType::Observation,
        id: id.to_owned(),
        version: 1,
        updated,
        resource: stamped(&observation, id, 1, updated)?,
    })
}
