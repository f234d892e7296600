//! `spin:postgres/postgres@4.0.0` for guests.

use crate::bindings::postgres as wit;
use crate::bindings::postgres::{Host, HostConnection};
use crate::events;
use crate::instance::GuestState;
use auscult_host_storage::postgres::{
    Column, Connection, DbDataType, DbValue, Error, Interval, ParameterValue, QueryError, Range,
    RangeBoundKind, RowSet,
};
use wasmtime::component::Resource;

/// The port of a server whose address names none.
const PORT: u16 = 5432;

impl Host for GuestState {}

impl HostConnection for GuestState {
    async fn open(
        &mut self,
        address: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, wit::Error>> {
        let places = places(&address);
        let hosts = &self.component().allowed_hosts;
        let denied = places.iter().find(|(host, port)| !hosts.allows("postgres", host, *port));
        if places.is_empty() || denied.is_some() {
            let host = denied.map_or("", |(host, _)| host);
            events::OutboundDenied { component: &self.component().id, host }
                .emit(&self.application().runtime.metrics);
            let message = "the address is not in allowed_outbound_hosts".to_owned();
            return Ok(Err(wit::Error::ConnectionFailed(message)));
        }
        let opened = self.application().postgres.open(&address).await;
        Ok(match opened {
            Ok(connection) => Ok(self.table.push(connection)?),
            Err(error) => Err(told(error)),
        })
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<wit::ParameterValue>,
    ) -> wasmtime::Result<Result<wit::RowSet, wit::Error>> {
        let params = params.into_iter().map(parameter).collect();
        let result = self.table.get_mut(&connection)?.query(&statement, params).await;
        Ok(result.map(row_set).map_err(told))
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<wit::ParameterValue>,
    ) -> wasmtime::Result<Result<u64, wit::Error>> {
        let params = params.into_iter().map(parameter).collect();
        Ok(self.table.get_mut(&connection)?.execute(&statement, params).await.map_err(told))
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

/// The hosts and ports an address names, as a URL or as `key=value` words.
fn places(address: &str) -> Vec<(String, u16)> {
    if let Some((_, rest)) = address.split_once("://") {
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
        // Parameters could name another host than the one checked here.
        if rest.split_once('?').is_some_and(|(_, query)| query.contains("host")) {
            return Vec::new();
        }
        return hosts.split(',').filter_map(place).collect();
    }
    let word = |key: &str| {
        address.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    };
    if word("hostaddr").is_some() {
        return Vec::new();
    }
    let ports: Vec<&str> = word("port").unwrap_or("5432").split(',').collect();
    let Some(hosts) = word("host") else { return Vec::new() };
    hosts
        .split(',')
        .enumerate()
        .filter_map(|(index, host)| {
            let port = ports.get(index).or_else(|| ports.first())?;
            Some((host.to_owned(), port.parse().ok()?))
        })
        .collect()
}

fn place(text: &str) -> Option<(String, u16)> {
    if text.ends_with(']') {
        return Some((text.to_owned(), PORT));
    }
    match text.rsplit_once(':') {
        Some((host, port)) => Some((host.to_owned(), port.parse().ok()?)),
        None if text.is_empty() => None,
        None => Some((text.to_owned(), PORT)),
    }
}

fn told(error: Error) -> wit::Error {
    match error {
        Error::ConnectionFailed(text) => wit::Error::ConnectionFailed(text),
        Error::BadParameter(text) => wit::Error::BadParameter(text),
        Error::QueryFailed(QueryError::Text(text)) => {
            wit::Error::QueryFailed(wit::QueryError::Text(text))
        }
        Error::QueryFailed(QueryError::DbError(error)) => {
            wit::Error::QueryFailed(wit::QueryError::DbError(wit::DbError {
                as_text: error.as_text,
                severity: error.severity,
                code: error.code,
                message: error.message,
                detail: error.detail,
                extras: error.extras,
            }))
        }
        Error::ValueConversionFailed(text) => wit::Error::ValueConversionFailed(text),
        Error::Other(text) => wit::Error::Other(text),
    }
}

fn parameter(value: wit::ParameterValue) -> ParameterValue {
    match value {
        wit::ParameterValue::Boolean(value) => ParameterValue::Boolean(value),
        wit::ParameterValue::Int8(value) => ParameterValue::Int8(value),
        wit::ParameterValue::Int16(value) => ParameterValue::Int16(value),
        wit::ParameterValue::Int32(value) => ParameterValue::Int32(value),
        wit::ParameterValue::Int64(value) => ParameterValue::Int64(value),
        wit::ParameterValue::Floating32(value) => ParameterValue::Floating32(value),
        wit::ParameterValue::Floating64(value) => ParameterValue::Floating64(value),
        wit::ParameterValue::Str(value) => ParameterValue::Str(value),
        wit::ParameterValue::Binary(value) => ParameterValue::Binary(value),
        wit::ParameterValue::Date(value) => ParameterValue::Date(value),
        wit::ParameterValue::Time(value) => ParameterValue::Time(value),
        wit::ParameterValue::Datetime(value) => ParameterValue::Datetime(value),
        wit::ParameterValue::Timestamp(value) => ParameterValue::Timestamp(value),
        wit::ParameterValue::Uuid(value) => ParameterValue::Uuid(value),
        wit::ParameterValue::Jsonb(value) => ParameterValue::Jsonb(value),
        wit::ParameterValue::Decimal(value) => ParameterValue::Decimal(value),
        wit::ParameterValue::ArrayInt32(value) => ParameterValue::ArrayInt32(value),
        wit::ParameterValue::ArrayInt64(value) => ParameterValue::ArrayInt64(value),
        wit::ParameterValue::ArrayDecimal(value) => ParameterValue::ArrayDecimal(value),
        wit::ParameterValue::ArrayStr(value) => ParameterValue::ArrayStr(value),
        wit::ParameterValue::RangeInt32(value) => ParameterValue::RangeInt32(range_from(value)),
        wit::ParameterValue::RangeInt64(value) => ParameterValue::RangeInt64(range_from(value)),
        wit::ParameterValue::RangeDecimal(value) => ParameterValue::RangeDecimal(range_from(value)),
        wit::ParameterValue::Interval(value) => ParameterValue::Interval(Interval {
            micros: value.micros,
            days: value.days,
            months: value.months,
        }),
        wit::ParameterValue::DbNull => ParameterValue::DbNull,
    }
}

fn value(value: DbValue) -> wit::DbValue {
    match value {
        DbValue::Boolean(value) => wit::DbValue::Boolean(value),
        DbValue::Int8(value) => wit::DbValue::Int8(value),
        DbValue::Int16(value) => wit::DbValue::Int16(value),
        DbValue::Int32(value) => wit::DbValue::Int32(value),
        DbValue::Int64(value) => wit::DbValue::Int64(value),
        DbValue::Floating32(value) => wit::DbValue::Floating32(value),
        DbValue::Floating64(value) => wit::DbValue::Floating64(value),
        DbValue::Str(value) => wit::DbValue::Str(value),
        DbValue::Binary(value) => wit::DbValue::Binary(value),
        DbValue::Date(value) => wit::DbValue::Date(value),
        DbValue::Time(value) => wit::DbValue::Time(value),
        DbValue::Datetime(value) => wit::DbValue::Datetime(value),
        DbValue::Timestamp(value) => wit::DbValue::Timestamp(value),
        DbValue::Uuid(value) => wit::DbValue::Uuid(value),
        DbValue::Jsonb(value) => wit::DbValue::Jsonb(value),
        DbValue::Decimal(value) => wit::DbValue::Decimal(value),
        DbValue::ArrayInt32(value) => wit::DbValue::ArrayInt32(value),
        DbValue::ArrayInt64(value) => wit::DbValue::ArrayInt64(value),
        DbValue::ArrayDecimal(value) => wit::DbValue::ArrayDecimal(value),
        DbValue::ArrayStr(value) => wit::DbValue::ArrayStr(value),
        DbValue::Unsupported(value) => wit::DbValue::Unsupported(value),
        DbValue::RangeInt32(value) => wit::DbValue::RangeInt32(range_to(value)),
        DbValue::RangeInt64(value) => wit::DbValue::RangeInt64(range_to(value)),
        DbValue::RangeDecimal(value) => wit::DbValue::RangeDecimal(range_to(value)),
        DbValue::Interval(value) => wit::DbValue::Interval(wit::Interval {
            micros: value.micros,
            days: value.days,
            months: value.months,
        }),
        DbValue::DbNull => wit::DbValue::DbNull,
    }
}

fn data_type(kind: DbDataType) -> wit::DbDataType {
    match kind {
        DbDataType::Boolean => wit::DbDataType::Boolean,
        DbDataType::Int8 => wit::DbDataType::Int8,
        DbDataType::Int16 => wit::DbDataType::Int16,
        DbDataType::Int32 => wit::DbDataType::Int32,
        DbDataType::Int64 => wit::DbDataType::Int64,
        DbDataType::Floating32 => wit::DbDataType::Floating32,
        DbDataType::Floating64 => wit::DbDataType::Floating64,
        DbDataType::Str => wit::DbDataType::Str,
        DbDataType::Binary => wit::DbDataType::Binary,
        DbDataType::Date => wit::DbDataType::Date,
        DbDataType::Time => wit::DbDataType::Time,
        DbDataType::Datetime => wit::DbDataType::Datetime,
        DbDataType::Timestamp => wit::DbDataType::Timestamp,
        DbDataType::Uuid => wit::DbDataType::Uuid,
        DbDataType::Jsonb => wit::DbDataType::Jsonb,
        DbDataType::Decimal => wit::DbDataType::Decimal,
        DbDataType::RangeInt32 => wit::DbDataType::RangeInt32,
        DbDataType::RangeInt64 => wit::DbDataType::RangeInt64,
        DbDataType::RangeDecimal => wit::DbDataType::RangeDecimal,
        DbDataType::ArrayInt32 => wit::DbDataType::ArrayInt32,
        DbDataType::ArrayInt64 => wit::DbDataType::ArrayInt64,
        DbDataType::ArrayDecimal => wit::DbDataType::ArrayDecimal,
        DbDataType::ArrayStr => wit::DbDataType::ArrayStr,
        DbDataType::Interval => wit::DbDataType::Interval,
        DbDataType::Other(name) => wit::DbDataType::Other(name),
    }
}

type WitRange<T> = (Option<(T, wit::RangeBoundKind)>, Option<(T, wit::RangeBoundKind)>);

fn range_from<T>((low, high): WitRange<T>) -> Range<T> {
    let bound = |(value, kind)| match kind {
        wit::RangeBoundKind::Inclusive => (value, RangeBoundKind::Inclusive),
        wit::RangeBoundKind::Exclusive => (value, RangeBoundKind::Exclusive),
    };
    (low.map(bound), high.map(bound))
}

fn range_to<T>((low, high): Range<T>) -> WitRange<T> {
    let bound = |(value, kind)| match kind {
        RangeBoundKind::Inclusive => (value, wit::RangeBoundKind::Inclusive),
        RangeBoundKind::Exclusive => (value, wit::RangeBoundKind::Exclusive),
    };
    (low.map(bound), high.map(bound))
}

fn row_set(set: RowSet) -> wit::RowSet {
    let column =
        |column: Column| wit::Column { name: column.name, data_type: data_type(column.data_type) };
    wit::RowSet {
        columns: set.columns.into_iter().map(column).collect(),
        rows: set.rows.into_iter().map(|row| row.into_iter().map(value).collect()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::places;

    #[test]
    fn every_host_an_address_names_is_found() {
        let one = |host: &str, port| vec![(host.to_owned(), port)];
        assert_eq!(
            places("postgres://u:p@db.example:6000/x?sslmode=require"),
            one("db.example", 6000)
        );
        assert_eq!(places("postgresql://db/x"), one("db", 5432));
        assert_eq!(places("host=db port=6000 user=u"), one("db", 6000));
        assert_eq!(places("postgres://u@a:1,b:2/x").len(), 2);
    }

    #[test]
    fn an_address_that_hides_its_host_names_none() {
        assert!(places("postgres://allowed/x?host=other").is_empty());
        assert!(places("host=allowed hostaddr=10.0.0.1").is_empty());
        assert!(places("user=u").is_empty());
    }
}
