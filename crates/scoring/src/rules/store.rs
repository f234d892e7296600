//! The versions of the rule set.

use auscult_model::Timestamp;
use auscult_store::{Database, StoreError, transaction};
use serde_json::Value;

use super::check::parse;
use super::{Kind, RuleSet, absence, built_in, load};
use crate::error::ScoringError;

/// How long after its last reading a patient is still expected, in milliseconds: a week.
const EXPECTED_MS: i64 = 7 * 86_400_000;

/// A stored document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// 0 for the built-in one.
    pub version: i64,
    /// As it was put.
    pub body: Value,
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Version {
    /// Its number.
    pub version: i64,
    /// Who put it.
    pub author: String,
    /// When.
    pub created: Timestamp,
}

/// The document in force, or the one of a version; `None` when there is no such version.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub fn document(db: &dyn Database, version: Option<i64>) -> Result<Option<Document>, StoreError> {
    if version == Some(0) {
        return Ok(Some(Document { version: 0, body: built_in() }));
    }
    let rows = match version {
        None => {
            db.query("SELECT version, body FROM rule_set ORDER BY version DESC LIMIT 1", &[])?
        }
        Some(version) => {
            db.query("SELECT version, body FROM rule_set WHERE version = ?1", &[version.into()])?
        }
    };
    match rows.first() {
        Some(row) => {
            Ok(Some(Document { version: row.integer("version")?, body: row.json("body")? }))
        }
        None if version.is_none() => Ok(Some(Document { version: 0, body: built_in() })),
        None => Ok(None),
    }
}

/// The rule set in force. A stored document was checked when it was stored; one that a later build
/// no longer understands is an error, not a silent return to the built-in one.
///
/// # Errors
/// [`StoreError`] when the database fails or the document is not understood.
pub fn current(db: &dyn Database) -> Result<RuleSet, StoreError> {
    let body = document(db, None)?.map_or_else(built_in, |it| it.body);
    parse(&body).map_err(|_| StoreError::Shape("rule_set".to_owned()))
}

/// Every version, newest first; 0, the built-in one, is not listed.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub fn versions(db: &dyn Database) -> Result<Vec<Version>, StoreError> {
    let rows = db.query(
        "SELECT version, author, created_ms FROM rule_set ORDER BY version DESC LIMIT 200",
        &[],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Version {
                version: row.integer("version")?,
                author: row.text("author")?.to_owned(),
                created: Timestamp::from_unix_ms(row.integer("created_ms")?),
            })
        })
        .collect()
}

/// Stores a document as the next version; the one that stands already makes none.
///
/// # Errors
/// [`ScoringError::InvalidRules`] with every fault, [`ScoringError::VersionMismatch`] when
/// `expected` is another version than the one that stands, [`ScoringError::Store`] when the
/// database fails.
pub fn put(
    db: &dyn Database,
    body: &Value,
    expected: Option<i64>,
    author: &str,
    now: Timestamp,
) -> Result<Document, ScoringError> {
    let set = parse(body).map_err(ScoringError::InvalidRules)?;
    transaction(db, |db| {
        let stands = document(db, None)?.unwrap_or(Document { version: 0, body: built_in() });
        if expected.is_some_and(|it| it != stands.version) {
            return Err(ScoringError::VersionMismatch { current: stands.version });
        }
        if stands.version > 0 && stands.body == *body {
            return Ok(stands);
        }
        let version = stands.version + 1;
        let text = serde_json::to_string(body).map_err(StoreError::from)?;
        db.query(
            "INSERT INTO rule_set (version, body, author, created_ms) VALUES (?1, ?2, ?3, ?4)",
            &[version.into(), (&text).into(), author.into(), now.into()],
        )?;
        expect(db, &set, now)?;
        Ok(Document { version, body: body.clone() })
    })
}

/// Notes for every absence rule when each patient's next reading is due: a patient who fell silent
/// before the rule came is missed too, unless that was more than a week ago.
fn expect(db: &dyn Database, set: &RuleSet, now: Timestamp) -> Result<(), StoreError> {
    db.query("DELETE FROM absence_due", &[])?;
    for rule in &set.rules {
        let Kind::Absence(due) = rule.kind else { continue };
        let codes = serde_json::to_string(&rule.codes)?;
        let rows = db.query(
            "SELECT p.id AS patient, max(r.effective_ms) AS at
               FROM resource AS p CROSS JOIN json_each(?1) AS c CROSS JOIN score_input AS r
              WHERE p.type = 'Patient' AND r.patient = p.id AND r.input = c.value
                AND r.effective_ms >= ?2
              GROUP BY p.id",
            &[(&codes).into(), (now.unix_ms() - EXPECTED_MS).into()],
        )?;
        let mut found = Vec::new();
        for row in rows.iter() {
            let at = absence::due_ms(due, set.zone, row.integer("at")?);
            found.push((row.text("patient")?.to_owned(), at));
        }
        let found: Vec<_> = found
            .iter()
            .map(|(patient, at)| (patient.as_str(), rule.name.as_str(), Some(*at)))
            .collect();
        load::set_due(db, &found)?;
    }
    Ok(())
}
