//! From a document to a [`RuleSet`], or every fault with its place.

use std::collections::BTreeSet;

use auscult_model::{Fault, digest};
use rust_decimal::Decimal;
use serde_json::Value;

use super::calendar::minute_of_day;
use super::read::{Object, fault};
use super::{Due, Kind, Limit, Quality, Rule, RuleSet, Zone};
use crate::scores::cgm_events;

/// Most rules of a set: more than any ward runs, few enough for one look.
const ITEMS_MAX: usize = 100;
const KINDS: [&str; 8] =
    ["news2", "weight-gain", "glucose", "threshold", "rate", "trend", "baseline", "absence"];

/// Reads a document as sent.
///
/// # Errors
/// Every fault with its place.
pub fn parse(document: &Value) -> Result<RuleSet, Vec<Fault>> {
    let mut faults = Vec::new();
    let set = read(document, &mut faults);
    match set {
        Some(set) if faults.is_empty() => Ok(set),
        _ => Err(faults),
    }
}

fn read(document: &Value, faults: &mut Vec<Fault>) -> Option<RuleSet> {
    let mut top = Object::new(document, String::new(), faults)?;
    let mut set = RuleSet::default();
    if let Some(text) = top.text("zone") {
        match Zone::parse(text) {
            Some(zone) => set.zone = zone,
            None => top.wrong("zone", "value", "an offset such as +01:00 is needed"),
        }
    }
    let lists = ["rules", "signal_quality"].map(|key| {
        let value = top.get(key);
        let list = value.map_or(Some([].as_slice()), |it| it.as_array().map(Vec::as_slice));
        if list.is_none_or(|it| it.len() > ITEMS_MAX) {
            top.wrong(key, "type", format!("an array of at most {ITEMS_MAX} is needed"));
        }
        list.unwrap_or_default()
    });
    top.end();
    let [rules, quality] = lists;
    let numbered = |list: &'_ [Value], key: &str| -> Vec<String> {
        (0..list.len()).map(|it| format!("/{key}/{it}")).collect()
    };
    for (value, place) in rules.iter().zip(numbered(rules, "rules")) {
        set.rules.extend(rule(value, place, faults));
    }
    for (value, place) in quality.iter().zip(numbered(quality, "signal_quality")) {
        let Some(mut it) = Object::new(value, place, faults) else { continue };
        let (codes, max_change_per_min) = (it.codes(), it.number_needed("max_change_per_min"));
        if max_change_per_min <= Decimal::ZERO {
            it.wrong("max_change_per_min", "value", "a number above zero is needed");
        }
        it.end();
        set.quality.extend(codes.into_iter().map(|it| (it, Quality { max_change_per_min })));
    }
    names(&set, faults);
    Some(set)
}

/// A name stands for one cause of alerts only.
fn names(set: &RuleSet, faults: &mut Vec<Fault>) {
    let mut seen = BTreeSet::new();
    for name in set.rules.iter().map(|it| &it.name).filter(|it| !it.is_empty()) {
        if !seen.insert(name) {
            faults.push(fault("/rules", "duplicate", format!("{name} is named twice")));
        }
    }
    for rule in &set.rules {
        if (rule.kind == Kind::News2) != (rule.name == crate::news2::RULE) && !rule.name.is_empty()
        {
            let detail = "the rule of kind news2 is named news2, and no other is";
            faults.push(fault("/rules", "value", detail));
        }
    }
}

