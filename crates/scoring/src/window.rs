//! One patient's readings around an instant, and the NEWS2 assessment they make.

use std::cmp::Reverse;
use std::fmt::Write as _;

use auscult_model::assessment::{Input, Missing};
use auscult_model::{Assessment, AssessmentStatus, PatientId, Timestamp, digest};
use rust_decimal::Decimal;

use crate::news2::{self, SpO2Scale, Vitals};
use crate::series::{AIR_PERCENT, LOOKBACK_MS, N_SERIES, Parameter, SERIES, Value};
use crate::settings::{Settings, Spo2Order, surely_too_young};

/// One value of one series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Place in [`SERIES`].
    pub series: usize,
    /// When it was measured.
    pub effective: Timestamp,
    /// The Observation it came from.
    pub observation: String,
    /// What was measured.
    pub value: Value,
}

/// What is known of the patient besides readings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context {
    /// The settings document in force.
    pub settings: Settings,
    /// FHIR `birthDate`, when known.
    pub birth_date: Option<String>,
}

/// The latest sample of each series up to some instant.
#[derive(Debug, Clone, Default)]
pub struct Latest<'a>([Option<&'a Sample>; N_SERIES]);

impl<'a> Latest<'a> {
    /// Takes a sample in, unless one as late is there. Of two at the same instant the one with the
    /// greater observation id stands, whichever arrived first.
    pub fn take(&mut self, sample: &'a Sample) {
        if let Some(slot) = self.0.get_mut(sample.series) {
            let key = |it: &'a Sample| (it.effective, it.observation.as_str());
            if slot.is_none_or(|it| key(it) < key(sample)) {
                *slot = Some(sample);
            }
        }
    }

    fn of(&self, parameter: Parameter) -> impl Iterator<Item = &'a Sample> {
        let slots = SERIES.iter().zip(self.0);
        slots.filter(move |(it, _)| it.parameter == parameter).filter_map(|(_, slot)| slot)
    }

    /// The sample that answers for a parameter at an instant, or why none does.
    fn choose(&self, parameter: Parameter, at: Timestamp) -> Result<&'a Sample, String> {
        let age = |it: &Sample| at.since_ms(it.effective);
        let known = || self.of(parameter).filter(|it| (0..=LOOKBACK_MS).contains(&age(it)));
        let fresh = || known().filter(|it| age(it) <= parameter.fresh_ms());
        let Some(newest) = fresh().map(|it| it.effective).max() else {
            return Err(known()
                .map(age)
                .min()
                .map_or_else(|| "no reading".to_owned(), |it| stale(it, parameter.fresh_ms())));
        };
        let together =
            fresh().filter(|it| newest.since_ms(it.effective) <= parameter.together_ms());
        let chosen = match parameter {
            // Two statements of one instant that disagree: the patient is on oxygen.
            Parameter::Oxygen => together.min_by_key(|it| Reverse(gives_oxygen(it))),
            _ => together.min_by_key(|it| it.series),
        };
        chosen.ok_or_else(|| "no reading".to_owned())
    }
}

/// "75 min old, limit 1 h".
fn stale(age_ms: i64, limit_ms: i64) -> String {
    let (minutes, hours, limit) = (age_ms / 60_000, age_ms / 3_600_000, limit_ms / 3_600_000);
    if hours < 2 {
        format!("{minutes} min old, limit {limit} h")
    } else {
        format!("{hours} h old, limit {limit} h")
    }
}

fn number(sample: &Sample) -> Option<Decimal> {
    match sample.value {
        Value::Number(number) => Some(number),
        Value::Level(_) => None,
    }
}

/// Any flow above zero, or more than air in what is breathed in.
fn gives_oxygen(sample: &Sample) -> bool {
    let concentration = SERIES.get(sample.series).is_some_and(|it| it.units.contains(&"%"));
    let limit = Decimal::from(if concentration { AIR_PERCENT } else { 0 });
    number(sample).is_some_and(|it| it > limit)
}

/// NEWS2 of one patient at one instant, from the latest readings up to it. A pure function of its
/// arguments, its `id` included.
#[must_use]
pub fn assess(
    patient: &PatientId,
    context: &Context,
    latest: &Latest<'_>,
    at: Timestamp,
) -> Assessment {
    let assessment = Assessment {
        id: String::new(),
        patient: patient.clone(),
        rule: news2::RULE.to_owned(),
        version: news2::VERSION.to_owned(),
        effective: at,
        status: AssessmentStatus::NotApplicable,
        value: None,
        band: None,
        severity: None,
        inputs: Vec::new(),
        missing: Vec::new(),
        reason: None,
        supersedes: None,
    };
    let assessment = match not_applicable(context, at) {
        Some(missing) => Assessment { missing: vec![missing], ..assessment },
        None => scored(assessment, context.settings.spo2_order(at), latest),
    };
    Assessment { id: identity(&assessment), ..assessment }
}

