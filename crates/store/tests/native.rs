//! The schema on a real file.
#![cfg(feature = "native")]

use auscult_store::native::NativeSqlite;
use auscult_store::{Database, StoreError, schema, transaction};

#[test]
fn laying_out_twice_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let db = NativeSqlite::with_schema(&dir.path().join("a.db")).unwrap();
    let tables = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'index') ORDER BY name";
    let before = db.query(tables, &[]).unwrap();
    schema::lay_out(&db).unwrap();
    assert_eq!(db.query(tables, &[]).unwrap(), before);
    assert!(before.iter().any(|it| it.text("name").unwrap() == "inbox"));
}

#[test]
fn a_failed_transaction_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let db = NativeSqlite::with_schema(&dir.path().join("a.db")).unwrap();
    let outcome: Result<(), StoreError> = transaction(&db, |db| {
        db.query("INSERT INTO relay (lane, lease_until_ms) VALUES (1, 2)", &[])?;
        Err(StoreError::Busy)
    });
    assert_eq!(outcome, Err(StoreError::Busy));
    assert!(db.query("SELECT * FROM relay", &[]).unwrap().is_empty());
}

#[test]
fn a_missing_table_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let db = NativeSqlite::open(&dir.path().join("a.db")).unwrap();
    assert_eq!(db.query("SELECT * FROM inbox", &[]), Err(StoreError::NoSchema));
}
