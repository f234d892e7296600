//! Why a statement was not run, in SQLite's own words where SQLite said it.

/// Why a statement failed. Messages hold SQLite's text and never a parameter's value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// SQLite refused the statement.
    #[error("{message}")]
    Sqlite {
        /// SQLite's extended result code.
        code: i32,
        /// SQLite's message.
        message: String,
    },
    /// The statement would weaken durability or reach outside the database.
    #[error("not allowed: {0}")]
    Refused(String),
    /// The string holds no statement, several, or one that cannot be read.
    #[error("{0}")]
    Malformed(String),
    /// The number of parameters is not what the statement needs.
    #[error("wrong number of parameters: got {got}, needed {needed}")]
    Parameters {
        /// Parameters given.
        got: usize,
        /// Parameters the statement names.
        needed: usize,
    },
    /// The result is larger than the limit.
    #[error("query result exceeds limit of {max} bytes")]
    ResultTooLarge {
        /// The limit, in bytes.
        max: usize,
    },
    /// The writer was not free in time; nothing was done and the same may be tried again.
    #[error("database is locked: {0}")]
    Busy(String),
    /// The transaction was rolled back: it was open too long, or a neighbour in its batch failed.
    #[error("transaction was rolled back: {0}")]
    RolledBack(String),
    /// The file cannot be opened, read or written.
    #[error("{0}")]
    Io(String),
    /// The database has been closed.
    #[error("database is closed")]
    Closed,
}

impl Error {
    /// Whether the same statement or transaction may succeed if it is tried again.
    pub fn is_retriable(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::RolledBack(_) | Self::Io(_))
    }
}
