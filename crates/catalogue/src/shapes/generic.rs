//! Plain JSON: an object whose members go by any name of the code table.
//!
//! `{"device": …, "ts": …, "HR": 104, "temp": {"value": 101.3, "unit": "F"}, "bp": "120/80"}`,
//! the same inside `vitals`, `readings` and the like, and long form
//! `{"code": "HR", "value": 104, "unit": "bpm"}`.

mod members;
mod values;

use serde_json::{Map, Value};

use crate::codes::{Code, by_any_name, by_name, synonym};
use crate::collector::Collector;
use crate::decoded::Refusal;
use crate::path::Path;
use crate::units;
use crate::zone::{NO_TIME, When, Zone};

use members::{Member, Members};

/// Objects nested deeper than this hold no readings in any message we know; the bound keeps the
/// stack small.
const DEPTH_MAX: usize = 24;

/// Members passed over that an error lists; more would only make it longer.
const PASSED_OVER_MAX: usize = 100;

/// What an object inherits from those around it.
#[derive(Clone, Copy)]
struct Scope<'a> {
    when: When,
    zone: Option<Zone>,
    class: Option<&'a str>,
    /// The device of this part of the message, where it differs from that of the whole.
    device: Option<&'a str>,
    depth: usize,
}

/// Reads a plain message, or an array of them.
pub(super) fn read(collector: &mut Collector<'_>, message: &Value, path: &Path<'_>) {
    let scope = Scope {
        when: Err(NO_TIME),
        zone: collector.context.zone,
        class: collector.context.device_class.as_deref(),
        device: None,
        depth: 0,
    };
    container(collector, message, scope, path);
}

/// Reads what may hold readings: an object, or an array of such.
fn container(collector: &mut Collector<'_>, value: &Value, scope: Scope<'_>, path: &Path<'_>) {
    if scope.depth > DEPTH_MAX {
        return;
    }
    match value {
        Value::Object(map) => object(collector, map, scope, path),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let scope = Scope { depth: scope.depth + 1, ..scope };
                container(collector, item, scope, &path.index(index));
            }
        }
        _ => {}
    }
}

fn object(
    collector: &mut Collector<'_>,
    map: &Map<String, Value>,
    outer: Scope<'_>,
    path: &Path<'_>,
) {
    let members = Members::of(map);
    let scope = members.scope(outer, map);
    let first = collector.readings.len();
    if let (Some((name_key, name)), Some((value_key, value))) = (members.name, members.value) {
        match by_any_name(name, scope.class) {
            Some(code) => {
                let unit = members.unit.unwrap_or_default();
                values::value(collector, code, value, unit, scope, &path.key(value_key));
                members.describe(collector, first);
            }
            None => collector.refuse(
                &path.key(name_key),
                "unknown-code",
                "no measurement goes by this name",
            ),
        }
    } else {
        for (key, value) in map {
            member(collector, map, &members, (key, value), scope, path);
        }
    }
    values::group_pressures(collector, first);
    if scope.device.is_some() && outer.depth > 0 {
        for it in collector.readings.iter_mut().skip(first).filter(|it| it.device.is_none()) {
            it.device = scope.device.map(str::to_owned);
        }
    }
}

/// Reads one member of an object that is not one reading in long form.
fn member(
    collector: &mut Collector<'_>,
    map: &Map<String, Value>,
    members: &Members<'_>,
    (key, value): (&str, &Value),
    scope: Scope<'_>,
    path: &Path<'_>,
) {
    match Member::of(key) {
        Member::Container => {
            let scope = Scope { depth: scope.depth + 1, ..scope };
            // A name such as `observation` may hold a reading's name instead of readings.
            container(collector, value, scope, &path.key(key));
        }
        Member::Other => {
            let Some((code, unit)) = measurement(key, scope.class) else { return };
            let unit = unit.unwrap_or_else(|| members.unit_for(map, key, code));
            values::value(collector, code, value, unit, scope, &path.key(key));
        }
        _ => {}
    }
}

/// The measurement a member name means, and the unit it ends in: `weight_lb`, `tempF`.
fn measurement<'a>(key: &'a str, class: Option<&str>) -> Option<(&'static Code, Option<&'a str>)> {
    if let Some(code) = synonym(key, class) {
        return Some((code, None));
    }
    let cut = key.rfind(|it: char| it == '_' || it.is_ascii_uppercase()).filter(|it| *it > 0)?;
    let (name, unit) = (key.get(..cut)?, key.get(cut..)?.trim_start_matches('_'));
    let code = synonym(name, class)?;
    fits(code, unit).then_some((code, Some(unit)))
}

/// Whether values of this code may come in this unit.
fn fits(code: &Code, unit: &str) -> bool {
    !unit.is_empty() && units::convert(code, rust_decimal::Decimal::ZERO, unit).is_ok()
}

/// Every place of a plain message that was passed over, and why.
pub(super) fn passed_over(message: &Value) -> Vec<Refusal> {
    let mut faults = Vec::new();
    survey(message, &Path::Root, 0, &mut faults);
    faults
}

fn survey(value: &Value, path: &Path<'_>, depth: usize, faults: &mut Vec<Refusal>) {
    match value {
        _ if depth > DEPTH_MAX => say(faults, path, "too-deep", "nested too deep for a reading"),
        Value::Object(map) if map.is_empty() => {
            say(faults, path, "no-value", "the object is empty");
        }
        Value::Object(map) => {
            for (key, value) in map {
                let path = path.key(key);
                match Member::of(key) {
                    Member::Container if value.is_object() || value.is_array() => {
                        survey(value, &path, depth + 1, faults);
                    }
                    Member::Other | Member::Container => unknown(key, &path, faults),
                    _ => {
                        let detail = "says something about measurements, but is none";
                        say(faults, &path, "not-a-measurement", detail);
                    }
                }
            }
        }
        Value::Array(items) if items.is_empty() => {
            say(faults, path, "no-value", "the array is empty");
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate().take(PASSED_OVER_MAX) {
                survey(item, &path.index(index), depth + 1, faults);
            }
        }
        _ => say(faults, path, "unknown-shape", "neither an object nor an array of objects"),
    }
}

/// Says why the name of this member is no measurement; nothing when it is one.
fn unknown(key: &str, path: &Path<'_>, faults: &mut Vec<Refusal>) {
    if measurement(key, None).is_some() {
        return;
    }
    let detail = match by_name(key) {
        Some(_) => "this name counts only where the device class is known to be its own",
        None => "no measurement goes by this name",
    };
    say(faults, path, "unknown-code", detail);
}

fn say(faults: &mut Vec<Refusal>, path: &Path<'_>, code: &'static str, detail: &str) {
    if faults.len() < PASSED_OVER_MAX {
        let detail = detail.to_owned();
        faults.push(Refusal { path: path.pointer(), code, detail, source_id: None });
    }
}
