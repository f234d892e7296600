//! One bounded pool of server connections per address.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, Connection as _,
    postgres::{PgPool, PgPoolOptions},
};

use super::{Address, Connection, Error};

/// Limits of the pools.
#[derive(Clone, Debug)]
pub struct Options {
    /// Connections to one address. PostgreSQL's own default limit is 100 for all its clients.
    pub connections_max: u32,
    /// Addresses that have a pool at the same time: more than tenants on one host.
    pub pools_max: usize,
    /// Bytes of one result, as for SQLite.
    pub result_bytes_max: usize,
    /// Time to get a connection before `connection-failed`; shorter than any client waits for us.
    pub acquire_time_max: Duration,
    /// A connection unused for so long is closed, so that idle tenants hold none.
    pub idle_time_max: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections_max: 32,
            pools_max: 64,
            result_bytes_max: 64 << 20,
            acquire_time_max: Duration::from_secs(10),
            idle_time_max: Duration::from_secs(300),
        }
    }
}

/// A connection unused for longer is asked for life before a guest gets it.
const TRUSTED: Duration = Duration::from_secs(5);

/// One bounded pool per address. Clones share them.
#[derive(Clone, Debug)]
pub struct Pools {
    options: Options,
    pools: Arc<Mutex<HashMap<String, PgPool>>>,
}

impl Pools {
    /// No pool yet; each is opened at the first use of its address.
    pub fn new(options: Options) -> Self {
        Self { options, pools: Arc::default() }
    }

    /// A guest connection to `address` (URL or `host=… user=…` form).
    pub async fn open(&self, address: &str) -> Result<Connection, Error> {
        let pool = self.pool(address)?;
        let acquired = pool.acquire().await;
        let acquired = acquired.map_err(|error| Error::ConnectionFailed(error.to_string()))?;
        Ok(Connection::new(acquired, self.options.result_bytes_max))
    }

    fn pool(&self, address: &str) -> Result<PgPool, Error> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(address) {
            return Ok(pool.clone());
        }
        // Statements may hold patients' data as literals: none is logged.
        let connect = Address::parse(address)?.options()?.disable_statement_logging();
        if pools.len() >= self.options.pools_max {
            let idle = |pool: &PgPool| pool.num_idle() >= pool.size() as usize;
            let unused = pools.iter().find(|(_, pool)| idle(pool)).map(|(key, _)| key.clone());
            match unused {
                // Dropping it closes what it holds.
                Some(key) => drop(pools.remove(&key)),
                None => return Err(Error::ConnectionFailed("too many addresses in use".into())),
            }
        }
        let pool = PgPoolOptions::new()
            .max_connections(self.options.connections_max)
            .acquire_timeout(self.options.acquire_time_max)
            .idle_timeout(self.options.idle_time_max)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(
                    async move { Ok(meta.idle_for < TRUSTED || connection.ping().await.is_ok()) },
                )
            })
            .connect_lazy_with(connect);
        pools.insert(address.to_owned(), pool.clone());
        Ok(pool)
    }

    /// Closes all pools.
    pub async fn close(&self) {
        let pools = std::mem::take(&mut *self.pools.lock().unwrap_or_else(PoisonError::into_inner));
        for pool in pools.into_values() {
            pool.close().await;
        }
    }
}