/// The assessment that tells others that one no longer stands because its readings are gone: it
/// has no value, no inputs, and supersedes the one that stood.
#[must_use]
pub fn retraction(patient: &PatientId, at: Timestamp, stood: &str) -> Assessment {
    let nothing = assess(patient, &Context::default(), &Latest::default(), at);
    Assessment {
        value: None,
        band: None,
        reason: Some(LATE_DATA.to_owned()),
        supersedes: Some(stood.to_owned()),
        ..nothing
    }
}

/// Why one assessment replaced another.
pub const LATE_DATA: &str = "late-data";

fn not_applicable(context: &Context, at: Timestamp) -> Option<Missing> {
    let missing = |code: &str, reason: &str| {
        Some(Missing { code: code.to_owned(), reason: reason.to_owned() })
    };
    if context.settings.pregnant_at(at) {
        return missing("pregnancy", "NEWS2 does not apply during pregnancy");
    }
    if context.birth_date.as_deref().is_some_and(|it| surely_too_young(it, at)) {
        return missing("age", "NEWS2 does not apply under 16 years");
    }
    None
}

fn scored(base: Assessment, order: Option<&Spo2Order>, latest: &Latest<'_>) -> Assessment {
    let at = base.effective;
    let chosen = Parameter::ALL.map(|it| (it, latest.choose(it, at)));
    let mut vitals =
        Vitals { spo2_scale: order.map_or(SpO2Scale::One, Spo2Order::scale), ..Vitals::default() };
    for (parameter, choice) in &chosen {
        let Ok(sample) = choice else { continue };
        match parameter {
            Parameter::RespirationRate => vitals.respiration_rate = number(sample),
            Parameter::SpO2 => vitals.spo2 = number(sample),
            Parameter::Oxygen => vitals.on_oxygen = Some(gives_oxygen(sample)),
            Parameter::SystolicBp => vitals.systolic_bp = number(sample),
            Parameter::Pulse => vitals.pulse = number(sample),
            Parameter::Temperature => vitals.temperature = number(sample),
            Parameter::Consciousness => {
                if let Value::Level(level) = sample.value {
                    vitals.consciousness = Some(level);
                }
            }
        }
    }
    let score = news2::score(&vitals);
    let mut inputs = Vec::with_capacity(chosen.len() + 1);
    let mut missing = Vec::new();
    for ((parameter, choice), points) in chosen.iter().zip(score.points.all()) {
        match choice {
            Ok(sample) => {
                inputs.push(input(sample, at, points.unwrap_or(0)));
                let ordered = order.filter(|it| it.scale == 2 && *parameter == Parameter::SpO2);
                inputs.extend(ordered.map(|it| scale_input(it, at)));
            }
            Err(reason) => {
                let air = if *parameter == Parameter::Oxygen { "; air assumed" } else { "" };
                let code = parameter.code().to_owned();
                missing.push(Missing { code, reason: format!("{reason}{air}") });
            }
        }
    }
    let status =
        if score.complete { AssessmentStatus::Complete } else { AssessmentStatus::Incomplete };
    Assessment {
        status,
        value: Some(i64::from(score.total)),
        band: Some(score.risk.as_str().to_owned()),
        severity: score.severity(),
        inputs,
        missing,
        ..base
    }
}

fn input(sample: &Sample, at: Timestamp, points: u32) -> Input {
    let series = SERIES.get(sample.series);
    Input {
        code: series.map_or("", |it| it.code).to_owned(),
        value: sample.value.show(),
        unit: series.and_then(|it| it.units.first()).copied().unwrap_or_default().to_owned(),
        effective: sample.effective,
        age_seconds: at.since_ms(sample.effective) / 1_000,
        points,
        observation: Some(sample.observation.clone()),
    }
}

/// The scale is shown beside the saturation it was applied to, with the age of the order.
fn scale_input(order: &Spo2Order, at: Timestamp) -> Input {
    Input {
        code: "spo2_scale".to_owned(),
        value: auscult_model::ReadingValue::Number(order.scale.into()),
        unit: String::new(),
        effective: order.from,
        age_seconds: at.since_ms(order.from) / 1_000,
        points: 0,
        observation: None,
    }
}

/// A digest over everything that comes from readings, settings and rule.
pub(crate) fn identity(it: &Assessment) -> String {
    let mut key = String::with_capacity(512);
    // Ids hold no control characters and the rest is ours, so a line break ends a part for certain.
    let _ = writeln!(key, "{:?} {:?} {:?} {:?}", it.status, it.value, it.band, it.severity);
    for input in &it.inputs {
        let observation = input.observation.as_deref().unwrap_or_default();
        let (at, points) = (input.effective.unix_ms(), input.points);
        let _ = match &input.value {
            auscult_model::ReadingValue::Number(number) => {
                writeln!(key, "{}\t{number}\t{at}\t{points}\t{observation}", input.code)
            }
            auscult_model::ReadingValue::Text(text) => {
                writeln!(key, "{}\t{text}\t{at}\t{points}\t{observation}", input.code)
            }
        };
    }
    for missing in &it.missing {
        let _ = writeln!(key, "{}\t{}", missing.code, missing.reason);
    }
    let at = it.effective.unix_ms().to_string();
    digest(&[&it.rule, &it.version, it.patient.reveal(), &at, &key])
}
