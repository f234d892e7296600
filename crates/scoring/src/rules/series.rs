//! Readings as rules see them: one kept value with its unit.

use auscult_model::ReadingValue;
use auscult_model::Timestamp;
use auscult_model::assessment::Input;
use rust_decimal::Decimal;

use super::{Kind, Rule};
use crate::bands::rounded;
use crate::series::{SERIES, place_of};
use crate::stats::decimal;

/// mg/dL of one mmol/L: the molar mass of glucose, 180.156 g/mol.
const GLUCOSE_MOLAR: Decimal = decimal(180_156, 4);

/// One kept value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Canonical code.
    pub code: String,
    /// When it was measured.
    pub at_ms: i64,
    /// The Observation it came from.
    pub observation: String,
    /// In its unit.
    pub value: Decimal,
    /// UCUM.
    pub unit: String,
}

/// What is kept of a value that no NEWS2 series takes: number and unit. `None` for texts.
pub fn kept(value: &ReadingValue, unit: &str) -> Option<String> {
    match value {
        ReadingValue::Number(number) => Some(format!("{} {unit}", number.normalize())),
        ReadingValue::Text(_) => None,
    }
}

impl Reading {
    /// Reads what was kept. A NEWS2 series is kept without its unit.
    pub fn read(code: &str, at_ms: i64, observation: &str, kept: &str) -> Option<Self> {
        let (number, unit) = match kept.split_once(' ') {
            Some(parts) => parts,
            None => (kept, *SERIES.get(place_of(code)?)?.units.first()?),
        };
        Some(Self {
            code: code.to_owned(),
            at_ms,
            observation: observation.to_owned(),
            value: number.parse().ok()?,
            unit: unit.to_owned(),
        })
    }

    /// The value as the rule takes it: in its unit; glucose in whole mg/dL when it was molar.
    pub fn value_for(&self, rule: &Rule) -> Option<Decimal> {
        if matches!(rule.kind, Kind::Glucose(_)) {
            return match self.unit.as_str() {
                "mg/dL" => Some(self.value),
                "mmol/L" => Some(rounded(self.value.checked_mul(GLUCOSE_MOLAR)?, 0)),
                _ => None,
            };
        }
        let alike = SERIES.iter().filter(|it| it.code == self.code);
        let mut alike = alike.flat_map(|it| it.units).any(|it| *it == rule.unit);
        alike |= rule.unit.is_empty() || rule.unit == self.unit;
        alike.then_some(self.value)
    }

    /// As an input of an assessment at an instant.
    pub fn input(&self, at_ms: i64) -> Input {
        Input {
            code: self.code.clone(),
            value: ReadingValue::Number(self.value.normalize()),
            unit: self.unit.clone(),
            effective: Timestamp::from_unix_ms(self.at_ms),
            age_seconds: at_ms.saturating_sub(self.at_ms) / 1_000,
            points: 0,
            observation: Some(self.observation.clone()),
        }
    }
}

/// A figure that a rule worked out, shown among its inputs.
pub fn figure(code: &str, value: Decimal, unit: &str, at_ms: i64) -> Input {
    Input {
        code: code.to_owned(),
        value: ReadingValue::Number(rounded(value, 4).normalize()),
        unit: unit.to_owned(),
        effective: Timestamp::from_unix_ms(at_ms),
        age_seconds: 0,
        points: 0,
        observation: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_value_reads_back_with_its_unit() {
        let value = ReadingValue::Number("72.50".parse().unwrap());
        let kept = kept(&value, "kg").unwrap();
        let reading = Reading::read("body_weight", 5, "o", &kept).unwrap();
        assert_eq!((reading.value, reading.unit.as_str()), (decimal(725, 1), "kg"));
        let spo2 = Reading::read("spo2", 5, "o", "97").unwrap();
        assert_eq!((spo2.value, spo2.unit.as_str()), (decimal(97, 0), "%"));
        assert_eq!(Reading::read("consciousness_acvpu", 5, "o", "A"), None);
    }
}
