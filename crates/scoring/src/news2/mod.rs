//! NEWS2, the National Early Warning Score as published by the Royal College of Physicians in 2017.

pub mod table;

use auscult_model::Severity;
use rust_decimal::Decimal;

/// Name of the rule in assessments, alerts and settings.
pub const RULE: &str = "news2";
/// Edition of the published table, then our own revision of the rule around it.
pub const VERSION: &str = "2017-1";
/// The published source.
pub const SOURCE: &str = "Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017";
/// NEWS2 is not validated for children: below this age the answer is "not applicable".
pub const AGE_YEARS_MIN: u32 = 16;
/// Aggregate from which the response is an emergency (RCP 2017, response table).
pub const HIGH: u32 = 7;
/// Aggregate from which the response is urgent (RCP 2017, response table).
pub const MEDIUM: u32 = 5;
/// Points of one parameter that ask for an urgent ward review on their own.
pub const SINGLE: u32 = 3;

/// Which oxygen saturations are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SpO2Scale {
    /// The usual one.
    #[default]
    One,
    /// Hypercapnic respiratory failure with a prescribed target of 88–92 %. Only ever by a
    /// clinician's order, never inferred from a diagnosis.
    Two,
}

/// Level of consciousness. `C` is *new* confusion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acvpu {
    /// Alert.
    A,
    /// New confusion.
    C,
    /// Responds to voice.
    V,
    /// Responds to pain.
    P,
    /// Unresponsive.
    U,
}

impl Acvpu {
    /// The level of that letter, in either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "A" | "a" => Some(Self::A),
            "C" | "c" => Some(Self::C),
            "V" | "v" => Some(Self::V),
            "P" | "p" => Some(Self::P),
            "U" | "u" => Some(Self::U),
            _ => None,
        }
    }
}

/// What NEWS2 looks at. `None`: there is no fresh value.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Vitals {
    /// Breaths a minute.
    pub respiration_rate: Option<Decimal>,
    /// Percent.
    pub spo2: Option<Decimal>,
    /// The scale ordered for this patient.
    pub spo2_scale: SpO2Scale,
    /// Whether supplemental oxygen is given: any flow above 0 or more than 21 % inspired.
    pub on_oxygen: Option<bool>,
    /// mm\[Hg\].
    pub systolic_bp: Option<Decimal>,
    /// Beats a minute.
    pub pulse: Option<Decimal>,
    /// Level of consciousness.
    pub consciousness: Option<Acvpu>,
    /// Degrees Celsius.
    pub temperature: Option<Decimal>,
}

/// Points of each parameter; `None` where there was no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Points {
    /// 0, 1, 2 or 3.
    pub respiration_rate: Option<u32>,
    /// 0 to 3.
    pub spo2: Option<u32>,
    /// 0 on air, 2 on oxygen.
    pub oxygen: Option<u32>,
    /// 0 to 3.
    pub systolic_bp: Option<u32>,
    /// 0 to 3.
    pub pulse: Option<u32>,
    /// 0 or 3.
    pub consciousness: Option<u32>,
    /// 0 to 3.
    pub temperature: Option<u32>,
}

/// How much risk the score stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// 0 to 4, no single 3.
    Low,
    /// 0 to 4 with a single 3.
    LowMedium,
    /// 5 or 6.
    Medium,
    /// 7 and more.
    High,
}

impl Risk {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::LowMedium => "low-medium",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// The score of one set of vitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// Points of each parameter.
    pub points: Points,
    /// Their sum, 0 to 20. A lower bound unless `complete`.
    pub total: u32,
    /// Whether every parameter had a value.
    pub complete: bool,
    /// Whether any one parameter scored 3, whatever the total.
    pub any_single_3: bool,
    /// The risk; at least this high unless `complete`.
    pub risk: Risk,
}

impl Points {
    /// Every parameter, in the order of the published chart.
    #[must_use]
    pub const fn all(&self) -> [Option<u32>; 7] {
        [
            self.respiration_rate,
            self.spo2,
            self.oxygen,
            self.systolic_bp,
            self.pulse,
            self.consciousness,
            self.temperature,
        ]
    }
}

impl Score {
    /// How fast somebody must come: 7 and more is an emergency, 5, 6 or a single 3 is urgent. A
    /// lower bound that reaches a threshold counts as much as a complete score.
    #[must_use]
    pub const fn severity(&self) -> Option<Severity> {
        match self.risk {
            Risk::High => Some(Severity::Emergency),
            Risk::Medium | Risk::LowMedium => Some(Severity::Urgent),
            Risk::Low => None,
        }
    }

    /// Code of the clinical response the published table asks for.
    #[must_use]
    pub const fn response(&self) -> &'static str {
        match (self.risk, self.total) {
            (Risk::High, _) => "emergency_continuous",
            (Risk::Medium, _) => "urgent_1h",
            (Risk::LowMedium, _) => "urgent_ward_1h",
            (Risk::Low, 0) => "routine_12h",
            (Risk::Low, _) => "ward_4-6h",
        }
    }
}

/// Scores one set of vitals. With oxygen unknown air is assumed, and the score is incomplete.
#[must_use]
pub fn score(vitals: &Vitals) -> Score {
    let on_oxygen = vitals.on_oxygen.unwrap_or(false);
    let spo2 = match (vitals.spo2_scale, on_oxygen) {
        (SpO2Scale::One, _) => table::SPO2_SCALE_1,
        (SpO2Scale::Two, false) => table::SPO2_SCALE_2_AIR,
        (SpO2Scale::Two, true) => table::SPO2_SCALE_2_OXYGEN,
    };
    let points = Points {
        respiration_rate: vitals.respiration_rate.map(|it| table::RESPIRATION_RATE.points(it)),
        spo2: vitals.spo2.map(|it| spo2.points(it)),
        oxygen: vitals.on_oxygen.map(|it| if it { table::OXYGEN } else { table::AIR }),
        systolic_bp: vitals.systolic_bp.map(|it| table::SYSTOLIC_BP.points(it)),
        pulse: vitals.pulse.map(|it| table::PULSE.points(it)),
        consciousness: vitals.consciousness.map(table::consciousness),
        temperature: vitals.temperature.map(|it| table::TEMPERATURE.points(it)),
    };
    let all = points.all();
    let total = all.iter().flatten().sum();
    let any_single_3 = all.contains(&Some(SINGLE));
    let risk = match total {
        HIGH.. => Risk::High,
        MEDIUM.. => Risk::Medium,
        _ if any_single_3 => Risk::LowMedium,
        _ => Risk::Low,
    };
    Score { points, total, complete: all.iter().all(Option::is_some), any_single_3, risk }
}

#[cfg(test)]
mod tests;
