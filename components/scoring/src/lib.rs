//! The scoring component: recorded observations to assessments, and what a patient needs differently.
#![allow(unsafe_code, reason = "the export that #[http_component] generates")]

mod patients;
mod rules;
mod sink;

use auscult_model::Problem;
use auscult_model::events::{OBSERVATION_RECORDED, ObservationRecorded};
use auscult_scoring::rules::tick::{settle, tick};
use auscult_scoring::{ScoringError, record, step};
use auscult_shell::http::{method_not_allowed, not_found, unavailable};
use auscult_shell::{Call, Reply, SpinSqlite, events as cloud, now, operator};
use cloudevents::AttributesReader as _;
use spin_sdk::http::{IncomingRequest, ResponseOutparam};
use spin_sdk::http_component;

/// Largest event: 1,000 observations with room for the envelope.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

#[http_component]
async fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
    let answer = match Call::read(request, BODY_BYTES_MAX).await {
        Ok(call) => answer(&call).await,
        Err(problem) => Err(problem),
    };
    answer.unwrap_or_else(Reply::from).send(response_out).await;
}

async fn answer(call: &Call) -> Result<Reply, Problem> {
    let segments = call.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (call.method.as_str(), path.as_slice()) {
        ("POST", ["events"]) => event(&open()?, call).await,
        ("POST", ["internal", "tick"]) => {
            overdue(&open()?, call).await?;
            Ok(Reply::empty(204))
        }
        (method, ["patients", patient, rest @ ..]) => {
            let operator = operator(call)?;
            patients::answer(&open()?, call, method, patient, rest, &operator).await
        }
        (method, ["rules", rest @ ..]) => {
            let operator = operator(call)?;
            rules::answer(&open()?, call, method, rest, &operator)
        }
        (_, ["events"] | ["internal", "tick"]) => Err(method_not_allowed()),
        _ => Err(not_found()),
    }
}

fn open() -> Result<SpinSqlite, Problem> {
    SpinSqlite::open().map_err(|it| unavailable(&it))
}

async fn event(db: &SpinSqlite, call: &Call) -> Result<Reply, Problem> {
    let event = cloud::received(call)?;
    if event.ty() != OBSERVATION_RECORDED {
        return Err(Problem::new(400, "event-type", "This stage does not take that event")
            .detail(event.ty().to_owned()));
    }
    let ObservationRecorded { observations } = cloud::data(&event)?;
    let traceparent = call.header("traceparent");
    let progress = record(db, &observations, now()).map_err(problem)?;
    sink::post(&progress.emissions, traceparent).await?;
    for later in &progress.rest {
        let progress = step(db, later, now()).map_err(problem)?;
        sink::post(&progress.emissions, traceparent).await?;
    }
    // Where nothing keeps time, whoever comes by does a share of what is due.
    overdue(db, call).await?;
    Ok(Reply::empty(204))
}

/// Assesses and tells what was due by now; a due time is forgotten only when it has been told.
async fn overdue(db: &SpinSqlite, call: &Call) -> Result<(), Problem> {
    let ticked = tick(db, now()).map_err(problem)?;
    sink::post(&ticked.emissions, call.header("traceparent")).await?;
    settle(db, &ticked.due).map_err(problem)
}

/// How a failure of the core is answered.
fn problem(error: ScoringError) -> Problem {
    match error {
        ScoringError::Store(error) => unavailable(&error),
        ScoringError::VersionMismatch { current } => {
            Problem::new(412, "version-mismatch", "The document has changed since it was read")
                .detail(format!("it is at version {current}"))
        }
        ScoringError::InvalidRules(errors) => {
            let problem = Problem::new(400, "rules-invalid", "The rule set is not valid");
            Problem { errors, ..problem }
        }
        ScoringError::Invalid(errors) => {
            let problem = Problem::new(400, "settings-invalid", "The settings are not valid");
            Problem { errors, ..problem }
        }
    }
}
