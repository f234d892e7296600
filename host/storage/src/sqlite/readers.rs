//! The pool of read-only connections.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::{RwLock, Semaphore, SemaphorePermit};

use super::{
    Error, Options, Value,
    physical::{Outcome, Physical, Role},
    statement::{Class, Statement},
};

/// The schema's version, and the gate that lets no read run while it changes: sqlx keeps the
/// columns of a prepared statement and would trip over more of them.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub version: AtomicU64,
    pub gate: RwLock<()>,
}

/// Read-only connections, the latest used first.
pub(super) struct Readers {
    path: PathBuf,
    options: Options,
    schema: Arc<Schema>,
    free: Mutex<Vec<Physical>>,
    permits: Semaphore,
}

/// One reader in use; it goes back when dropped.
struct Taken<'p> {
    readers: &'p Readers,
    physical: Option<Physical>,
    done: bool,
    _permit: SemaphorePermit<'p>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let Some(physical) = self.physical.take() else { return };
        if !self.done {
            // The guest went away: what it asked for need not run on, nor keep the next waiting.
            physical.deadline.cancel();
            return;
        }
        let mut free = self.readers.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.push(physical);
    }
}

impl Readers {
    /// Opens all of them, so that no read pays for it.
    pub(super) async fn open(
        path: PathBuf,
        options: Options,
        schema: Arc<Schema>,
    ) -> Result<Self, Error> {
        let count = options.readers.max(1);
        let mut free = Vec::with_capacity(count);
        for _ in 0..count {
            free.push(Physical::open(&path, &options, Role::Reader).await?);
        }
        let (free, permits) = (Mutex::new(free), Semaphore::new(count));
        Ok(Self { path, options, schema, free, permits })
    }

    /// Runs a statement that reads. Every commit answered before is seen.
    pub(super) async fn run(
        &self,
        statement: &Statement,
        text: &Arc<str>,
        params: &[Value],
        cached: bool,
    ) -> Result<Outcome, Error> {
        let permit = self.permits.acquire().await.map_err(|_| Error::Closed)?;
        let mut taken = Taken { readers: self, physical: None, done: false, _permit: permit };
        // A second try only if the first found its connection dead.
        for retry in [true, false] {
            let _reading = self.schema.gate.read().await;
            let version = self.schema.version.load(Ordering::Acquire);
            let kept = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut physical = match kept {
                Some(physical) => physical,
                None => Physical::open(&self.path, &self.options, Role::Reader).await?,
            };
            if physical.schema != version {
                physical.forget().await?;
                physical.schema = version;
            }
            let physical = taken.physical.insert(physical);
            let max = self.options.result_bytes_max;
            let mut result = physical.run(text, params, max, false, cached).await;
            if let Ok(outcome) = &mut result
                && outcome.columns.is_empty()
                && statement.class == Class::Read
            {
                outcome.columns = physical.columns_of(text).await?;
            }
            match result {
                Err(error) if error.is_lost() => {
                    taken.physical = None;
                    if !retry {
                        return Err(error);
                    }
                }
                result => {
                    taken.done = true;
                    return result;
                }
            }
        }
        Err(Error::Closed)
    }

    /// Lets no further read in, waits for those that run and closes all.
    pub(super) async fn close(&self) {
        let count = u32::try_from(self.options.readers.max(1)).unwrap_or(u32::MAX);
        if let Ok(all) = self.permits.acquire_many(count).await {
            all.forget();
        }
        self.permits.close();
        let free = std::mem::take(&mut *self.free.lock().unwrap_or_else(PoisonError::into_inner));
        for physical in free {
            if let Err(error) = physical.close().await {
                tracing::warn!(%error, "a reader did not close");
            }
        }
    }
}
