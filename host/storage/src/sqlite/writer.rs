//! The one task that writes: it takes all that waits, runs it in one transaction, commits once and
//! only then answers.
//!
//! *No savepoint around an autocommit statement.* SQLite undoes a failing statement of an open
//! transaction by itself (its statement journal), and that alone. What can undo the whole batch
//! is `ROLLBACK` as conflict clause, a full disk, an I/O error, lack of memory and our own
//! interrupt. SQLite's rollback hook tells us; then those members of the batch that had succeeded
//! and were not yet answered run again, each in a transaction of its own. Explicit transactions
//! of the batch that had been released and not yet answered cannot run again (their guests have
//! seen results): they get a retriable error.

use std::{
    collections::{HashMap, VecDeque},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use tokio::sync::{Notify, mpsc, oneshot};

use super::{
    Error, Options,
    job::{Begin, Job, Stepped, Write},
    physical::{Outcome, Physical, Role},
    readers::Schema,
    statement::{Class, Statement},
    stats::Counters,
};

/// What the writer shares with the connections and the checkpointer.
pub(super) struct Core {
    pub path: PathBuf,
    pub options: Options,
    pub schema: Arc<Schema>,
    pub counters: Counters,
    /// The schema holds constraints that are checked at commit or roll back: nobody shares.
    pub alone: AtomicBool,
    /// Wakes the checkpointer.
    pub checkpoint: Notify,
    /// The checkpointer has moved all but what was written meanwhile.
    pub checkpoint_rest: AtomicBool,
}

impl Core {
    pub(super) fn busy(&self) -> Error {
        let ms = self.options.busy_wait_max.as_millis();
        Error::Busy(format!("the writer was not free within {ms} ms"))
    }
}

/// A member of the batch that succeeded and waits for the commit.
pub(super) enum Pending {
    Write(Write, Outcome),
    Transaction(oneshot::Sender<Stepped>),
}

/// The transaction that is open now.
#[derive(Default)]
pub(super) struct Batch {
    pub open: bool,
    /// The schema has changed.
    pub schema: bool,
    pub pending: Vec<Pending>,
    /// Members so far, failed ones included.
    pub units: usize,
    /// Changed rows, for the checkpointer.
    pub rows: u64,
}

pub(super) struct Writer {
    pub core: Arc<Core>,
    pub physical: Physical,
    jobs: mpsc::Receiver<Job>,
    /// Taken from the queue, not yet begun.
    pub waiting: VecDeque<Job>,
    /// Repeated texts, by statement and count.
    pub repeated: HashMap<(Arc<str>, usize), Arc<str>>,
    rows_since_checkpoint: u64,
    closed: bool,
}

impl Writer {
    pub(super) fn new(core: Arc<Core>, physical: Physical, jobs: mpsc::Receiver<Job>) -> Self {
        Self {
            core,
            physical,
            jobs,
            waiting: VecDeque::new(),
            repeated: HashMap::new(),
            rows_since_checkpoint: 0,
            closed: false,
        }
    }

    pub(super) async fn run(mut self) {
        while !self.closed {
            if self.waiting.is_empty() {
                match self.jobs.recv().await {
                    Some(job) => self.waiting.push_back(job),
                    None => break,
                }
            }
            let mut batch = Batch::default();
            if let Err(error) = self.fill(&mut batch).await {
                self.abandon(&mut batch, &error).await;
            }
            if batch.open {
                self.commit(&mut batch).await;
            }
            if self.core.checkpoint_rest.swap(false, Ordering::Relaxed) {
                // Only while nobody writes can all of the log be moved, so that it begins anew.
                if let Err(error) = self.physical.own("PRAGMA wal_checkpoint(PASSIVE)").await {
                    tracing::warn!(%error, "a checkpoint failed");
                }
            }
        }
    }

    /// Takes members until none waits or the batch is full.
    async fn fill(&mut self, batch: &mut Batch) -> Result<(), Error> {
        let begun = Instant::now();
        loop {
            self.take_waiting();
            let full = batch.units >= self.core.options.batch_max.max(1)
                || (batch.units > 0 && begun.elapsed() > self.core.options.batch_time_max);
            if full {
                return Ok(());
            }
            match self.waiting.pop_front() {
                None => return Ok(()),
                Some(Job::Close(reply)) => {
                    if batch.open {
                        self.waiting.push_front(Job::Close(reply));
                        return Ok(());
                    }
                    self.close(reply).await;
                    return Ok(());
                }
                Some(Job::Begin(begin)) => {
                    if self.core.alone.load(Ordering::Relaxed) && batch.units > 0 {
                        self.waiting.push_front(Job::Begin(begin));
                        return Ok(());
                    }
                    if let Some(begin) = self.in_time_begin(begin) {
                        batch.units += 1;
                        if !self.transaction(batch, begin).await? {
                            return Ok(());
                        }
                    }
                }
                Some(Job::Write(write)) => {
                    let Some(write) = self.in_time(write) else { continue };
                    let others = batch.open || !self.waiting.is_empty();
                    if self.must_be_alone(&write.statement) {
                        if batch.open {
                            self.waiting.push_front(Job::Write(write));
                            return Ok(());
                        }
                        self.solo(write).await?;
                        return Ok(());
                    }
                    if !others && !write.statement.returning {
                        // Nobody to share with: SQLite's own autocommit, one hop instead of three.
                        self.solo(write).await?;
                        return Ok(());
                    }
                    self.writes(batch, write).await?;
                }
            }
        }
    }

    /// Takes what has been queued since.
    pub(super) fn take_waiting(&mut self) {
        while self.waiting.len() < self.core.options.batch_max {
            match self.jobs.try_recv() {
                Ok(job) => self.waiting.push_back(job),
                Err(_) => break,
            }
        }
    }

    fn must_be_alone(&self, statement: &Statement) -> bool {
        statement.class == Class::Vacuum
            || statement.may_roll_back
            || (statement.checks_at_commit && is_schema(statement))
            || self.core.alone.load(Ordering::Relaxed)
    }

    /// Nothing, if the guest has gone or waited too long (which it is told).
    pub(super) fn in_time(&self, write: Write) -> Option<Write> {
        let waited = write.queued.elapsed();
        self.core.counters.waited(waited);
        if write.reply.is_closed() {
            return None;
        }
        if waited > self.core.options.busy_wait_max {
            let _ = write.reply.send(Err(self.core.busy()));
            return None;
        }
        Some(write)
    }

    fn in_time_begin(&self, begin: Begin) -> Option<Begin> {
        let waited = begin.queued.elapsed();
        self.core.counters.waited(waited);
        if begin.reply.is_closed() {
            return None;
        }
        if waited > self.core.options.busy_wait_max {
            let _ = begin.reply.send(Err(self.core.busy()));
            return None;
        }
        Some(begin)
    }

    /// Runs one statement in a transaction of its own and answers it. Errors only if the
    /// connection is lost.
    pub(super) async fn solo(&mut self, write: Write) -> Result<(), Error> {
        let schema = is_schema(&write.statement);
        let core = Arc::clone(&self.core);
        let changing = if schema { Some(core.schema.gate.write().await) } else { None };
        if write.statement.checks_at_commit && schema {
            self.core.alone.store(true, Ordering::Relaxed);
        }
        let result = self.autocommit(&write).await;
        let _ = self.physical.take_rolled_back();
        if schema {
            self.schema_changed().await?;
        }
        drop(changing);
        let lost = result.as_ref().err().is_some_and(Error::is_lost);
        match &result {
            Ok(outcome) => {
                self.core.counters.commit();
                self.core.counters.sync();
                self.count_rows(1 + outcome.changes);
            }
            Err(_) => self.core.counters.rolled_back(),
        }
        let _ = write.reply.send(result);
        if lost { self.reopen().await } else { Ok(()) }
    }

    async fn autocommit(&mut self, write: &Write) -> Result<Outcome, Error> {
        let max = self.core.options.result_bytes_max;
        if !write.statement.returning {
            return self.physical.run(&write.text, &write.params, max, true, write.cached).await;
        }
        // Whether the rows are too many is known only at the end: not to be committed by then.
        self.physical.own("BEGIN IMMEDIATE").await?;
        let result = self.run_returning(write).await;
        let end = if result.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let ended = self.physical.own(end).await;
        if let (Ok(_), Err(error)) = (&result, ended) {
            let _ = self.physical.own("ROLLBACK").await;
            return Err(error);
        }
        result
    }

    /// Runs a statement that writes and returns rows, and names its columns.
    pub(super) async fn run_returning(&mut self, write: &Write) -> Result<Outcome, Error> {
        let max = self.core.options.result_bytes_max;
        let mut outcome =
            self.physical.run(&write.text, &write.params, max, true, write.cached).await?;
        if outcome.columns.is_empty() {
            outcome.columns = self.physical.columns_of(&write.text).await?;
        }
        Ok(outcome)
    }

    /// Commits the batch and answers its members.
    pub(super) async fn commit(&mut self, batch: &mut Batch) {
        if let Err(error) = self.try_commit(batch).await {
            if error.is_constraint() {
                // Someone's deferred constraint: find out whose.
                let _ = self.physical.own("ROLLBACK").await;
                self.rerun(batch).await;
            } else {
                self.abandon(batch, &error).await;
            }
        }
    }

    /// Commits. If that fails the transaction may still be open.
    pub(super) async fn try_commit(&mut self, batch: &mut Batch) -> Result<(), Error> {
        let core = Arc::clone(&self.core);
        {
            let _changing = if batch.schema { Some(core.schema.gate.write().await) } else { None };
            self.physical.own("COMMIT").await?;
            if batch.schema {
                core.schema.version.fetch_add(1, Ordering::Release);
            }
        }
        batch.open = false;
        self.core.counters.sync();
        self.count_rows(batch.rows);
        for pending in batch.pending.drain(..) {
            self.core.counters.commit();
            match pending {
                Pending::Write(write, outcome) => {
                    let _ = write.reply.send(Ok(outcome));
                }
                Pending::Transaction(reply) => {
                    let _ = reply.send(Stepped { result: Ok(Outcome::default()), open: false });
                }
            }
        }
        Ok(())
    }

    /// Rolls everything back and gives every member the error.
    async fn abandon(&mut self, batch: &mut Batch, error: &Error) {
        tracing::warn!(%error, members = batch.pending.len(), "a batch of writes failed");
        if error.is_lost() {
            if let Err(error) = self.reopen().await {
                tracing::error!(%error, "the database file cannot be opened again");
            }
        } else if batch.open {
            let _ = self.physical.own("ROLLBACK").await;
        }
        let _ = self.physical.take_rolled_back();
        if batch.schema {
            let _ = self.physical.forget().await;
        }
        batch.open = false;
        for pending in batch.pending.drain(..) {
            self.core.counters.rolled_back();
            match pending {
                Pending::Write(write, _) => {
                    let _ = write.reply.send(Err(error.clone()));
                }
                Pending::Transaction(reply) => {
                    let _ = reply.send(Stepped { result: Err(error.clone()), open: false });
                }
            }
        }
    }

    /// The batch was rolled back by one member: the others run again, each alone.
    pub(super) async fn rerun(&mut self, batch: &mut Batch) {
        let _ = self.physical.take_rolled_back();
        batch.open = false;
        if batch.schema {
            let _ = self.physical.forget().await;
        }
        for pending in std::mem::take(&mut batch.pending) {
            match pending {
                Pending::Write(write, _) => {
                    if let Err(error) = self.solo(write).await {
                        tracing::error!(%error, "the database file cannot be opened again");
                    }
                }
                Pending::Transaction(reply) => {
                    self.core.counters.rolled_back();
                    let error = Error::RolledBack("a neighbour in its commit failed".into());
                    let _ = reply.send(Stepped { result: Err(error), open: false });
                }
            }
        }
    }

    /// Prepared statements are stale, here and (once their gate opens) in the readers.
    pub(super) async fn schema_changed(&mut self) -> Result<(), Error> {
        self.core.schema.version.fetch_add(1, Ordering::Release);
        self.physical.forget().await
    }

    async fn reopen(&mut self) -> Result<(), Error> {
        self.physical = Physical::open(&self.core.path, &self.core.options, Role::Writer).await?;
        Ok(())
    }

    fn count_rows(&mut self, rows: u64) {
        self.rows_since_checkpoint = self.rows_since_checkpoint.saturating_add(rows);
        if self.rows_since_checkpoint >= self.core.options.checkpoint_rows {
            self.rows_since_checkpoint = 0;
            self.core.checkpoint.notify_one();
        }
    }

    async fn close(&mut self, reply: oneshot::Sender<Result<(), Error>>) {
        self.jobs.close();
        self.closed = true;
        let result = self.physical.own("PRAGMA wal_checkpoint(TRUNCATE)").await;
        let _ = reply.send(result);
    }
}

/// Whether a statement that reached the writer may change the schema.
pub(super) fn is_schema(statement: &Statement) -> bool {
    matches!(statement.class, Class::Schema | Class::ReadFirst | Class::Vacuum)
}
