//! PostgreSQL for guests: a bounded pool per address, each use starting clean.

mod value;

pub use value::{
    Column, DbDataType, DbError, DbValue, Error, Interval, ParameterValue, QueryError, Range,
    RangeBoundKind, RowSet,
};

/// Limits of the pools.
#[derive(Clone, Debug)]
pub struct Options {
    /// Connections to one address. PostgreSQL's own default limit is 100 for all its clients.
    pub connections_max: u32,
    /// Addresses that have a pool at the same time.
    pub pools_max: usize,
    /// Bytes of one result.
    pub result_bytes_max: usize,
    /// Time to get a connection before `connection-failed`.
    pub acquire_time_max: std::time::Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections_max: 32,
            pools_max: 64,
            result_bytes_max: 64 << 20,
            acquire_time_max: std::time::Duration::from_secs(10),
        }
    }
}

/// One bounded pool per address. Clones share them.
#[derive(Clone, Debug)]
pub struct Pools {}

impl Pools {
    /// No pool yet; each is opened at the first use of its address.
    pub fn new(_options: Options) -> Self {
        Self {}
    }

    /// A guest connection to `address` (URL or `host=… user=…` form).
    pub async fn open(&self, _address: &str) -> Result<Connection, Error> {
        Err(Error::Other("not built yet".into()))
    }

    /// Closes all pools.
    pub async fn close(&self) {}
}

/// One guest connection; it goes back to its pool, cleaned, when dropped.
#[derive(Debug)]
pub struct Connection {}

impl Connection {
    /// Runs a statement and returns its rows.
    pub async fn query(
        &mut self,
        _statement: &str,
        _params: Vec<ParameterValue>,
    ) -> Result<RowSet, Error> {
        Err(Error::Other("not built yet".into()))
    }

    /// Runs a statement and returns the number of rows it touched.
    pub async fn execute(
        &mut self,
        _statement: &str,
        _params: Vec<ParameterValue>,
    ) -> Result<u64, Error> {
        Err(Error::Other("not built yet".into()))
    }
}
