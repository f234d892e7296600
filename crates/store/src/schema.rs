//! The tables of every stage, laid out when a stage first finds them missing or old.
//!
//! A table belongs to one stage: the others read it, never write it.

use crate::{Database, StoreError, transaction};

/// One stage's tables and the version of their layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema {
    /// The stage that owns the tables.
    pub stage: &'static str,
    /// Every layout step, oldest first; the version is how many there are. Steps are never edited.
    pub steps: &'static [&'static str],
}

/// Tables of `ingest`.
pub const INGEST: Schema =
    Schema { stage: "ingest", steps: &[include_str!("schema/ingest_1.sql")] };
/// Tables of `normalization`.
pub const NORMALIZATION: Schema = Schema {
    stage: "normalization",
    steps: &[
        include_str!("schema/normalization_1.sql"),
        include_str!("schema/normalization_2.sql"),
    ],
};
/// Tables of `records`.
pub const RECORDS: Schema =
    Schema { stage: "records", steps: &[include_str!("schema/records_1.sql")] };
/// Tables of `scoring`.
pub const SCORING: Schema = Schema {
    stage: "scoring",
    steps: &[
        include_str!("schema/scoring_1.sql"),
        include_str!("schema/scoring_2.sql"),
        include_str!("schema/scoring_3.sql"),
    ],
};
/// Tables of `notification`.
pub const NOTIFICATION: Schema = Schema {
    stage: "notification",
    steps: &[
        include_str!("schema/notification_1.sql"),
        include_str!("schema/notification_2.sql"),
        include_str!("schema/notification_3.sql"),
        include_str!("schema/notification_4.sql"),
    ],
};

/// Every stage reads tables of the others, so all are laid out together.
pub const ALL: [Schema; 5] = [INGEST, NORMALIZATION, RECORDS, SCORING, NOTIFICATION];

/// Brings every table up to date. Costs one read when there is nothing to do.
///
/// # Errors
/// [`StoreError`] when the database cannot be read or written.
pub fn lay_out(db: &dyn Database) -> Result<(), StoreError> {
    if up_to_date(db)? {
        return Ok(());
    }
    // Stays with the file. Spin would open it with a rollback journal; its `synchronous` is FULL already.
    db.query("PRAGMA journal_mode = WAL", &[])?;
    transaction(db, |db| {
        db.query(
            "CREATE TABLE IF NOT EXISTS schema_version (stage TEXT PRIMARY KEY, version INTEGER NOT NULL)",
            &[],
        )?;
        for schema in ALL {
            let done = version(db, schema.stage)?;
            for step in schema.steps.iter().skip(done) {
                for statement in statements(step) {
                    db.query(statement, &[])?;
                }
            }
            db.query(
                "INSERT INTO schema_version (stage, version) VALUES (?1, ?2)
                 ON CONFLICT (stage) DO UPDATE SET version = excluded.version",
                &[
                    schema.stage.into(),
                    i64::try_from(schema.steps.len()).unwrap_or(i64::MAX).into(),
                ],
            )?;
        }
        Ok(())
    })
}

fn up_to_date(db: &dyn Database) -> Result<bool, StoreError> {
    let want: usize = ALL.iter().map(|it| it.steps.len()).sum();
    match db.query("SELECT sum(version) AS version FROM schema_version", &[]) {
        Ok(rows) => {
            let row = rows.first().ok_or_else(|| StoreError::Shape("version".to_owned()))?;
            let have = row.integer_or_null("version")?.unwrap_or(0);
            Ok(usize::try_from(have).is_ok_and(|it| it >= want))
        }
        Err(StoreError::NoSchema) => Ok(false),
        Err(error) => Err(error),
    }
}

fn version(db: &dyn Database, stage: &str) -> Result<usize, StoreError> {
    let rows = db.query("SELECT version FROM schema_version WHERE stage = ?1", &[stage.into()])?;
    let have = rows.first().map(|it| it.integer("version")).transpose()?.unwrap_or(0);
    Ok(usize::try_from(have).unwrap_or(0))
}

/// Statements end with a semicolon at the end of a line; our schema files keep to that.
fn statements(step: &'static str) -> impl Iterator<Item = &'static str> {
    step.split(";\n").map(str::trim).filter(|it| {
        it.lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with("--"))
    })
}
