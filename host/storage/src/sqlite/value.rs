//! Values and results as SQLite stores them.

/// One value, typed by SQLite's storage class.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A 64-bit integer.
    Integer(i64),
    /// A 64-bit float.
    Real(f64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// No value.
    Null,
}

/// What one statement returned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryResult {
    /// Column names, also if there are no rows.
    pub columns: Vec<String>,
    /// Rows, each as long as `columns`.
    pub rows: Vec<Vec<Value>>,
    /// Rows changed by this statement; 0 unless it is an `INSERT`, `UPDATE` or `DELETE`.
    pub changes: u64,
    /// Row id of the connection's latest `INSERT`.
    pub last_insert_rowid: i64,
}
