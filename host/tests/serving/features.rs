//! What a component may use, it can; what it may not, it cannot.

use crate::app::{App, stop};
use crate::client::{get, get_text, send};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_has_what_its_manifest_gives_it() {
    let app = App::new();
    let server = app.start().await;
    let at = server.local_addr();
    let table = [
        ("/text", "hello"),
        ("/exact", "hello"),
        ("/variable", "good morning"),
        ("/environment", "here"),
        ("/file", "a note written=false"),
        ("/chain", "from the back"),
        ("/self", "hello"),
        ("/dependency", "42"),
        ("/sqlite", "1"),
        ("/sqlite", "2"),
        ("/echo-missing", ""),
    ];
    for (path, expected) in table {
        if expected.is_empty() || path == "/exact" {
            assert_eq!(get(at, path).await.status, 404, "{path}");
        } else {
            assert_eq!(get_text(at, path).await, expected, "{path}");
        }
    }
    let body = "x".repeat(300_000);
    let reply = send(at, "POST", "/echo", body.clone(), &[]).await.unwrap();
    assert_eq!((reply.status, reply.text.len()), (200, body.len()));
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_has_nothing_its_manifest_does_not_give_it() {
    let app = App::new();
    let server = app.start().await;
    let at = server.local_addr();
    assert_eq!(get_text(at, "/undeclared").await, "Err(Error::Undefined(\"other\"))");
    assert_eq!(get_text(at, "/key-value-denied").await, "Error::AccessDenied");
    assert_eq!(get_text(at, "/sqlite-denied").await, "Error::AccessDenied");
    assert_eq!(get_text(at, "/denied").await, "Http(ErrorCode::HttpRequestDenied)");
    // A dependency may not use what its caller may.
    assert_eq!(get(at, "/steal").await.status, 500);
    let metrics = get_text(at, "/metrics").await;
    assert!(metrics.contains("auscult_host_outbound_denied_total{component=\"front\"} 1"));
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dependency_inherits_what_it_is_given() {
    let path = "spin_app_calc.wasm\" }";
    let inherit = "spin_app_calc.wasm\", inherit_configuration = [\"variables\"] }";
    let app = App::changed(&[(path, inherit)]);
    let server = app.start().await;
    assert_eq!(get_text(server.local_addr(), "/steal").await, "good morning");
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_allowed_host_is_reached_and_one_that_is_silent_is_given_up() {
    let other = App::new();
    let other_server = other.start().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    let port = other_server.local_addr().port();
    let allowed = format!("[\"http://127.0.0.1:{port}\", \"http://127.0.0.1:{silent_port}\"]");
    let app = App::changed(&[("[\"http://{{ back_host }}\", \"http://self\"]", &allowed)]);
    let mut options = app.options();
    options.limits.outbound_time_max = std::time::Duration::from_millis(300);
    let server = auscult_host::Server::start(options).await.unwrap();
    let at = server.local_addr();
    assert_eq!(get_text(at, &format!("/fetch/{port}")).await, "hello");
    let given_up = get(at, &format!("/fetch/{silent_port}")).await;
    assert_eq!((given_up.status, given_up.text.contains("Timeout")), (502, true), "{given_up:?}");
    assert!(get(at, "/fetch/9").await.text.contains("HttpRequestDenied"));
    stop(server).await;
    stop(other_server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaining_needs_permission_too() {
    let app = App::changed(&[("[\"http://{{ back_host }}\", \"http://self\"]", "[]")]);
    let server = app.start().await;
    let reply = get(server.local_addr(), "/chain").await;
    assert_eq!(reply.status, 500);
    assert!(reply.text.contains("HttpRequestDenied"), "{}", reply.text);
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_component_is_not_reached_from_outside() {
    let app = App::new();
    let server = app.start().await;
    let at = server.local_addr();
    // The path is the front's, which has none such; the back never sees it.
    let marks = [("x-auscult-timer", "1"), ("host", "back.spin.internal")];
    assert_eq!(send(at, "POST", "/tick", "", &marks).await.unwrap().status, 404);
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routing_is_told_and_cannot_be_forged() {
    let app = App::new();
    let server = app.start().await;
    let at = server.local_addr();
    let forged = [
        ("spin-path-info", "/forged"),
        ("spin-anything", "forged"),
        ("x-auscult-timer", "1"),
        ("x-own", "kept"),
    ];
    let reply = send(at, "GET", "/named/7?q=1", "", &forged).await.unwrap();
    let lines: Vec<&str> =
        reply.text.lines().filter(|line| !line.contains("client-addr")).collect();
    let expected = [
        "spin-base-path: /",
        "spin-component-route: /named/:id",
        "spin-full-url: http://test/named/7?q=1",
        "spin-matched-route: /named/:id",
        "spin-path-info: ",
        "spin-path-match-id: 7",
        "spin-raw-component-route: /named/:id",
        "x-own: kept",
    ];
    assert_eq!(lines, expected);
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_left_open_is_rolled_back() {
    let app = App::new();
    let server = app.start().await;
    let at = server.local_addr();
    assert_eq!(get_text(at, "/sqlite").await, "1");
    get_text(at, "/sqlite-left-open").await;
    assert_eq!(get_text(at, "/sqlite").await, "2");
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_answers_for_itself() {
    let app = App::new();
    let mut options = app.options();
    options.paths.health = None;
    let server = auscult_host::Server::start(options).await.unwrap();
    let at = server.local_addr();
    assert_eq!(get(at, "/healthz").await.status, 404, "turned off, the path is the application's");
    assert_eq!(get_text(at, "/readyz").await, "OK");
    assert_eq!(get_text(at, "/.well-known/spin/health").await, "OK");
    get(at, "/named/secret-id").await;
    let metrics = get_text(at, "/metrics").await;
    let line =
        "auscult_host_requests_total{component=\"front\",route=\"/named/{id}\",status=\"2xx\"} 1";
    assert!(metrics.contains(line), "{metrics}");
    assert!(!metrics.contains("secret-id"));
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_answer_arrives_whole_and_a_broken_one_is_seen_to_be_broken() {
    let app = App::new();
    let server = app.start().await;
    let at = server.local_addr();
    assert_eq!(get_text(at, "/large").await.len(), 16 << 20);
    assert!(send(at, "GET", "/stops-halfway", "", &[]).await.is_err());
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_before_the_body_was_read_is_seen_by_the_client() {
    let app = App::new();
    let server = app.start().await;
    let body = vec![b'x'; 8 << 20];
    let reply = send(server.local_addr(), "POST", "/refuses-unread", body, &[]).await.unwrap();
    assert_eq!((reply.status, reply.text.as_str()), (413, "too large"));
    stop(server).await;
}
