//! Omron Connect: lists of measurements under `result`.
//!
//! The member names are those of a mapping profile, not of a published contract: verify them with
//! the partner before relying on them.

use serde_json::Value;

use super::fields::{id, items, text};
use crate::collector::{Collector, Detail};
use crate::path::Path;
use crate::zone::{NO_TIME, When, parse_time};

pub(super) fn recognises(message: &Value) -> bool {
    let result = message.get("result").unwrap_or(message);
    let dated = |it: &Value| it.get("dateTime").is_some() || it.get("dateTimeLocal").is_some();
    ["bloodPressure", "weight"].iter().any(|list| items(result, list).iter().any(dated))
}

pub(super) fn read(collector: &mut Collector<'_>, message: &Value, path: &Path<'_>) {
    match message.get("result") {
        Some(result) => read_result(collector, result, &path.key("result")),
        None => read_result(collector, message, path),
    }
}

fn read_result(collector: &mut Collector<'_>, result: &Value, path: &Path<'_>) {
    let list = path.key("bloodPressure");
    for (index, cuff) in items(result, "bloodPressure").iter().enumerate() {
        read_cuff(collector, cuff, &list.index(index));
    }
    let list = path.key("weight");
    for (index, scale) in items(result, "weight").iter().enumerate() {
        read_scale(collector, scale, &list.index(index));
    }
}

/// The time in UTC, else the local time with its offset.
fn time(object: &Value, collector: &Collector<'_>) -> When {
    let stated = text(object, "dateTime").or_else(|| text(object, "dateTimeLocal"));
    parse_time(stated.ok_or(NO_TIME)?, collector.context.zone)
}

fn read_cuff(collector: &mut Collector<'_>, cuff: &Value, path: &Path<'_>) {
    let when = time(cuff, collector);
    let own = id(cuff, "id");
    let group = own.clone().or_else(|| when.ok().map(|it| format!("bp@{}", it.start.unix_ms())));
    let group = group.unwrap_or_default();
    let pressure = text(cuff, "bloodPressureUnits").unwrap_or("mmHg");
    let pulse = text(cuff, "pulseUnits").unwrap_or("bpm");
    let irregular = cuff.get("irregularHeartBeat").and_then(Value::as_bool) == Some(true);
    for (name, member, unit) in [
        ("systolic_bp", "systolic", pressure),
        ("diastolic_bp", "diastolic", pressure),
        ("pulse_rate_nibp", "pulse", pulse),
    ] {
        let reading = collector
            .member(name, cuff, member, unit, when, path)
            .group(&group)
            .source_id(own.as_deref());
        if irregular && member != "pulse" {
            reading.flag("irregular_pulse");
        }
    }
}

fn read_scale(collector: &mut Collector<'_>, scale: &Value, path: &Path<'_>) {
    let when = time(scale, collector);
    let own = id(scale, "id");
    let mass = text(scale, "weightUnits").unwrap_or("kg");
    for (name, member, unit) in [
        ("body_weight", "weight", mass),
        ("bmi", "bmiValue", "kg/m2"),
        ("body_fat_percent", "bodyFatPercentage", "%"),
    ] {
        collector.member(name, scale, member, unit, when, path).source_id(own.as_deref());
    }
}
