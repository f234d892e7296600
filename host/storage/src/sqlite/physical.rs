//! One real connection to the file: how it is set up, and how one statement runs on it.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::TryStreamExt as _;
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Either, Executor as _,
    Row as _, Statement as _, TypeInfo as _, ValueRef as _,
    sqlite::{
        SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow,
        SqliteSynchronous,
    },
};

use super::{Error, Options, Value};

/// Pages in the log at which the writer's own commit moves them into the file. The background
/// checkpoint comes long before; this bounds the log at about 64 MiB if it cannot keep up.
const LOG_PAGES_MAX: u32 = 16_384;
/// How long SQLite itself waits for another process that holds the file.
const FILE_BUSY_MAX: Duration = Duration::from_secs(5);
/// Virtual-machine steps between two looks at the clock; well under a millisecond apart.
const STEPS_PER_LOOK: i32 = 4_000;
/// Results, rows included, that SQLite's thread may be ahead of us; holds a whole repeated batch.
const ROWS_AHEAD: usize = 256;
/// Column names remembered per connection, for results without rows.
const COLUMNS_REMEMBERED_MAX: usize = 512;
/// Bytes that one value costs beyond its text or blob.
const VALUE_BYTES: usize = size_of::<Value>();

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Writer,
    Reader,
    Checkpointer,
}

/// What one run returned.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
    pub changes: u64,
    pub rowid: i64,
}

/// When the running statement is to be interrupted.
#[derive(Debug)]
pub(super) struct Deadline {
    start: Instant,
    at_ms: AtomicU64,
}

