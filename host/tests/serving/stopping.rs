//! Stopping loses nothing that is in flight.

use crate::app::{App, stop};
use crate::client::{get, get_text};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_flight_is_finished() {
    let app = App::new();
    let server = app.start().await;
    let at = server.local_addr();
    let waiting = tokio::spawn(async move { get_text(at, "/wait/500").await });
    while server.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    stop(server).await;
    assert!(tokio::net::TcpStream::connect(at).await.is_err());
    assert_eq!(waiting.await.unwrap(), "waited");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_after_the_answer_is_finished_too() {
    let app = App::new();
    let server = app.start().await;
    let begun = Instant::now();
    let reply = get(server.local_addr(), "/first-answer-then-work").await;
    assert_eq!((reply.status, reply.text.as_str()), (202, "accepted"));
    assert!(begun.elapsed() < Duration::from_millis(400), "the client had to wait");
    stop(server).await;
    let server = app.start().await;
    assert_eq!(get_text(server.local_addr(), "/key-value/later").await, "done");
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_time_is_up_what_is_left_is_told() {
    let app = App::new();
    let server = app.start().await;
    let at = server.local_addr();
    tokio::spawn(async move { get(at, "/wait/30000").await });
    while server.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    let cut = server.shutdown(Duration::from_millis(100)).await.unwrap_err();
    assert_eq!(cut.instances, 1);
}
