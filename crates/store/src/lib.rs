//! The database as the stages see it: one trait, the tables of each stage, transactions.
//!
//! A stage's SQL lives in that stage's crate and runs through [`Database`]. Components implement it
//! over Spin's SQLite, native tests over a file. Batches go in as one JSON parameter.

#[cfg(feature = "native")]
pub mod native;
mod rows;
pub mod schema;

pub use rows::{Cell, Row, Rows};

/// One parameter of a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Param<'a> {
    /// SQL NULL.
    Null,
    /// An integer or a time in milliseconds.
    Integer(i64),
    /// A floating point number.
    Real(f64),
    /// Text, JSON included.
    Text(&'a str),
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Param<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Param<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<auscult_model::Timestamp> for Param<'_> {
    fn from(at: auscult_model::Timestamp) -> Self {
        Self::Integer(at.unix_ms())
    }
}

impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Why a statement gave no rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another writer held the database longer than we wait. Worth trying again.
    #[error("the database is busy")]
    Busy,
    /// A table is missing: the schema was never laid out here.
    #[error("the database has no schema yet")]
    NoSchema,
    /// The database refused or failed; the text is its own and holds no parameter values.
    #[error("database: {0}")]
    Failed(String),
    /// A row did not have the shape the statement promises.
    #[error("column {0} is missing or has another type")]
    Shape(String),
    /// What was read back is not the JSON that was written.
    #[error("stored JSON does not parse: {0}")]
    Json(String),
}

impl From<serde_json::Error> for StoreError {
    /// Keeps the place of the fault, not the text around it, which may be a patient's.
    fn from(error: serde_json::Error) -> Self {
        Self::Json(format!("line {} column {}", error.line(), error.column()))
    }
}

/// A database connection of one request. Statements run in order.
pub trait Database {
    /// Runs one statement and returns its rows.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another writer held on too long, [`StoreError::NoSchema`] when a
    /// table is missing, [`StoreError::Failed`] otherwise.
    fn query(&self, sql: &str, params: &[Param<'_>]) -> Result<Rows, StoreError>;
}

/// Runs `work` in one immediate (writing) transaction: committed when it returns `Ok`, else rolled back.
///
/// # Errors
/// Whatever `work` returns, or the failure of `BEGIN` or `COMMIT`.
pub fn transaction<T, E: From<StoreError>>(
    db: &dyn Database,
    work: impl FnOnce(&dyn Database) -> Result<T, E>,
) -> Result<T, E> {
    db.query("BEGIN IMMEDIATE", &[])?;
    match work(db).and_then(|done| Ok(db.query("COMMIT", &[]).map(|_| done)?)) {
        Ok(done) => Ok(done),
        Err(error) => {
            // The first error is the one to tell; a failed rollback means the connection is gone,
            // and the database rolls back by itself.
            let _ = db.query("ROLLBACK", &[]);
            Err(error)
        }
    }
}

impl StoreError {
    /// Reads the kind out of SQLite's own message: all that Spin's interface hands over.
    #[must_use]
    pub fn from_sqlite(message: &str) -> Self {
        if message.contains("database is locked") || message.contains("database is busy") {
            Self::Busy
        } else if message.contains("no such table") {
            Self::NoSchema
        } else {
            Self::Failed(message.to_owned())
        }
    }
}
