//! What travels between stages as CloudEvents `data`. One event carries 1 to 1,000 items.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Assessment, Quality, ReadingValue, Timestamp};

/// `ingest` stored these messages.
pub const MESSAGE_RECEIVED: &str = "org.auscult.message.received.v1";
/// `normalization` stored these observations, or filed them to another patient.
pub const OBSERVATION_RECORDED: &str = "org.auscult.observation.recorded.v1";
/// `scoring` stored these assessments.
pub const ASSESSMENT_CHANGED: &str = "org.auscult.assessment.changed.v1";
/// `notification` changed these alerts.
pub const ALERT_CHANGED: &str = "org.auscult.alert.changed.v1";
/// `records` changed who wears what.
pub const ASSIGNMENT_CHANGED: &str = "org.auscult.assignment.changed.v1";

/// Data of [`MESSAGE_RECEIVED`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MessageReceived {
    /// In the order of receipt.
    pub messages: Vec<ReceivedMessage>,
}

/// One stored message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReceivedMessage {
    /// Message id.
    pub id: String,
    /// The device named by message or token; `None` when only a mapping can tell.
    pub device: Option<String>,
    /// Device ids or patterns (`icu-*`) the sender's credential may speak for.
    pub allowed: Vec<String>,
    /// `?source=`: a catalogue entry or mapping set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When ingest took it.
    pub received: Timestamp,
    /// The message as JSON text, passed on without being read.
    pub body: Box<RawValue>,
}

/// Data of [`OBSERVATION_RECORDED`]. Only observations that are filed to a patient travel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObservationRecorded {
    /// In no particular order: event time decides.
    pub observations: Vec<RecordedObservation>,
}

/// One stored observation, as far as scoring needs it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedObservation {
    /// Observation id.
    pub id: String,
    /// Whose it is now. Also a patient who just lost it: scoring reads the table anew.
    pub patient: String,
    /// Canonical code of the Observation (`blood_pressure` for a panel).
    pub code: String,
    /// When it was measured.
    pub effective: Timestamp,
    /// Whether it may be scored.
    pub quality: Quality,
    /// When its message was received.
    pub received: Timestamp,
    /// The values in it.
    pub inputs: Vec<ObservedValue>,
}

/// One value inside an Observation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObservedValue {
    /// Canonical code (`systolic_bp`).
    pub code: String,
    /// Exact value used for scoring.
    pub value: ReadingValue,
    /// UCUM.
    pub unit: String,
}

/// Data of [`ASSESSMENT_CHANGED`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssessmentChanged {
    /// New or corrected; also repeats of unchanged ones when an event is redelivered.
    pub assessments: Vec<Assessment>,
}

/// Data of [`ALERT_CHANGED`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertChanged {
    /// Ids of the alerts that changed.
    pub alerts: Vec<String>,
}

/// Data of [`ASSIGNMENT_CHANGED`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignmentChanged {
    /// Devices whose assignments changed.
    pub devices: Vec<String>,
}
