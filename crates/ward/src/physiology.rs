//! A patient's vital signs: a baseline of their own, moved by illness.

use crate::dice::Dice;
use crate::minutes;
use crate::scenario::Course;

/// One patient.
#[derive(Debug, Clone)]
pub struct Body {
    course: Course,
    well: Vitals,
    illness: Vitals,
}

/// What can be measured, without the noise of measuring it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vitals {
    /// Beats a minute.
    pub heart_rate: f64,
    /// Breaths a minute.
    pub respiration_rate: f64,
    /// Percent.
    pub spo2: f64,
    /// mm Hg.
    pub systolic_bp: f64,
    /// mm Hg.
    pub diastolic_bp: f64,
    /// Degrees Celsius.
    pub temperature: f64,
}

/// What full illness adds: an infection of the blood, of the lungs, and a hidden bleeding. Each takes
/// a resting adult to a NEWS2 of 7 or more by the published table (Royal College of Physicians 2017).
const ILLNESSES: [Vitals; 3] = [
    Vitals {
        heart_rate: 50.0,
        respiration_rate: 11.0,
        spo2: -6.0,
        systolic_bp: -32.0,
        diastolic_bp: -18.0,
        temperature: 2.4,
    },
    Vitals {
        heart_rate: 36.0,
        respiration_rate: 14.0,
        spo2: -9.0,
        systolic_bp: -12.0,
        diastolic_bp: -6.0,
        temperature: 1.5,
    },
    Vitals {
        heart_rate: 58.0,
        respiration_rate: 9.0,
        spo2: -4.0,
        systolic_bp: -40.0,
        diastolic_bp: -22.0,
        temperature: -1.0,
    },
];

/// Streams of a bed: 0 to 3 belong to its sensors, this one to its patient.
const BODY_STREAM: u64 = 7;

impl Body {
    /// The patient of that bed: a resting adult inside every 0 range of NEWS2.
    pub fn new(seed: u64, bed: u32, course: Course) -> Self {
        let mut dice = Dice::new(seed, u64::from(bed) * 8 + BODY_STREAM);
        let well = Vitals {
            heart_rate: dice.between(66.0, 80.0),
            respiration_rate: dice.between(14.0, 17.0),
            spo2: dice.between(97.2, 98.4),
            systolic_bp: dice.between(120.0, 134.0),
            diastolic_bp: dice.between(70.0, 80.0),
            temperature: dice.between(36.6, 37.1),
        };
        let illness = ILLNESSES.get(bed as usize % ILLNESSES.len()).copied();
        Self { course, well, illness: illness.unwrap_or(well) }
    }

    /// From 0 (well) to 1 (an emergency).
    pub fn severity(&self, elapsed_ms: i64) -> f64 {
        self.course.illness(minutes(elapsed_ms))
    }

    /// The vital signs at that moment.
    pub fn vitals(&self, elapsed_ms: i64) -> Vitals {
        self.at_illness(self.severity(elapsed_ms))
    }

    /// The vital signs at that degree of illness.
    pub fn at_illness(&self, by: f64) -> Vitals {
        let (well, ill) = (&self.well, &self.illness);
        Vitals {
            heart_rate: well.heart_rate + by * ill.heart_rate,
            respiration_rate: well.respiration_rate + by * ill.respiration_rate,
            spo2: well.spo2 + by * ill.spo2,
            systolic_bp: well.systolic_bp + by * ill.systolic_bp,
            diastolic_bp: well.diastolic_bp + by * ill.diastolic_bp,
            temperature: well.temperature + by * ill.temperature,
        }
    }
}

/// What measuring adds: noise that returns to zero, each value remembering the one before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Drift(f64);

/// Share of the last noise that is still there at the next reading.
const MEMORY: f64 = 0.7;
/// Keeps the deviation of the noise at `spread`: the square root of 1 - 0.7².
const FRESH: f64 = 0.714;

impl Drift {
    /// The next noise, of deviation `spread`.
    pub fn next(&mut self, dice: &mut Dice, spread: f64) -> f64 {
        self.0 = MEMORY * self.0 + FRESH * spread * dice.normal();
        self.0
    }
}
