//! Dexcom API v3 (and v2): continuous glucose of `GET /v3/users/self/egvs`, and calibrations.
//!
//! Records come newest first and leave in time order. `systemTime` is UTC and decides; `displayTime`
//! is what the receiver showed. `status` `low` and `high` stand for "below 40" and "above 400 mg/dL".

use serde_json::{Value, json};

use super::fields::{items, text};
use crate::collector::{Collector, Detail};
use crate::path::Path;
use crate::zone::{NO_TIME, Zone, parse_time};

/// What the sensor shows when it can only say "low" or "high", in mg/dL.
const LOWEST_MG_DL: u16 = 40;
const HIGHEST_MG_DL: u16 = 400;

pub(super) fn recognises(message: &Value) -> bool {
    let kind = text(message, "recordType");
    kind.is_some_and(|it| matches!(it, "egv" | "calibration")) && message.get("records").is_some()
        || items(message, "egvs").iter().any(|it| it.get("systemTime").is_some())
}

pub(super) fn read(collector: &mut Collector<'_>, message: &Value, path: &Path<'_>) {
    let code = match text(message, "recordType") {
        Some("calibration") => "glucose_capillary_mass",
        _ => "glucose_isf_mass",
    };
    let unit = text(message, "unit").unwrap_or("mg/dL");
    for list in ["records", "egvs"] {
        let path = path.key(list);
        for (index, record) in items(message, list).iter().enumerate() {
            read_record(collector, record, code, unit, &path.index(index));
        }
    }
    collector.readings.sort_by_key(|it| it.reading.effective);
}

fn read_record(
    collector: &mut Collector<'_>,
    record: &Value,
    code: &str,
    unit: &str,
    path: &Path<'_>,
) {
    let when = match text(record, "systemTime") {
        Some(time) => parse_time(time, Some(Zone::UTC)),
        None => Err(NO_TIME),
    };
    let id = text(record, "recordId");
    let path = path.key("value");
    let value = match record.get("value") {
        None | Some(Value::Null) => {
            collector.refuse_named(&path, "no-value", "the sensor gave no value", id);
            return;
        }
        Some(value) => value,
    };
    let unit = text(record, "unit").unwrap_or(unit);
    let (edge, sign) = match text(record, "status") {
        Some("low") => (Some(json!(LOWEST_MG_DL)), "<"),
        Some("high") => (Some(json!(HIGHEST_MG_DL)), ">"),
        _ => (None, ""),
    };
    let mut reading = match &edge {
        Some(edge) => collector.named(code, edge, "mg/dL", when, &path).comparator(sign),
        None => collector.named(code, value, unit, when, &path),
    };
    reading = reading.source_id(id).vendor_device(text(record, "transmitterId"));
    if let Some(trend) = text(record, "trend") {
        reading = reading.fact("trend", trend);
    }
    if let Some(rate) = record.get("trendRate").filter(|it| it.is_number()) {
        reading.fact("trend_rate", &rate.to_string());
    }
}
