//! Patient settings: their versions, and the assessments a change of them touches.

use auscult_model::Timestamp;
use auscult_store::{Database, StoreError, transaction};
use serde_json::Value;

use crate::engine::Step;
use crate::error::ScoringError;
use crate::news2;
use crate::rules::{self, RuleSet};
use crate::settings::{Settings, Span, parse};
use crate::touched::{Segment, steps};

/// A change of orders about rules is worked off this far back, in milliseconds: 90 days.
const REEVALUATED_MS: i64 = 90 * 86_400_000;

/// A stored document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Versioned {
    /// 0 when nothing was ever stored.
    pub version: i64,
    /// The document.
    pub settings: Settings,
}

/// The document in force for a patient.
///
/// # Errors
/// [`ScoringError::Store`] when the database fails.
pub fn current(db: &dyn Database, patient: &str) -> Result<Versioned, ScoringError> {
    let rows = db.query(
        "SELECT version, body FROM patient_settings WHERE patient = ?1
         ORDER BY version DESC LIMIT 1",
        &[patient.into()],
    )?;
    let Some(row) = rows.first() else { return Ok(Versioned::default()) };
    Ok(Versioned { version: row.integer("version")?, settings: row.json("body")? })
}

/// A stored change, and the period in which assessments may differ because of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// What stands now.
    pub versioned: Versioned,
    /// Where to re-evaluate.
    pub touched: Option<Span>,
    /// The rules of the set to re-evaluate, as steps.
    pub rules: Vec<Step>,
}

/// Stores a document as the next version. The document that stands already makes no new version but
/// names the same period again, so that a change whose telling failed can be sent once more.
///
/// # Errors
/// [`ScoringError::Invalid`] with every fault, [`ScoringError::VersionMismatch`] when `expected` is
/// another version than the one that stands, [`ScoringError::Store`] when the database fails.
pub fn put(
    db: &dyn Database,
    patient: &str,
    document: &Value,
    expected: Option<i64>,
    author: &str,
    now: Timestamp,
) -> Result<Stored, ScoringError> {
    let settings = parse(document).map_err(ScoringError::Invalid)?;
    transaction(db, |db| {
        let stands = current(db, patient)?;
        let set = rules::store::current(db)?;
        settings.fits(&set).map_err(ScoringError::Invalid)?;
        if stands.version > 0 && stands.settings == settings {
            let before = version(db, patient, stands.version - 1)?;
            let rules = rule_steps(db, &set, patient, &before, &settings, now)?;
            return Ok(Stored { touched: before.difference(&settings), versioned: stands, rules });
        }
        if expected.is_some_and(|it| it != stands.version) {
            return Err(ScoringError::VersionMismatch { current: stands.version });
        }
        let body = serde_json::to_string(&settings).map_err(StoreError::from)?;
        let version = stands.version + 1;
        db.query(
            "INSERT INTO patient_settings (patient, version, body, author, created_ms)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            &[patient.into(), version.into(), (&body).into(), author.into(), now.into()],
        )?;
        let touched = stands.settings.difference(&settings);
        let rules = rule_steps(db, &set, patient, &stands.settings, &settings, now)?;
        Ok(Stored { versioned: Versioned { version, settings }, touched, rules })
    })
}

/// What a change of orders about rules touches, up to now.
fn rule_steps(
    db: &dyn Database,
    set: &RuleSet,
    patient: &str,
    before: &Settings,
    after: &Settings,
    now: Timestamp,
) -> Result<Vec<Step>, StoreError> {
    let mut spans = Vec::new();
    for (rule, (from_ms, to_ms)) in before.changed_rules(after) {
        let from_ms = from_ms.max(now.unix_ms() - REEVALUATED_MS);
        let to_ms = to_ms.min(now.unix_ms());
        if from_ms <= to_ms {
            spans.push(rules::engine::Span { patient: patient.to_owned(), rule, from_ms, to_ms });
        }
    }
    rules::engine::cut_up(db, set, spans)
}

fn version(db: &dyn Database, patient: &str, version: i64) -> Result<Settings, StoreError> {
    let rows = db.query(
        "SELECT body FROM patient_settings WHERE patient = ?1 AND version = ?2",
        &[patient.into(), version.into()],
    )?;
    rows.first().map_or_else(|| Ok(Settings::default()), |row| row.json("body"))
}

/// The next stretch of a period that holds assessments, as one step's work; `None` at the end.
/// Call again with the end of what came back plus one.
///
/// # Errors
/// [`ScoringError::Store`] when the database fails.
pub fn next_step(
    db: &dyn Database,
    patient: &str,
    (from_ms, to_ms): Span,
) -> Result<Option<Vec<Segment>>, ScoringError> {
    let rows = db.query(
        "SELECT min(effective_ms) AS first, max(effective_ms) AS last FROM (
            SELECT * FROM (SELECT effective_ms FROM assessment
              WHERE patient = ?1 AND rule = ?2 AND current = 1 AND effective_ms BETWEEN ?3 AND ?4
              ORDER BY effective_ms LIMIT 1)
            UNION ALL
            SELECT * FROM (SELECT effective_ms FROM assessment
              WHERE patient = ?1 AND rule = ?2 AND current = 1 AND effective_ms BETWEEN ?3 AND ?4
              ORDER BY effective_ms DESC LIMIT 1))",
        &[patient.into(), news2::RULE.into(), from_ms.into(), to_ms.into()],
    )?;
    let Some(row) = rows.first() else { return Ok(None) };
    let (Some(from_ms), Some(to_ms)) =
        (row.integer_or_null("first")?, row.integer_or_null("last")?)
    else {
        return Ok(None);
    };
    // One step is all that is wanted, and no step is longer than a day.
    let to_ms = to_ms.min(from_ms.saturating_add(crate::series::LOOKBACK_MS));
    let segment = Segment { patient: patient.to_owned(), from_ms, to_ms };
    Ok(steps(vec![segment]).into_iter().next())
}
