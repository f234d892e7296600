//! The ingest component: `/ingest`, device credentials, dead letters, and the relay.
#![allow(unsafe_code, reason = "the export that #[http_component] generates")]

mod admin;
mod relay;
mod take;

use auscult_ingest::read::BODY_BYTES_MAX;
use auscult_shell::http::{method_not_allowed, not_found, unavailable};
use auscult_shell::{Call, Reply, SpinSqlite, now};
use spin_sdk::http::{IncomingRequest, ResponseOutparam};
use spin_sdk::http_component;

#[http_component]
async fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
    let db = match SpinSqlite::open() {
        Ok(db) => db,
        Err(error) => return Reply::from(unavailable(&error)).send(response_out).await,
    };
    // Who is asking is known before the body is read.
    let head = Call::head(&request);
    let segments = head.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    let reply = match (head.method.as_str(), path.as_slice()) {
        ("POST", ["ingest"]) => match take::sender(&db, &head) {
            Ok(credential) => match Call::read(request, BODY_BYTES_MAX).await {
                Ok(call) => take::take(&db, &call, &credential, now()),
                Err(problem) => problem.into(),
            },
            Err(problem) => problem.into(),
        },
        ("POST", ["internal", "tick"]) => {
            relay::tick(&db, &head);
            Reply::empty(204)
        }
        (_, ["ingest" | "internal", ..]) => method_not_allowed().into(),
        (_, ["tick" | "devices" | "dead-letters", ..]) => match Call::read(request, 65_536).await {
            Ok(call) => admin::answer(&db, &call, &path, now()).unwrap_or_else(Reply::from),
            Err(problem) => problem.into(),
        },
        _ => not_found().into(),
    };
    let taken = reply.status < 300;
    reply.send(response_out).await;
    if taken && head.method == "POST" {
        relay::move_on(&db, head.header("traceparent")).await;
        if path.as_slice() == ["tick"] {
            relay::tick_stages().await;
        }
    }
}
