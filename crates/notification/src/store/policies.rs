//! Versions of the policy.

use auscult_model::{Fault, Timestamp};
use auscult_store::{Database, Row, StoreError, transaction};
use serde::Serialize;
use serde_json::Value;

use crate::policy::{Policy, keep_secrets};

/// The policy in force and its version.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredPolicy {
    /// Counts from 1.
    pub version: i64,
    /// The policy.
    pub policy: Policy,
}

/// Why a policy was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The document has faults.
    #[error("the policy has {} faults", .0.len())]
    Faults(Vec<Fault>),
    /// Somebody else changed it: the version in force is another.
    #[error("the policy in force has version {0}")]
    Stale(i64),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The policy in force, if there is one.
///
/// # Errors
/// [`StoreError`] when it cannot be read.
pub fn policy(db: &dyn Database) -> Result<Option<StoredPolicy>, StoreError> {
    let Some((version, document)) = newest(db)? else { return Ok(None) };
    // It was checked when it was stored; a check that has become stricter since must be seen.
    let policy = Policy::parse(document).map_err(|faults| {
        let first = faults.first().map(|it| format!("{} at {}", it.code, it.path));
        StoreError::Json(format!("policy {version}: {}", first.unwrap_or_default()))
    })?;
    Ok(Some(StoredPolicy { version, policy }))
}

/// The policy alone.
pub fn in_force(db: &dyn Database) -> Result<Option<Policy>, StoreError> {
    Ok(policy(db)?.map(|it| it.policy))
}

fn newest(db: &dyn Database) -> Result<Option<(i64, Value)>, StoreError> {
    let rows = db.query("SELECT version, body FROM policy ORDER BY version DESC LIMIT 1", &[])?;
    rows.first().map(|row| Ok((row.integer("version")?, row.json("body")?))).transpose()
}

/// One version, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyVersion {
    /// Counts from 1.
    pub version: i64,
    /// Who put it there.
    pub author: String,
    /// When.
    pub created: Timestamp,
}

/// Most versions a list shows.
const VERSIONS_MAX: i64 = 200;

/// Every version, newest first.
///
/// # Errors
/// [`StoreError`] when they cannot be read.
pub fn policy_versions(db: &dyn Database) -> Result<Vec<PolicyVersion>, StoreError> {
    let rows = db.query(
        "SELECT version, author, created_ms FROM policy ORDER BY version DESC LIMIT ?1",
        &[VERSIONS_MAX.into()],
    )?;
    let one = |row: Row<'_>| {
        Ok(PolicyVersion {
            version: row.integer("version")?,
            author: row.text("author")?.to_owned(),
            created: Timestamp::from_unix_ms(row.integer("created_ms")?),
        })
    };
    rows.iter().map(one).collect()
}

/// The document of one version, secrets included; `None` when there is no such version.
///
/// # Errors
/// [`StoreError`] when it cannot be read.
pub fn policy_version(db: &dyn Database, version: i64) -> Result<Option<Value>, StoreError> {
    let rows = db.query("SELECT body FROM policy WHERE version = ?1", &[version.into()])?;
    rows.first().map(|row| row.json("body")).transpose()
}

/// Puts an earlier version in force again, as a new version. `None` when there is no such version.
///
/// # Errors
/// [`PolicyError`]; then the one in force stays. A version that a stricter check would refuse today
/// is refused.
pub fn rollback_policy(
    db: &dyn Database,
    to: i64,
    expected: Option<i64>,
    author: &str,
    now: Timestamp,
) -> Result<Option<StoredPolicy>, PolicyError> {
    match policy_version(db, to)? {
        Some(document) => put_policy(db, document, expected, author, now).map(Some),
        None => Ok(None),
    }
}

/// Puts a policy in force and has every open alert looked at again. The same document twice stays
/// one version. `expected` is the version the author saw, 0 for none.
///
/// # Errors
/// [`PolicyError`]; then the old one stays in force.
pub fn put_policy(
    db: &dyn Database,
    mut document: Value,
    expected: Option<i64>,
    author: &str,
    now: Timestamp,
) -> Result<StoredPolicy, PolicyError> {
    transaction(db, |db| {
        let newest = newest(db)?;
        let version = newest.as_ref().map_or(0, |(version, _)| *version);
        if expected.is_some_and(|it| it != version) {
            return Err(PolicyError::Stale(version));
        }
        if let Some((_, stored)) = &newest {
            keep_secrets(&mut document, stored);
        }
        let policy = Policy::parse(document).map_err(PolicyError::Faults)?;
        if newest.is_some_and(|(_, stored)| stored == *policy.stored()) {
            return Ok(StoredPolicy { version, policy });
        }
        let version = version + 1;
        let body = serde_json::to_string(policy.stored()).map_err(StoreError::from)?;
        db.query(
            "INSERT INTO policy (version, body, author, created_ms) VALUES (?1, ?2, ?3, ?4)",
            &[version.into(), (&body).into(), author.into(), now.into()],
        )?;
        db.query(
            "UPDATE alert SET due_ms = ?1 WHERE status IN ('open', 'pending')",
            &[now.into()],
        )?;
        Ok(StoredPolicy { version, policy })
    })
}
