//! Which alerts a route, a silence or a rule against noise is about.

use auscult_model::Severity;
use serde::{Deserialize, Serialize};

/// What can be asked of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// How fast somebody must come.
    pub severity: Severity,
    /// The rule.
    pub cause: &'a str,
    /// Where the patient lies; empty when nobody said.
    pub unit: &'a str,
    /// The patient's tags.
    pub tags: &'a [String],
}

/// Every list that is not empty must hold the alert's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Match {
    /// Any of these; empty takes all.
    #[serde(rename = "severity", skip_serializing_if = "Vec::is_empty")]
    pub severities: Vec<Severity>,
    /// Any of these; one that ends in `*` takes every cause that begins so.
    #[serde(rename = "cause", skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// Any of these.
    #[serde(rename = "unit", skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<String>,
    /// The patient has any of these.
    #[serde(rename = "tag", skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl Match {
    /// Whether it is about that alert.
    #[must_use]
    pub fn takes(&self, it: Subject<'_>) -> bool {
        let cause = |want: &String| match want.strip_suffix('*') {
            Some(start) => it.cause.starts_with(start),
            None => it.cause == want,
        };
        (self.severities.is_empty() || self.severities.contains(&it.severity))
            && (self.causes.is_empty() || self.causes.iter().any(cause))
            && (self.units.is_empty() || self.units.iter().any(|unit| unit == it.unit))
            && (self.tags.is_empty() || self.tags.iter().any(|tag| it.tags.contains(tag)))
    }

    /// Whether it says in so many words that emergencies of some cause are meant.
    #[must_use]
    pub fn names_emergency_cause(&self) -> bool {
        self.severities.contains(&Severity::Emergency) && !self.causes.is_empty()
    }

    /// Whether it takes everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
