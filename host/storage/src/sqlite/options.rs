//! Limits of one database, each with its reason.

use std::time::Duration;

/// Limits of one database.
#[derive(Clone, Debug)]
pub struct Options {
    /// Read-only connections, hence reads that run at the same time. Each is one thread and one
    /// page cache; more than there are cores buys nothing once pages are cached.
    pub readers: usize,
    /// Bytes of one result. 64 MiB is larger than any page we serve and small enough for a few
    /// at once on a Raspberry Pi.
    pub result_bytes_max: usize,
    /// Units (autocommit writes and transactions) that share one commit. 256 makes the sync a
    /// small part of each, and one commit stays a few milliseconds long.
    pub batch_max: usize,
    /// After this time a batch takes nothing more and commits: bounds what the first member waits.
    pub batch_time_max: Duration,
    /// Writes that may wait for the writer; the next waits outside the queue.
    pub queue_max: usize,
    /// A write that has not begun after this time fails as busy. Spin's SQLite waits 5 s; we
    /// outlast one transaction that runs into `transaction_time_max`.
    pub busy_wait_max: Duration,
    /// An open transaction without a statement for this time is rolled back: it keeps all other
    /// writers waiting.
    pub transaction_idle_max: Duration,
    /// A transaction open for this time is rolled back, busy or not.
    pub transaction_time_max: Duration,
    /// A statement that runs this long is interrupted.
    pub statement_time_max: Duration,
    /// Changed rows after which the write-ahead log is moved into the file in the background.
    pub checkpoint_rows: u64,
    /// Prepared statements kept by each connection.
    pub statements_cached: usize,
}

impl Default for Options {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            readers: cores.clamp(2, 8),
            result_bytes_max: 64 << 20,
            batch_max: 256,
            batch_time_max: Duration::from_millis(10),
            queue_max: 4096,
            busy_wait_max: Duration::from_secs(20),
            transaction_idle_max: Duration::from_secs(5),
            transaction_time_max: Duration::from_secs(15),
            statement_time_max: Duration::from_secs(10),
            checkpoint_rows: 4000,
            statements_cached: 256,
        }
    }
}
