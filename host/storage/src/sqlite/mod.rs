//! One SQLite file: one writer that commits for many guests at once, and a pool of readers.
//!
//! *Invariant:* a write is answered after the `COMMIT` that holds it has been synced
//! (`journal_mode=WAL`, `synchronous=FULL`), and a read that begins after an answer sees it.

mod batch;
mod connection;
mod database;
mod error;
mod job;
mod options;
mod parameters;
mod physical;
mod pragma;
mod readers;
mod statement;
mod stats;
mod token;
mod transaction;
mod value;
mod writer;

pub use connection::Connection;
pub use database::Database;
pub use error::Error;
pub use options::Options;
pub use stats::Stats;
pub use value::{QueryResult, Value};
