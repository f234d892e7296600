//! One open database file and what its connections share.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Notify, mpsc, oneshot};

use super::{
    Connection, Error, Options, Stats,
    job::Job,
    physical::{Physical, Role},
    readers::{Readers, Schema},
    statement::Statement,
    stats::Counters,
    writer::{Core, Writer},
};

/// Statements whose reading is remembered; all are forgotten when there are more.
const STATEMENTS_READ_MAX: usize = 1024;
/// Longer texts are read again each time.
const STATEMENT_REMEMBERED_BYTES_MAX: usize = 8 << 10;
/// Rest between two background checkpoints, so that they do not take the disk from commits.
const CHECKPOINT_PAUSE: Duration = Duration::from_millis(50);

/// One database file, open: one writer, a pool of readers. Clones share both.
#[derive(Clone)]
pub struct Database {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// What the connections of one database share.
pub(super) struct Shared {
    pub core: Arc<Core>,
    pub jobs: mpsc::Sender<Job>,
    pub readers: Readers,
    statements: Mutex<HashMap<Box<str>, Arc<Statement>>>,
    checkpointer: tokio::task::JoinHandle<()>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The writer ends by itself, when its queue has no sender left.
        self.checkpointer.abort();
    }
}

impl Shared {
    pub(super) fn parse(&self, sql: &str) -> Result<Arc<Statement>, Error> {
        let mut known = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(statement) = known.get(sql) {
            return Ok(Arc::clone(statement));
        }
        drop(known);
        let statement = Arc::new(Statement::parse(sql)?);
        if sql.len() <= STATEMENT_REMEMBERED_BYTES_MAX {
            known = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= STATEMENTS_READ_MAX {
                known.clear();
            }
            known.insert(sql.into(), Arc::clone(&statement));
        }
        Ok(statement)
    }
}

impl Database {
    /// Opens the file, creating it (and its folder) if it is absent.
    pub async fn open(path: &Path, options: Options) -> Result<Self, Error> {
        if let Some(folder) = path.parent() {
            tokio::fs::create_dir_all(folder)
                .await
                .map_err(|error| Error::Io(format!("the database's folder: {error}")))?;
        }
        // The writer first: it makes the file and sets its journal mode.
        let mut physical = Physical::open(path, &options, Role::Writer).await?;
        let alone = physical
            .own_integer(
                "SELECT count(*) FROM sqlite_schema \
                 WHERE sql LIKE '%deferred%' OR sql LIKE '%rollback%'",
            )
            .await?;
        let schema = Arc::new(Schema::default());
        let readers = Readers::open(path.to_owned(), options.clone(), Arc::clone(&schema)).await?;
        let checkpointer = Physical::open(path, &options, Role::Checkpointer).await?;
        let (jobs, queue) = mpsc::channel(options.queue_max.max(1));
        let core = Arc::new(Core {
            path: path.to_owned(),
            options,
            schema,
            counters: Counters::default(),
            alone: AtomicBool::new(alone > 0),
            checkpoint: Notify::new(),
            checkpoint_rest: AtomicBool::new(false),
        });
        tokio::spawn(Writer::new(Arc::clone(&core), physical, queue).run());
        let checkpointer = tokio::spawn(checkpoint(Arc::clone(&core), checkpointer));
        let statements = Mutex::new(HashMap::new());
        let shared = Shared { core, jobs, readers, statements, checkpointer };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// A new guest connection. Costs nothing; it opens no file.
    pub fn connect(&self) -> Connection {
        Connection::new(Arc::clone(&self.shared))
    }

    /// Ends the readers and the writer, after what it was given before, and moves the log into the
    /// file. Connections that are left get [`Error::Closed`].
    pub async fn close(&self) -> Result<(), Error> {
        self.shared.readers.close().await;
        self.shared.checkpointer.abort();
        let (reply, answer) = oneshot::channel();
        if self.shared.jobs.send(Job::Close(reply)).await.is_err() {
            // Closed before.
            return Ok(());
        }
        answer.await.unwrap_or(Err(Error::Closed))
    }

    /// What the database has done since it was opened.
    pub fn stats(&self) -> Stats {
        self.shared.core.counters.snapshot()
    }
}

/// Moves the log into the file whenever the writer has filled some of it, without stopping it.
async fn checkpoint(core: Arc<Core>, mut physical: Physical) {
    loop {
        core.checkpoint.notified().await;
        match physical.own("PRAGMA wal_checkpoint(PASSIVE)").await {
            Ok(()) => core.checkpoint_rest.store(true, Ordering::Relaxed),
            Err(error) => tracing::warn!(%error, "a background checkpoint failed"),
        }
        tokio::time::sleep(CHECKPOINT_PAUSE).await;
    }
}
