//! Prints how many operations per second the storage does, beside plain sqlx on the same disk.
//!
//! `cargo run --release -p auscult-host-storage --example throughput [folder] [seconds]`

use std::{
    error::Error,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use auscult_host_storage::sqlite::{Database, Options, Value};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const CREATE: &str =
    "CREATE TABLE IF NOT EXISTS readings (id INTEGER PRIMARY KEY, device TEXT, value REAL)";
const INSERT: &str = "INSERT INTO readings (device, value) VALUES (?, ?)";
const COUNT: &str = "SELECT count(*) FROM readings WHERE device = ?";
const INDEX: &str = "CREATE INDEX IF NOT EXISTS by_device ON readings (device)";

fn row(task: usize) -> Vec<Value> {
    vec![Value::Text(format!("device-{task}")), Value::Real(36.6)]
}

#[derive(Clone, Copy, Debug)]
enum Work {
    Insert,
    CreateInsertCount,
    Transaction,
    Select,
}

/// Runs `tasks` tasks for the given time; gives operations per second.
async fn measure(database: &Database, work: Work, tasks: usize, time: Duration) -> Outcome<f64> {
    let done = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let mut running = Vec::new();
    for task in 0..tasks {
        let (database, done) = (database.clone(), Arc::clone(&done));
        running.push(tokio::spawn(async move {
            while started.elapsed() < time {
                // A connection per operation, as a component's request has.
                let mut connection = database.connect();
                match work {
                    Work::Insert => {
                        connection.execute(INSERT, row(task)).await?;
                    }
                    Work::CreateInsertCount => {
                        connection.execute(CREATE, vec![]).await?;
                        connection.execute(INSERT, row(task)).await?;
                        let device = Value::Text(format!("none-{task}"));
                        connection.execute(COUNT, vec![device]).await?;
                    }
                    Work::Transaction => {
                        connection.execute("BEGIN", vec![]).await?;
                        connection.execute(INSERT, row(task)).await?;
                        connection.execute(INSERT, row(task)).await?;
                        connection.execute("COMMIT", vec![]).await?;
                    }
                    Work::Select => {
                        let device = Value::Text(format!("none-{task}"));
                        connection.execute(COUNT, vec![device]).await?;
                    }
                }
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, auscult_host_storage::sqlite::Error>(())
        }));
    }
    for task in running {
        task.await??;
    }
    Ok(done.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64())
}

/// The same inserts through one sqlx pool, one commit and one sync each.
async fn plain(path: &Path, connections: usize, time: Duration) -> Outcome<f64> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(30));
    // One connection: several would only wait for each other's lock.
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    sqlx::query(CREATE).execute(&pool).await?;
    sqlx::query(INDEX).execute(&pool).await?;
    let done = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let mut running = Vec::new();
    for task in 0..connections {
        let (pool, done) = (pool.clone(), Arc::clone(&done));
        running.push(tokio::spawn(async move {
            while started.elapsed() < time {
                let insert = sqlx::query(INSERT).bind(format!("device-{task}")).bind(36.6);
                insert.execute(&pool).await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, sqlx::Error>(())
        }));
    }
    for task in running {
        task.await??;
    }
    Ok(done.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64())
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let seconds = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(3.0);
    let time = Duration::from_secs_f64(seconds);
    let folder = tempfile::tempdir_in(folder)?;
    for tasks in [1, 16, 64] {
        let path = folder.path().join(format!("plain-{tasks}.db"));
        let raw = plain(&path, tasks, time).await?;
        println!("{tasks:>3} tasks  sqlx, one commit per insert {raw:>9.0}/s");
        for work in [Work::Insert, Work::CreateInsertCount, Work::Transaction, Work::Select] {
            let path = folder.path().join(format!("{work:?}-{tasks}.db"));
            let database = Database::open(&path, Options::default()).await?;
            database.connect().execute(CREATE, vec![]).await?;
            database.connect().execute(INDEX, vec![]).await?;
            let before = database.stats();
            let rate = measure(&database, work, tasks, time).await?;
            let after = database.stats();
            let syncs = after.syncs - before.syncs;
            let commits = after.commits - before.commits;
            let shared = commits as f64 / (syncs.max(1)) as f64;
            let log = std::fs::metadata(path.with_extension("db-wal")).map_or(0, |it| it.len());
            println!(
                "{tasks:>3} tasks  {:<28} {rate:>9.0}/s  ({:.1}x plain; {shared:.1} commits per sync; log {} MiB)",
                format!("{work:?}"),
                rate / raw,
                log >> 20,
            );
            database.close().await?;
        }
    }
    Ok(())
}
