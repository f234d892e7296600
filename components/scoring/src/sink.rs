//! Hands assessments on to the next stage.

use auscult_model::Problem;
use auscult_model::events::ASSESSMENT_CHANGED;
use auscult_scoring::Emission;
use auscult_scoring::engine::{EVENT_ITEMS_MAX, event_id};
use auscult_shell::events::{self, Envelope};
use serde::Serialize;
use serde_json::value::RawValue;

/// Data of the event, with the assessments as the text they were stored as.
#[derive(Serialize)]
struct Data<'a> {
    assessments: Vec<&'a RawValue>,
}

/// Posts assessments in events of bounded size; the first that is not taken decides. Without
/// assessments nothing is posted.
pub async fn post(emissions: &[Emission], traceparent: Option<&str>) -> Result<(), Problem> {
    if emissions.is_empty() {
        return Ok(());
    }
    let sink = spin_sdk::variables::get("sink").unwrap_or_default();
    for batch in emissions.chunks(EVENT_ITEMS_MAX) {
        let id = event_id(batch);
        let envelope = Envelope {
            kind: ASSESSMENT_CHANGED,
            stage: "scoring",
            id: &id,
            subject: None,
            traceparent,
        };
        let data = Data { assessments: batch.iter().map(|it| &*it.body).collect() };
        let event = events::event(envelope, &data)?;
        events::post(&sink, event).await.map_err(|it| it.problem())?;
    }
    Ok(())
}
