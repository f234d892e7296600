//! The normalization component: messages to observations, filing them again, mapping sets.
#![allow(unsafe_code, reason = "the export that #[http_component] generates")]

mod mappings;
mod sink;

use auscult_model::Problem;
use auscult_model::events::{ASSIGNMENT_CHANGED, MESSAGE_RECEIVED, MessageReceived};
use auscult_normalization::{events, refile, store};
use auscult_shell::http::{method_not_allowed, not_found, unavailable};
use auscult_shell::{Call, Reply, SpinSqlite, events as cloud, now, operator};
use cloudevents::AttributesReader as _;
use spin_sdk::http::{IncomingRequest, ResponseOutparam};
use spin_sdk::http_component;

/// Largest event: 1,000 messages with room for the envelope.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Rounds of filing again in one call; the next tick goes on.
const ROUNDS_MAX: usize = 20;

#[http_component]
async fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
    let answer = match Call::read(request, BODY_BYTES_MAX).await {
        Ok(call) => answer(&call).await,
        Err(problem) => Err(problem),
    };
    answer.unwrap_or_else(Reply::from).send(response_out).await;
}

async fn answer(call: &Call) -> Result<Reply, Problem> {
    let db = SpinSqlite::open().map_err(|it| unavailable(&it))?;
    let segments = call.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (call.method.as_str(), path.as_slice()) {
        ("POST", ["events"]) => event(&db, call).await,
        ("POST", ["internal", "tick"]) => {
            file_again(&db, call.header("traceparent")).await?;
            Ok(Reply::empty(204))
        }
        (_, ["mappings", rest @ ..]) => {
            let operator = operator(call)?;
            mappings::answer(&db, call, rest, &operator, now())
        }
        (_, ["events" | "internal", ..]) => Err(method_not_allowed()),
        _ => Err(not_found()),
    }
}

async fn event(db: &SpinSqlite, call: &Call) -> Result<Reply, Problem> {
    let event = cloud::received(call)?;
    let traceparent = call.header("traceparent");
    match event.ty() {
        MESSAGE_RECEIVED => {
            let MessageReceived { messages } = cloud::data(&event)?;
            let mappings = store::mapping_sets(db, &messages).map_err(|it| unavailable(&it))?;
            let recorded = store::normalize(db, &messages, &mappings, now());
            let recorded = recorded.map_err(|it| unavailable(&it))?;
            sink::post(events(recorded), traceparent).await?;
        }
        ASSIGNMENT_CHANGED => file_again(db, traceparent).await?,
        other => {
            return Err(Problem::new(400, "event-type", "This stage does not take that event")
                .detail(other.to_owned()));
        }
    }
    Ok(Reply::empty(204))
}

async fn file_again(db: &SpinSqlite, traceparent: Option<&str>) -> Result<(), Problem> {
    for _ in 0..ROUNDS_MAX {
        let round = refile::round(db, now()).map_err(|it| unavailable(&it))?;
        if !round.told.is_empty() {
            sink::post(events(round.recorded), traceparent).await?;
            refile::told(db, &round.told).map_err(|it| unavailable(&it))?;
        }
        if !round.more {
            break;
        }
    }
    Ok(())
}
