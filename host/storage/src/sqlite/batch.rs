//! Autocommit statements inside a batch: same texts run together, many per hop to SQLite's thread.

use std::{collections::HashMap, sync::Arc};

use super::{
    Error,
    job::{Job, Write},
    physical::Outcome,
    writer::{Batch, Pending, Writer, is_schema},
};

/// How often one text is repeated in one hop at most. Powers of two below it serve the rest, so
/// that a hot statement costs seven cached texts.
const REPEAT_MAX: usize = 64;
/// Texts longer than this are not repeated: preparing 64 of them would cost more than hops.
const REPEAT_BYTES_MAX: usize = 2_000;
/// Repeated texts remembered, beyond which they are built anew.
const REPEATED_MAX: usize = 512;

impl Writer {
    /// Runs `first` and all other autocommit statements that wait.
    pub(super) async fn writes(&mut self, batch: &mut Batch, first: Write) -> Result<(), Error> {
        let mut groups: Vec<Vec<Write>> = Vec::new();
        let mut by_text: HashMap<Arc<str>, usize> = HashMap::new();
        let mut put = |write: Write| {
            batch.units += 1;
            match by_text.get(&write.text).and_then(|at| groups.get_mut(*at)) {
                Some(group) => group.push(write),
                None => {
                    by_text.insert(Arc::clone(&write.text), groups.len());
                    groups.push(vec![write]);
                }
            }
        };
        let mut kept = std::collections::VecDeque::with_capacity(self.waiting.len());
        put(first);
        for job in std::mem::take(&mut self.waiting) {
            match job {
                // What must be alone waits for the next batch.
                Job::Write(write)
                    if !write.statement.may_roll_back && !is_schema(&write.statement) =>
                {
                    if let Some(write) = self.in_time(write) {
                        put(write);
                    }
                }
                job => kept.push_back(job),
            }
        }
        self.waiting = kept;
        let mut left = groups.into_iter();
        while let Some(group) = left.next() {
            if let Err(error) = self.group(batch, group).await {
                for write in left.flatten() {
                    let _ = write.reply.send(Err(error.clone()));
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Runs statements of one text. An error means that the batch is lost.
    async fn group(&mut self, batch: &mut Batch, group: Vec<Write>) -> Result<(), Error> {
        let repeatable = match group.first() {
            Some(first) if !first.statement.returning && !is_schema(&first.statement) => {
                let text = first.statement.repeatable.clone();
                text.filter(|text| text.len() <= REPEAT_BYTES_MAX)
            }
            _ => None,
        };
        let mut group = std::collections::VecDeque::from(group);
        while let Some(first) = group.pop_front() {
            let many = match &repeatable {
                Some(_) => power_of_two((group.len() + 1).min(REPEAT_MAX)),
                None => 1,
            };
            let mut now = vec![first];
            now.extend(group.drain(..many - 1));
            let ran = match &repeatable {
                Some(text) if many > 1 => self.repeated(batch, text, now).await,
                _ => self.each(batch, now).await,
            };
            match ran {
                Ok(again) => again.into_iter().rev().for_each(|write| group.push_front(write)),
                Err(error) => {
                    for write in group {
                        let _ = write.reply.send(Err(error.clone()));
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Opens the batch, or tells `writes` why not.
    async fn ensure_open(&mut self, batch: &mut Batch, writes: &mut Vec<Write>) -> bool {
        if batch.open {
            return true;
        }
        let Err(error) = self.physical.own("BEGIN IMMEDIATE").await else {
            batch.open = true;
            return true;
        };
        for write in writes.drain(..) {
            let _ = write.reply.send(Err(error.clone()));
        }
        false
    }

    /// Runs `now` in one hop; gives back those it did not come to.
    async fn repeated(
        &mut self,
        batch: &mut Batch,
        text: &str,
        mut now: Vec<Write>,
    ) -> Result<Vec<Write>, Error> {
        if !self.ensure_open(batch, &mut now).await {
            return Ok(now);
        }
        let Some(first) = now.first() else { return Ok(now) };
        let text = self.repeat(&first.text, text, now.len());
        let mut done = Vec::with_capacity(now.len());
        let params = now.iter().flat_map(|write| &write.params);
        let ended = self.physical.run_many(&text, params, now.len(), &mut done).await;
        let mut left = now.into_iter();
        for (changes, rowid) in done {
            let Some(write) = left.next() else { break };
            let outcome = Outcome { changes, rowid, ..Outcome::default() };
            self.succeeded(batch, write, outcome);
        }
        if let Err(error) = ended {
            match left.next() {
                Some(culprit) => self.failed(batch, culprit, error).await?,
                None => return Err(error),
            }
        }
        Ok(left.collect())
    }

    /// Runs each of `now` by itself.
    async fn each(&mut self, batch: &mut Batch, now: Vec<Write>) -> Result<Vec<Write>, Error> {
        let mut left = now.into_iter();
        while let Some(write) = left.next() {
            let mut one = vec![write];
            if !self.ensure_open(batch, &mut one).await {
                continue;
            }
            let Some(write) = one.pop() else { continue };
            match self.one(&write).await {
                Ok(outcome) => {
                    if is_schema(&write.statement) {
                        batch.schema = true;
                        self.physical.forget().await?;
                    }
                    self.succeeded(batch, write, outcome);
                }
                Err(error) => {
                    if let Err(error) = self.failed(batch, write, error).await {
                        for write in left {
                            let _ = write.reply.send(Err(error.clone()));
                        }
                        return Err(error);
                    }
                }
            }
        }
        Ok(Vec::new())
    }

    async fn one(&mut self, write: &Write) -> Result<Outcome, Error> {
        let max = self.core.options.result_bytes_max;
        if !write.statement.returning {
            return self.physical.run(&write.text, &write.params, max, true, write.cached).await;
        }
        // Too large a result must undo the statement, which has succeeded by then.
        self.physical.own("SAVEPOINT auscult_host_one").await?;
        let result = self.run_returning(write).await;
        match &result {
            Ok(_) => self.physical.own("RELEASE auscult_host_one").await?,
            Err(_) if self.physical.rolled_back.load(std::sync::atomic::Ordering::SeqCst) => {}
            Err(error) if error.is_lost() => {}
            Err(_) => {
                self.physical.own("ROLLBACK TO auscult_host_one").await?;
                self.physical.own("RELEASE auscult_host_one").await?;
            }
        }
        result
    }

    fn succeeded(&self, batch: &mut Batch, write: Write, outcome: Outcome) {
        batch.rows += 1 + outcome.changes;
        batch.pending.push(Pending::Write(write, outcome));
    }

    /// Answers a failed statement; if it took the batch with it, runs the others again.
    async fn failed(&mut self, batch: &mut Batch, write: Write, error: Error) -> Result<(), Error> {
        self.core.counters.rolled_back();
        let lost = error.is_lost();
        let _ = write.reply.send(Err(error.clone()));
        if lost {
            return Err(error);
        }
        if self.physical.take_rolled_back() {
            self.rerun(batch).await;
        }
        Ok(())
    }

    fn repeat(&mut self, text: &Arc<str>, bare: &str, times: usize) -> Arc<str> {
        let key = (Arc::clone(text), times);
        if let Some(known) = self.repeated.get(&key) {
            return Arc::clone(known);
        }
        if self.repeated.len() >= REPEATED_MAX {
            self.repeated.clear();
        }
        let many: Arc<str> = format!("{bare};\n").repeat(times).into();
        self.repeated.insert(key, Arc::clone(&many));
        many
    }
}

/// The largest power of two that is not above `n`; 1 for 0.
fn power_of_two(n: usize) -> usize {
    1 << n.max(1).ilog2()
}
