//! What outlives a restart, and what must not be trusted after one.

use crate::app::{App, stop};
use crate::client::{get, get_text, send};
use std::path::PathBuf;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stored_values_outlive_a_restart() {
    let app = App::new();
    let server = app.start().await;
    let at = server.local_addr();
    assert_eq!(send(at, "PUT", "/key-value/a", "1", &[]).await.unwrap().status, 204);
    assert_eq!(get_text(at, "/sqlite").await, "1");
    stop(server).await;
    let server = app.start().await;
    assert_eq!(get_text(server.local_addr(), "/key-value/a").await, "1");
    assert_eq!(get_text(server.local_addr(), "/sqlite").await, "2");
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn code_that_was_tampered_with_is_compiled_anew() {
    let app = App::bare(&[]);
    stop(app.start().await).await;
    let files = cached(&app);
    assert_eq!(files.len(), 2, "one for each served component");
    let before: Vec<Vec<u8>> = files.iter().map(|path| std::fs::read(path).unwrap()).collect();
    for (path, bytes) in files.iter().zip(&before) {
        let mut changed = bytes.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        std::fs::write(path, changed).unwrap();
    }
    let server = app.start().await;
    assert_eq!(get_text(server.local_addr(), "/chain").await, "from the back");
    stop(server).await;
    for (path, bytes) in files.iter().zip(&before) {
        let now = std::fs::read(path).unwrap();
        assert!(now.len() == bytes.len(), "{} was not written again", path.display());
    }
    // A file of another name, however well sealed, is not taken either.
    std::fs::copy(&files[0], &files[1]).unwrap();
    let server = app.start().await;
    assert_eq!(get_text(server.local_addr(), "/chain").await, "from the back");
    stop(server).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_host_can_read_its_key() {
    use std::os::unix::fs::PermissionsExt;
    let app = App::bare(&[]);
    stop(app.start().await).await;
    let mode = |name: &str| app.data().join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("host.key"), mode("cache")), (0o600, 0o700));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_fires_at_its_interval() {
    let app = App::new();
    let server = app.start().await;
    let ticks = ticks_reach(server.local_addr(), 2).await;
    assert!(ticks >= 2);
    stop(server).await;
    let written = std::fs::read_to_string(app.data().join("timers.json")).unwrap();
    assert!(written.contains("back /tick"), "{written}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_overdue_at_the_start_fires_at_once() {
    let app = App::changed(&[("every_ms = 300", "every_ms = 3600000")]);
    let server = app.start().await;
    stop(server).await;
    let two_hours_ago = r#"{ "back /tick": 1000 }"#;
    std::fs::write(app.data().join("timers.json"), two_hours_ago).unwrap();
    let server = app.start().await;
    assert_eq!(ticks_reach(server.local_addr(), 1).await, 1);
    stop(server).await;
    // It has fired: the next start finds it not due for an hour.
    let server = app.start().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(get_text(server.local_addr(), "/key-value/ticks").await, "1");
    stop(server).await;
}

/// Waits until the timer has been counted often enough.
async fn ticks_reach(server: std::net::SocketAddr, wanted: u64) -> u64 {
    for _ in 0..200 {
        let reply = get(server, "/key-value/ticks").await;
        match reply.text.parse() {
            Ok(ticks) if reply.status == 200 && ticks >= wanted => return ticks,
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    panic!("the timer did not fire {wanted} times");
}

fn cached(app: &App) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(app.data().join("cache")).unwrap();
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
