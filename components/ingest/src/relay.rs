//! Moves stored messages on to the next stage, as long as any is due.

use auscult_ingest::relay::{Answer, Fate, ROUNDS_MAX, batches, event, fate};
use auscult_ingest::store::{self, Pending};
use auscult_model::Problem;
use auscult_model::events::MESSAGE_RECEIVED;
use auscult_shell::events::{self, Envelope, SinkError};
use auscult_shell::{Call, SpinSqlite, now};
use auscult_store::StoreError;

/// What the host's timer asks for before messages move on.
pub fn tick(db: &SpinSqlite, call: &Call) {
    // The first tick after a start: whoever held the lease died with the host before.
    if call.header("x-auscult-timer") == Some("first")
        && let Err(error) = store::break_lease(db)
    {
        eprintln!("relay: {error}");
    }
}

/// Stages with work that waits for a time. Where the host keeps no time, `POST /tick` stands for it.
const TIMED: [&str; 3] = ["normalization", "scoring", "notification"];

/// Passes the tick of an outside clock on. A stage that does not answer is ticked again next time.
pub async fn tick_stages() {
    for stage in TIMED {
        let mut request = spin_sdk::http::Request::builder();
        request.method(spin_sdk::http::Method::Post);
        request.uri(format!("http://{stage}.spin.internal/internal/tick"));
        let answer: Result<spin_sdk::http::Response, _> =
            spin_sdk::http::send(request.build()).await;
        if let Err(error) = answer {
            eprintln!("tick of {stage}: {error}");
        }
    }
}

/// Moves on what is due, unless somebody else is at it.
pub async fn move_on(db: &SpinSqlite, traceparent: Option<&str>) {
    if let Err(error) = run(db, traceparent).await {
        eprintln!("relay: {error}");
    }
}

async fn run(db: &SpinSqlite, traceparent: Option<&str>) -> Result<(), StoreError> {
    if !store::take_lease(db, now())? {
        return Ok(());
    }
    let sink = spin_sdk::variables::get("sink").unwrap_or_default();
    for _ in 0..ROUNDS_MAX {
        let pending = store::pending(db, now())?;
        if pending.is_empty() {
            if store::give_back(db, now())? {
                return Ok(());
            }
            continue;
        }
        for batch in batches(pending) {
            let answer = post(&sink, &batch, traceparent).await;
            let size = batch.len();
            let fates: Vec<(Pending, Fate)> = batch
                .into_iter()
                .map(|it| {
                    let fate = fate(answer, size, it.tries.saturating_add(1));
                    (it, fate)
                })
                .collect();
            if store::settle(db, &fates, now())? {
                return Ok(());
            }
        }
    }
    // Others are waiting for this instance's resources: the next request or tick takes over.
    store::break_lease(db)
}

async fn post(sink: &str, batch: &[Pending], traceparent: Option<&str>) -> Answer {
    let Ok((id, data)) = event(batch) else {
        return Answer::Refused(400);
    };
    let subject = match batch {
        [only] => only.device.as_deref(),
        _ => None,
    };
    let envelope =
        Envelope { kind: MESSAGE_RECEIVED, stage: "ingest", id: &id, subject, traceparent };
    match events::event(envelope, &data) {
        Ok(event) => match events::post(sink, event).await {
            Ok(()) => Answer::Taken,
            Err(SinkError::Refused(status)) => Answer::Refused(status),
            Err(SinkError::Later { status: Some(500) }) => Answer::Broke,
            Err(SinkError::Later { .. }) => Answer::Away,
        },
        Err(Problem { status, .. }) => Answer::Refused(status),
    }
}
