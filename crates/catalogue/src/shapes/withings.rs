//! Withings: the notification of new measures (form-encoded), and the answers of `measure` and
//! `sleep`.
//!
//! A measure is `value × 10^unit`. Objectives (category 2) and measures whose user is uncertain
//! (attribution 1 and 4) are refused.

use auscult_model::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;

use super::fields::{at_seconds, id, items, seconds, text, whole};
use crate::codes::code;
use crate::collector::{Collector, Detail};
use crate::decoded::Action;
use crate::path::Path;
use crate::zone::{NO_TIME, When, span};

/// Measure types of the Withings API with their codes and units.
const TYPES: [(i64, &str, &str); 14] = [
    (1, "body_weight", "kg"),
    (4, "body_height", "m"),
    (5, "lean_body_mass", "kg"),
    (6, "body_fat_percent", "%"),
    (9, "diastolic_bp", "mm[Hg]"),
    (10, "systolic_bp", "mm[Hg]"),
    (11, "heart_rate", "/min"),
    (12, "body_temperature", "Cel"),
    (54, "spo2", "%"),
    (71, "body_temperature", "Cel"),
    (73, "skin_temperature", "Cel"),
    (76, "muscle_mass", "kg"),
    (77, "body_water", "kg"),
    (123, "vo2max", "mL/kg/min"),
];

/// Members of a night in the sleep summary, all but the last in seconds.
const NIGHT: [(&str, &str, &str); 5] = [
    ("total_sleep_time", "sleep_duration", "s"),
    ("lightsleepduration", "light_sleep_duration", "s"),
    ("deepsleepduration", "deep_sleep_duration", "s"),
    ("remsleepduration", "rem_sleep_duration", "s"),
    ("wakeupcount", "nighttime_awakenings", "{count}"),
];

/// The power of ten of a measure lies within this: a decimal has 28 digits.
const EXPONENT_MAX: i64 = 20;

pub(super) fn recognises(message: &Value) -> bool {
    if let Some(form) = message.as_str() {
        return notification(form).is_some();
    }
    let body = message.get("body");
    let night = |it: &Value| it.get("data").is_some() && it.get("startdate").is_some();
    body.is_some_and(|it| {
        it.get("measuregrps").is_some_and(Value::is_array) || items(it, "series").iter().any(night)
    })
}

pub(super) fn read(collector: &mut Collector<'_>, message: &Value, path: &Path<'_>) {
    if let Some(form) = message.as_str() {
        collector.actions.extend(notification(form));
        return;
    }
    let Some(body) = message.get("body") else { return };
    let path = path.key("body");
    let groups = path.key("measuregrps");
    for (index, group) in items(body, "measuregrps").iter().enumerate() {
        read_group(collector, group, &groups.index(index));
    }
    let nights = path.key("series");
    for (index, night) in items(body, "series").iter().enumerate() {
        read_night(collector, night, &nights.index(index));
    }
}

/// `userid=…&startdate=…&enddate=…&appli=…`
fn notification(form: &str) -> Option<Action> {
    let field = |name: &str| {
        form.split('&').find_map(|it| it.split_once('=').filter(|(key, _)| *key == name))
    };
    field("userid")?;
    field("appli")?;
    let time = |name| -> Option<Timestamp> {
        let seconds: i64 = field(name)?.1.parse().ok()?;
        Some(Timestamp::from_unix_ms(seconds.checked_mul(1000)?))
    };
    let (start, end) = (time("startdate")?, time("enddate")?);
    Some(Action { fetch: "measure?action=getmeas", start, end })
}

fn read_group(collector: &mut Collector<'_>, group: &Value, path: &Path<'_>) {
    let group_id = id(group, "grpid");
    let refusal = match (whole(group, "category"), whole(group, "attrib")) {
        (Some(2), _) => Some(("not-a-measurement", "an objective, not a measurement")),
        (_, Some(1)) => Some(("uncertain-user", "the scale could not tell two users apart")),
        (_, Some(4)) => Some(("uncertain-user", "the user was not confirmed")),
        _ => None,
    };
    if let Some((code, detail)) = refusal {
        collector.refuse_named(path, code, detail, group_id.as_deref());
        return;
    }
    let when = at_seconds(group, "date");
    let measures = items(group, "measures");
    let cuff = measures.iter().any(|it| matches!(whole(it, "type"), Some(9 | 10)));
    let path = path.key("measures");
    for (index, measure) in measures.iter().enumerate() {
        let path = path.index(index);
        let kind = whole(measure, "type");
        let Some((_, name, unit)) = TYPES.iter().find(|it| Some(it.0) == kind) else { continue };
        // The heart rate beside pressures is the pulse of the cuff.
        let name = if cuff && *name == "heart_rate" { "pulse_rate_nibp" } else { name };
        let of_cuff = cuff && matches!(name, "pulse_rate_nibp" | "systolic_bp" | "diastolic_bp");
        let Some(value) = scaled(measure) else {
            collector.refuse(&path, "not-a-number", "a measure is value × 10^unit");
            continue;
        };
        let Some(code) = code(name) else { continue };
        let reading = collector
            .decimal(code, value, unit, when, &path.key("value"))
            .vendor_device(text(group, "deviceid"));
        if let Some(group_id) = group_id.as_deref() {
            let reading = reading.source_id(Some(group_id));
            if of_cuff {
                reading.group(group_id);
            }
        }
    }
}

/// `value × 10^unit`, exact.
fn scaled(measure: &Value) -> Option<Decimal> {
    let (value, exponent) = (whole(measure, "value")?, whole(measure, "unit")?);
    if !(-EXPONENT_MAX..=EXPONENT_MAX).contains(&exponent) {
        return None;
    }
    let scale = u32::try_from(-exponent).unwrap_or_default();
    let number = Decimal::try_from_i128_with_scale(i128::from(value), scale).ok()?.normalize();
    let power = u32::try_from(exponent).unwrap_or_default();
    number.checked_mul(Decimal::try_from_i128_with_scale(10_i128.checked_pow(power)?, 0).ok()?)
}

fn read_night(collector: &mut Collector<'_>, night: &Value, path: &Path<'_>) {
    let when: When = match (seconds(night, "startdate"), seconds(night, "enddate")) {
        (Some(start), Some(end)) => Ok(span(start, end)),
        _ => Err(NO_TIME),
    };
    let Some(data) = night.get("data") else { return };
    let night_id = id(night, "id");
    for (member, name, unit) in NIGHT {
        collector
            .member(name, data, member, unit, when, &path.key("data"))
            .source_id(night_id.as_deref());
    }
}
