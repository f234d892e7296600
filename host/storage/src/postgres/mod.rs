//! PostgreSQL for guests: a bounded pool per address, each use starting clean.

mod address;
mod connection;
mod numeric;
mod pools;
mod time;
mod value;
mod wire;

pub use address::Address;
pub use connection::Connection;
pub use pools::{Options, Pools};
pub use value::{
    Column, DbDataType, DbError, DbValue, Error, Interval, ParameterValue, QueryError, Range,
    RangeBoundKind, RowSet,
};
