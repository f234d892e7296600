//! Group commit: what shares a sync stays apart in every other way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use std::{path::Path, sync::Arc};

use auscult_host_storage::sqlite::{Database, Error, Options, Value};
use sqlx::Connection as _;
use tokio::sync::Barrier;

const PATH: &str = "x.db";

async fn open(folder: &Path) -> Database {
    let database = Database::open(&folder.join(PATH), Options::default()).await.unwrap();
    let table = "CREATE TABLE t (id INTEGER PRIMARY KEY, task, n, UNIQUE (task, n))";
    database.connect().execute(table, vec![]).await.unwrap();
    database
}

async fn integer(database: &Database, sql: &str) -> i64 {
    match database.connect().execute(sql, vec![]).await.unwrap().rows.concat().as_slice() {
        [Value::Integer(value)] => *value,
        other => panic!("{sql}: {other:?}"),
    }
}

fn two(task: i64, n: i64) -> Vec<Value> {
    vec![Value::Integer(task), Value::Integer(n)]
}

const INSERT: &str = "INSERT INTO t (task, n) VALUES (?, ?)";

/// 64 tasks write at once, with failures among them; each write is looked for from outside
/// through SQLite alone as soon as it is answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_come_after_the_commit_and_failures_stay_alone() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path()).await;
    let url = format!("sqlite://{}", folder.path().join(PATH).display());
    let outside = sqlx::sqlite::SqlitePoolOptions::new().max_connections(4);
    let outside = outside.connect(&url).await.unwrap();
    let before = database.stats();
    let mut tasks = Vec::new();
    for task in 0..64_i64 {
        let (mut c, outside) = (database.connect(), outside.clone());
        tasks.push(tokio::spawn(async move {
            for n in 0..20 {
                let done = c.execute(INSERT, two(task, n)).await.unwrap();
                assert_eq!(done.changes, 1);
                let seen: i64 = sqlx::query_scalar(
                    "SELECT count(*) FROM t WHERE id = ? AND task = ? AND n = ?",
                )
                .bind(done.last_insert_rowid)
                .bind(task)
                .bind(n)
                .fetch_one(&outside)
                .await
                .unwrap();
                assert_eq!(seen, 1, "answered before it was committed");
                let error = c.execute(INSERT, two(task, n)).await.unwrap_err();
                assert!(error.to_string().contains("UNIQUE"), "{error}");
                let mine = c
                    .execute("SELECT count(*) FROM t WHERE task = ?", vec![Value::Integer(task)])
                    .await
                    .unwrap();
                assert_eq!(mine.rows.concat(), [Value::Integer(n + 1)]);
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let after = database.stats();
    let (commits, syncs) = (after.commits - before.commits, after.syncs - before.syncs);
    assert_eq!(commits, 64 * 20);
    assert!(syncs <= commits, "{syncs} syncs for {commits} commits");
    assert_eq!(integer(&database, "SELECT count(*) FROM t").await, 64 * 20);
}

/// Holds the writer, lets `n` writes queue up behind it and counts the syncs they take.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_that_wait_together_share_one_sync() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path()).await;
    let mut holder = database.connect();
    holder.execute("BEGIN IMMEDIATE", vec![]).await.unwrap();
    let barrier = Arc::new(Barrier::new(41));
    let mut tasks = Vec::new();
    for task in 0..40 {
        let (mut c, barrier) = (database.connect(), Arc::clone(&barrier));
        tasks.push(tokio::spawn(async move {
            barrier.wait().await;
            if task % 4 == 0 {
                c.execute("BEGIN", vec![]).await.unwrap();
                c.execute(INSERT, two(task, 0)).await.unwrap();
                c.execute(INSERT, two(task, 1)).await.unwrap();
                c.execute("COMMIT", vec![]).await.unwrap();
            } else {
                c.execute(INSERT, two(task, 0)).await.unwrap();
            }
        }));
    }
    barrier.wait().await;
    // All have asked once those that asked first were given time to: until nothing more arrives.
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    let before = database.stats();
    holder.execute("ROLLBACK", vec![]).await.unwrap();
    for task in tasks {
        task.await.unwrap();
    }
    let after = database.stats();
    assert_eq!(after.commits - before.commits, 40);
    assert!(after.syncs - before.syncs < 40, "{after:?}");
    assert_eq!(integer(&database, "SELECT count(*) FROM t").await, 50);
}

/// `OR ROLLBACK`, `RAISE(ROLLBACK)` and statements that are interrupted undo a whole SQLite
/// transaction; here that may never be anybody else's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rollback_as_conflict_clause_harms_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path()).await;
    database.connect().execute(INSERT, two(-1, 0)).await.unwrap();
    let mut tasks = Vec::new();
    for task in 0..48_i64 {
        let mut c = database.connect();
        tasks.push(tokio::spawn(async move {
            let mut stored = 0;
            for n in 0..10 {
                match task % 3 {
                    0 => {
                        c.execute(INSERT, two(task, n)).await.unwrap();
                        stored += 1;
                    }
                    1 => {
                        let sql = "INSERT OR ROLLBACK INTO t (task, n) VALUES (?, ?)";
                        let error = c.execute(sql, two(-1, 0)).await.unwrap_err();
                        assert!(error.to_string().contains("UNIQUE"), "{error}");
                    }
                    _ => {
                        // In a transaction: it ends there, as in SQLite.
                        c.execute("BEGIN", vec![]).await.unwrap();
                        match c.execute(INSERT, two(task, n)).await {
                            Ok(_) => {}
                            Err(error) => panic!("{error}"),
                        }
                        if n % 2 == 0 {
                            let sql = "INSERT OR ROLLBACK INTO t (task, n) VALUES (-1, 0)";
                            let error = c.execute(sql, vec![]).await.unwrap_err();
                            assert!(error.to_string().contains("UNIQUE"), "{error}");
                            assert!(!c.in_transaction());
                        } else {
                            match c.execute("COMMIT", vec![]).await {
                                Ok(_) => stored += 1,
                                Err(Error::RolledBack(_)) => {}
                                Err(error) => panic!("{error}"),
                            }
                        }
                    }
                }
            }
            stored
        }));
    }
    let mut stored = 1;
    for task in tasks {
        stored += task.await.unwrap();
    }
    assert_eq!(integer(&database, "SELECT count(*) FROM t").await, stored);
    assert_eq!(
        integer(&database, "SELECT count(*) FROM t WHERE task % 3 = 0 AND task >= 0").await,
        160
    );
}

/// The clause may also stand in the table, where no statement shows it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rollback_in_the_schema_harms_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(PATH);
    // Made by somebody else while we are open: we have not seen it.
    let database = open(folder.path()).await;
    let url = format!("sqlite://{}", path.display());
    let mut other = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let table = "CREATE TABLE strict (a UNIQUE ON CONFLICT ROLLBACK)";
    sqlx::query(table).execute(&mut other).await.unwrap();
    database.connect().execute("INSERT INTO strict VALUES (-1)", vec![]).await.unwrap();
    let mut tasks = Vec::new();
    for task in 0..48_i64 {
        let mut c = database.connect();
        tasks.push(tokio::spawn(async move {
            for n in 0..10 {
                if task % 8 == 0 {
                    let value = vec![Value::Integer(-1)];
                    c.execute("INSERT INTO strict VALUES (?)", value).await.unwrap_err();
                } else {
                    c.execute(INSERT, two(task, n)).await.unwrap();
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(integer(&database, "SELECT count(*) FROM t").await, 420);
    assert_eq!(integer(&database, "SELECT count(*) FROM strict").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_writers_and_transactions_never_see_a_locked_database() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path()).await;
    let mut tasks = Vec::new();
    for task in 0..64_i64 {
        let database = database.clone();
        tasks.push(tokio::spawn(async move {
            for n in 0..8 {
                let mut c = database.connect();
                c.execute("CREATE TABLE IF NOT EXISTS sums (n)", vec![]).await.unwrap();
                c.execute("BEGIN", vec![]).await.unwrap();
                c.execute(INSERT, two(task, n)).await.unwrap();
                c.execute("INSERT INTO sums SELECT count(*) FROM t", vec![]).await.unwrap();
                c.execute("COMMIT", vec![]).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    // Transactions were serial: each counted exactly the rows before it.
    assert_eq!(integer(&database, "SELECT sum(n) FROM sums").await, 512 * 513 / 2);
    assert_eq!(integer(&database, "SELECT count(DISTINCT n) FROM sums").await, 512);
}
