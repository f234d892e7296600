//! The databases our host hands to components: SQLite with group commit, key-value stores, PostgreSQL.
#![warn(missing_docs)]

pub mod key_value;
pub mod postgres;
pub mod sqlite;
