//! FHIR R4 Observations as messages: one, or a Bundle of them.
//!
//! Codings are LOINC or MDC; components become readings of one group. `dataAbsentReason` and the
//! statuses of withdrawn results are refused by name.

use serde_json::Value;

use super::fields::{items, text};
use crate::codes::{Code, by_any_name, by_loinc, by_mdc, by_refid};
use crate::collector::{Collector, Detail};
use crate::path::Path;
use crate::zone::{Moment, NO_TIME, When, Zone, parse_time, span};

pub(super) fn recognises(message: &Value) -> bool {
    match text(message, "resourceType") {
        Some("Observation") => true,
        Some("Bundle") => items(message, "entry").iter().any(|it| {
            it.get("resource").and_then(|it| text(it, "resourceType")) == Some("Observation")
        }),
        _ => false,
    }
}

pub(super) fn read(collector: &mut Collector<'_>, message: &Value, path: &Path<'_>) {
    if text(message, "resourceType") != Some("Bundle") {
        read_observation(collector, message, path);
        return;
    }
    let entries = path.key("entry");
    for (index, entry) in items(message, "entry").iter().enumerate() {
        let path = entries.index(index);
        if let Some(resource) = entry.get("resource")
            && text(resource, "resourceType") == Some("Observation")
        {
            read_observation(collector, resource, &path.key("resource"));
        }
    }
}

/// What all readings of one Observation share.
struct Shared<'a> {
    when: When,
    id: Option<&'a str>,
    device: Option<&'a str>,
    group: Option<String>,
}

fn read_observation(collector: &mut Collector<'_>, observation: &Value, path: &Path<'_>) {
    let id = text(observation, "id");
    let status = text(observation, "status").unwrap_or_default();
    if matches!(status, "entered-in-error" | "cancelled" | "registered") {
        let detail = "the status of the Observation says that there is no result";
        collector.refuse_named(&path.key("status"), "device-invalid", detail, id);
        return;
    }
    let when = effective(observation, collector.context.zone);
    let components = items(observation, "component");
    let group = components.len() > 1 && observation.get("valueQuantity").is_none();
    let shared = Shared {
        when,
        id,
        device: observation.as_object().and_then(crate::device::named_in),
        group: when.ok().filter(|_| group).map(|it| format!("bp@{}", it.start.unix_ms())),
    };
    let list = path.key("component");
    for (index, component) in components.iter().enumerate() {
        read_value(collector, component, &shared, &list.index(index));
    }
    if components.is_empty() || has_value(observation) {
        read_value(collector, observation, &shared, path);
    }
}

fn has_value(it: &Value) -> bool {
    VALUES.iter().any(|member| it.get(member).is_some())
}

/// The types of value that a reading can take.
const VALUES: [&str; 5] =
    ["valueQuantity", "valueCodeableConcept", "valueString", "valueInteger", "valueBoolean"];

fn read_value(collector: &mut Collector<'_>, it: &Value, shared: &Shared<'_>, path: &Path<'_>) {
    let Some(code) = coded(it) else {
        let detail = "no coding of this is in the code table";
        collector.refuse_named(&path.key("code"), "unknown-code", detail, shared.id);
        return;
    };
    let Some(member) = VALUES.iter().find(|member| it.get(member).is_some()) else {
        collector.refuse_named(
            path,
            "no-value",
            "there is no value, or one of a type unknown",
            shared.id,
        );
        return;
    };
    let value = it.get(member).unwrap_or(&Value::Null);
    let path = path.key(member);
    let reading = if code.is_coded() {
        let concept = || text(items(value, "coding").first()?, "code");
        let word = match value {
            Value::Bool(yes) => Some(if *yes { "true" } else { "false" }),
            Value::String(text) => Some(text.as_str()),
            _ => text(value, "text").or_else(concept),
        };
        match word {
            Some(word) => collector.text(code, word.to_owned(), shared.when, &path),
            None => {
                collector.refuse_named(&path, "unknown-value", "not a coded value", shared.id);
                return;
            }
        }
    } else if *member == "valueQuantity" {
        let unit = text(value, "code").or_else(|| text(value, "unit")).unwrap_or_default();
        let number = value.get("value").unwrap_or(&Value::Null);
        let reading = collector.number(code, number, unit, shared.when, &path.key("value"));
        match text(value, "comparator") {
            Some(sign) => reading.comparator(sign),
            None => reading,
        }
    } else {
        collector.number(code, value, "", shared.when, &path)
    };
    let reading = reading.source_id(shared.id).device(shared.device);
    if let Some(group) = &shared.group {
        reading.group(group);
    }
}

/// The most specific code among the codings: the last that is known, for FHIR puts the code of
/// the vital-signs profile first and a finer one (oral temperature) behind it.
fn coded(it: &Value) -> Option<&'static Code> {
    let code = it.get("code")?;
    let known = |coding: &Value| -> Option<&'static Code> {
        let word = text(coding, "code")?;
        match text(coding, "system") {
            Some("http://loinc.org") => profile_code(word).or_else(|| by_loinc(word)),
            Some("urn:iso:std:iso:11073:10101") => {
                by_mdc(word.parse().ok()?).or_else(|| by_refid(text(coding, "display")?))
            }
            Some("urn:auscult:codes") => crate::code(word),
            _ => None,
        }
    };
    items(code, "coding")
        .iter()
        .rev()
        .find_map(known)
        .or_else(|| by_any_name(text(code, "text")?, None))
}

/// 2708-6 is the code of the profile for oxygen saturation, without a row of its own.
fn profile_code(loinc: &str) -> Option<&'static Code> {
    (loinc == "2708-6").then(|| crate::code("spo2"))?
}

fn effective(observation: &Value, zone: Option<Zone>) -> When {
    let stated =
        text(observation, "effectiveDateTime").or_else(|| text(observation, "effectiveInstant"));
    if let Some(stated) = stated {
        return parse_time(stated, zone);
    }
    let period = observation.get("effectivePeriod").ok_or(NO_TIME)?;
    let start = parse_time(text(period, "start").ok_or(NO_TIME)?, zone);
    let end = text(period, "end").map(|it| parse_time(it, zone));
    start.map(|it: Moment| match end {
        Some(Ok(end)) => span(it.start, end.start),
        _ => it,
    })
}
