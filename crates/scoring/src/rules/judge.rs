//! One rule at one instant, from the readings of its window: a pure function, its id included.

use auscult_model::assessment::{Input, Missing};
use auscult_model::{Assessment, AssessmentStatus, PatientId, Timestamp};
use rust_decimal::Decimal;

use super::series::{Reading, figure};
use super::{Kind, Limit, Quality, Rule, RuleSet};
use crate::scores::cgm_events;
use crate::window::identity;

/// A change is judged against the last accepted reading within this time, and confirmed within it.
const QUALITY_MS: i64 = 5 * 60_000;
/// Readings further apart than this do not make one run.
const GAP_MS: i64 = cgm_events::GAP_MAX_MIN * 60_000;

/// What a rule says.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Whether it could say something.
    pub status: AssessmentStatus,
    /// In a word.
    pub band: Option<&'static str>,
    /// Whether the rule's severity applies.
    pub fires: bool,
    /// What it used and worked out.
    pub inputs: Vec<Input>,
    /// What it would have needed.
    pub missing: Vec<Missing>,
}

impl Judged {
    /// An answer with everything there.
    pub fn complete(band: &'static str, fires: bool, inputs: Vec<Input>) -> Self {
        let status = AssessmentStatus::Complete;
        Self { status, band: Some(band), fires, inputs, missing: Vec::new() }
    }

    /// No answer, and why.
    pub fn nothing(code: &str, reason: String, inputs: Vec<Input>) -> Self {
        let missing = vec![Missing { code: code.to_owned(), reason }];
        Self { status: AssessmentStatus::Incomplete, band: None, fires: false, inputs, missing }
    }
}

/// The assessment of what a rule says.
#[must_use]
pub fn assessment(patient: &PatientId, rule: &Rule, at_ms: i64, judged: Judged) -> Assessment {
    let made = Assessment {
        id: String::new(),
        patient: patient.clone(),
        rule: rule.name.clone(),
        version: rule.version.clone(),
        effective: Timestamp::from_unix_ms(at_ms),
        status: judged.status,
        // 1 where the rule's condition holds, 0 where it does not, nothing where that is not known.
        value: (judged.status == AssessmentStatus::Complete).then_some(judged.fires.into()),
        band: judged.band.map(str::to_owned),
        severity: rule.severity.filter(|_| judged.fires),
        inputs: judged.inputs,
        missing: judged.missing,
        reason: None,
        supersedes: None,
    };
    Assessment { id: identity(&made), ..made }
}

/// Judges a rule over a window that ends at `at_ms`. `readings` are those of its codes in the
/// window, in the order of time.
#[must_use]
pub fn window(set: &RuleSet, rule: &Rule, readings: &[&Reading], at_ms: i64) -> Judged {
    let code = rule.codes.first().map_or("", String::as_str);
    let mut usable: Vec<(&Reading, Decimal)> = Vec::with_capacity(readings.len());
    for reading in readings {
        let Some(value) = reading.value_for(rule) else { continue };
        // Of two readings at one instant the one with the greater observation id stands.
        if usable.last().is_some_and(|it| it.0.at_ms == reading.at_ms) {
            usable.pop();
        }
        usable.push((*reading, value));
    }
    let suppressed = suppress(set, &mut usable);
    let Some((newest, _)) = usable.last() else {
        let unit = &rule.unit;
        let reason = match suppressed {
            0 => format!("no reading in {unit}"),
            _ => format!("{suppressed} suppressed as artefact, none left"),
        };
        return Judged::nothing(code, reason, Vec::new());
    };
    let inputs = vec![newest.input(at_ms)];
    let mut judged = match &rule.kind {
        Kind::Threshold { limit, clear, hold_ms } => {
            let on = beyond(&usable, *limit, *clear, *hold_ms);
            let band = match (on, limit) {
                (false, _) => "within",
                (true, Limit::Above(_)) => "high",
                (true, Limit::Below(_)) => "low",
            };
            Judged::complete(band, on, inputs)
        }
        Kind::Rate { rise, fall, .. } => rate(&usable, *rise, *fall, inputs, at_ms),
        Kind::Glucose(kind) => {
            let minutes: Vec<(i64, Decimal)> =
                usable.iter().map(|(it, value)| (it.at_ms.div_euclid(60_000), *value)).collect();
            let open =
                cgm_events::events(*kind, &minutes).last().is_some_and(|it| it.end.is_none());
            Judged::complete(if open { "event" } else { "within" }, open, inputs)
        }
        // The other kinds are judged over days or gaps.
        _ => Judged::nothing(code, "not judged over a window".to_owned(), inputs),
    };
    if suppressed > 0 {
        let reason = format!("{suppressed} suppressed as artefact: changed too quickly");
        judged.missing.push(Missing { code: code.to_owned(), reason });
        if newest.at_ms < at_ms {
            judged.status = AssessmentStatus::Incomplete;
        }
    }
    judged
}

