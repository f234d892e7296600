//! The vital signs of NEWS2, in the order of its chart.

use auscult_model::events::ObservedValue;
use auscult_model::{ReadingValue, Timestamp};
use rust_decimal::Decimal;

use crate::words;

/// One line of the observation chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Vital {
    /// Breaths a minute.
    RespirationRate,
    /// Oxygen saturation.
    Spo2,
    /// Air or oxygen.
    Oxygen,
    /// Systolic over diastolic.
    BloodPressure,
    /// Beats a minute, from ECG, oximeter or cuff.
    Pulse,
    /// ACVPU.
    Consciousness,
    /// Degrees Celsius.
    Temperature,
}

/// Continuous vitals older than this are stale; the limit the scores use.
const CONTINUOUS_MS: i64 = 60 * 60_000;
/// Spot vitals, oxygen and consciousness older than this are stale; the limit the scores use.
const SPOT_MS: i64 = 12 * 60 * 60_000;

impl Vital {
    /// Every vital sign, in the order of the NEWS2 chart.
    pub const ALL: [Self; 7] = [
        Self::RespirationRate,
        Self::Spo2,
        Self::Oxygen,
        Self::BloodPressure,
        Self::Pulse,
        Self::Consciousness,
        Self::Temperature,
    ];

    /// Canonical codes of Observations that show it, the preferred one first.
    #[must_use]
    pub const fn codes(self) -> &'static [&'static str] {
        match self {
            Self::RespirationRate => &["respiratory_rate"],
            Self::Spo2 => &["spo2"],
            Self::Oxygen => &["inhaled_oxygen_flow", "inhaled_oxygen_concentration"],
            Self::BloodPressure => &["blood_pressure", "systolic_bp"],
            Self::Pulse => &["heart_rate", "pulse_rate", "pulse_rate_nibp"],
            Self::Consciousness => &["consciousness_acvpu"],
            Self::Temperature => &[
                "body_temperature",
                "core_temperature",
                "tympanic_temperature",
                "ear_temperature",
                "oral_temperature",
                "rectal_temperature",
                "axillary_temperature",
            ],
        }
    }

    /// The vital sign a code belongs to.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        match code {
            "diastolic_bp" | "mean_bp" => Some(Self::BloodPressure),
            "oxygen" | "supplemental_oxygen" => Some(Self::Oxygen),
            code => Self::ALL.into_iter().find(|it| it.codes().contains(&code)),
        }
    }

    /// The name in full.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RespirationRate => "Respiration rate",
            Self::Spo2 => "Oxygen saturation",
            Self::Oxygen => "Oxygen",
            Self::BloodPressure => "Blood pressure",
            Self::Pulse => "Pulse",
            Self::Consciousness => "Consciousness",
            Self::Temperature => "Temperature",
        }
    }

    /// The name over a column.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::RespirationRate => "Resp.",
            Self::Spo2 => "SpO₂",
            Self::Oxygen => "Oxygen",
            Self::BloodPressure => "BP",
            Self::Pulse => "Pulse",
            Self::Consciousness => "ACVPU",
            Self::Temperature => "Temp.",
        }
    }

    /// How long a reading speaks for the present.
    #[must_use]
    pub const fn fresh_ms(self) -> i64 {
        match self {
            Self::RespirationRate | Self::Spo2 | Self::Pulse => CONTINUOUS_MS,
            Self::Oxygen | Self::BloodPressure | Self::Consciousness | Self::Temperature => SPOT_MS,
        }
    }

    /// Whether a reading of that time no longer speaks for the present.
    #[must_use]
    pub const fn is_stale(self, effective: Timestamp, now: Timestamp) -> bool {
        now.since_ms(effective) > self.fresh_ms()
    }

    /// The range that scores 0 in NEWS2 (Royal College of Physicians 2017), for the eye in a chart.
    #[must_use]
    pub const fn zero_range(self) -> Option<(f64, f64)> {
        match self {
            Self::RespirationRate => Some((12.0, 20.0)),
            Self::Spo2 => Some((96.0, 100.0)),
            Self::BloodPressure => Some((111.0, 219.0)),
            Self::Pulse => Some((51.0, 90.0)),
            Self::Temperature => Some((36.1, 38.0)),
            Self::Oxygen | Self::Consciousness => None,
        }
    }

    /// The value and its unit as people write them: `("98/60", "mmHg")`, `("Air", "")`.
    /// `None` when the Observation holds nothing this vital sign shows.
    #[must_use]
    pub fn shown(self, values: &[ObservedValue]) -> Option<(String, &'static str)> {
        let of = |code: &str| values.iter().find(|it| it.code == code);
        match self {
            Self::BloodPressure => {
                let systolic = of("systolic_bp").map(|it| number(&it.value, 0));
                let diastolic = of("diastolic_bp").map(|it| number(&it.value, 0));
                let dash = || "–".to_owned();
                (systolic.is_some() || diastolic.is_some()).then(|| {
                    let systolic = systolic.unwrap_or_else(dash);
                    (format!("{systolic}/{}", diastolic.unwrap_or_else(dash)), "mmHg")
                })
            }
            Self::Oxygen => self.first(values).map(|it| match &it.value {
                ReadingValue::Number(it_is) if is_air(it_is, &it.unit) => ("Air".to_owned(), ""),
                value => (number(value, 1), words::unit(&it.unit)),
            }),
            Self::Temperature => {
                self.first(values).map(|it| (fixed(&it.value, 1), words::unit(&it.unit)))
            }
            Self::RespirationRate | Self::Spo2 | Self::Pulse | Self::Consciousness => {
                self.first(values).map(|it| (number(&it.value, 1), words::unit(&it.unit)))
            }
        }
    }

    fn first(self, values: &[ObservedValue]) -> Option<&ObservedValue> {
        self.codes().iter().find_map(|code| values.iter().find(|it| it.code == *code))
    }

    /// What a chart draws: the value, and the lower one where there are two.
    #[must_use]
    pub fn plotted(self, values: &[ObservedValue]) -> Option<(f64, Option<f64>)> {
        use rust_decimal::prelude::ToPrimitive;
        let of = |code: &str| {
            values.iter().find(|it| it.code == code).and_then(|it| match &it.value {
                ReadingValue::Number(number) => number.to_f64(),
                ReadingValue::Text(_) => None,
            })
        };
        match self {
            Self::BloodPressure => Some((of("systolic_bp")?, of("diastolic_bp"))),
            _ => self.codes().iter().find_map(|code| of(code)).map(|it| (it, None)),
        }
    }
}

