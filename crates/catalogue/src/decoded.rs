//! What decoding a message gives: readings with the place they came from, and what was refused.

use std::fmt;

use auscult_model::{Reading, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::zone::Zone;

/// What the decoder knows besides the message.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    /// When the message was received.
    pub received: Timestamp,
    /// The zone of times without an offset: the user's (Fitbit), the hub's (Bluetooth).
    pub zone: Option<Zone>,
    /// The class of the device, when it is known: `infusion_pump`. Short names such as `rate`
    /// count only with it.
    pub device_class: Option<String>,
    /// The units the sender's account is set to, where a shape does not name them.
    pub units: UnitSystem,
}

impl Context {
    /// Nothing is known but the time of receipt.
    #[must_use]
    pub fn new(received: Timestamp) -> Self {
        Self { received, zone: None, device_class: None, units: UnitSystem::Metric }
    }
}

/// What an account's language setting makes of weights and lengths (Fitbit `Accept-Language`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnitSystem {
    /// Kilograms, centimetres, kilometres, Celsius.
    #[default]
    Metric,
    /// `en_US`: pounds, inches, miles, Fahrenheit.
    UnitedStates,
    /// `en_GB`: stones, centimetres, kilometres, Celsius.
    UnitedKingdom,
}

impl UnitSystem {
    /// The system of a language tag: `en_US`, `en_GB`, anything else metric.
    #[must_use]
    pub fn of_language(tag: &str) -> Self {
        match tag.trim() {
            "en_US" | "en-US" => Self::UnitedStates,
            "en_GB" | "en-GB" => Self::UnitedKingdom,
            _ => Self::Metric,
        }
    }
}

/// A decoded message.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The device the message names for all its readings; else the vendor's hardware id, where all
    /// readings have the same. Who the sender's token speaks for goes before the latter.
    pub device: Option<String>,
    /// In document order, or in time order where the shape demands it.
    pub readings: Vec<LocatedReading>,
    /// What was recognised but could not become a reading.
    pub rejected: Vec<Refusal>,
    /// What the sender asks to be done instead of carrying values (a notification to fetch).
    pub actions: Vec<Action>,
    /// The shape it was read as: `generic`, `fitbit` …
    pub shape: &'static str,
}

/// A reading and where it stood in the message.
#[derive(Debug, Clone, PartialEq)]
pub struct LocatedReading {
    /// The reading. Facts of the vendor that have no field of their own are flags with a colon:
    /// `trend:flat`, `trend_rate:-2.1`, `sequence:5`, `day:2026-11-20`, `statistic:average`.
    pub reading: Reading,
    /// JSON Pointer to the value.
    pub path: String,
    /// The unrounded number in the unit of the code, what scores use; `None` for coded values.
    pub exact: Option<Decimal>,
    /// The device of this reading alone, where the message names one for it. Falls back to
    /// [`Decoded::device`]. A vendor's own hardware id is a flag `device:…` instead.
    pub device: Option<String>,
}

impl LocatedReading {
    /// The fact of this name among the flags.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<&str> {
        let fact = |flag: &'_ String| flag.split_once(':').filter(|(it, _)| *it == name).is_some();
        let flag = self.reading.flags.iter().find(|it| fact(it))?;
        flag.split_once(':').map(|(_, value)| value)
    }

    /// The reading as `map explain` prints it: `canonical`, `value`, `unit`, `time` (an instant,
    /// `begin/end`, or a day), and what else there is to say, with the `path` it came from.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let reading = &self.reading;
        let time = match (self.fact("day"), reading.end) {
            (Some(day), _) => day.to_owned(),
            (None, Some(end)) => format!("{}/{end}", reading.effective),
            (None, None) => reading.effective.to_string(),
        };
        let mut json = json!({
            "canonical": reading.code,
            "value": reading.value,
            "unit": reading.unit,
            "time": time,
            "quality": reading.quality.as_str(),
            "path": self.path,
        });
        let words: Vec<&str> =
            reading.flags.iter().map(String::as_str).filter(|it| !it.contains(':')).collect();
        let more = [
            ("native", reading.native.as_ref().map(|it| json!(it))),
            ("group", reading.group.as_ref().map(|it| json!(it))),
            ("source_id", reading.source_id.as_ref().map(|it| json!(it))),
            ("comparator", reading.comparator.as_ref().map(|it| json!(it))),
            ("device", self.device.as_deref().or(self.fact("device")).map(|it| json!(it))),
            ("granularity", self.fact("day").map(|_| json!("day"))),
            ("statistic", self.fact("statistic").map(|it| json!(it))),
            ("trend", self.fact("trend").map(|it| json!(it))),
            ("trend_rate", self.fact("trend_rate").map(|it| json!(it))),
            (
                "sequence",
                self.fact("sequence").and_then(|it| it.parse::<u64>().ok()).map(Value::from),
            ),
            ("flags", (!words.is_empty()).then(|| json!(words))),
        ];
        if let Some(members) = json.as_object_mut() {
            members.extend(more.into_iter().filter_map(|(name, it)| Some((name.to_owned(), it?))));
        }
        json
    }
}

/// A value that was recognised and refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// JSON Pointer to it.
    pub path: String,
    /// Stable code: `missing-time`, `unknown-unit`, `not-a-number` …
    pub code: &'static str,
    /// The reason, without the value.
    pub detail: String,
    /// The sender's own id of the reading, where it has one.
    pub source_id: Option<String>,
}

/// Something to fetch from the vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// What to call: `measure?action=getmeas`.
    pub fetch: &'static str,
    /// From when.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
}

/// Why a message gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecodeError {
    /// Nothing in it is known: every member, and why it was passed over.
    UnknownShape(Vec<Refusal>),
}

impl DecodeError {
    /// The stable code of the problem.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownShape(_) => "unknown-shape",
        }
    }

    /// Every member that was passed over.
    #[must_use]
    pub fn faults(&self) -> &[Refusal] {
        match self {
            Self::UnknownShape(faults) => faults,
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::UnknownShape(faults) = self;
        write!(f, "nothing in the message is known to the catalogue ({} places seen)", faults.len())
    }
}

impl std::error::Error for DecodeError {}
