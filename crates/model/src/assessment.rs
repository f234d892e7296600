//! The result of one rule for one patient at one effective time, in the shape the API shows.

use serde::{Deserialize, Serialize};

use crate::{PatientId, Severity, Timestamp};

/// Whether the rule could say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AssessmentStatus {
    /// Every input was there and fresh.
    Complete,
    /// Some input was missing or stale; `value` is a lower bound.
    Incomplete,
    /// The rule is not meant for this patient (age, pregnancy).
    NotApplicable,
    /// A model trapped, ran out of time or gave a value outside its range.
    Failed,
}

/// One input as used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// Canonical name.
    pub code: String,
    /// Number or code, as measured (before the rounding the rule applies).
    pub value: crate::ReadingValue,
    /// UCUM, empty for codes.
    pub unit: String,
    /// When it was measured.
    pub effective: Timestamp,
    /// Age at the assessment's effective time.
    pub age_seconds: i64,
    /// Points this input gave.
    pub points: u32,
    /// The Observation it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observation: Option<String>,
}

/// One input that was not there, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Canonical name.
    pub code: String,
    /// For people: "no reading", "13 h old, limit 12 h".
    pub reason: String,
}

/// The result of one rule at one effective time. Its `id` is a digest of everything in it that
/// comes from readings and rule, so the same set of readings always gives the same id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// Deterministic.
    pub id: String,
    /// Whose.
    pub patient: PatientId,
    /// `news2` …
    pub rule: String,
    /// Version of the rule.
    pub version: String,
    /// The event time it speaks of.
    pub effective: Timestamp,
    /// Whether the rule could say something.
    pub status: AssessmentStatus,
    /// The score; a lower bound when incomplete; absent when nothing could be summed.
    pub value: Option<i64>,
    /// Band of the rule: NEWS2 `low`, `low-medium`, `medium`, `high`.
    pub band: Option<String>,
    /// What the alert rules make of it; `None` means no alert.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// Every input used.
    pub inputs: Vec<Input>,
    /// Every input not there.
    pub missing: Vec<Missing>,
    /// Why this replaced an earlier result (`late-data`), else null.
    pub reason: Option<String>,
    /// The result it replaced.
    pub supersedes: Option<String>,
}