impl Deadline {
    fn set(&self, after: Duration) {
        let at = self.start.elapsed().saturating_add(after).as_millis();
        self.at_ms.store(u64::try_from(at).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Interrupts what runs now.
    pub(super) fn cancel(&self) {
        self.at_ms.store(0, Ordering::Relaxed);
    }

    fn passed(&self) -> bool {
        self.start.elapsed().as_millis() >= u128::from(self.at_ms.load(Ordering::Relaxed))
    }
}

/// One real connection.
pub(super) struct Physical {
    conn: SqliteConnection,
    pub deadline: Arc<Deadline>,
    /// Set by SQLite when a whole transaction was rolled back.
    pub rolled_back: Arc<AtomicBool>,
    time_max: Duration,
    columns: HashMap<Arc<str>, Vec<String>>,
    /// The schema the cached statements were prepared for.
    pub schema: u64,
    /// SQLite's thread has died. It must be asked nothing more: a command that it had not taken
    /// when it died would never be answered.
    lost: bool,
}

impl Physical {
    pub(super) async fn open(path: &Path, options: &Options, role: Role) -> Result<Self, Error> {
        let connect = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(role == Role::Writer)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(FILE_BUSY_MAX)
            .statement_cache_capacity(options.statements_cached.max(1))
            .row_buffer_size(ROWS_AHEAD)
            .pragma("temp_store", "MEMORY")
            // Modest: reads of hot pages without a copy, and no surprise on a small machine.
            .pragma("mmap_size", "67108864")
            .pragma("trusted_schema", "OFF")
            .pragma("journal_size_limit", "67108864");
        let connect = match role {
            Role::Writer => connect.pragma("wal_autocheckpoint", LOG_PAGES_MAX.to_string()),
            Role::Reader => connect.pragma("query_only", "ON"),
            Role::Checkpointer => connect.pragma("wal_autocheckpoint", "0"),
        };
        // Statements may hold patients' data as literals: none is logged.
        let connect = connect.disable_statement_logging();
        let mut conn = connect.connect().await.map_err(Error::opening)?;
        let deadline = Arc::new(Deadline { start: Instant::now(), at_ms: AtomicU64::new(0) });
        let rolled_back = Arc::new(AtomicBool::new(false));
        {
            let mut handle = conn.lock_handle().await.map_err(Error::opening)?;
            let watched = Arc::clone(&deadline);
            handle.set_progress_handler(STEPS_PER_LOOK, move || !watched.passed());
            let flag = Arc::clone(&rolled_back);
            handle.set_rollback_hook(move || flag.store(true, Ordering::SeqCst));
        }
        let time_max = options.statement_time_max;
        Ok(Self {
            conn,
            deadline,
            rolled_back,
            time_max,
            columns: HashMap::new(),
            schema: 0,
            lost: false,
        })
    }

    /// Whether SQLite rolled the whole transaction back since the last question.
    pub(super) fn take_rolled_back(&self) -> bool {
        self.rolled_back.swap(false, Ordering::SeqCst)
    }

    fn alive(&self) -> Result<(), Error> {
        if self.lost { Err(Error::lost()) } else { Ok(()) }
    }

    /// Forgets prepared statements, whose columns a change of the schema may have made wrong.
    pub(super) async fn forget(&mut self) -> Result<(), Error> {
        self.columns.clear();
        self.alive()?;
        self.conn.clear_cached_statements().await.map_err(Error::from_sqlx)?;
        // SQLite prepares against the schema it remembers and looks at the file's only when it
        // steps; this makes it look now.
        self.own("SELECT 1 FROM sqlite_schema LIMIT 1").await
    }

    /// Runs one statement. Too large a result is an error: `drain` says whether the statement is
    /// run to its end all the same, which one that writes must be.
    pub(super) async fn run(
        &mut self,
        text: &Arc<str>,
        params: &[Value],
        bytes_max: usize,
        drain: bool,
        cached: bool,
    ) -> Result<Outcome, Error> {
        self.alive()?;
        self.deadline.set(self.time_max);
        let mut outcome = Outcome::default();
        let mut bytes = 0_usize;
        // Results that just end mean that the thread did.
        let mut ended = false;
        let query = sqlx::query_with(AssertSqlSafe(Arc::clone(text)), arguments(params)?);
        {
            let mut results = self.conn.fetch_many(query.persistent(cached));
            while let Some(result) = results.try_next().await.map_err(Error::from_sqlx)? {
                let row = match result {
                    Either::Left(done) => {
                        outcome.changes = done.rows_affected();
                        outcome.rowid = done.last_insert_rowid();
                        ended = true;
                        continue;
                    }
                    Either::Right(row) => row,
                };
                if bytes > bytes_max {
                    continue;
                }
                if outcome.columns.is_empty() {
                    outcome.columns = names(row.columns());
                }
                bytes = bytes.saturating_add(take(&row, &mut outcome.rows)?);
                if bytes > bytes_max {
                    outcome.rows = Vec::new();
                    if !drain {
                        ended = true;
                        break;
                    }
                }
            }
        }
        if !ended {
            self.lost = true;
            return Err(Error::lost());
        }
        if bytes > bytes_max {
            return Err(Error::ResultTooLarge { max: bytes_max });
        }
        Ok(outcome)
    }

    /// The columns of a statement that returned no row.
    pub(super) async fn columns_of(&mut self, text: &Arc<str>) -> Result<Vec<String>, Error> {
        if let Some(known) = self.columns.get(text) {
            return Ok(known.clone());
        }
        self.alive()?;
        let sql = sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(Arc::clone(text)));
        let statement = self.conn.prepare(sql).await.map_err(Error::from_sqlx)?;
        let columns = names(statement.columns());
        if self.columns.len() >= COLUMNS_REMEMBERED_MAX {
            self.columns.clear();
        }
        self.columns.insert(Arc::clone(text), columns.clone());
        Ok(columns)
    }

    /// Runs a text of several statements without rows, each taking its share of `params`; gives
    /// `(changes, rowid)` of those that succeeded, in order, and the error that ended it.
    pub(super) async fn run_many<'v>(
        &mut self,
        text: &Arc<str>,
        params: impl Iterator<Item = &'v Value>,
        expected: usize,
        done: &mut Vec<(u64, i64)>,
    ) -> Result<(), Error> {
        self.alive()?;
        self.deadline.set(self.time_max);
        let query = sqlx::query_with(AssertSqlSafe(Arc::clone(text)), arguments(params)?);
        let mut results = self.conn.fetch_many(query);
        while let Some(result) = results.try_next().await.map_err(Error::from_sqlx)? {
            if let Either::Left(one) = result {
                done.push((one.rows_affected(), one.last_insert_rowid()));
            }
        }
        drop(results);
        if done.len() < expected {
            self.lost = true;
            return Err(Error::lost());
        }
        Ok(())
    }

