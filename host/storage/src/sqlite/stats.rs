//! Counts of what one database has done.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// What one database has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Statements taken from guests, reads included.
    pub statements: u64,
    /// Commits that guests saw: autocommit writes and explicit transactions.
    pub commits: u64,
    /// Real `COMMIT`s, each at most one sync of the disk.
    pub syncs: u64,
    /// Guest transactions that were rolled back: by the guest, by an error or by a limit.
    pub rolled_back: u64,
    /// Time that guests' writes waited for the writer, summed, in microseconds.
    pub busy_wait_us: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    statements: AtomicU64,
    commits: AtomicU64,
    syncs: AtomicU64,
    rolled_back: AtomicU64,
    busy_wait_us: AtomicU64,
}

fn add(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

impl Counters {
    pub(super) fn statement(&self) {
        add(&self.statements, 1);
    }

    pub(super) fn commit(&self) {
        add(&self.commits, 1);
    }

    pub(super) fn sync(&self) {
        add(&self.syncs, 1);
    }

    pub(super) fn rolled_back(&self) {
        add(&self.rolled_back, 1);
    }

    pub(super) fn waited(&self, time: Duration) {
        add(&self.busy_wait_us, u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    pub(super) fn snapshot(&self) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            statements: get(&self.statements),
            commits: get(&self.commits),
            syncs: get(&self.syncs),
            rolled_back: get(&self.rolled_back),
            busy_wait_us: get(&self.busy_wait_us),
        }
    }
}
