//! Open mHealth data points and IEEE 1752.1: `header.schema_id` says what `body` holds.

use serde_json::Value;

use super::fields::text;
use crate::collector::{Collector, Detail};
use crate::number::decimal_of;
use crate::path::Path;
use crate::units::{Rule, rule, unit};
use crate::zone::{Moment, NO_TIME, When, Zone, parse_time, span};

/// Schemas by name, with the members of their body: member, code.
const SCHEMAS: &[(&str, &[(&str, &str)])] = &[
    ("heart-rate", &[("heart_rate", "heart_rate")]),
    (
        "blood-pressure",
        &[("systolic_blood_pressure", "systolic_bp"), ("diastolic_blood_pressure", "diastolic_bp")],
    ),
    ("blood-glucose", &[("blood_glucose", "glucose_blood_mass")]),
    ("body-weight", &[("body_weight", "body_weight")]),
    ("body-height", &[("body_height", "body_height")]),
    ("body-mass-index", &[("body_mass_index", "bmi")]),
    ("body-fat-percentage", &[("body_fat_percentage", "body_fat_percent")]),
    ("body-temperature", &[("body_temperature", "body_temperature")]),
    ("ambient-temperature", &[("ambient_temperature", "ambient_temperature")]),
    ("oxygen-saturation", &[("oxygen_saturation", "spo2")]),
    ("respiratory-rate", &[("respiratory_rate", "respiratory_rate")]),
    ("rr-interval", &[("rr_interval", "rr_interval")]),
    ("step-count", &[("step_count", "step_count")]),
    ("calories-burned", &[("kcal_burned", "active_energy")]),
    ("sleep-duration", &[("sleep_duration", "sleep_duration")]),
    ("total-sleep-time", &[("total_sleep_time", "sleep_duration")]),
    (
        "sleep-episode",
        &[
            ("total_sleep_time", "sleep_duration"),
            ("light_sleep_duration", "light_sleep_duration"),
            ("deep_sleep_duration", "deep_sleep_duration"),
            ("rem_sleep_duration", "rem_sleep_duration"),
            ("number_of_awakenings", "nighttime_awakenings"),
        ],
    ),
];

fn schema(message: &Value) -> Option<&str> {
    let header = message.get("header")?;
    text(header.get("schema_id")?, "name").filter(|_| message.get("body").is_some())
}

pub(super) fn recognises(message: &Value) -> bool {
    schema(message).is_some()
}

pub(super) fn read(collector: &mut Collector<'_>, message: &Value, path: &Path<'_>) {
    let (Some(name), Some(body)) = (schema(message), message.get("body")) else { return };
    let header = path.key("header");
    let Some((_, fields)) = SCHEMAS.iter().find(|it| it.0 == name) else {
        let path = header.key("schema_id");
        let detail = "the catalogue knows no measurement of this schema";
        collector.refuse(&path.key("name"), "unknown-code", detail);
        return;
    };
    let header = message.get("header").unwrap_or(&Value::Null);
    let id = text(header, "id").or_else(|| text(header, "uuid"));
    let when = time_frame(body.get("effective_time_frame"), collector.context.zone);
    let path = path.key("body");
    let statistic = text(body, "descriptive_statistic");
    if fields.iter().all(|(member, _)| body.get(member).is_none()) {
        collector.refuse(&path, "no-value", "the body holds no value of its schema");
    }
    for (member, name) in *fields {
        let Some(quantity) = body.get(member) else { continue };
        let path = path.key(member);
        let name = specific(name, body);
        let (value, unit, path) = match quantity.get("value") {
            Some(value) => (value, text(quantity, "unit").unwrap_or_default(), path.key("value")),
            None => (quantity, "", path),
        };
        let mut reading = collector.named(name, value, unit, when, &path).source_id(id);
        if name.ends_with("_bp")
            && let (Some(it), Ok(when)) = (&mut reading, when)
        {
            it.reading.group = Some(format!("bp@{}", when.start.unix_ms()));
        }
        if let Some(statistic) = statistic {
            reading.statistic(statistic);
        }
    }
}

/// The more specific code that the body tells of.
fn specific(name: &'static str, body: &Value) -> &'static str {
    match name {
        "glucose_blood_mass" => match text(body, "specimen_source") {
            Some("capillary blood") => "glucose_capillary_mass",
            Some("interstitial fluid") => "glucose_isf_mass",
            Some("plasma" | "serum") => "glucose_plasma_mass",
            _ => name,
        },
        "body_temperature" => match text(body, "measurement_location") {
            Some("oral") => "oral_temperature",
            Some("rectal") => "rectal_temperature",
            Some("axillary") => "axillary_temperature",
            Some("tympanic") => "tympanic_temperature",
            _ => name,
        },
        _ => name,
    }
}

/// `date_time`, or a `time_interval` given by two of start, end and duration, or by a date.
fn time_frame(frame: Option<&Value>, zone: Option<Zone>) -> When {
    let frame = frame.ok_or(NO_TIME)?;
    if let Some(instant) = text(frame, "date_time") {
        return parse_time(instant, zone);
    }
    let interval = frame.get("time_interval").ok_or(NO_TIME)?;
    let stated = |member| text(interval, member).map(|it| parse_time(it, zone));
    let length = interval.get("duration").and_then(milliseconds);
    match (stated("start_date_time"), stated("end_date_time"), length) {
        (Some(start), Some(end), _) => Ok(span(start?.start, end?.start)),
        (Some(start), None, Some(ms)) => {
            start.map(|it: Moment| span(it.start, it.start.plus_ms(ms)))
        }
        (None, Some(end), Some(ms)) => {
            end.map(|it: Moment| span(it.start.plus_ms(ms.saturating_neg()), it.start))
        }
        (Some(start), None, None) => start,
        (None, Some(end), None) => end,
        (None, None, _) => stated("date").ok_or(NO_TIME)?,
    }
}

/// A duration with its unit.
fn milliseconds(duration: &Value) -> Option<i64> {
    let value = decimal_of(duration.get("value")?).ok()?;
    let ucum = unit(text(duration, "unit")?)?.ucum;
    let to = |to: &str| -> Option<&'static Rule> { rule(ucum, to) };
    let seconds = match ucum {
        "s" => value,
        "ms" => return value.round().try_into().ok(),
        "d" => value.checked_mul(86_400.into())?,
        _ => to("s")?.apply(value)?,
    };
    seconds.checked_mul(1000.into())?.round().try_into().ok()
}
