//! Which canonical values NEWS2 reads, in which units, and how long each stays fresh.

use auscult_model::ReadingValue;
use rust_decimal::Decimal;

use crate::news2::Acvpu;

const HOUR_MS: i64 = 3_600_000;

/// Continuous vitals count for 60 minutes (respiration rate, saturation, pulse).
pub const FRESH_CONTINUOUS_MS: i64 = HOUR_MS;
/// Spot vitals count for 12 hours (blood pressure, temperature, oxygen, consciousness).
pub const FRESH_SPOT_MS: i64 = 12 * HOUR_MS;
/// How far back a stale value is still named ("13 h old, limit 1 h") instead of "no reading". It
/// bounds what a late reading can touch: nothing later than this after it.
pub const LOOKBACK_MS: i64 = 24 * HOUR_MS;
/// Pulse sources this close together count as equally fresh, and the better source wins. Longer
/// than the usual period of a monitor, shorter than that of a cuff.
pub const PULSE_TOGETHER_MS: i64 = 5 * 60_000;
/// More oxygen than this is supplemental: what air holds, in percent.
pub const AIR_PERCENT: i64 = 21;

/// One of the seven things NEWS2 looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// Breaths a minute.
    RespirationRate,
    /// Percent.
    SpO2,
    /// Air or oxygen.
    Oxygen,
    /// mm\[Hg\].
    SystolicBp,
    /// Beats a minute.
    Pulse,
    /// ACVPU.
    Consciousness,
    /// Degrees Celsius.
    Temperature,
}

impl Parameter {
    /// In the order of the published chart.
    pub const ALL: [Self; 7] = [
        Self::RespirationRate,
        Self::SpO2,
        Self::Oxygen,
        Self::SystolicBp,
        Self::Pulse,
        Self::Consciousness,
        Self::Temperature,
    ];

    /// Canonical code named when there is no value.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::RespirationRate => "respiratory_rate",
            Self::SpO2 => "spo2",
            Self::Oxygen => "inhaled_oxygen_flow",
            Self::SystolicBp => "systolic_bp",
            Self::Pulse => "heart_rate",
            Self::Consciousness => "consciousness_acvpu",
            Self::Temperature => "body_temperature",
        }
    }

    /// How old a value may be and still count.
    #[must_use]
    pub const fn fresh_ms(self) -> i64 {
        match self {
            Self::RespirationRate | Self::SpO2 | Self::Pulse => FRESH_CONTINUOUS_MS,
            Self::Oxygen | Self::SystolicBp | Self::Consciousness | Self::Temperature => {
                FRESH_SPOT_MS
            }
        }
    }

    /// How long after one reading a newer, less preferred one is still passed over for it.
    pub(crate) const fn together_ms(self) -> i64 {
        match self {
            Self::Pulse => PULSE_TOGETHER_MS,
            _ => 0,
        }
    }
}

/// One kind of value that can answer for a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Series {
    /// Canonical code.
    pub code: &'static str,
    /// What it answers for.
    pub parameter: Parameter,
    /// Units that mean the same; the first is shown. A value in any other unit is not scored.
    pub units: &'static [&'static str],
}

const fn series(
    code: &'static str,
    parameter: Parameter,
    units: &'static [&'static str],
) -> Series {
    Series { code, parameter, units }
}

const PER_MINUTE: &[&str] = &["/min", "1/min", "{beats}/min", "{breaths}/min"];
const CELSIUS: &[&str] = &["Cel"];

/// How many series there are.
pub const N_SERIES: usize = 16;

