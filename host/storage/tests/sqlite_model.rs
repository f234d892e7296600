//! Random interleavings of autocommit statements and transactions, against a map.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use std::collections::BTreeMap;

use auscult_host_storage::sqlite::{Connection, Database, Error, Options, Value};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Act {
    Insert(u8),
    Delete(u8),
    Begin,
    Commit,
    Rollback,
    Savepoint,
    RollbackTo,
    Release,
    Drop,
    Reread,
}

const CONNECTIONS: usize = 3;

fn acts() -> impl Strategy<Value = Vec<(usize, Act)>> {
    let act = prop_oneof![
        4 => (0_u8..6).prop_map(Act::Insert),
        2 => (0_u8..6).prop_map(Act::Delete),
        3 => Just(Act::Begin),
        2 => Just(Act::Commit),
        1 => Just(Act::Rollback),
        1 => Just(Act::Savepoint),
        1 => Just(Act::RollbackTo),
        1 => Just(Act::Release),
        1 => Just(Act::Drop),
        2 => Just(Act::Reread),
    ];
    prop::collection::vec((0..CONNECTIONS, act), 1..40)
}

type Table = BTreeMap<i64, i64>;

/// What the model knows of the one transaction that may be open.
struct Open {
    by: usize,
    table: Table,
    savepoints: Vec<Table>,
    by_savepoint: bool,
}

async fn all(c: &mut Connection) -> Table {
    let found = c.execute("SELECT k, v FROM t", vec![]).await.unwrap();
    let pair = |row: &Vec<Value>| match row.as_slice() {
        [Value::Integer(key), Value::Integer(value)] => (*key, *value),
        other => panic!("{other:?}"),
    };
    found.rows.iter().map(pair).collect()
}

/// Runs the acts one after the other; an act that would have to wait for another connection's
/// transaction is left out.
async fn check(acts: Vec<(usize, Act)>) {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("x.db"), Options::default()).await.unwrap();
    let mut first = database.connect();
    first.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v)", vec![]).await.unwrap();
    let mut connections: Vec<Connection> = (0..CONNECTIONS).map(|_| database.connect()).collect();
    let (mut table, mut open, mut tick) = (Table::new(), None::<Open>, 0);
    for (by, act) in acts {
        tick += 1;
        let mine = open.as_ref().is_some_and(|open| open.by == by);
        let blocked = open.is_some() && !mine;
        let c = &mut connections[by];
        if blocked && !matches!(act, Act::Reread | Act::Drop) {
            continue;
        }
        let sql = match act {
            Act::Insert(_) => "INSERT INTO t VALUES (?, ?)",
            Act::Delete(_) => "DELETE FROM t WHERE k = ?",
            Act::Begin => "BEGIN IMMEDIATE",
            Act::Commit => "COMMIT",
            Act::Rollback => "ROLLBACK",
            Act::Savepoint => "SAVEPOINT s",
            Act::RollbackTo => "ROLLBACK TO s",
            Act::Release => "RELEASE s",
            Act::Drop => {
                *c = database.connect();
                if mine {
                    open = None;
                }
                // The writer hears of the drop by itself; the next write waits for it.
                continue;
            }
            Act::Reread => {
                let want = if mine { &open.as_ref().unwrap().table } else { &table };
                assert_eq!(all(c).await, *want);
                continue;
            }
        };
        let params = match act {
            Act::Insert(key) => vec![Value::Integer(key.into()), Value::Integer(tick)],
            Act::Delete(key) => vec![Value::Integer(key.into())],
            _ => vec![],
        };
        let result = c.execute(sql, params).await;
        let now = open.as_mut().map_or(&mut table, |open| &mut open.table);
        let fails = match act {
            Act::Insert(key) if now.contains_key(&key.into()) => true,
            Act::Insert(key) => {
                now.insert(key.into(), tick);
                false
            }
            Act::Delete(key) => {
                now.remove(&key.into());
                false
            }
            Act::Begin if mine => true,
            Act::Begin => {
                let table = table.clone();
                open = Some(Open { by, table, savepoints: vec![], by_savepoint: false });
                false
            }
            Act::Commit => open.take().map(|open| table = open.table).is_none(),
            Act::Rollback => open.take().is_none(),
            Act::Savepoint => {
                let start = table.clone();
                let open = open.get_or_insert_with(|| Open {
                    by,
                    table: start,
                    savepoints: vec![],
                    by_savepoint: true,
                });
                open.savepoints.push(open.table.clone());
                false
            }
            Act::RollbackTo => match &mut open {
                Some(open) if !open.savepoints.is_empty() => {
                    open.table = open.savepoints.last().unwrap().clone();
                    false
                }
                _ => true,
            },
            Act::Release => match &mut open {
                Some(now) if !now.savepoints.is_empty() => {
                    now.savepoints.pop();
                    if now.savepoints.is_empty() && now.by_savepoint {
                        table = open.take().unwrap().table;
                    }
                    false
                }
                _ => true,
            },
            Act::Drop | Act::Reread => false,
        };
        match result {
            Ok(_) => assert!(!fails, "{act:?} should have failed"),
            Err(Error::Sqlite { .. }) => assert!(fails, "{act:?}"),
            Err(error) => panic!("{act:?}: {error}"),
        }
    }
    drop(connections);
    // A write goes through, whatever was left open.
    first.execute("DELETE FROM t WHERE k = 1000", vec![]).await.unwrap();
    assert_eq!(all(&mut first).await, table);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_interleaving_matches_the_model(acts in acts()) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
            .block_on(check(acts));
    }
}
