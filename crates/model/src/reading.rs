//! One measured value, after decoding and before it becomes an Observation.

use std::fmt;

use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Timestamp;

/// What was measured: a number in its UCUM unit, or a coded or free text.
///
/// On the wire a JSON number or a JSON string; a number keeps 15 significant digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadingValue {
    /// A number, exact: decimal arithmetic never moves a value over a band edge.
    Number(Decimal),
    /// A code such as `V` of ACVPU, or text.
    Text(String),
}

impl Serialize for ReadingValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => match (number.is_integer(), number.to_i64(), number.to_f64()) {
                (true, Some(whole), _) => serializer.serialize_i64(whole),
                (_, _, Some(float)) => serializer.serialize_f64(float),
                _ => Err(serde::ser::Error::custom("number out of range")),
            },
        }
    }
}

impl<'de> Deserialize<'de> for ReadingValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrText;
        impl Visitor<'_> for NumberOrText {
            type Value = ReadingValue;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a text")
            }
            fn visit_i64<E: Error>(self, it: i64) -> Result<ReadingValue, E> {
                Ok(ReadingValue::Number(it.into()))
            }
            fn visit_u64<E: Error>(self, it: u64) -> Result<ReadingValue, E> {
                Ok(ReadingValue::Number(it.into()))
            }
            fn visit_f64<E: Error>(self, it: f64) -> Result<ReadingValue, E> {
                let number =
                    Decimal::from_f64(it).ok_or_else(|| E::custom("number out of range"))?;
                Ok(ReadingValue::Number(number))
            }
            fn visit_str<E: Error>(self, it: &str) -> Result<ReadingValue, E> {
                Ok(ReadingValue::Text(it.to_owned()))
            }
        }
        deserializer.deserialize_any(NumberOrText)
    }
}

/// The value and unit as the device sent them, kept when they were converted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Native {
    /// As sent.
    pub value: ReadingValue,
    /// As sent, or the unit assumed.
    pub unit: String,
}

/// Whether a value may be scored, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quality {
    /// May be scored.
    Accepted,
    /// Outside what a living patient can have: an artefact or a wrong unit. Kept, never scored.
    OutOfPlausibleRange,
    /// More than five minutes ahead of the time of receipt. Kept, not scored.
    FutureTime,
    /// The device itself marked the value as invalid. Kept, never scored.
    DeviceInvalid,
    /// A day's value or an average, not a measurement of one moment. Kept, never scored.
    Summary,
}

impl Quality {
    /// The name stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::OutOfPlausibleRange => "out-of-plausible-range",
            Self::FutureTime => "future-time",
            Self::DeviceInvalid => "device-invalid",
            Self::Summary => "summary",
        }
    }

    /// The quality of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Accepted,
            Self::OutOfPlausibleRange,
            Self::FutureTime,
            Self::DeviceInvalid,
            Self::Summary,
        ]
        .into_iter()
        .find(|it| it.as_str() == text)
    }
}

/// One measured value of one device at one time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Canonical name of the code table: `heart_rate`, `systolic_bp`, `consciousness_acvpu` …
    pub code: String,
    /// In `unit`.
    pub value: ReadingValue,
    /// UCUM, empty for codes.
    pub unit: String,
    /// When it was measured.
    pub effective: Timestamp,
    /// End of the interval it covers, when it covers one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
    /// As sent, when converted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native: Option<Native>,
    /// Readings of one act (systolic and diastolic of one cuff inflation) share a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The sender's own id of this reading, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// `<` or `>` when the value lies beyond the measuring range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparator: Option<String>,
    /// Words of the device about the value, such as `irregular_pulse`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// Whether it may be scored.
    pub quality: Quality,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_kind_over_the_wire() {
        for text in ["97", "36.6", "38.05", "-0.5", "\"V\"", "\"12\""] {
            let value: ReadingValue = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&value).unwrap(), text);
        }
        assert!(serde_json::from_str::<ReadingValue>("1e308").is_err());
    }
}
