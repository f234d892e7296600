//! The value of one measurement in a plain message.

use std::borrow::Cow;

use auscult_model::ReadingValue;
use auscult_model::reading::Native;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::codes::{Code, code};
use crate::collector::{Collector, Detail};
use crate::number::decimal_of_text;
use crate::path::Path;

use super::members::Members;
use super::{DEPTH_MAX, Scope, fits, object};

/// Longest coded value kept, in bytes: codes and names of places are far shorter.
const CODED_BYTES_MAX: usize = 200;

/// Reads the value of one measurement: bare, `{value, unit}`, or an array of such.
pub(super) fn value(
    collector: &mut Collector<'_>,
    code: &'static Code,
    value: &Value,
    unit: &str,
    scope: Scope<'_>,
    path: &Path<'_>,
) {
    match value {
        _ if scope.depth > DEPTH_MAX => {
            collector.refuse(path, "too-deep", "nested too deep for a reading");
        }
        Value::Object(map) => {
            let scope = Scope { depth: scope.depth + 1, ..scope };
            let members = Members::of(map);
            let first = collector.readings.len();
            if let Some((key, inner)) = members.value {
                let unit = members.unit.unwrap_or(unit);
                let scope = members.scope(scope, map);
                self::value(collector, code, inner, unit, scope, &path.key(key));
                members.describe(collector, first);
                return;
            }
            let refused = collector.rejected.len();
            object(collector, map, scope, path);
            if (collector.readings.len(), collector.rejected.len()) == (first, refused) {
                collector.refuse(path, "no-value", "the object holds no value");
            }
        }
        Value::Array(items) => array(collector, code, items, unit, scope, path),
        Value::String(text) if code.name == "blood_pressure" => {
            pressures(collector, text, unit, scope, path);
        }
        _ if code.name == "blood_pressure" => {
            collector.refuse(path, "not-a-number", "needs a systolic and a diastolic value");
        }
        _ if code.is_coded() => coded(collector, code, value, scope, path),
        Value::String(text) => number_in_text(collector, code, text, unit, scope, path),
        Value::Bool(false) if code.name == "inhaled_oxygen_flow" => {
            collector.decimal(code, Decimal::ZERO, unit, scope.when, path);
        }
        _ => {
            collector.number(code, value, unit, scope.when, path);
        }
    }
}

fn array(
    collector: &mut Collector<'_>,
    code: &'static Code,
    items: &[Value],
    unit: &str,
    scope: Scope<'_>,
    path: &Path<'_>,
) {
    let scope = Scope { depth: scope.depth + 1, ..scope };
    if items.is_empty() {
        collector.refuse(path, "no-value", "the array is empty");
    } else if items.len() > 1 && items.iter().any(|it| !it.is_object()) {
        collector.refuse(path, "missing-time", "several values need a time each");
    } else {
        for (index, item) in items.iter().enumerate() {
            value(collector, code, item, unit, scope, &path.index(index));
        }
    }
}

/// `120/80`: systolic and diastolic.
fn pressures(
    collector: &mut Collector<'_>,
    text: &str,
    unit: &str,
    scope: Scope<'_>,
    path: &Path<'_>,
) {
    let halves = text.split_once('/').map(|(a, b)| (decimal_of_text(a), decimal_of_text(b)));
    let (Some((Ok(systolic), Ok(diastolic))), Some(upper), Some(lower)) =
        (halves, code("systolic_bp"), code("diastolic_bp"))
    else {
        collector.refuse(path, "not-a-number", "a blood pressure as text is written 120/80");
        return;
    };
    collector.decimal(upper, systolic, unit, scope.when, path);
    collector.decimal(lower, diastolic, unit, scope.when, path);
}

/// A number in a text, perhaps with `<` or `>` before it and a unit behind it.
fn number_in_text(
    collector: &mut Collector<'_>,
    code: &'static Code,
    text: &str,
    unit: &str,
    scope: Scope<'_>,
    path: &Path<'_>,
) {
    let text = text.trim();
    if code.name == "inhaled_oxygen_flow" && says_air(text) {
        collector.decimal(code, Decimal::ZERO, unit, scope.when, path);
        return;
    }
    let sign = ["<=", ">=", "<", ">"].into_iter().find(|it| text.starts_with(it));
    let bare = sign.and_then(|it| text.strip_prefix(it)).unwrap_or(text).trim();
    let (number, unit) = match bare.split_once(char::is_whitespace) {
        Some((number, own)) if fits(code, own.trim()) => (number, own.trim()),
        _ => (bare, unit),
    };
    let reading = match decimal_of_text(number) {
        Ok(number) => collector.decimal(code, number, unit, scope.when, path),
        Err(fault) => {
            collector.refuse(path, fault.code(), fault.to_string());
            return;
        }
    };
    if let Some(sign) = sign {
        reading.comparator(sign);
    }
}

/// Breathing room air is a flow of nothing.
fn says_air(text: &str) -> bool {
    ["air", "room air", "none"].iter().any(|it| text.eq_ignore_ascii_case(it))
}

fn coded(
    collector: &mut Collector<'_>,
    code: &'static Code,
    value: &Value,
    scope: Scope<'_>,
    path: &Path<'_>,
) {
    let text: Cow<'_, str> = match value {
        Value::String(text) => text.trim().into(),
        Value::Bool(yes) => yes.to_string().into(),
        Value::Number(number) => number.to_string().into(),
        _ => Cow::Borrowed(""),
    };
    if text.is_empty() {
        collector.refuse(path, "no-value", "there is no value");
        return;
    }
    if text.len() > CODED_BYTES_MAX {
        collector.refuse(path, "unknown-value", "too long for a coded value");
        return;
    }
    if code.name != "consciousness_acvpu" {
        collector.text(code, text.into_owned(), scope.when, path);
        return;
    }
    let Some(letter) = acvpu(&text) else {
        collector.refuse(path, "unknown-value", "consciousness is one of A, C, V, P, U");
        return;
    };
    let reading = collector.text(code, letter.to_owned(), scope.when, path);
    if let Some(it) = reading.filter(|_| text != letter) {
        let value = ReadingValue::Text(text.into_owned());
        it.reading.native = Some(Native { value, unit: String::new() });
    }
}

/// The letter of a level of consciousness. Source: RCP, National Early Warning Score 2 (2017).
fn acvpu(text: &str) -> Option<&'static str> {
    Some(match text.to_ascii_lowercase().as_str() {
        "a" | "alert" => "A",
        "c" | "confusion" | "confused" | "new confusion" | "newly confused" => "C",
        "v" | "voice" | "verbal" | "responds to voice" => "V",
        "p" | "pain" | "responds to pain" => "P",
        "u" | "unresponsive" => "U",
        _ => return None,
    })
}

/// What a cuff measures in one act.
const PRESSURES: [&str; 4] = ["systolic_bp", "diastolic_bp", "mean_bp", "pulse_rate_nibp"];

/// Puts the pressures measured at one time since `first` into one group. The group is named by the
/// time, so that the same pressures have it however the message is built.
pub(super) fn group_pressures(collector: &mut Collector<'_>, first: usize) {
    for it in collector.readings.iter_mut().skip(first) {
        let reading = &mut it.reading;
        if reading.group.is_none() && PRESSURES.contains(&reading.code.as_str()) {
            reading.group = Some(format!("bp@{}", reading.effective.unix_ms()));
        }
    }
}
