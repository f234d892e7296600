//! Key-value stores on the same SQLite machinery.

use std::path::Path;

use crate::sqlite;

/// Bytes of a key. Spin's stores take at most 255 or 256; longer keys are mistakes.
pub const KEY_BYTES_MAX: usize = 256;
/// Bytes of a value. Larger things belong in the database.
pub const VALUE_BYTES_MAX: usize = 1 << 20;

/// Why an operation failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The key is longer than [`KEY_BYTES_MAX`].
    #[error("key is longer than {KEY_BYTES_MAX} bytes")]
    KeyTooLong,
    /// The value is longer than [`VALUE_BYTES_MAX`].
    #[error("value is longer than {VALUE_BYTES_MAX} bytes")]
    ValueTooLong,
    /// The database below failed.
    #[error(transparent)]
    Sqlite(#[from] sqlite::Error),
}

/// The stores of one file, told apart by name. Clones share the file.
#[derive(Clone, Debug)]
pub struct Store {}

impl Store {
    /// Opens the file, creating it if it is absent; the store is named `default`.
    pub async fn open(_path: &Path) -> Result<Self, Error> {
        Err(sqlite::Error::Closed.into())
    }

    /// Another named store in the same file.
    pub fn named(&self, _name: &str) -> Self {
        self.clone()
    }

    /// The value of a key.
    pub async fn get(&self, _key: &str) -> Result<Option<Vec<u8>>, Error> {
        Err(sqlite::Error::Closed.into())
    }

    /// Sets a key; durable when answered.
    pub async fn set(&self, _key: &str, _value: &[u8]) -> Result<(), Error> {
        Err(sqlite::Error::Closed.into())
    }

    /// Removes a key; removing what is not there succeeds.
    pub async fn delete(&self, _key: &str) -> Result<(), Error> {
        Err(sqlite::Error::Closed.into())
    }

    /// Whether a key is present.
    pub async fn exists(&self, _key: &str) -> Result<bool, Error> {
        Err(sqlite::Error::Closed.into())
    }

    /// All keys of the store, in order.
    pub async fn keys(&self) -> Result<Vec<String>, Error> {
        Err(sqlite::Error::Closed.into())
    }

    /// Moves the log into the file and closes it.
    pub async fn close(&self) -> Result<(), Error> {
        Ok(())
    }
}