/// No flow, or the 21 % of air.
fn is_air(number: &Decimal, unit: &str) -> bool {
    let limit = if unit == "%" { Decimal::from(21) } else { Decimal::ZERO };
    *number <= limit
}

/// At most that many decimals, without trailing zeros.
fn number(value: &ReadingValue, decimals: u32) -> String {
    match value {
        ReadingValue::Number(number) => number.round_dp(decimals).normalize().to_string(),
        ReadingValue::Text(text) => text.clone(),
    }
}

/// Exactly that many decimals, as on a display.
fn fixed(value: &ReadingValue, decimals: usize) -> String {
    match value {
        ReadingValue::Number(number) => {
            format!("{:.decimals$}", number.round_dp(u32::try_from(decimals).unwrap_or(0)))
        }
        ReadingValue::Text(text) => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(vital: Vital, values: &str, want: Option<(&str, &str)>) {
        let values: Vec<ObservedValue> = serde_json::from_str(values).unwrap();
        let got = vital.shown(&values);
        assert_eq!(got.as_ref().map(|(value, unit)| (value.as_str(), *unit)), want);
    }

    #[test]
    fn values_are_written_as_on_a_chart() {
        check(
            Vital::BloodPressure,
            r#"[{"code":"systolic_bp","value":98,"unit":"mm[Hg]"},{"code":"diastolic_bp","value":60,"unit":"mm[Hg]"}]"#,
            Some(("98/60", "mmHg")),
        );
        check(
            Vital::BloodPressure,
            r#"[{"code":"systolic_bp","value":98,"unit":"mm[Hg]"}]"#,
            Some(("98/–", "mmHg")),
        );
        check(
            Vital::Temperature,
            r#"[{"code":"body_temperature","value":38.5,"unit":"Cel"}]"#,
            Some(("38.5", "°C")),
        );
        check(
            Vital::Temperature,
            r#"[{"code":"oral_temperature","value":38,"unit":"Cel"}]"#,
            Some(("38.0", "°C")),
        );
        check(
            Vital::Oxygen,
            r#"[{"code":"inhaled_oxygen_flow","value":0,"unit":"L/min"}]"#,
            Some(("Air", "")),
        );
        check(
            Vital::Oxygen,
            r#"[{"code":"inhaled_oxygen_flow","value":2,"unit":"L/min"}]"#,
            Some(("2", "L/min")),
        );
        check(
            Vital::Pulse,
            r#"[{"code":"pulse_rate","value":104,"unit":"/min"}]"#,
            Some(("104", "/min")),
        );
        check(
            Vital::Consciousness,
            r#"[{"code":"consciousness_acvpu","value":"C","unit":""}]"#,
            Some(("C", "")),
        );
        check(Vital::Spo2, r#"[{"code":"heart_rate","value":70,"unit":"/min"}]"#, None);
    }

    #[test]
    fn every_code_has_one_vital_sign() {
        for vital in Vital::ALL {
            for code in vital.codes() {
                assert_eq!(Vital::of(code), Some(vital), "{code}");
            }
        }
        assert_eq!(Vital::of("glucose"), None);
    }

    #[test]
    fn an_hour_is_the_limit_of_a_continuous_vital() {
        let now = Timestamp::from_unix_ms(1_795_158_000_000);
        assert!(!Vital::Spo2.is_stale(now.plus_ms(-CONTINUOUS_MS), now));
        assert!(Vital::Spo2.is_stale(now.plus_ms(-CONTINUOUS_MS - 1), now));
        assert!(!Vital::Temperature.is_stale(now.plus_ms(-CONTINUOUS_MS - 1), now));
    }
}
