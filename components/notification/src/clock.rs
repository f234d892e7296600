//! What the clock brings beside pages: the heartbeat, and changed alerts for whoever listens.

use auscult_model::events::ALERT_CHANGED;
use auscult_notification::store;
use auscult_shell::events::{self, Envelope};
use auscult_shell::{SpinSqlite, now};
use serde_json::json;
use spin_sdk::variables;

/// Alerts in one event: with their histories about 2 MB at most.
const ALERTS_MAX: u32 = 100;
/// Events of one call; the next call or tick does the rest.
const EVENTS_MAX: usize = 4;

/// Lays the heartbeat down when its time has come.
pub fn beat(db: &SpinSqlite) {
    if let Err(error) = store::beat_due(db, now()) {
        eprintln!("heartbeat: {error}");
    }
}

/// Sends changed alerts to the sink, when there is one. What it does not take is sent again.
pub async fn publish(db: &SpinSqlite) {
    let Some(sink) = variables::get("sink").ok().filter(|it| !it.trim().is_empty()) else { return };
    for _ in 0..EVENTS_MAX {
        let batch = match store::unpublished(db, ALERTS_MAX) {
            Ok(Some(batch)) => batch,
            Ok(None) => return,
            Err(error) => return eprintln!("alert events: {error}"),
        };
        let envelope = Envelope {
            kind: ALERT_CHANGED,
            stage: "notification",
            id: &batch.id,
            subject: None,
            traceparent: None,
        };
        let Ok(event) = events::event(envelope, &json!({ "alerts": batch.alerts })) else { return };
        match events::post(&sink, event).await {
            // Refused for good: the next change is another event.
            Ok(()) | Err(events::SinkError::Refused(_)) => {}
            Err(error) => return eprintln!("alert events: {error}"),
        }
        if let Err(error) = store::published(db, &batch) {
            return eprintln!("alert events: {error}");
        }
    }
}
