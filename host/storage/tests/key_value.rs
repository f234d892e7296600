//! Key-value stores keep what they were given, apart from each other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use auscult_host_storage::key_value::{Error, KEY_BYTES_MAX, Store, VALUE_BYTES_MAX};

#[tokio::test]
async fn stores_of_one_file_are_apart_and_survive_closing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kv.db");
    let store = Store::open(&path).await.unwrap();
    let other = store.named("other");
    store.set("b", b"1").await.unwrap();
    store.set("a", b"").await.unwrap();
    store.set("b", b"\0\xff").await.unwrap();
    other.set("b", b"x").await.unwrap();
    assert_eq!(store.keys().await.unwrap(), ["a", "b"]);
    other.delete("b").await.unwrap();
    other.delete("b").await.unwrap();
    assert_eq!((other.get("b").await.unwrap(), other.exists("b").await.unwrap()), (None, false));
    store.close().await.unwrap();
    let store = Store::open(&path).await.unwrap();
    assert_eq!(store.get("b").await.unwrap(), Some(vec![0, 255]));
    assert_eq!(store.get("a").await.unwrap(), Some(vec![]));
    assert!(store.exists("a").await.unwrap());
}

#[tokio::test]
async fn long_keys_and_values_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("kv.db")).await.unwrap();
    let key = "k".repeat(KEY_BYTES_MAX);
    store.set(&key, &vec![7; VALUE_BYTES_MAX]).await.unwrap();
    assert_eq!(store.set(&format!("{key}k"), b"").await, Err(Error::KeyTooLong));
    assert_eq!(store.set("k", &vec![7; VALUE_BYTES_MAX + 1]).await, Err(Error::ValueTooLong));
}
