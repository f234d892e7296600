//! [`Database`] over a SQLite file through `sqlx`, for native programs: tests and the benchmark.

use std::cell::RefCell;
use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{Column, ConnectOptions, Connection, Row as _, SqliteConnection, TypeInfo, ValueRef};
use tokio::runtime::{Builder, Runtime};

use crate::{Cell, Database, Param, Rows, StoreError};

/// One connection to one SQLite file; statements run to their end before the call returns.
pub struct NativeSqlite {
    runtime: Runtime,
    connection: RefCell<Option<SqliteConnection>>,
}

impl NativeSqlite {
    /// Opens or creates the file with the durability of the host: WAL, `synchronous=FULL`.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .disable_statement_logging();
        Self::connect(&options)
    }

    fn connect(options: &SqliteConnectOptions) -> Result<Self, StoreError> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|it| StoreError::Failed(it.to_string()))?;
        let connection = runtime.block_on(options.connect()).map_err(failed)?;
        Ok(Self { runtime, connection: RefCell::new(Some(connection)) })
    }

    /// Opens an existing file for reading only; a program that serves it is not disturbed.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the file cannot be opened.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let options =
            SqliteConnectOptions::new().filename(path).read_only(true).disable_statement_logging();
        Self::connect(&options)
    }

    /// Opens a new file and lays out every table.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be opened or written.
    pub fn with_schema(path: &Path) -> Result<Self, StoreError> {
        let this = Self::open(path)?;
        crate::schema::lay_out(&this)?;
        Ok(this)
    }
}

impl Drop for NativeSqlite {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.borrow_mut().take() {
            // Closing is a courtesy: the file is safe without it.
            let _ = self.runtime.block_on(connection.close());
        }
    }
}

impl Database for NativeSqlite {
    fn query(&self, sql: &str, params: &[Param<'_>]) -> Result<Rows, StoreError> {
        let mut slot = self.connection.borrow_mut();
        let connection =
            slot.as_mut().ok_or_else(|| StoreError::Failed("connection is closed".to_owned()))?;
        // The text comes from our own crates, never from outside.
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned()));
        for param in params {
            query = match param {
                Param::Null => query.bind(None::<String>),
                Param::Integer(number) => query.bind(*number),
                Param::Real(number) => query.bind(*number),
                Param::Text(text) => query.bind((*text).to_owned()),
            };
        }
        let rows = self.runtime.block_on(query.fetch_all(connection)).map_err(failed)?;
        let columns = rows
            .first()
            .map(|row| row.columns().iter().map(|it| it.name().to_owned()).collect())
            .unwrap_or_default();
        let rows = rows.iter().map(cells).collect::<Result<_, _>>()?;
        Ok(Rows::new(columns, rows))
    }
}

fn cells(row: &SqliteRow) -> Result<Vec<Cell>, StoreError> {
    (0..row.len())
        .map(|place| {
            let value = row.try_get_raw(place).map_err(failed)?;
            if value.is_null() {
                return Ok(Cell::Null);
            }
            match value.type_info().name() {
                "INTEGER" | "BOOLEAN" => row.try_get_unchecked(place).map(Cell::Integer),
                "REAL" => row.try_get_unchecked(place).map(Cell::Real),
                _ => row.try_get_unchecked(place).map(Cell::Text),
            }
            .map_err(failed)
        })
        .collect()
}

fn failed(error: sqlx::Error) -> StoreError {
    StoreError::from_sqlite(&error.to_string())
}
