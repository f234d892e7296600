//! SQLite as guests see it: transactions, errors, what is allowed, what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use std::{path::Path, time::Duration};

use auscult_host_storage::sqlite::{Connection, Database, Error, Options, QueryResult, Value};

async fn open(folder: &Path) -> Database {
    open_with(folder, Options::default()).await
}

async fn open_with(folder: &Path, options: Options) -> Database {
    let database = Database::open(&folder.join("a folder").join("x.db"), options).await.unwrap();
    run(&mut database.connect(), "CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE)").await;
    database
}

async fn run(connection: &mut Connection, sql: &str) -> QueryResult {
    connection.execute(sql, vec![]).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

async fn fail(connection: &mut Connection, sql: &str) -> String {
    match connection.execute(sql, vec![]).await {
        Ok(found) => panic!("{sql}: {found:?}"),
        Err(error) => error.to_string(),
    }
}

async fn integers(connection: &mut Connection, sql: &str) -> Vec<i64> {
    let found = run(connection, sql).await;
    let integer = |row: &Vec<Value>| match row.first() {
        Some(Value::Integer(value)) => *value,
        other => panic!("{sql}: {other:?}"),
    };
    found.rows.iter().map(integer).collect()
}

const ALL: &str = "SELECT a FROM t ORDER BY a";

#[tokio::test]
async fn values_keep_their_storage_class_and_empty_results_their_columns() {
    let folder = tempfile::tempdir().unwrap();
    let mut c = open(folder.path()).await.connect();
    let values = vec![
        Value::Integer(i64::MIN),
        Value::Real(0.1),
        Value::Text("ü\0'".into()),
        Value::Blob(vec![0, 255]),
        Value::Null,
        Value::Text(String::new()),
        Value::Blob(vec![]),
    ];
    let found = c.execute("SELECT ?, ?2, :c, @d, $e, ?, ? AS z", values.clone()).await.unwrap();
    assert_eq!(found.rows, [values]);
    let found = run(&mut c, "SELECT id, a AS \"A b\" FROM t").await;
    assert_eq!((found.columns, found.rows.len()), (vec!["id".to_owned(), "A b".to_owned()], 0));
    let error = c.execute("SELECT ?, ?", vec![Value::Null]).await.unwrap_err();
    assert_eq!(error, Error::Parameters { got: 1, needed: 2 });
    assert_eq!(fail(&mut c, "SELEC 1").await, "near \"SELEC\": syntax error");
    assert_eq!(fail(&mut c, "SELECT * FROM absent").await, "no such table: absent");
    assert!(fail(&mut c, "SELECT 1; DELETE FROM t").await.contains("only one SQL statement"));
}

#[tokio::test]
async fn changes_and_row_ids_are_the_connections_own() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path()).await;
    let (mut one, mut two) = (database.connect(), database.connect());
    assert_eq!(run(&mut one, "INSERT INTO t VALUES (7, 1)").await.last_insert_rowid, 7);
    run(&mut two, "INSERT INTO t VALUES (9, 2), (10, 3)").await;
    let found = run(&mut one, "SELECT last_insert_rowid(), changes() AS n").await;
    assert_eq!(found.columns, ["last_insert_rowid()", "n"]);
    assert_eq!(found.rows, [[Value::Integer(7), Value::Integer(1)]]);
    assert_eq!(integers(&mut two, "SELECT total_changes() + last_insert_rowid()").await, [12]);
    run(&mut one, "INSERT INTO t (a) VALUES (last_insert_rowid() * 100)").await;
    assert_eq!(integers(&mut one, ALL).await, [1, 2, 3, 700]);
    assert_eq!(run(&mut two, "UPDATE t SET a = a + 1000").await.changes, 4);
    assert_eq!(run(&mut two, "CREATE TABLE u (a)").await.changes, 0);
    assert_eq!((two.changes(), two.last_insert_rowid()), (4, 10));
    let found = run(&mut one, "DELETE FROM t WHERE id > 9 RETURNING id").await;
    assert_eq!((found.columns.len(), found.rows.len(), found.changes), (1, 2, 2));
    let found = run(&mut one, "DELETE FROM t WHERE id > 99 RETURNING id").await;
    assert_eq!((found.columns.len(), found.rows.len(), found.changes), (1, 0, 0));
}

#[tokio::test]
async fn a_transaction_is_unseen_until_its_commit_and_gone_after_rollback() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path()).await;
    let (mut one, mut two) = (database.connect(), database.connect());
    for begin in ["BEGIN", " -- now\n begin immediate transaction;", "BEGIN EXCLUSIVE"] {
        run(&mut one, begin).await;
        run(&mut one, "INSERT INTO t (a) VALUES (1)").await;
        assert_eq!(integers(&mut one, ALL).await, [1]);
        assert_eq!(integers(&mut two, ALL).await, []);
        run(&mut one, "ROLLBACK;").await;
        assert_eq!(integers(&mut one, ALL).await, []);
    }
    run(&mut one, "BEGIN").await;
    run(&mut one, "INSERT INTO t (a) VALUES (1)").await;
    assert!(fail(&mut one, "BEGIN").await.contains("within a transaction"));
    assert!(fail(&mut one, "INSERT INTO t (a) VALUES (2), (1)").await.contains("UNIQUE"));
    run(&mut one, "INSERT INTO t (a) VALUES (3)").await;
    run(&mut one, "END").await;
    assert_eq!(integers(&mut two, ALL).await, [1, 3]);
    assert!(fail(&mut one, "COMMIT").await.contains("no transaction is active"));
    assert!(fail(&mut one, "ROLLBACK").await.contains("no transaction is active"));
}

