//! Tells normalization whose assignments changed, so that readings are filed again at once.

use auscult_model::digest;
use auscult_model::events::{ASSIGNMENT_CHANGED, AssignmentChanged};
use auscult_shell::{Call, events};

/// Where normalization takes events.
const SINK: &str = "http://normalization.spin.internal/events";

/// Posts one event about these devices. A failure costs time only: normalization looks for changed
/// assignments on every tick.
pub(crate) async fn assignments(call: &Call, mut devices: Vec<String>) {
    devices.sort_unstable();
    devices.dedup();
    let now = auscult_shell::now().to_string();
    let mut cause = vec![ASSIGNMENT_CHANGED, &now];
    cause.extend(devices.iter().map(String::as_str));
    let id = digest(&cause);
    let envelope = events::Envelope {
        kind: ASSIGNMENT_CHANGED,
        stage: "records",
        id: &id,
        subject: None,
        traceparent: call.header("traceparent"),
    };
    let Ok(event) = events::event(envelope, &AssignmentChanged { devices }) else {
        return;
    };
    if let Err(error) = events::post(SINK, event).await {
        eprintln!("assignment change not announced: {error}");
    }
}
