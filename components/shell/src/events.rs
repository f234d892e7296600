//! CloudEvents in and out, over HTTP, binary mode out, binary or structured mode in.

use auscult_model::Problem;
use cloudevents::binding::http::to_event;
use cloudevents::{AttributesReader, Data, Event, EventBuilder, EventBuilderV10};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use spin_sdk::http::{Method, Request, Response, SendError};

use crate::Call;

/// What an event says beside its data.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// One of `auscult_model::events`.
    pub kind: &'a str,
    /// The stage that sends it; `source` becomes `//auscult/<stage>`.
    pub stage: &'a str,
    /// Deterministic: a digest of what is inside.
    pub id: &'a str,
    /// The patient or device when the whole batch is of one.
    pub subject: Option<&'a str>,
    /// `traceparent` of the request that caused it.
    pub traceparent: Option<&'a str>,
}

/// Why the next stage did not take an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// "Never": the same event will be refused again.
    #[error("the next stage refused the event with status {0}")]
    Refused(u16),
    /// "Later": trying again may succeed.
    #[error("the next stage cannot take the event now")]
    Later {
        /// What it answered; `None` when no answer came.
        status: Option<u16>,
    },
}

impl SinkError {
    /// The status this stage answers with when its sink failed: the same verdict.
    #[must_use]
    pub fn problem(&self) -> Problem {
        match self {
            Self::Refused(status) => {
                Problem::new(400, "sink-refused", "A later stage refused the event for good")
                    .detail(format!("status {status}"))
            }
            Self::Later { status } => {
                let problem = Problem::new(
                    503,
                    "sink-unavailable",
                    "A later stage cannot take the event now",
                );
                match status {
                    Some(status) => problem.detail(format!("status {status}")),
                    None => problem.detail("no answer"),
                }
            }
        }
    }
}

/// The type and data of a received event.
///
/// # Errors
/// 400 when the request is not a CloudEvent.
pub fn received(call: &Call) -> Result<Event, Problem> {
    let mut headers = HeaderMap::with_capacity(call.headers.len());
    for (name, value) in &call.headers {
        if let (Ok(name), Ok(value)) =
            (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str()))
        {
            headers.append(name, value);
        }
    }
    to_event(&headers, call.body.clone())
        .map_err(|_| Problem::new(400, "not-a-cloudevent", "The request is not a CloudEvent"))
}

/// The data of an event as the type it should have.
///
/// # Errors
/// 400 when it has another shape.
pub fn data<T: DeserializeOwned>(event: &Event) -> Result<T, Problem> {
    let read = match event.data() {
        Some(Data::Binary(bytes)) => serde_json::from_slice(bytes),
        Some(Data::String(text)) => serde_json::from_str(text),
        Some(Data::Json(value)) => T::deserialize(value),
        None => serde_json::from_str("null"),
    };
    read.map_err(|it| {
        Problem::new(400, "event-data", "The event's data does not have the shape of its type")
            .detail(format!("{} line {} column {}", event.ty(), it.line(), it.column()))
    })
}

/// An event around `data`.
///
/// # Errors
/// 500 when an attribute is malformed, which is a fault of ours.
pub fn event(envelope: Envelope<'_>, data: &impl Serialize) -> Result<Event, Problem> {
    let broken = || Problem::new(500, "event-broken", "An event could not be written");
    let bytes = serde_json::to_vec(data).map_err(|_| broken())?;
    let mut builder = EventBuilderV10::new()
        .id(envelope.id)
        .ty(envelope.kind)
        .source(format!("//auscult/{}", envelope.stage))
        .data("application/json", bytes);
    if let Some(subject) = envelope.subject {
        builder = builder.subject(subject).extension("partitionkey", subject);
    }
    if let Some(traceparent) = envelope.traceparent {
        builder = builder.extension("traceparent", traceparent);
    }
    builder.build().map_err(|_| broken())
}

/// Posts an event to a sink and waits for its status, which is the acknowledgement.
///
/// # Errors
/// [`SinkError`]: `400 401 403` and other final statuses are "never", `404 408 409 429 5xx` and
/// failures of transport "later".
pub async fn post(sink: &str, event: Event) -> Result<(), SinkError> {
    let no_answer = SinkError::Later { status: None };
    let Ok(request): Result<http::Request<Option<Vec<u8>>>, _> = event.try_into() else {
        return Err(no_answer);
    };
    let (parts, body) = request.into_parts();
    let mut builder = Request::builder();
    builder.method(Method::Post).uri(sink).body(body.unwrap_or_default());
    for (name, value) in &parts.headers {
        if let Ok(value) = value.to_str() {
            builder.header(name.as_str(), value);
        }
    }
    let answer: Result<Response, SendError> = spin_sdk::http::send(builder.build()).await;
    let status = match answer {
        Ok(response) => *response.status(),
        Err(_) => return Err(no_answer),
    };
    match status {
        200..=299 => Ok(()),
        404 | 408 | 409 | 429 | 500..=599 => Err(SinkError::Later { status: Some(status) }),
        status => Err(SinkError::Refused(status)),
    }
}
