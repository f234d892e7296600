//! A guest that misbehaves is ended; the host and its other guests go on.

use crate::app::{App, stop};
use crate::client::{get, get_text};
use auscult_host::Server;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_that_misbehaves_is_ended_and_the_host_goes_on() {
    let app = App::new();
    let server = app.start().await;
    let at = server.local_addr();
    let begun = Instant::now();
    assert_eq!(get(at, "/loop").await.status, 504);
    assert!(begun.elapsed() >= Duration::from_millis(400), "ended after {:?}", begun.elapsed());
    assert_eq!(get(at, "/memory").await.status, 500);
    assert_eq!(get(at, "/trap").await.status, 500);
    assert_eq!(get_text(at, "/text").await, "hello");
    let metrics = get_text(at, "/metrics").await;
    for kind in ["deadline", "memory", "trap"] {
        let line = format!("auscult_host_traps_total{{component=\"front\",kind=\"{kind}\"}} 1");
        assert!(metrics.contains(&line), "{kind}: {metrics}");
    }
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_does_not_count_as_computing() {
    let app = App::new(); // Its front may compute for 500 ms.
    let server = app.start().await;
    let at = server.local_addr();
    assert_eq!(get_text(at, "/wait/900").await, "waited");
    assert_eq!(get(at, "/compute/5000").await.status, 504);
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_may_not_wait_for_ever() {
    let app = App::new();
    let mut options = app.options();
    options.limits.request_time_max = Duration::from_millis(200);
    let server = Server::start(options).await.unwrap();
    assert_eq!(get(server.local_addr(), "/wait/60000").await.status, 504);
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_request_too_many_is_told_to_come_back() {
    let app = App::new();
    let mut options = app.options();
    options.limits.in_flight_max = 1;
    let server = Server::start(options).await.unwrap();
    let at = server.local_addr();
    let waiting = tokio::spawn(async move { get_text(at, "/wait/800").await });
    while server.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    let reply = get(at, "/text").await;
    assert_eq!(reply.status, 503);
    assert_eq!(reply.headers["retry-after"], "1");
    assert_eq!(get_text(at, "/healthz").await, "OK");
    assert_eq!(waiting.await.unwrap(), "waited");
    assert_eq!(get_text(at, "/chain").await, "from the back", "a chained call takes no place");
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn components_that_call_each_other_in_a_circle_are_stopped() {
    let app = App::new();
    let server = app.start().await;
    let at = server.local_addr();
    assert_eq!(get(at, "/cycle").await.status, 508);
    assert_eq!(get_text(at, "/text").await, "hello");
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_without_a_free_instance_is_refused_and_never_waits_for_itself() {
    let app = App::new();
    let mut options = app.options();
    options.limits.instances_max = 4;
    let server = Server::start(options).await.unwrap();
    let at = server.local_addr();
    assert_eq!(get(at, "/cycle").await.status, 503);
    assert_eq!(get_text(at, "/chain").await, "from the back");
    stop(server).await;
}