#[tokio::test]
async fn dropping_a_connection_rolls_back_and_frees_the_writer() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path()).await;
    let mut one = database.connect();
    run(&mut one, "BEGIN IMMEDIATE").await;
    run(&mut one, "INSERT INTO t (a) VALUES (1)").await;
    run(&mut one, "CREATE TABLE u (a)").await;
    let mut two = database.connect();
    let waiting = tokio::spawn(async move {
        run(&mut two, "INSERT INTO t (a) VALUES (2)").await;
        two
    });
    drop(one);
    let mut two = waiting.await.unwrap();
    assert_eq!(integers(&mut two, ALL).await, [2]);
    assert!(fail(&mut two, "SELECT * FROM u").await.contains("no such table"));
}

#[tokio::test]
async fn savepoints_nest_and_open_a_transaction_outside_one() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path()).await;
    let (mut one, mut two) = (database.connect(), database.connect());
    for (outer, end) in [("BEGIN", "COMMIT"), ("SAVEPOINT \"Outer\"", "RELEASE outer")] {
        run(&mut one, "DELETE FROM t").await;
        run(&mut one, outer).await;
        run(&mut one, "INSERT INTO t (a) VALUES (1)").await;
        run(&mut one, "SAVEPOINT x").await;
        run(&mut one, "INSERT INTO t (a) VALUES (2)").await;
        run(&mut one, "SAVEPOINT y").await;
        run(&mut one, "INSERT INTO t (a) VALUES (3)").await;
        run(&mut one, "ROLLBACK TO x").await;
        assert_eq!(fail(&mut one, "RELEASE y").await, "no such savepoint: y");
        run(&mut one, "INSERT INTO t (a) VALUES (4)").await;
        run(&mut one, "RELEASE SAVEPOINT x").await;
        assert!(one.in_transaction());
        assert_eq!(integers(&mut two, ALL).await, []);
        run(&mut one, end).await;
        assert_eq!(integers(&mut two, ALL).await, [1, 4]);
    }
    run(&mut one, "SAVEPOINT lonely").await;
    run(&mut one, "RELEASE lonely").await;
    assert!(!one.in_transaction());
    assert_eq!(fail(&mut one, "RELEASE lonely").await, "no such savepoint: lonely");
}

#[tokio::test]
async fn pragmas_answer_as_expected_and_weaken_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut c = open(folder.path()).await.connect();
    for (sql, want) in [
        ("PRAGMA journal_mode=WAL", vec![Value::Text("wal".into())]),
        ("PRAGMA busy_timeout = 700", vec![Value::Integer(700)]),
        ("PRAGMA busy_timeout", vec![Value::Integer(700)]),
        ("PRAGMA synchronous", vec![Value::Integer(2)]),
        ("PRAGMA foreign_keys", vec![Value::Integer(1)]),
        ("PRAGMA synchronous=FULL", vec![]),
        ("PRAGMA foreign_keys = ON", vec![]),
        ("PRAGMA cache_size=-2000", vec![]),
        ("PRAGMA user_version", vec![Value::Integer(0)]),
        ("PRAGMA user_version = 5", vec![]),
        ("PRAGMA main.user_version", vec![Value::Integer(5)]),
    ] {
        assert_eq!(run(&mut c, sql).await.rows.concat(), want, "{sql}");
    }
    assert_eq!(run(&mut c, "PRAGMA table_info(t)").await.rows.len(), 2);
    for sql in ["PRAGMA synchronous=OFF", "PRAGMA journal_mode=DELETE", "ATTACH 'y' AS y"] {
        assert!(fail(&mut c, sql).await.starts_with("not allowed"), "{sql}");
    }
    assert!(fail(&mut c, "SELECT load_extension('x')").await.contains("not authorized"));
    run(&mut c, "VACUUM").await;
}

#[tokio::test]
async fn the_schema_may_change_under_prepared_statements() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path()).await;
    let (mut one, mut two) = (database.connect(), database.connect());
    run(&mut one, "INSERT INTO t (a) VALUES (1)").await;
    for n in 2..6 {
        assert_eq!(run(&mut two, "SELECT * FROM t").await.columns.len(), n);
        let found = run(&mut two, "UPDATE t SET a = a RETURNING *").await;
        assert_eq!(found.rows.concat().len(), n);
        if n % 2 == 0 {
            run(&mut one, &format!("ALTER TABLE t ADD COLUMN c{n}")).await;
        } else {
            run(&mut one, "BEGIN").await;
            run(&mut one, &format!("ALTER TABLE t ADD COLUMN c{n}")).await;
            assert_eq!(run(&mut one, "SELECT * FROM t").await.columns.len(), n + 1);
            run(&mut one, "COMMIT").await;
        }
    }
}

