//! Values, columns and errors as `spin:postgres@4.0.0` names them.

/// Whether a bound belongs to its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeBoundKind {
    /// The bound belongs to the range.
    Inclusive,
    /// The bound does not.
    Exclusive,
}

/// A range: lower and upper bound, `None` where unbounded.
pub type Range<T> = (Option<(T, RangeBoundKind)>, Option<(T, RangeBoundKind)>);

/// A span of time in PostgreSQL's three parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Microseconds.
    pub micros: i64,
    /// Days.
    pub days: i32,
    /// Months.
    pub months: i32,
}

/// A value given to a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum ParameterValue {
    /// `boolean`.
    Boolean(bool),
    /// `"char"`, one byte; only as a parameter, as in Spin.
    Int8(i8),
    /// `smallint`.
    Int16(i16),
    /// `integer`.
    Int32(i32),
    /// `bigint`.
    Int64(i64),
    /// `real`.
    Floating32(f32),
    /// `double precision`.
    Floating64(f64),
    /// `text` and its kin.
    Str(String),
    /// `bytea`.
    Binary(Vec<u8>),
    /// `date`: year, month, day.
    Date((i32, u8, u8)),
    /// `time`: hour, minute, second, nanosecond.
    Time((u8, u8, u8, u32)),
    /// `timestamp`: year, month, day, hour, minute, second, nanosecond.
    Datetime((i32, u8, u8, u8, u8, u8, u32)),
    /// Seconds since the Unix epoch.
    Timestamp(i64),
    /// `uuid`, as text.
    Uuid(String),
    /// `jsonb`, as JSON text.
    Jsonb(Vec<u8>),
    /// `numeric`, base 10.
    Decimal(String),
    /// `int4range`.
    RangeInt32(Range<i32>),
    /// `int8range`.
    RangeInt64(Range<i64>),
    /// `numrange`.
    RangeDecimal(Range<String>),
    /// `integer[]`.
    ArrayInt32(Vec<Option<i32>>),
    /// `bigint[]`.
    ArrayInt64(Vec<Option<i64>>),
    /// `numeric[]`.
    ArrayDecimal(Vec<Option<String>>),
    /// `text[]`.
    ArrayStr(Vec<Option<String>>),
    /// `interval`.
    Interval(Interval),
    /// No value.
    DbNull,
}

/// A value returned by a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum DbValue {
    /// `boolean`.
    Boolean(bool),
    /// `"char"`, one byte; only as a parameter, as in Spin.
    Int8(i8),
    /// `smallint`.
    Int16(i16),
    /// `integer`.
    Int32(i32),
    /// `bigint`.
    Int64(i64),
    /// `real`.
    Floating32(f32),
    /// `double precision`.
    Floating64(f64),
    /// `text` and its kin.
    Str(String),
    /// `bytea`.
    Binary(Vec<u8>),
    /// `date`: year, month, day.
    Date((i32, u8, u8)),
    /// `time`: hour, minute, second, nanosecond.
    Time((u8, u8, u8, u32)),
    /// `timestamp`: year, month, day, hour, minute, second, nanosecond.
    Datetime((i32, u8, u8, u8, u8, u8, u32)),
    /// Seconds since the Unix epoch.
    Timestamp(i64),
    /// `uuid`, as text.
    Uuid(String),
    /// `jsonb`, as JSON text.
    Jsonb(Vec<u8>),
    /// `numeric`, base 10.
    Decimal(String),
    /// `int4range`.
    RangeInt32(Range<i32>),
    /// `int8range`.
    RangeInt64(Range<i64>),
    /// `numrange`.
    RangeDecimal(Range<String>),
    /// `integer[]`.
    ArrayInt32(Vec<Option<i32>>),
    /// `bigint[]`.
    ArrayInt64(Vec<Option<i64>>),
    /// `numeric[]`.
    ArrayDecimal(Vec<Option<String>>),
    /// `text[]`.
    ArrayStr(Vec<Option<String>>),
    /// `interval`.
    Interval(Interval),
    /// No value.
    DbNull,
    /// A type with no case here: its bytes as the server sent them.
    Unsupported(Vec<u8>),
}

/// The type of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum DbDataType {
    /// `boolean`.
    Boolean,
    /// `"char"`, one byte; only as a parameter, as in Spin.
    Int8,
    /// `smallint`.
    Int16,
    /// `integer`.
    Int32,
    /// `bigint`.
    Int64,
    /// `real`.
    Floating32,
    /// `double precision`.
    Floating64,
    /// `text` and its kin.
    Str,
    /// `bytea`.
    Binary,
    /// `date`: year, month, day.
    Date,
    /// `time`: hour, minute, second, nanosecond.
    Time,
    /// `timestamp`: year, month, day, hour, minute, second, nanosecond.
    Datetime,
    /// Seconds since the Unix epoch.
    Timestamp,
    /// `uuid`, as text.
    Uuid,
    /// `jsonb`, as JSON text.
    Jsonb,
    /// `numeric`, base 10.
    Decimal,
    /// `int4range`.
    RangeInt32,
    /// `int8range`.
    RangeInt64,
    /// `numrange`.
    RangeDecimal,
    /// `integer[]`.
    ArrayInt32,
    /// `bigint[]`.
    ArrayInt64,
    /// `numeric[]`.
    ArrayDecimal,
    /// `text[]`.
    ArrayStr,
    /// `interval`.
    Interval,
    /// A type with no case here: its name.
    Other(String),
}

/// One column of a result.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: DbDataType,
}

/// The rows of a result.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowSet {
    /// Columns, also if there are no rows (where Spin gives none).
    pub columns: Vec<Column>,
    /// Rows, each as long as `columns`.
    pub rows: Vec<Vec<DbValue>>,
}

/// What PostgreSQL said about a failed statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DbError {
    /// All of it as one text.
    pub as_text: String,
    /// `ERROR`, `FATAL`, …
    pub severity: String,
    /// SQLSTATE.
    pub code: String,
    /// The message.
    pub message: String,
    /// The detail, if there is one. May hold values of rows: never log it.
    pub detail: Option<String>,
    /// Anything else, by name.
    pub extras: Vec<(String, String)>,
}

/// Why a statement failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryError {
    /// Only a text is known.
    Text(String),
    /// PostgreSQL's own error.
    DbError(Box<DbError>),
}

/// Why an operation failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The server could not be reached or refused us.
    #[error("connection failed: {0}")]
    ConnectionFailed(String),
    /// A parameter cannot be what it says it is.
    #[error("bad parameter: {0}")]
    BadParameter(String),
    /// The statement failed.
    #[error("query failed")]
    QueryFailed(QueryError),
    /// A returned value cannot be expressed.
    #[error("value conversion failed: {0}")]
    ValueConversionFailed(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}
