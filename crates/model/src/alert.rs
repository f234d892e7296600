//! An alert as the API shows it: one per patient and cause.

use serde::{Deserialize, Serialize};

use crate::{PatientId, Timestamp};

/// How fast somebody must come. Ordered: `Technical < Routine < Urgent < Emergency`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The device team, not the nurse.
    Technical,
    /// Next working day.
    Routine,
    /// Within half an hour.
    Urgent,
    /// Now.
    Emergency,
}

impl Severity {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Technical => "technical",
            Self::Routine => "routine",
            Self::Urgent => "urgent",
            Self::Emergency => "emergency",
        }
    }

    /// The severity of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Technical, Self::Routine, Self::Urgent, Self::Emergency]
            .into_iter()
            .find(|it| it.as_str() == text)
    }
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertStatus {
    /// Seen, waiting out its delay.
    Pending,
    /// Somebody should come.
    Open,
    /// Somebody is coming.
    Acknowledged,
    /// The cause is gone, or a person said so.
    Resolved,
    /// Late data showed that it never was.
    Retracted,
}

impl AlertStatus {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::Retracted => "retracted",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Open, Self::Acknowledged, Self::Resolved, Self::Retracted]
            .into_iter()
            .find(|it| it.as_str() == text)
    }
}

/// One change of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// Event time for changes by data, time of the act for changes by people.
    pub at: Timestamp,
    /// Absent for the first.
    pub from: Option<AlertStatus>,
    /// What it became.
    pub to: AlertStatus,
    /// `auscult`, or who.
    pub by: String,
    /// The reason, for people.
    pub why: String,
    /// Severity from here on.
    pub severity: Severity,
    /// The assessment that caused it, when data did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessment: Option<String>,
}

/// A page that was not sent, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// When it would have gone out.
    pub at: Timestamp,
    /// Stable code: `acknowledged`, `backfill`, `silenced` …
    pub reason: String,
    /// For people.
    pub detail: String,
}

/// One page to one receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Stable over retries; the receiver's idempotency key.
    pub id: String,
    /// Name in the policy.
    pub receiver: String,
    /// `pending`, `delivered`, `failed`.
    pub state: String,
    /// Tries so far.
    pub attempts: u32,
    /// When it was made.
    pub created: Timestamp,
    /// When the receiver took it.
    pub delivered: Option<Timestamp>,
    /// Code of the last failure: `status-500`, `timeout`, `connection-refused`.
    pub last_error: Option<String>,
}

/// An alert with its whole history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Digest of patient and cause: never of a value.
    pub id: String,
    /// Whose.
    pub patient: PatientId,
    /// The rule behind it: `news2` …
    pub cause: String,
    /// The worst of its current bands.
    pub severity: Severity,
    /// Where it stands.
    pub status: AlertStatus,
    /// Event time of the reading that opened it.
    pub opened: Timestamp,
    /// Time of the last transition.
    pub updated: Timestamp,
    /// The assessment it rests on.
    pub assessment: Option<String>,
    /// Oldest first.
    pub transitions: Vec<Transition>,
    /// What was held back.
    pub held: Vec<Held>,
    /// What was sent.
    pub deliveries: Vec<Delivery>,
}
