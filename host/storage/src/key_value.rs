//! Key-value stores: one table in a file of their own, on the SQLite machinery.

use std::path::Path;

use crate::sqlite::{self, Database, Options, Value};

/// Bytes of a key; as long as Spin's own backends take.
pub const KEY_BYTES_MAX: usize = 256;
/// Bytes of a value. Larger things belong in a table of the component's own.
pub const VALUE_BYTES_MAX: usize = 1 << 20;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS key_value (\
     store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, \
     PRIMARY KEY (store, key)) WITHOUT ROWID";
const GET: &str = "SELECT value FROM key_value WHERE store = ? AND key = ?";
const SET: &str = "INSERT INTO key_value (store, key, value) VALUES (?, ?, ?) \
     ON CONFLICT (store, key) DO UPDATE SET value = excluded.value";
const DELETE: &str = "DELETE FROM key_value WHERE store = ? AND key = ?";
const EXISTS: &str = "SELECT EXISTS (SELECT 1 FROM key_value WHERE store = ? AND key = ?)";
const KEYS: &str = "SELECT key FROM key_value WHERE store = ? ORDER BY key";

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

/// One named store. Clones, and the other stores of the same file, share the file.
#[derive(Clone, Debug)]
pub struct Store {
    database: Database,
    name: String,
}

impl Store {
    /// Opens the file, creating it if it is absent; the store is named `default`.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let database = Database::open(path, Options::default()).await?;
        database.connect().execute(CREATE, Vec::new()).await?;
        Ok(Self { database, name: "default".into() })
    }

    /// Another store in the same file.
    pub fn named(&self, name: &str) -> Self {
        Self { database: self.database.clone(), name: name.to_owned() }
    }

    /// The value of a key.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let value = self.run(GET, key, None).await?;
        Ok(match value {
            Some(Value::Blob(value)) => Some(value),
            Some(Value::Text(value)) => Some(value.into_bytes()),
            _ => None,
        })
    }

    /// Sets a key; durable when answered.
    pub async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        if value.len() > VALUE_BYTES_MAX {
            return Err(Error::ValueTooLong);
        }
        self.run(SET, key, Some(value)).await.map(drop)
    }

    /// Removes a key; removing what is not there succeeds.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        self.run(DELETE, key, None).await.map(drop)
    }

    /// Whether a key is present.
    pub async fn exists(&self, key: &str) -> Result<bool, Error> {
        Ok(self.run(EXISTS, key, None).await? == Some(Value::Integer(1)))
    }

    /// All keys of the store, in order.
    pub async fn keys(&self) -> Result<Vec<String>, Error> {
        let store = vec![Value::Text(self.name.clone())];
        let found = self.database.connect().execute(KEYS, store).await?;
        let key = |row: Vec<Value>| match row.into_iter().next() {
            Some(Value::Text(key)) => Some(key),
            _ => None,
        };
        Ok(found.rows.into_iter().filter_map(key).collect())
    }

    /// Ends the file's use by all its stores and moves its log into it.
    pub async fn close(&self) -> Result<(), Error> {
        Ok(self.database.close().await?)
    }

    /// Runs one of our statements; gives the first value it returns.
    async fn run(
        &self,
        sql: &str,
        key: &str,
        value: Option<&[u8]>,
    ) -> Result<Option<Value>, Error> {
        if key.len() > KEY_BYTES_MAX {
            return Err(Error::KeyTooLong);
        }
        let mut params = vec![Value::Text(self.name.clone()), Value::Text(key.to_owned())];
        params.extend(value.map(|value| Value::Blob(value.to_vec())));
        let found = self.database.connect().execute(sql, params).await?;
        Ok(found.rows.into_iter().next().and_then(|row| row.into_iter().next()))
    }
}
