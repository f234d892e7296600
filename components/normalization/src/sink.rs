//! Hands observations on to the next stage.

use auscult_model::Problem;
use auscult_model::digest::digest;
use auscult_model::events::{OBSERVATION_RECORDED, ObservationRecorded};
use auscult_shell::events::{self, Envelope};

/// Posts each event; the first that is not taken decides.
pub async fn post(
    batches: Vec<ObservationRecorded>,
    traceparent: Option<&str>,
) -> Result<(), Problem> {
    let sink = spin_sdk::variables::get("sink").unwrap_or_default();
    for batch in batches {
        let ids: Vec<&str> = batch
            .observations
            .iter()
            .flat_map(|it| [it.id.as_str(), it.patient.as_str()])
            .collect();
        let id = digest(&ids);
        let patient = batch.observations.first().map(|it| it.patient.as_str());
        let one_patient = batch.observations.iter().all(|it| Some(it.patient.as_str()) == patient);
        let envelope = Envelope {
            kind: OBSERVATION_RECORDED,
            stage: "normalization",
            id: &id,
            subject: patient.filter(|_| one_patient),
            traceparent,
        };
        let event = events::event(envelope, &batch)?;
        events::post(&sink, event).await.map_err(|it| it.problem())?;
    }
    Ok(())
}