    /// Runs a statement of the host's own.
    pub(super) async fn own(&mut self, sql: &'static str) -> Result<(), Error> {
        self.alive()?;
        // A commit must not be interrupted by the limit on guests' statements.
        self.deadline.at_ms.store(u64::MAX, Ordering::Relaxed);
        let query = sqlx::query_with(sql, SqliteArguments::default());
        let mut ended = false;
        {
            let mut results = self.conn.fetch_many(query);
            while let Some(result) = results.try_next().await.map_err(Error::from_sqlx)? {
                ended |= result.is_left();
            }
        }
        if !ended {
            self.lost = true;
            return Err(Error::lost());
        }
        Ok(())
    }

    /// The one integer a statement of the host's own returns.
    pub(super) async fn own_integer(&mut self, sql: &'static str) -> Result<i64, Error> {
        self.deadline.at_ms.store(u64::MAX, Ordering::Relaxed);
        sqlx::query_scalar(sql).fetch_one(&mut self.conn).await.map_err(Error::from_sqlx)
    }

    pub(super) async fn close(self) -> Result<(), Error> {
        self.conn.close().await.map_err(Error::from_sqlx)
    }
}

fn names(columns: &[sqlx::sqlite::SqliteColumn]) -> Vec<String> {
    columns.iter().map(|column| column.name().to_owned()).collect()
}

fn arguments<'v>(params: impl IntoIterator<Item = &'v Value>) -> Result<SqliteArguments, Error> {
    use sqlx::Arguments as _;
    let mut arguments = SqliteArguments::default();
    for value in params {
        match value {
            Value::Integer(value) => arguments.add(*value),
            Value::Real(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(value.clone()),
            Value::Blob(value) => arguments.add(value.clone()),
            Value::Null => arguments.add(None::<i64>),
        }
        .map_err(|error| Error::Malformed(error.to_string()))?;
    }
    Ok(arguments)
}

/// Adds one row by SQLite's storage classes; says how many bytes it takes.
fn take(row: &SqliteRow, rows: &mut Vec<Vec<Value>>) -> Result<usize, Error> {
    let mut values = Vec::with_capacity(row.columns().len());
    let mut bytes = 0;
    for at in 0..row.columns().len() {
        let raw = row.try_get_raw(at).map_err(Error::from_sqlx)?;
        let value = if raw.is_null() {
            Value::Null
        } else {
            let kind = raw.type_info();
            match kind.name() {
                "INTEGER" => Value::Integer(decode(raw)?),
                "REAL" => Value::Real(decode(raw)?),
                "TEXT" => Value::Text(decode(raw)?),
                _ => Value::Blob(decode(raw)?),
            }
        };
        bytes += VALUE_BYTES
            + match &value {
                Value::Text(text) => text.len(),
                Value::Blob(blob) => blob.len(),
                Value::Integer(_) | Value::Real(_) | Value::Null => 0,
            };
        values.push(value);
    }
    rows.push(values);
    Ok(bytes)
}

fn decode<'r, T: sqlx::Decode<'r, sqlx::Sqlite>>(
    raw: sqlx::sqlite::SqliteValueRef<'r>,
) -> Result<T, Error> {
    T::decode(raw).map_err(|error| Error::Malformed(format!("a stored value: {error}")))
}