/// Every series. Within a parameter the earlier one is preferred at equal freshness: for the pulse
/// the electrocardiogram over the oximeter over the cuff.
pub const SERIES: [Series; N_SERIES] = [
    series("respiratory_rate", Parameter::RespirationRate, PER_MINUTE),
    series("spo2", Parameter::SpO2, &["%"]),
    series("inhaled_oxygen_flow", Parameter::Oxygen, &["L/min"]),
    series("inhaled_oxygen_concentration", Parameter::Oxygen, &["%"]),
    series("systolic_bp", Parameter::SystolicBp, &["mm[Hg]"]),
    series("heart_rate", Parameter::Pulse, PER_MINUTE),
    series("pulse_rate", Parameter::Pulse, PER_MINUTE),
    series("pulse_rate_nibp", Parameter::Pulse, PER_MINUTE),
    series("consciousness_acvpu", Parameter::Consciousness, &["", "1"]),
    series("body_temperature", Parameter::Temperature, CELSIUS),
    series("core_temperature", Parameter::Temperature, CELSIUS),
    series("rectal_temperature", Parameter::Temperature, CELSIUS),
    series("oral_temperature", Parameter::Temperature, CELSIUS),
    series("tympanic_temperature", Parameter::Temperature, CELSIUS),
    series("ear_temperature", Parameter::Temperature, CELSIUS),
    series("axillary_temperature", Parameter::Temperature, CELSIUS),
];

/// Place of a canonical code in [`SERIES`], `None` when NEWS2 does not read it.
#[must_use]
pub fn place_of(code: &str) -> Option<usize> {
    SERIES.iter().position(|it| it.code == code)
}

/// A value as scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// In the unit of its series.
    Number(Decimal),
    /// A level of consciousness.
    Level(Acvpu),
}

impl Series {
    /// The value when it can be scored: a number in a known unit, or one of the five letters.
    #[must_use]
    pub fn accept(&self, value: &ReadingValue, unit: &str) -> Option<Value> {
        match (self.parameter, value) {
            (Parameter::Consciousness, ReadingValue::Text(text)) => {
                Acvpu::parse(text).map(Value::Level)
            }
            (Parameter::Consciousness, ReadingValue::Number(_)) | (_, ReadingValue::Text(_)) => {
                None
            }
            (_, ReadingValue::Number(number)) => {
                self.units.contains(&unit).then_some(Value::Number(*number))
            }
        }
    }

    /// Reads what [`Value::store`] wrote.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<Value> {
        match self.parameter {
            Parameter::Consciousness => Acvpu::parse(text).map(Value::Level),
            _ => text.parse().ok().map(Value::Number),
        }
    }
}

impl Value {
    /// The value as kept in the table, the same text for equal values.
    #[must_use]
    pub fn store(self) -> String {
        match self {
            Self::Number(number) => number.normalize().to_string(),
            Self::Level(level) => format!("{level:?}"),
        }
    }

    /// The value as shown.
    #[must_use]
    pub fn show(self) -> ReadingValue {
        match self {
            Self::Number(number) => ReadingValue::Number(number.normalize()),
            Self::Level(level) => ReadingValue::Text(format!("{level:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_in_a_unit_nobody_converted_is_not_scored() {
        let number = |text: &str| ReadingValue::Number(text.parse().unwrap());
        let rows = [
            ("body_temperature", number("36.6"), "Cel", true),
            ("body_temperature", number("97.9"), "[degF]", false),
            ("systolic_bp", number("120"), "kPa", false),
            ("heart_rate", number("70"), "{beats}/min", true),
            ("heart_rate", ReadingValue::Text("70".to_owned()), "/min", false),
            ("consciousness_acvpu", ReadingValue::Text("V".to_owned()), "", true),
            ("consciousness_acvpu", ReadingValue::Text("drowsy".to_owned()), "", false),
        ];
        for (code, value, unit, want) in rows {
            let series = SERIES[place_of(code).unwrap()];
            assert_eq!(series.accept(&value, unit).is_some(), want, "{code} {unit}");
        }
    }

    #[test]
    fn what_is_stored_reads_back_the_same() {
        let temperature = SERIES[place_of("body_temperature").unwrap()];
        let value = Value::Number("36.60".parse().unwrap());
        assert_eq!(value.store(), "36.6");
        assert_eq!(temperature.read(&value.store()), Some(value));
        let level = Value::Level(Acvpu::V);
        let consciousness = SERIES[place_of("consciousness_acvpu").unwrap()];
        assert_eq!(consciousness.read(&level.store()), Some(level));
    }
}
