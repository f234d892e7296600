//! An explicit transaction of one guest: a savepoint in the batch, with the writer to itself.

use std::{sync::Arc, sync::atomic::Ordering, time::Instant};

use tokio::time::timeout;

use super::{
    Error,
    job::{Begin, Job, Step, Stepped},
    physical::Outcome,
    statement::Class,
    writer::{Batch, Pending, Writer, is_schema},
};

/// What is known of the open transaction.
struct Open {
    /// The guest's savepoints, innermost last.
    savepoints: Vec<String>,
    /// It was opened by a savepoint, whose release commits.
    by_savepoint: bool,
    /// Has constraints to check at its own commit, so it cannot leave that to the batch.
    alone: bool,
    schema: bool,
    rows: u64,
}

/// What a statement did to the transaction.
enum Did {
    /// It is still open.
    Stays(Result<Outcome, Error>),
    /// It wants to commit.
    Commits,
    /// It wants to be rolled back.
    RollsBack,
}

impl Writer {
    /// Runs one transaction to its end. `false` if the batch takes nothing more after it. An
    /// error means that the batch is lost.
    pub(super) async fn transaction(
        &mut self,
        batch: &mut Batch,
        begin: Begin,
    ) -> Result<bool, Error> {
        let Begin { mut statements, savepoint, reply, .. } = begin;
        let opened = match batch.open {
            true => self.physical.own("SAVEPOINT auscult_host_tx").await,
            false => self.physical.own("BEGIN IMMEDIATE; SAVEPOINT auscult_host_tx").await,
        };
        if let Err(error) = opened {
            let lost = batch.open || error.is_lost();
            let _ = reply.send(Err(error.clone()));
            return if lost { Err(error) } else { Ok(true) };
        }
        batch.open = true;
        let mut open = Open {
            by_savepoint: savepoint.is_some(),
            savepoints: Vec::new(),
            alone: self.core.alone.load(Ordering::Relaxed),
            schema: false,
            rows: 0,
        };
        if let Some((text, name)) = savepoint {
            if let Err(error) = self.physical.run(&text, &[], 0, true, true).await {
                let _ = reply.send(Err(error));
                return self.roll_back(batch, &open).await;
            }
            open.savepoints.push(name);
        }
        let _ = reply.send(Ok(()));
        let ends = Instant::now() + self.core.options.transaction_time_max;
        loop {
            let left = ends.saturating_duration_since(Instant::now());
            let wait = left.min(self.core.options.transaction_idle_max);
            // The guest went away, or kept everyone waiting.
            let Ok(Some(step)) = timeout(wait, statements.recv()).await else {
                return self.roll_back(batch, &open).await;
            };
            if step.statement.checks_at_commit {
                open.alone = true;
            }
            let did = self.step(&mut open, &step).await;
            if self.physical.take_rolled_back() {
                let result = match did {
                    Did::Stays(Err(error)) => Err(error),
                    _ => Err(Error::RolledBack("by SQLite".into())),
                };
                self.core.counters.rolled_back();
                batch.schema |= open.schema;
                let _ = step.reply.send(Stepped { result, open: false });
                self.rerun(batch).await;
                return Ok(true);
            }
            match did {
                Did::Stays(result) => {
                    let lost = result.as_ref().err().filter(|error| error.is_lost()).cloned();
                    let _ = step.reply.send(Stepped { result, open: lost.is_none() });
                    if let Some(error) = lost {
                        return Err(error);
                    }
                }
                Did::RollsBack => {
                    let rolled = self.roll_back(batch, &open).await;
                    let result = rolled.as_ref().map(|_| Outcome::default()).map_err(Clone::clone);
                    let _ = step.reply.send(Stepped { result, open: false });
                    return rolled;
                }
                Did::Commits => {
                    batch.schema |= open.schema;
                    batch.rows += 1 + open.rows;
                    if !open.alone && self.others_wait(batch) {
                        self.physical.own("RELEASE auscult_host_tx").await?;
                        batch.pending.push(Pending::Transaction(step.reply));
                        return Ok(true);
                    }
                    match self.try_commit(batch).await {
                        Ok(()) => {
                            self.core.counters.commit();
                            let result = Ok(Outcome::default());
                            let _ = step.reply.send(Stepped { result, open: false });
                            return Ok(false);
                        }
                        // As in SQLite the transaction stays open, to be mended or rolled back.
                        Err(error) if error.is_deferred_constraint() => {
                            let _ = step.reply.send(Stepped { result: Err(error), open: true });
                        }
                        Err(error) => {
                            let result = Err(error.clone());
                            let _ = step.reply.send(Stepped { result, open: false });
                            return Err(error);
                        }
                    }
                }
            }
        }
    }

