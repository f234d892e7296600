//! What is held back, for how long, and what never is.

use auscult_model::Severity;

use crate::policy::hours::{Hours, Shifts};
use crate::policy::matching::{Match, Subject};

/// Everything a policy says about holding pages back. Empty holds nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noise {
    /// A standing alert that silences others of the same patient.
    pub inhibit: Vec<Inhibit>,
    /// What to do about a cause that comes and goes.
    pub flapping: Option<Flapping>,
    /// When classes that can wait are not paged.
    pub quiet_hours: Vec<Quiet>,
    /// How many pages a unit gets in a shift.
    pub budgets: Vec<Budget>,
}

/// While an alert that matches `source` stands, the patient's alerts that match `target` page nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inhibit {
    /// What silences.
    pub source: Match,
    /// What is silenced. An emergency only when it is named here by severity and cause.
    pub target: Match,
}

/// A cause that opened `openings` times `within` a span is paged only once it stood for `steady_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flapping {
    /// From how many openings on.
    pub openings: u32,
    /// In how long, in milliseconds.
    pub within_ms: i64,
    /// How long it must stand then, in milliseconds.
    pub steady_ms: i64,
}

/// Classes that wait while it is quiet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quiet {
    /// Which alerts.
    pub of: Match,
    /// When.
    pub hours: Hours,
}

/// Pages a unit gets in a shift; what is more waits for its end and comes as one digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Of which units; empty is each.
    pub units: Vec<String>,
    /// How many.
    pub pages: i64,
    /// When they are counted from.
    pub shifts: Shifts,
}

impl Noise {
    /// The budget of a unit.
    #[must_use]
    pub fn budget(&self, unit: &str) -> Option<&Budget> {
        self.budgets.iter().find(|it| it.units.is_empty() || it.units.iter().any(|u| u == unit))
    }
}

impl Inhibit {
    /// Whether the one silences the other.
    #[must_use]
    pub fn applies(&self, source: Subject<'_>, target: Subject<'_>) -> bool {
        let named = target.severity < Severity::Emergency || self.target.names_emergency_cause();
        named && self.source.takes(source) && self.target.takes(target)
    }
}
