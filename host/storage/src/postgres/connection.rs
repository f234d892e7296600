//! One guest's connection to PostgreSQL, and how it is cleaned for the next.

use std::fmt::Write as _;

use futures_util::TryStreamExt as _;
use sqlx::{
    Arguments as _, AssertSqlSafe, Column as _, Either, Executor as _, Postgres, Row as _,
    Statement as _, TypeInfo as _, ValueRef as _,
    pool::PoolConnection,
    postgres::{PgArguments, PgColumn, PgDatabaseError, PgRow},
};

use super::{
    Column, DbError, DbValue, Error, ParameterValue, QueryError, RowSet,
    wire::{self, Parameter},
};

/// What a guest may have left behind in its session; the same that Spin's pool resets.
const CLEAN: &str = "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; \
     SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES";
/// Parameters of one statement; the protocol counts them in sixteen bits.
const PARAMETERS_MAX: usize = 65_535;

/// One guest connection; it goes back to its pool, cleaned, when dropped.
pub struct Connection {
    pooled: Option<PoolConnection<Postgres>>,
    result_bytes_max: usize,
    /// A transaction may be open.
    in_transaction: bool,
    /// Not fit for anybody else.
    spoilt: bool,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connection {
    pub(super) fn new(pooled: PoolConnection<Postgres>, result_bytes_max: usize) -> Self {
        Self { pooled: Some(pooled), result_bytes_max, in_transaction: false, spoilt: false }
    }

    /// Runs a statement and returns its rows.
    pub async fn query(
        &mut self,
        statement: &str,
        params: Vec<ParameterValue>,
    ) -> Result<RowSet, Error> {
        self.run(statement, &params).await.map(|(rows, _)| rows)
    }

    /// Runs a statement and returns the number of rows it touched.
    pub async fn execute(
        &mut self,
        statement: &str,
        params: Vec<ParameterValue>,
    ) -> Result<u64, Error> {
        self.run(statement, &params).await.map(|(_, touched)| touched)
    }

    async fn run(
        &mut self,
        statement: &str,
        params: &[ParameterValue],
    ) -> Result<(RowSet, u64), Error> {
        self.note(statement);
        let max = self.result_bytes_max;
        let Some(pooled) = self.pooled.as_mut() else {
            return Err(Error::ConnectionFailed("closed".into()));
        };
        if params.len() > PARAMETERS_MAX {
            return Err(Error::BadParameter("too many".into()));
        }
        let mut arguments = PgArguments::default();
        // sqlx remembers prepared statements by their text alone; with other types of parameters
        // it must be another statement.
        let mut text = format!("{statement}\n/*");
        for value in params {
            let parameter = Parameter::new(value)?;
            let _ = write!(text, "{},", parameter.oid);
            arguments.add(parameter).map_err(|error| Error::BadParameter(error.to_string()))?;
        }
        text.push_str("*/");
        let mut set = RowSet::default();
        let (mut touched, mut bytes) = (0, 0_usize);
        {
            let query = sqlx::query_with(AssertSqlSafe(text.as_str()), arguments);
            let mut results = (&mut **pooled).fetch_many(query);
            // Read to the end whatever comes: what follows on this connection needs it.
            while let Some(result) = results.try_next().await.map_err(failed)? {
                match result {
                    Either::Left(done) => touched += done.rows_affected(),
                    Either::Right(_) if bytes > max => {}
                    Either::Right(row) => {
                        if set.columns.is_empty() {
                            set.columns = row.columns().iter().map(column).collect();
                        }
                        bytes = bytes.saturating_add(take(&row, &mut set)?);
                    }
                }
            }
        }
        if bytes > max {
            let text = format!("query result exceeds limit of {max} bytes");
            return Err(Error::QueryFailed(QueryError::Text(text)));
        }
        if set.rows.is_empty() {
            // Known since the statement was prepared: asks the server nothing.
            let sql = sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(text));
            let prepared = (&mut **pooled).prepare(sql).await.map_err(failed)?;
            set.columns = prepared.columns().iter().map(column).collect();
        }
        Ok((set, touched))
    }

    /// Sees what the statement may leave behind. Words, not syntax: too much costs little.
    fn note(&mut self, statement: &str) {
        let head: String = statement.to_ascii_lowercase();
        self.in_transaction |= head.contains("begin") || head.contains("start");
        // These take away the statements that sqlx believes prepared.
        self.spoilt |= head.contains("deallocate") || head.contains("discard");
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(mut pooled) = self.pooled.take() else { return };
        let (in_transaction, spoilt) = (self.in_transaction, self.spoilt);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            drop(pooled.detach());
            return;
        };
        // Off the guest's path; the pool counts the connection as used until it is clean.
        runtime.spawn(async move {
            let clean = async {
                if spoilt {
                    return false;
                }
                if in_transaction && (&mut *pooled).execute("ROLLBACK").await.is_err() {
                    return false;
                }
                sqlx::raw_sql(CLEAN).execute(&mut *pooled).await.is_ok()
            }
            .await;
            if !clean {
                drop(pooled.detach());
            }
        });
    }
}

fn column(column: &PgColumn) -> Column {
    let kind = column.type_info();
    let oid = kind.oid().map(|oid| oid.0);
    Column { name: column.name().to_owned(), data_type: wire::data_type(oid, kind.name()) }
}

/// Adds one row; says how many bytes it takes.
fn take(row: &PgRow, set: &mut RowSet) -> Result<usize, Error> {
    let mut values = Vec::with_capacity(set.columns.len());
    let mut bytes = 0;
    for (at, column) in set.columns.iter().enumerate() {
        let raw = row.try_get_raw(at).map_err(failed)?;
        values.push(if raw.is_null() {
            DbValue::DbNull
        } else {
            let raw = raw.as_bytes().map_err(|error| Error::Other(error.to_string()))?;
            bytes += raw.len();
            wire::value(&column.data_type, raw)?
        });
        bytes += size_of::<DbValue>();
    }
    set.rows.push(values);
    Ok(bytes)
}

fn failed(error: sqlx::Error) -> Error {
    let sqlx::Error::Database(error) = error else {
        return Error::QueryFailed(QueryError::Text(error.to_string()));
    };
    let Some(error) = error.try_downcast_ref::<PgDatabaseError>() else {
        return Error::QueryFailed(QueryError::Text(error.to_string()));
    };
    let severity = format!("{:?}", error.severity()).to_ascii_uppercase();
    let text = |value: Option<&str>| value.map(ToOwned::to_owned);
    let extras = [
        ("column", text(error.column())),
        ("constraint", text(error.constraint())),
        ("routine", text(error.routine())),
        ("hint", text(error.hint())),
        ("table", text(error.table())),
        ("datatype", text(error.data_type())),
        ("schema", text(error.schema())),
        ("file", text(error.file())),
        ("line", error.line().map(|line| line.to_string())),
        ("where_", text(error.r#where())),
    ];
    let extras = extras.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Error::QueryFailed(QueryError::DbError(Box::new(DbError {
        as_text: format!("{severity}: {} (SQLSTATE {})", error.message(), error.code()),
        code: error.code().to_owned(),
        message: error.message().to_owned(),
        detail: text(error.detail()),
        extras: extras.collect(),
        severity,
    })))
}
