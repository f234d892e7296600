//! The notification component: assessments in, alerts and policies over HTTP, pages out.
#![allow(unsafe_code, reason = "the export that #[http_component] generates")]

mod alerts;
mod clock;
mod deliveries;
mod limit;
mod outbox;
mod policies;
mod silences;
mod tcp;

use auscult_model::Problem;
use auscult_model::events::ASSESSMENT_CHANGED;
use auscult_notification::store;
use auscult_shell::events;
use auscult_shell::http::{method_not_allowed, not_found, unavailable};
use auscult_shell::{Call, Reply, SpinSqlite, now, operator};
use serde::Deserialize;
use spin_sdk::http::{IncomingRequest, ResponseOutparam};
use spin_sdk::http_component;

/// Largest event taken, in bytes: 1,000 assessments with all their inputs are about 2 MB.
const EVENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Largest document or answer taken, in bytes: a policy with 500 receivers is about 200 kB.
const BODY_BYTES_MAX: usize = 1024 * 1024;

#[http_component]
async fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
    let db = match SpinSqlite::open() {
        Ok(db) => db,
        Err(error) => return Reply::from(unavailable(&error)).send(response_out).await,
    };
    // Assessments come many times a second; the clock and people come often enough for the heartbeat.
    let is_event = request.path_with_query().is_some_and(|it| it == "/events");
    let reply = answer(&db, request).await.unwrap_or_else(Reply::from);
    reply.send(response_out).await;
    // The caller has its answer; people get theirs now.
    if !is_event {
        clock::beat(&db);
    }
    outbox::work(&db).await;
    clock::publish(&db).await;
}

async fn answer(db: &SpinSqlite, request: IncomingRequest) -> Result<Reply, Problem> {
    let head = Call::head(&request);
    let segments = head.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (head.method.as_str(), path.as_slice()) {
        ("POST", ["events"]) => received(db, &Call::read(request, EVENT_BYTES_MAX).await?),
        ("POST", ["internal", "tick"]) => Ok(Reply::empty(204)),
        // Reached only from inside the application; the caller says who acts.
        ("POST", ["internal", "alerts", id, "silence"]) => {
            let call = Call::read(request, BODY_BYTES_MAX).await?;
            silences::of_alert(db, &call, id, "console")
        }
        ("POST", ["internal", "alerts", id, act]) => {
            alerts::answer(db, &Call::read(request, BODY_BYTES_MAX).await?, id, act, "console")
        }
        ("POST", ["alerts", id, "silence"]) => {
            let by = operator(&head)?.name;
            silences::of_alert(db, &Call::read(request, BODY_BYTES_MAX).await?, id, &by)
        }
        ("POST", ["alerts", id, act]) => {
            let by = operator(&head)?.name;
            alerts::answer(db, &Call::read(request, BODY_BYTES_MAX).await?, id, act, &by)
        }
        ("GET", ["alerts"]) => operator(&head).and_then(|_| alerts::list(db, &head)),
        ("GET", ["alerts", "held"]) => operator(&head).and_then(|_| alerts::held(db, &head)),
        ("GET", ["alerts", "heartbeat"]) => operator(&head).and_then(|_| alerts::heartbeat(db)),
        ("GET", ["silences"]) => operator(&head).and_then(|_| silences::list(db)),
        ("POST", ["silences"]) => {
            let by = operator(&head)?.name;
            silences::put(db, &Call::read(request, BODY_BYTES_MAX).await?, &by)
        }
        ("DELETE", ["silences", id]) => {
            operator(&head).and_then(|it| silences::end(db, id, &it.name))
        }
        ("GET", ["policies", "schema"]) => Ok(policies::schema()),
        ("GET", ["policies", "versions"]) => operator(&head).and_then(|_| policies::versions(db)),
        ("GET", ["policies", "versions", version]) => {
            operator(&head).and_then(|_| policies::version(db, version))
        }
        ("POST", ["policies", "rollback"]) => {
            let author = operator(&head)?.name;
            policies::rollback(db, &Call::read(request, BODY_BYTES_MAX).await?, &author)
        }
        ("GET", ["alerts", id]) => operator(&head).and_then(|_| alerts::one(db, id)),
        ("GET", ["deliveries"]) => operator(&head).and_then(|_| deliveries::list(db, &head)),
        ("GET", ["deliveries", id]) => operator(&head).and_then(|_| deliveries::one(db, id)),
        ("POST", ["deliveries", id, "replay"]) => {
            operator(&head).and_then(|_| deliveries::replay(db, id))
        }
        ("GET", ["policies"]) => operator(&head).and_then(|_| policies::get(db, &head)),
        ("PUT", ["policies"]) => {
            let author = operator(&head)?.name;
            policies::put(db, &Call::read(request, BODY_BYTES_MAX).await?, &author)
        }
        (
            _,
            ["events" | "alerts" | "policies" | "silences" | "deliveries"]
            | ["alerts" | "silences" | "policies" | "deliveries", _]
            | ["alerts" | "policies", _, _],
        ) => Err(method_not_allowed()),
        _ => Err(not_found()),
    }
}

/// What this stage reads of the data of an assessment event; inputs are skipped unparsed.
#[derive(Deserialize)]
struct Assessments {
    assessments: Vec<store::Changed>,
}

fn received(db: &SpinSqlite, call: &Call) -> Result<Reply, Problem> {
    let event = events::received(call)?;
    if cloudevents_type(&event) != ASSESSMENT_CHANGED {
        return Err(Problem::new(
            400,
            "event-type",
            "This stage does not take events of that type",
        ));
    }
    let data: Assessments = events::data(&event)?;
    store::on_assessments(db, &data.assessments, now()).map_err(|it| unavailable(&it))?;
    Ok(Reply::empty(202))
}

fn cloudevents_type(event: &cloudevents::Event) -> &str {
    cloudevents::AttributesReader::ty(event)
}