#[tokio::test]
async fn too_large_a_result_is_an_error_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { result_bytes_max: 10_000, ..Options::default() };
    let mut c = open_with(folder.path(), options).await.connect();
    run(&mut c, "INSERT INTO t (a) VALUES (1)").await;
    let series = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000)";
    let read = format!("{series} SELECT i FROM n");
    let write = format!("{series} INSERT INTO t (a) SELECT i + 9 FROM n RETURNING a");
    for in_transaction in [false, true] {
        if in_transaction {
            run(&mut c, "BEGIN").await;
        }
        assert_eq!(fail(&mut c, &read).await, "query result exceeds limit of 10000 bytes");
        assert_eq!(fail(&mut c, &write).await, "query result exceeds limit of 10000 bytes");
        assert_eq!(integers(&mut c, ALL).await, [1]);
    }
}

#[tokio::test]
async fn what_runs_or_waits_too_long_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        statement_time_max: Duration::from_millis(50),
        transaction_idle_max: Duration::from_millis(50),
        ..Options::default()
    };
    let database = open_with(folder.path(), options).await;
    let (mut one, mut two) = (database.connect(), database.connect());
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";
    assert!(fail(&mut one, &format!("{endless} SELECT max(i) FROM n")).await.contains("too long"));
    let insert = format!("{endless} INSERT INTO t (a) SELECT i FROM n");
    assert!(fail(&mut one, &insert).await.contains("too long"));
    run(&mut one, "BEGIN").await;
    run(&mut one, "INSERT INTO t (a) VALUES (1)").await;
    // Waits behind the idle transaction, which the limit ends.
    run(&mut two, "INSERT INTO t (a) VALUES (2)").await;
    let error = one.execute("COMMIT", vec![]).await.unwrap_err();
    assert!(matches!(&error, Error::RolledBack(_)) && error.is_retriable(), "{error}");
    assert_eq!(integers(&mut one, ALL).await, [2]);
}

#[tokio::test]
async fn a_deferred_constraint_fails_its_own_commit_only() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path()).await;
    let mut c = database.connect();
    let child = "CREATE TABLE child (t REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)";
    run(&mut c, child).await;
    let mut tasks = Vec::new();
    for n in 0..20 {
        let mut c = database.connect();
        tasks.push(tokio::spawn(async move {
            let sql = if n % 2 == 0 {
                format!("INSERT INTO t (a) VALUES ({n})")
            } else {
                "INSERT INTO child VALUES (99)".to_owned()
            };
            (n, c.execute(&sql, vec![]).await)
        }));
    }
    for task in tasks {
        let (n, result) = task.await.unwrap();
        assert_eq!(result.is_ok(), n % 2 == 0, "{n} {result:?}");
    }
    run(&mut c, "BEGIN").await;
    run(&mut c, "INSERT INTO child VALUES (500)").await;
    assert!(fail(&mut c, "COMMIT").await.contains("FOREIGN KEY"));
    run(&mut c, "INSERT INTO t VALUES (500, 500)").await;
    run(&mut c, "COMMIT").await;
    assert_eq!(integers(&mut c, "SELECT count(*) FROM child").await, [1]);
}

#[tokio::test]
async fn closing_moves_the_log_into_the_file_and_ends_connections() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path()).await;
    let mut c = database.connect();
    run(&mut c, "INSERT INTO t (a) VALUES (1)").await;
    database.close().await.unwrap();
    database.close().await.unwrap();
    for sql in [ALL, "INSERT INTO t (a) VALUES (2)", "BEGIN IMMEDIATE"] {
        assert_eq!(c.execute(sql, vec![]).await, Err(Error::Closed), "{sql}");
    }
    let log = folder.path().join("a folder").join("x.db-wal");
    assert!(std::fs::metadata(&log).map_or(0, |it| it.len()) == 0);
    let path = folder.path().join("a folder").join("x.db");
    let again = Database::open(&path, Options::default()).await.unwrap();
    assert_eq!(integers(&mut again.connect(), ALL).await, [1]);
}

#[tokio::test]
async fn another_process_may_change_the_schema() {
    use sqlx::Connection as _;
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path()).await;
    let path = folder.path().join("a folder").join("x.db");
    let url = format!("sqlite://{}", path.display());
    let mut other = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let mut c = database.connect();
    run(&mut c, "INSERT INTO t (a) VALUES (1)").await;
    for n in 2..4 {
        assert_eq!(run(&mut c, "SELECT * FROM t").await.rows.concat().len(), n);
        let sql = "UPDATE t SET a = a RETURNING *";
        // The writer may lose its connection once, and says so.
        let found = match c.execute(sql, vec![]).await {
            Err(error) if error.is_retriable() => run(&mut c, sql).await,
            result => result.unwrap(),
        };
        assert_eq!(found.rows.concat().len(), n);
        let alter = format!("ALTER TABLE t ADD COLUMN c{n}");
        sqlx::query(sqlx::AssertSqlSafe(alter)).execute(&mut other).await.unwrap();
    }
}