    /// Whether somebody would share the sync.
    fn others_wait(&mut self, batch: &Batch) -> bool {
        if batch.units >= self.core.options.batch_max {
            return false;
        }
        self.take_waiting();
        self.waiting.iter().any(|job| matches!(job, Job::Write(_) | Job::Begin(_)))
    }

    async fn step(&mut self, open: &mut Open, step: &Step) -> Did {
        let error = |message: String| Did::Stays(Err(Error::state(message)));
        let innermost = |name: &String| open.savepoints.iter().rposition(|known| known == name);
        match &step.statement.class {
            Class::Begin(_) => error("cannot start a transaction within a transaction".into()),
            Class::Commit => Did::Commits,
            Class::Rollback => Did::RollsBack,
            Class::Vacuum => error("cannot VACUUM from within a transaction".into()),
            Class::Savepoint(name) => {
                let result = self.plain(step).await;
                if result.is_ok() {
                    open.savepoints.push(name.clone());
                }
                Did::Stays(result)
            }
            Class::Release(name) => match innermost(name) {
                None => error(format!("no such savepoint: {name}")),
                Some(0) if open.by_savepoint => Did::Commits,
                Some(at) => {
                    let result = self.plain(step).await;
                    if result.is_ok() {
                        open.savepoints.truncate(at);
                    }
                    Did::Stays(result)
                }
            },
            Class::RollbackTo(name) => match innermost(name) {
                None => error(format!("no such savepoint: {name}")),
                Some(at) => {
                    let mut result = self.plain(step).await;
                    if open.schema && result.is_ok() {
                        result = self.physical.forget().await.map(|()| Outcome::default());
                    }
                    if result.is_ok() {
                        open.savepoints.truncate(at + 1);
                    }
                    Did::Stays(result)
                }
            },
            _ => Did::Stays(self.statement(open, step).await),
        }
    }

    async fn plain(&mut self, step: &Step) -> Result<Outcome, Error> {
        self.physical.run(&step.text, &step.params, 0, true, true).await
    }

    /// A statement that reads, writes or changes the schema.
    async fn statement(&mut self, open: &mut Open, step: &Step) -> Result<Outcome, Error> {
        let max = self.core.options.result_bytes_max;
        let (text, params) = (Arc::clone(&step.text), &step.params);
        let returning = step.statement.returning;
        if returning {
            self.physical.own("SAVEPOINT auscult_host_one").await?;
        }
        let mut result = self.physical.run(&text, params, max, returning, step.cached).await;
        if let Ok(outcome) = &mut result {
            open.rows += outcome.changes;
            if outcome.columns.is_empty() && (returning || step.statement.class == Class::Read) {
                outcome.columns = self.physical.columns_of(&text).await?;
            }
            if is_schema(&step.statement) {
                open.schema = true;
                if step.statement.checks_at_commit {
                    self.core.alone.store(true, Ordering::Relaxed);
                }
                self.physical.forget().await?;
            }
        }
        if returning && !self.physical.rolled_back.load(Ordering::SeqCst) {
            if result.is_err() {
                self.physical.own("ROLLBACK TO auscult_host_one").await?;
            }
            self.physical.own("RELEASE auscult_host_one").await?;
        }
        result
    }

    /// Undoes the transaction and leaves the batch to the others.
    async fn roll_back(&mut self, batch: &mut Batch, open: &Open) -> Result<bool, Error> {
        self.core.counters.rolled_back();
        if batch.pending.is_empty() {
            self.physical.own("ROLLBACK").await?;
            let _ = self.physical.take_rolled_back();
            batch.open = false;
        } else {
            self.physical.own("ROLLBACK TO auscult_host_tx; RELEASE auscult_host_tx").await?;
        }
        if open.schema {
            self.physical.forget().await?;
        }
        Ok(true)
    }
}