/// Takes out what changed too quickly and was not confirmed by the next reading; returns how many.
fn suppress(set: &RuleSet, readings: &mut Vec<(&Reading, Decimal)>) -> usize {
    if readings.iter().all(|(it, _)| !set.quality.contains_key(&it.code)) {
        return 0;
    }
    let mut kept: Vec<(&Reading, Decimal)> = Vec::with_capacity(readings.len());
    for (place, (reading, value)) in readings.iter().enumerate() {
        let before = kept.last().filter(|it| reading.at_ms - it.0.at_ms <= QUALITY_MS);
        let quick = match (before, set.quality.get(&reading.code)) {
            (Some((before, was)), Some(Quality { max_change_per_min })) => {
                let change = (value - was).abs() * Decimal::from(60_000);
                change > max_change_per_min * Decimal::from(reading.at_ms - before.at_ms)
            }
            _ => false,
        };
        let confirmed = readings.get(place + 1).is_some_and(|(next, then)| {
            let fifth = value.abs() * Decimal::new(2, 1);
            next.at_ms - reading.at_ms <= QUALITY_MS && (then - value).abs() <= fifth
        });
        if !quick || confirmed {
            kept.push((*reading, *value));
        }
    }
    let n = readings.len() - kept.len();
    *readings = kept;
    n
}

/// Whether the limit is passed at the end of the window: beyond it for long enough, and since then
/// not back past `clear`.
fn beyond(readings: &[(&Reading, Decimal)], limit: Limit, clear: Decimal, hold_ms: i64) -> bool {
    let (mut on, mut run, mut before) = (false, None, None::<i64>);
    for (reading, value) in readings {
        let met = limit.met(*value);
        if on {
            let back = match limit {
                Limit::Above(_) => *value <= clear,
                Limit::Below(_) => *value >= clear,
            };
            on = met || !back;
        } else if met {
            if before.is_some_and(|it| reading.at_ms - it > GAP_MS) {
                run = None;
            }
            let start = *run.get_or_insert(reading.at_ms);
            on = reading.at_ms - start >= hold_ms;
        }
        if !met {
            run = None;
        }
        before = Some(reading.at_ms);
    }
    on
}

fn rate(
    readings: &[(&Reading, Decimal)],
    rise: Option<Decimal>,
    fall: Option<Decimal>,
    mut inputs: Vec<Input>,
    at_ms: i64,
) -> Judged {
    let Some(((newest, value), earlier)) = readings.split_last() else {
        return Judged::nothing("", "no reading".to_owned(), inputs);
    };
    let least = earlier.iter().min_by_key(|it| it.1);
    let most = earlier.iter().max_by_key(|it| it.1);
    let (Some(least), Some(most)) = (least, most) else {
        return Judged::nothing(&newest.code, "no earlier reading".to_owned(), inputs);
    };
    let (up, down) = (value - least.1, most.1 - value);
    let rises = rise.is_some_and(|it| up >= it);
    let falls = fall.is_some_and(|it| down >= it);
    let (band, other, change) = match (rises, falls) {
        (true, _) => ("rising", least, up),
        (_, true) => ("falling", most, -down),
        _ if up >= down => ("steady", least, up),
        _ => ("steady", most, -down),
    };
    inputs.push(other.0.input(at_ms));
    inputs.push(figure("change", change, &newest.unit, at_ms));
    Judged::complete(band, rises || falls, inputs)
}

#[cfg(test)]
mod tests;
