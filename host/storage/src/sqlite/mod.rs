//! One SQLite file: one writer that commits for many guests at once, and a pool of readers.

mod error;
mod options;
mod value;

use std::path::Path;

pub use error::Error;
pub use options::Options;
pub use value::{QueryResult, Value};

/// One database file, open: one writer, a pool of readers. Clones share both.
#[derive(Clone, Debug)]
pub struct Database {}

impl Database {
    /// Opens the file, creating it (and its folder) if it is absent.
    pub async fn open(_path: &Path, _options: Options) -> Result<Self, Error> {
        Err(Error::Closed)
    }

    /// A new guest connection. Costs nothing; it opens no file.
    pub fn connect(&self) -> Connection {
        Connection {}
    }

    /// Ends the writer and the readers and moves the write-ahead log into the file.
    pub async fn close(&self) -> Result<(), Error> {
        Err(Error::Closed)
    }

    /// What the database has done since it was opened.
    pub fn stats(&self) -> Stats {
        Stats::default()
    }
}

/// What one database has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Statements run for guests, reads included.
    pub statements: u64,
    /// Commits that guests saw: autocommit writes and explicit transactions.
    pub commits: u64,
    /// Real `COMMIT`s, each one sync of the disk.
    pub syncs: u64,
    /// Guest transactions that were rolled back, by the guest, by an error or by a limit.
    pub rolled_back: u64,
    /// Time that guests' writes waited for the writer, summed, in microseconds.
    pub busy_wait_us: u64,
}

/// One guest's connection. Dropping it rolls back the transaction it has open.
#[derive(Debug)]
pub struct Connection {}

impl Connection {
    /// Runs one statement. A write is answered only after its commit is synced.
    pub async fn execute(
        &mut self,
        _sql: &str,
        _params: Vec<Value>,
    ) -> Result<QueryResult, Error> {
        Err(Error::Closed)
    }

    /// Rows changed by this connection's latest `INSERT`, `UPDATE` or `DELETE`.
    pub fn changes(&self) -> u64 {
        0
    }

    /// Row id of this connection's latest `INSERT`, 0 if there was none.
    pub fn last_insert_rowid(&self) -> i64 {
        0
    }
}
