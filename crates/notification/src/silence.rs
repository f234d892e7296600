//! A person's wish not to be paged for a while, with an end and an author.

use auscult_model::{Severity, Timestamp};
use serde::{Deserialize, Serialize};

use crate::gate::Scene;
use crate::policy::Match;

/// Longest silence, in milliseconds: a week. What is not wanted for longer is the policy's matter.
pub const SILENCE_MS_MAX: i64 = 7 * 24 * 60 * 60 * 1_000;

/// One silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Names it.
    pub id: String,
    /// Which alerts.
    #[serde(rename = "match")]
    pub of: Match,
    /// Only this patient's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient: Option<String>,
    /// Only this alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    /// Nothing worse than this: what its author saw, or named.
    pub covers: Severity,
    /// Who.
    pub author: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Since when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

impl Silence {
    /// Whether it speaks of that alert at that time.
    #[must_use]
    pub fn covers(&self, scene: &Scene<'_>, now: Timestamp) -> bool {
        (self.from..self.until).contains(&now)
            && scene.subject.severity <= self.covers
            && self.alert.as_deref().is_none_or(|it| it == scene.alert)
            && self.patient.as_deref().is_none_or(|it| it == scene.patient)
            && self.of.takes(scene.subject)
    }
}
