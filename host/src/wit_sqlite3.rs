//! `spin:sqlite/sqlite@3.0.0` for guests.

use crate::bindings::sqlite3::{Error, Host, HostConnection, QueryResult, RowResult, Value as Wit};
use crate::events;
use crate::instance::GuestState;
use auscult_host_storage::sqlite::{self, Connection, Value};
use wasmtime::component::Resource;

impl Host for GuestState {}

impl HostConnection for GuestState {
    async fn open(
        &mut self,
        database: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let Some(database) = self.component().sqlite.get(&database) else {
            events::LabelDenied { component: &self.component().id, kind: "sqlite" }.emit();
            return Ok(Err(Error::AccessDenied));
        };
        let connection = database.connect();
        Ok(Ok(self.table.push(connection)?))
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<Wit>,
    ) -> wasmtime::Result<Result<QueryResult, Error>> {
        let parameters = parameters.into_iter().map(from_wit).collect();
        let result = self.table.get_mut(&connection)?.execute(&statement, parameters).await;
        Ok(result.map(to_wit).map_err(told))
    }

    async fn last_insert_rowid(
        &mut self,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<i64> {
        Ok(self.table.get(&connection)?.last_insert_rowid())
    }

    async fn changes(&mut self, connection: Resource<Connection>) -> wasmtime::Result<u64> {
        Ok(self.table.get(&connection)?.changes())
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

fn told(error: sqlite::Error) -> Error {
    match error {
        sqlite::Error::Closed => Error::InvalidConnection,
        other => Error::Io(other.to_string()),
    }
}

fn from_wit(value: Wit) -> Value {
    match value {
        Wit::Integer(value) => Value::Integer(value),
        Wit::Real(value) => Value::Real(value),
        Wit::Text(value) => Value::Text(value),
        Wit::Blob(value) => Value::Blob(value),
        Wit::Null => Value::Null,
    }
}

fn to_wit(result: sqlite::QueryResult) -> QueryResult {
    let value = |value| match value {
        Value::Integer(value) => Wit::Integer(value),
        Value::Real(value) => Wit::Real(value),
        Value::Text(value) => Wit::Text(value),
        Value::Blob(value) => Wit::Blob(value),
        Value::Null => Wit::Null,
    };
    let row = |row: Vec<Value>| RowResult { values: row.into_iter().map(value).collect() };
    QueryResult { columns: result.columns, rows: result.rows.into_iter().map(row).collect() }
}
