//! [`Database`] over Spin's SQLite interface.

use auscult_store::{Cell, Database, Param, Rows, StoreError, schema};
use spin_sdk::sqlite::{Connection, Error, Value};

/// How often a statement is tried again while another writer holds the database. Under `spin up` each
/// try already waits up to five seconds; on our host writers queue and this is never needed.
const BUSY_TRIES_MAX: usize = 4;

/// The tenant's database, one connection for one request.
pub struct SpinSqlite {
    connection: Connection,
}

impl SpinSqlite {
    /// Opens the tenant's database with every table laid out.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be opened or written.
    pub fn open() -> Result<Self, StoreError> {
        let connection = Connection::open_default().map_err(|it| failed(&it))?;
        let this = Self { connection };
        schema::lay_out(&this)?;
        Ok(this)
    }
}

impl Database for SpinSqlite {
    fn query(&self, sql: &str, params: &[Param<'_>]) -> Result<Rows, StoreError> {
        let params: Vec<Value> = params.iter().map(value).collect();
        let mut tries = 1;
        loop {
            match self.connection.execute(sql, &params) {
                Ok(result) => {
                    let rows = result
                        .rows
                        .into_iter()
                        .map(|row| row.values.into_iter().map(cell).collect());
                    return Ok(Rows::new(result.columns, rows.collect()));
                }
                Err(error) => match failed(&error) {
                    StoreError::Busy if tries < BUSY_TRIES_MAX => tries += 1,
                    error => return Err(error),
                },
            }
        }
    }
}

fn value(param: &Param<'_>) -> Value {
    match param {
        Param::Null => Value::Null,
        Param::Integer(number) => Value::Integer(*number),
        Param::Real(number) => Value::Real(*number),
        Param::Text(text) => Value::Text((*text).to_owned()),
    }
}

fn cell(value: Value) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Integer(number) => Cell::Integer(number),
        Value::Real(number) => Cell::Real(number),
        Value::Text(text) => Cell::Text(text),
        Value::Blob(bytes) => Cell::Text(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

fn failed(error: &Error) -> StoreError {
    match error {
        Error::Io(message) => StoreError::from_sqlite(message),
        other => StoreError::Failed(other.to_string()),
    }
}
