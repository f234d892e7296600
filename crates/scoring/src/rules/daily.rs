//! Rules over days: the first reading of each day, today against those before.

use rust_decimal::Decimal;

use super::judge::Judged;
use super::series::{Reading, figure};
use super::trend::slope;
use super::{Kind, Rule};
use crate::scores::{baseline, weight};

/// The first reading of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct First<'a> {
    /// Number of the day.
    pub day: i64,
    /// Its first reading.
    pub reading: &'a Reading,
}

/// Judges a rule for the day of the last of `firsts`, which are in order and hold no day twice.
#[must_use]
pub fn judge(rule: &Rule, firsts: &[First<'_>]) -> Judged {
    let usable: Vec<(First<'_>, Decimal)> =
        firsts.iter().filter_map(|it| Some((*it, it.reading.value_for(rule)?))).collect();
    let code = rule.codes.first().map_or("", String::as_str);
    let at_ms = firsts.last().map_or(0, |it| it.reading.at_ms);
    let today = firsts.last().map(|it| it.day);
    let Some(((newest, value), before)) =
        usable.split_last().filter(|((it, _), _)| Some(it.day) == today)
    else {
        return Judged::nothing(code, format!("no reading in {}", rule.unit), Vec::new());
    };
    let inputs = || usable.iter().rev().map(|(it, _)| it.reading.input(at_ms)).collect::<Vec<_>>();
    let few = |have: usize, need: usize| {
        Judged::nothing(code, format!("{have} days of {need} needed"), inputs())
    };
    match &rule.kind {
        Kind::WeightGain => {
            let of = |back: i64| {
                before.iter().find(|(it, _)| it.day == newest.day - back).map(|(_, value)| *value)
            };
            let days: Vec<Option<Decimal>> = (1..=7).map(of).collect();
            let finding = weight::judge(Some(*value), &days);
            // A weight of somebody else calls for another weighing, not for a doctor.
            Judged::complete(finding.status, finding.status == "alert", inputs())
        }
        Kind::Trend { days_min, rise, fall, confidence, .. } => {
            if usable.len() < *days_min {
                return few(usable.len(), *days_min);
            }
            let points: Vec<(i64, Decimal)> =
                usable.iter().map(|(it, value)| (it.day, *value)).collect();
            let Some(found) = slope(&points, *confidence) else {
                return few(usable.len(), *days_min);
            };
            let up = rise.is_some_and(|it| found.slope >= it) && found.low > Decimal::ZERO;
            let down = fall.is_some_and(|it| -found.slope >= it) && found.high < Decimal::ZERO;
            let band = match (up, down) {
                (true, _) => "rising",
                (_, true) => "falling",
                _ => "steady",
            };
            let mut inputs = inputs();
            let unit = format!("{}/d", rule.unit);
            inputs.push(figure("slope", found.slope, &unit, at_ms));
            inputs.push(figure("slope_low", found.low, &unit, at_ms));
            inputs.push(figure("slope_high", found.high, &unit, at_ms));
            Judged::complete(band, up || down, inputs)
        }
        Kind::Baseline { days_min, z, floor, .. } => {
            let history: Vec<Decimal> = before.iter().map(|it| it.1).collect();
            if history.len() < *days_min {
                return few(history.len(), *days_min);
            }
            let Some(found) = baseline::robust_z(&history, *value, *floor) else {
                return few(history.len(), *days_min);
            };
            let far = found.z.abs() >= *z;
            let band = match (far, found.z.is_sign_negative()) {
                (false, _) => "usual",
                (true, false) => "above",
                (true, true) => "below",
            };
            let mut inputs = vec![newest.reading.input(at_ms)];
            inputs.push(figure("baseline_median", found.median, &rule.unit, at_ms));
            inputs.push(figure("baseline_scale", found.scale, &rule.unit, at_ms));
            inputs.push(figure("robust_z", found.z, "1", at_ms));
            Judged::complete(band, far, inputs)
        }
        _ => Judged::nothing(code, "not judged over days".to_owned(), inputs()),
    }
}
