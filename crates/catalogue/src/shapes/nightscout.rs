//! Nightscout entries (`GET /api/v1/entries.json`), one or an array.
//!
//! `sgv` and `mbg` are always mg/dL and `date` milliseconds since 1970. Below 39 `sgv` is an error
//! code of the sensor, 39 and 401 its words for "low" and "high". Calibrations (`cal`) carry no
//! measurement of the patient.

use serde_json::{Value, json};

use super::fields::{at_milliseconds, text};
use crate::collector::{Collector, Detail};
use crate::path::Path;
use crate::zone::{When, parse_time};

/// The sensor's word for "below its range", which begins at 40.
const LOW: i64 = 39;
/// The sensor's word for "above its range", which ends at 400.
const HIGH: i64 = 401;

pub(super) fn recognises(message: &Value) -> bool {
    let first = message.as_array().map_or(Some(message), |it| it.first());
    first.is_some_and(|it| {
        text(it, "type").is_some_and(|kind| matches!(kind, "sgv" | "mbg" | "cal"))
            && (it.get("date").is_some() || it.get("dateString").is_some())
    })
}

pub(super) fn read(collector: &mut Collector<'_>, message: &Value, path: &Path<'_>) {
    let Some(entries) = message.as_array() else {
        read_entry(collector, message, path);
        return;
    };
    for (index, entry) in entries.iter().enumerate() {
        read_entry(collector, entry, &path.index(index));
    }
}

fn read_entry(collector: &mut Collector<'_>, entry: &Value, path: &Path<'_>) {
    let when = time(entry);
    let id = text(entry, "_id");
    let device = text(entry, "device");
    match text(entry, "type") {
        Some("sgv") => {
            let value = entry.get("sgv").unwrap_or(&Value::Null);
            let path = path.key("sgv");
            let (edge, sign) = match value.as_i64() {
                Some(error) if error < LOW => {
                    let detail = "the number is an error code of the sensor";
                    collector.refuse_named(&path, "device-invalid", detail, id);
                    return;
                }
                Some(LOW) => (Some(json!(LOW + 1)), "<"),
                Some(HIGH) => (Some(json!(HIGH - 1)), ">"),
                _ => (None, ""),
            };
            let value = edge.as_ref().unwrap_or(value);
            let mut reading = collector
                .named("glucose_isf_mass", value, "mg/dL", when, &path)
                .source_id(id)
                .vendor_device(device);
            if edge.is_some() {
                reading = reading.comparator(sign);
            }
            if let Some(direction) = text(entry, "direction") {
                reading.fact("trend", &lower_first(direction));
            }
        }
        Some("mbg") => {
            let value = entry.get("mbg").unwrap_or(&Value::Null);
            collector
                .named("glucose_capillary_mass", value, "mg/dL", when, &path.key("mbg"))
                .source_id(id)
                .vendor_device(device);
        }
        _ => {}
    }
}

fn time(entry: &Value) -> When {
    match at_milliseconds(entry, "date") {
        Ok(moment) => Ok(moment),
        Err(fault) => parse_time(text(entry, "dateString").ok_or(fault)?, None),
    }
}

/// `SingleDown` as Dexcom's `singleDown`.
fn lower_first(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |it| it.to_ascii_lowercase().to_string())
        + letters.as_str()
}
