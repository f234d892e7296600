//! The rule set of a tenant: which scores and rules run, with which limits, and what each may alert.
//!
//! NEWS2 has an engine of its own ([`crate::engine`]); every other rule is a pure function of a
//! bounded window of readings ([`judge`]) and is kept in line with the readings by [`engine`].

mod absence;
mod calendar;
pub mod check;
mod daily;
pub mod engine;
pub mod judge;
mod load;
mod read;
pub(crate) mod series;
pub mod store;
pub mod tick;
mod trend;

use std::collections::BTreeMap;

use auscult_model::Severity;
use rust_decimal::Decimal;
use serde_json::{Value, json};

pub use calendar::Zone;

use crate::scores::cgm_events;

/// The JSON Schema of the document.
pub const SCHEMA: &str = include_str!("schema.json");
/// How long a state is remembered behind the reading that is judged, beyond a rule's own time.
pub const MEMORY_MS: i64 = 3_600_000;
/// The same for glucose, whose events last hours.
pub const GLUCOSE_MEMORY_MS: i64 = 6 * 3_600_000;

/// A checked rule set.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RuleSet {
    /// Where a day begins.
    pub zone: Zone,
    /// In the order of the document.
    pub rules: Vec<Rule>,
    /// Per canonical code.
    pub quality: BTreeMap<String, Quality>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name: the `rule` of its assessments and the cause of its alerts.
    pub name: String,
    /// A digest of its definition: the same definition always has the same version.
    pub version: String,
    /// What its alert is; `None` stores without alerting.
    pub severity: Option<Severity>,
    /// Canonical codes it reads.
    pub codes: Vec<String>,
    /// Unit it reads them in; a value in another is not used. Empty: any.
    pub unit: String,
    /// What it does.
    pub kind: Kind,
    /// As written, for overrides.
    pub document: Value,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// NEWS2, by its own engine.
    News2,
    /// Weight gain in heart failure, on the first weight of each day.
    WeightGain,
    /// Glucose beyond a consensus limit, with persistence.
    Glucose(cgm_events::Kind),
    /// A value beyond a limit until it has come back past `clear`, for some time.
    Threshold {
        /// Beyond this.
        limit: Limit,
        /// Back past this.
        clear: Decimal,
        /// Beyond for this long.
        hold_ms: i64,
    },
    /// A change within a time.
    Rate {
        /// Within this.
        over_ms: i64,
        /// Up by at least this.
        rise: Option<Decimal>,
        /// Down by at least this.
        fall: Option<Decimal>,
    },
    /// A slow trend over days.
    Trend {
        /// Days looked at.
        days: i64,
        /// Not before this many hold a value.
        days_min: usize,
        /// Up by at least this a day.
        rise: Option<Decimal>,
        /// Down by at least this a day.
        fall: Option<Decimal>,
        /// 90, 95 or 99 percent that it is no chance.
        confidence: u8,
    },
    /// Far from the patient's own days.
    Baseline {
        /// Days before that make the baseline.
        days: i64,
        /// Not before this many hold a value.
        days_min: usize,
        /// Robust z-score at which it fires.
        z: Decimal,
        /// Least scale that means anything.
        floor: Decimal,
    },
    /// Nothing came in time.
    Absence(Due),
}

/// A limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Above or at.
    Above(Decimal),
    /// Below or at.
    Below(Decimal),
}

/// When the next reading is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// So long after the one before.
    After(i64),
    /// At this minute of the day after the one before.
    By(i64),
}

/// When a change is too quick to be the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quality {
    /// More than this in a minute.
    pub max_change_per_min: Decimal,
}

/// How much of the past one assessment sees, and at which instants one stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// NEWS2's engine knows.
    Own,
    /// Every reading, with all readings this far back.
    Window(i64),
    /// The first reading of each day, with those of this many days before.
    Days(i64),
    /// Due times, and the first reading after one that was missed.
    Gap,
}

impl RuleSet {
    /// Whether NEWS2 runs.
    #[must_use]
    pub fn news2(&self) -> bool {
        self.rules.iter().any(|it| it.kind == Kind::News2)
    }

    /// Whether any rule but NEWS2 reads a code.
    #[must_use]
    pub fn reads(&self, code: &str) -> bool {
        self.rules.iter().any(|it| it.codes.iter().any(|it| it == code))
    }
}

impl Kind {
    /// How far it reaches.
    #[must_use]
    pub const fn reach(&self) -> Reach {
        match self {
            Self::News2 => Reach::Own,
            Self::WeightGain => Reach::Days(crate::scores::weight::DAYS as i64),
            Self::Glucose(_) => Reach::Window(GLUCOSE_MEMORY_MS),
            Self::Threshold { hold_ms, .. } => Reach::Window(hold_ms.saturating_add(MEMORY_MS)),
            Self::Rate { over_ms, .. } => Reach::Window(*over_ms),
            Self::Trend { days, .. } => Reach::Days(*days - 1),
            Self::Baseline { days, .. } => Reach::Days(*days),
            Self::Absence(_) => Reach::Gap,
        }
    }
}

impl Limit {
    /// Whether a value is beyond it.
    #[must_use]
    pub fn met(self, value: Decimal) -> bool {
        match self {
            Self::Above(limit) => value >= limit,
            Self::Below(limit) => value <= limit,
        }
    }
}

/// What runs where no rule set was ever stored: NEWS2, and what is plainly dangerous. Weight gain is
/// stored for the care team to look at; nothing else wakes anybody.
#[must_use]
pub fn built_in() -> Value {
    json!({
        "zone": "+00:00",
        "rules": [
            { "name": "news2", "kind": "news2" },
            { "name": "glucose_very_low", "kind": "glucose", "event": "low-2", "severity": "emergency" },
            { "name": "weight_gain", "kind": "weight-gain" }
        ]
    })
}
