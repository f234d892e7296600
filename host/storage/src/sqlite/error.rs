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

/// `SQLITE_READONLY`
const READ_ONLY: i32 = 8;
/// `SQLITE_CONSTRAINT_FOREIGNKEY`
const FOREIGN_KEY: i32 = 787;
/// `SQLITE_CONSTRAINT`
const CONSTRAINT: i32 = 19;

impl Error {
    pub(super) fn from_sqlx(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => {
                let code = error.code().and_then(|code| code.parse().ok()).unwrap_or(0);
                let message = error.message().to_owned();
                match code & 0xff {
                    // SQLITE_BUSY, SQLITE_LOCKED
                    5 | 6 => Self::Busy(message),
                    // SQLITE_INTERRUPT: only our own limit does that.
                    9 => Self::Sqlite { code, message: "interrupted: it ran too long".into() },
                    // SQLITE_IOERR, SQLITE_CANTOPEN
                    10 | 14 => Self::Io(message),
                    _ => Self::Sqlite { code, message },
                }
            }
            sqlx::Error::WorkerCrashed => Self::lost(),
            other => Self::Io(other.to_string()),
        }
    }

    pub(super) fn opening(error: sqlx::Error) -> Self {
        match Self::from_sqlx(error) {
            Self::Sqlite { message, .. } => Self::Io(message),
            other => other,
        }
    }

    fn primary(&self) -> i32 {
        match self {
            Self::Sqlite { code, .. } => code & 0xff,
            _ => 0,
        }
    }

    /// A reader was asked to write.
    pub(super) fn is_read_only(&self) -> bool {
        self.primary() == READ_ONLY
    }

    /// A deferred constraint does not hold at commit.
    pub(super) fn is_deferred_constraint(&self) -> bool {
        matches!(self, Self::Sqlite { code: FOREIGN_KEY, .. })
    }

    pub(super) fn is_constraint(&self) -> bool {
        self.primary() == CONSTRAINT
    }

    pub(super) fn lost() -> Self {
        Self::Io(CONNECTION_LOST.into())
    }

    /// The thread behind the connection is gone.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Self::Io(message) if message == CONNECTION_LOST)
    }

    /// What SQLite says when a statement does not fit the state of the transaction.
    pub(super) fn state(message: impl Into<String>) -> Self {
        Self::Sqlite { code: 1, message: message.into() }
    }
}

const CONNECTION_LOST: &str = "the connection to the database file was lost";