/// Reads one rule, noting every fault.
pub(crate) fn rule(value: &Value, place: String, faults: &mut Vec<Fault>) -> Option<Rule> {
    let mut it = Object::new(value, place, faults)?;
    let name = it.name("name");
    let word = it.word("kind", &KINDS)?;
    let mut severity = None;
    let (mut codes, mut unit) = (Vec::new(), String::new());
    if word != "news2" {
        severity = it.severity();
    }
    if ["threshold", "rate", "trend", "baseline", "absence"].contains(&word) {
        codes = it.codes();
        unit = it.text("unit").unwrap_or_default().to_owned();
        if unit.is_empty() && word != "absence" && it.get("unit").is_none() {
            it.wrong("unit", "missing", "the unit that the limits are in is needed");
        }
    }
    let kind = match word {
        "news2" => Some(Kind::News2),
        "weight-gain" => {
            (codes, unit) = (vec!["body_weight".to_owned()], "kg".to_owned());
            Some(Kind::WeightGain)
        }
        "glucose" => {
            codes = ["glucose_isf_mass", "glucose_isf_molar"].map(str::to_owned).to_vec();
            it.word("event", &["low-1", "low-2", "high-2"]).map(|it| {
                Kind::Glucose(match it {
                    "low-1" => cgm_events::Kind::LowLevel1,
                    "low-2" => cgm_events::Kind::LowLevel2,
                    _ => cgm_events::Kind::VeryHigh,
                })
            })
        }
        "threshold" => threshold(&mut it),
        "rate" => {
            let over_ms = it.duration_needed("over");
            let (rise, fall) = change(&mut it);
            Some(Kind::Rate { over_ms, rise, fall })
        }
        "trend" => {
            let (days, days_min) = days(&mut it, (3, 90), 7);
            let (rise, fall) = change(&mut it);
            let confidence = it.whole("confidence", (90, 99), 95);
            let confidence = [90_u8, 95, 99].into_iter().find(|it| i64::from(*it) == confidence);
            if confidence.is_none() {
                it.wrong("confidence", "value", "90, 95 or 99 is needed");
            }
            confidence.map(|confidence| Kind::Trend { days, days_min, rise, fall, confidence })
        }
        "baseline" => {
            let (days, days_min) = days(&mut it, (7, 90), 14);
            let (z, floor) = (it.number_needed("z"), it.number_needed("floor"));
            for (key, number) in [("z", z), ("floor", floor)] {
                if number <= Decimal::ZERO {
                    it.wrong(key, "value", "a number above zero is needed");
                }
            }
            Some(Kind::Baseline { days, days_min, z, floor })
        }
        _ => due(&mut it).map(Kind::Absence),
    };
    it.end();
    let text = value.to_string();
    let version: String = digest(&["rule", &text]).chars().take(12).collect();
    Some(Rule { name, version, severity, codes, unit, kind: kind?, document: value.clone() })
}

fn limit(it: &mut Object<'_, '_>) -> Option<Limit> {
    match (it.number("above"), it.number("below")) {
        (Some(above), None) => Some(Limit::Above(above)),
        (None, Some(below)) => Some(Limit::Below(below)),
        _ => {
            it.wrong("above", "value", "either `above` or `below` is needed");
            None
        }
    }
}

fn threshold(it: &mut Object<'_, '_>) -> Option<Kind> {
    let limit = limit(it)?;
    let (clear, hold_ms) = (it.number("clear"), it.duration("for").unwrap_or(0));
    let (edge, wrong) = match limit {
        Limit::Above(edge) => (edge, clear.is_some_and(|it| it > edge)),
        Limit::Below(edge) => (edge, clear.is_some_and(|it| it < edge)),
    };
    if wrong {
        it.wrong("clear", "value", "lies beyond the limit it should clear");
    }
    if hold_ms > 86_400_000 {
        it.wrong("for", "value", "at most 24h");
    }
    Some(Kind::Threshold { limit, clear: clear.unwrap_or(edge), hold_ms })
}

fn change(it: &mut Object<'_, '_>) -> (Option<Decimal>, Option<Decimal>) {
    let (rise, fall) = (it.number("rise"), it.number("fall"));
    if rise.is_none() && fall.is_none() {
        it.wrong("rise", "missing", "`rise`, `fall` or both are needed");
    }
    for (key, value) in [("rise", rise), ("fall", fall)] {
        if value.is_some_and(|it| it <= Decimal::ZERO) {
            it.wrong(key, "value", "a number above zero is needed: an amount, not a direction");
        }
    }
    (rise, fall)
}

fn days(it: &mut Object<'_, '_>, range: (i64, i64), default: i64) -> (i64, usize) {
    let days = it.whole("days", range, default * 2);
    let days_min = it.whole("days_min", (range.0, days), default.min(days));
    (days, usize::try_from(days_min).unwrap_or(usize::MAX))
}

fn due(it: &mut Object<'_, '_>) -> Option<Due> {
    let (after, by) = (it.duration("after"), it.get("by"));
    match (after, by) {
        (Some(after), None) => Some(Due::After(after)),
        (None, Some(by)) => {
            let minute = by.as_str().and_then(minute_of_day);
            if minute.is_none() {
                it.wrong("by", "value", "a time of day such as 10:00 is needed");
            }
            minute.map(Due::By)
        }
        _ => {
            it.wrong("after", "value", "either `after` or `by` is needed");
            None
        }
    }
}

#[cfg(test)]
mod tests;
