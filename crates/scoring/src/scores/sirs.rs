//! SIRS criteria (Bone et al., Chest 1992;101:1644).

use rust_decimal::Decimal;

use crate::bands::rounded;
use crate::stats::decimal;

/// Criteria from which SIRS is present.
pub const POSITIVE: u32 = 2;
const TEMPERATURE_ABOVE: Decimal = decimal(380, 1);
const TEMPERATURE_BELOW: Decimal = decimal(360, 1);
const HEART_RATE_ABOVE: Decimal = decimal(90, 0);
const RESPIRATION_ABOVE: Decimal = decimal(20, 0);
const PACO2_BELOW: Decimal = decimal(32, 0);
const LEUKOCYTES_ABOVE: Decimal = decimal(12, 0);
const LEUKOCYTES_BELOW: Decimal = decimal(4, 0);
const BANDS_ABOVE: Decimal = decimal(10, 0);

/// Vitals are rounded before they are compared, laboratory values are not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Values {
    /// Degrees Celsius.
    pub temperature: Decimal,
    /// Beats a minute.
    pub heart_rate: Decimal,
    /// Breaths a minute.
    pub respiration_rate: Decimal,
    /// mm\[Hg\].
    pub paco2: Option<Decimal>,
    /// 10⁹ per litre.
    pub leukocytes: Option<Decimal>,
    /// Immature forms, percent.
    pub bands: Option<Decimal>,
}

/// Which criteria are met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// Above 38.0 or below 36.0 °C.
    pub temperature: bool,
    /// Above 90.
    pub heart_rate: bool,
    /// Above 20, or PaCO₂ below 32.
    pub respiration: bool,
    /// Above 12.0 or below 4.0, or more than 10 % bands.
    pub leukocytes: bool,
    /// How many of the four.
    pub total: u32,
    /// Whether two or more.
    pub positive: bool,
    /// A laboratory value is missing and scored 0.
    pub labs_missing: bool,
}

/// Checks the four criteria.
#[must_use]
pub fn score(values: &Values) -> Score {
    let degrees = rounded(values.temperature, 1);
    let temperature = degrees > TEMPERATURE_ABOVE || degrees < TEMPERATURE_BELOW;
    let heart_rate = rounded(values.heart_rate, 0) > HEART_RATE_ABOVE;
    let respiration = rounded(values.respiration_rate, 0) > RESPIRATION_ABOVE
        || values.paco2.is_some_and(|it| it < PACO2_BELOW);
    let leukocytes =
        values.leukocytes.is_some_and(|it| it > LEUKOCYTES_ABOVE || it < LEUKOCYTES_BELOW)
            || values.bands.is_some_and(|it| it > BANDS_ABOVE);
    let met = [temperature, heart_rate, respiration, leukocytes];
    let total = met.into_iter().map(u32::from).sum();
    Score {
        temperature,
        heart_rate,
        respiration,
        leukocytes,
        total,
        positive: total >= POSITIVE,
        labs_missing: [values.paco2, values.leukocytes, values.bands].contains(&None),
    }
}
