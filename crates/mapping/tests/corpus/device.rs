//! Device mappings: what loads, and what messages give.

use std::collections::BTreeMap;

use auscult_mapping::{
    DeviceMapping, FhirMapping, Instant, MappingFault, Measurement, Token, envelope, parse_token,
};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::{Case, same};

pub fn normalize(case: &Case) -> Result<(), String> {
    let mapping = case["deviceMappingText"].as_str().or(case.text("deviceMapping")).unwrap();
    let loaded = DeviceMapping::compile(mapping);
    let error = &case["expectedError"];
    if error["stage"] == "template-load" {
        return same("fails to load", loaded.is_sound(), false);
    }
    template_errors(&loaded.faults, case)?;
    let message = match message(case) {
        Ok(message) => message,
        Err(_) => return same("envelope fails", error["stage"].as_str(), Some("envelope")),
    };
    if let Some(expected) = case.get("expectedEnvelope") {
        envelope_matches(&message, expected)?;
    }
    let measured = loaded.mapping.measure(&message);
    let found: Vec<Value> = measured.until_first_error().iter().map(written).collect();
    let want: Vec<BTreeMap<String, Box<RawValue>>> =
        serde_json::from_str(case.text("expected").unwrap()).unwrap();
    let want: Vec<Value> = want.iter().map(wanted).collect();
    same("measurements", found, want)?;
    let found = measured.errors.first().map(|it| (it.code.as_str(), it.field.clone()));
    let Some(category) = error["category"].as_str() else {
        return same("error", found, None);
    };
    let category = if category == "crash-argument" { "message-not-object" } else { category };
    let found = found.ok_or("no error where one is expected")?;
    same("category", found.0, category)?;
    match error["field"].as_str() {
        Some(field) => same("field", found.1.as_str(), field),
        None => Ok(()),
    }
}

fn message(case: &Case) -> Result<Token, auscult_mapping::EnvelopeFault> {
    if let Some(event) = case.get("event") {
        let members = |name: &str| event[name].as_object().cloned().unwrap_or_else(Map::new);
        let body = event["bodyText"].as_str().unwrap();
        return envelope(body, &members("properties"), &members("systemProperties"));
    }
    match case["messageText"].as_str() {
        Some(text) => parse_token(text),
        None => parse_token(case.text("message").unwrap()),
    }
}

fn envelope_matches(message: &Token, expected: &Value) -> Result<(), String> {
    let mut found = message.to_json();
    // Which texts are dates shows in the measurements; here only the value counts.
    let mut expected = expected.clone();
    for side in [&mut found, &mut expected] {
        normalise_dates(side);
    }
    same("envelope", found, expected)
}

fn normalise_dates(value: &mut Value) {
    match value {
        Value::String(text) if text.len() >= 19 => {
            if let Some(instant) = Instant::parse(text) {
                *text = instant.to_string();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(normalise_dates),
        Value::Object(members) => members.values_mut().for_each(normalise_dates),
        _ => {}
    }
}

pub fn written(it: &Measurement) -> Value {
    let properties: Vec<Value> =
        it.properties.iter().map(|(name, value)| json!([**name, value])).collect();
    json!({
        "type": *it.type_name, "deviceId": it.device_id, "patientId": it.patient_id,
        "encounterId": it.encounter_id, "correlationId": it.correlation_id,
        "occurrenceTimeUtc": it.occurred.to_string(), "properties": properties,
    })
}

fn wanted(it: &BTreeMap<String, Box<RawValue>>) -> Value {
    let member = |name: &str| -> Value {
        it.get(name).map_or(Value::Null, |it| serde_json::from_str(it.get()).unwrap())
    };
    let mut listed = member("propertyList");
    if listed.is_null() {
        // The names in the order of the file, the values as they are.
        let values = member("properties");
        let Ok(Token::Object(names)) = parse_token(it["properties"].get()) else { panic!() };
        listed = names.iter().map(|(name, _)| json!([name, values[name]])).collect();
    }
    let time = Instant::parse(member("occurrenceTimeUtc").as_str().unwrap()).unwrap();
    json!({
        "type": member("type"), "deviceId": member("deviceId"), "patientId": member("patientId"),
        "encounterId": member("encounterId"), "correlationId": member("correlationId"),
        "occurrenceTimeUtc": time.to_string(), "properties": listed,
    })
}

pub fn template_load(case: &Case) -> Result<(), String> {
    let text = case["mappingText"].as_str().or(case.text("mapping")).unwrap_or_default();
    let faults = if case["mappingKind"] == "device" {
        DeviceMapping::compile(text).faults
    } else {
        FhirMapping::compile(text).faults
    };
    if case.get("expectedError").is_some() {
        return same("fails to load", faults.iter().any(|it| it.fatal), true);
    }
    same("valid", !faults.iter().any(|it| it.fatal), case["valid"].as_bool().unwrap())?;
    template_errors(&faults, case)
}

/// Every expected fault is there once, with its place and what it must mention, and no other.
pub fn template_errors(faults: &[MappingFault], case: &Case) -> Result<(), String> {
    let mut left: Vec<&MappingFault> = faults.iter().filter(|it| it.fatal).collect();
    for want in case["expectedTemplateErrors"].as_array().into_iter().flatten() {
        let at = left.iter().position(|it| {
            let mentions = |word: &Value| {
                // Names of the peer's own classes mean nothing here.
                let word = word.as_str().unwrap().to_lowercase();
                word.starts_with("fhir") || it.detail.to_lowercase().contains(word.trim())
            };
            let place = |name: &str, found: u32| {
                want[name].as_u64().is_none_or(|want| want == u64::from(found))
            };
            it.code.as_str() == want["category"]
                && want["mentions"].as_array().unwrap().iter().all(mentions)
                && place("line", it.line)
                && place("position", it.column)
        });
        let Some(at) = at else { return Err(format!("fault {want} is not in {left:#?}")) };
        left.remove(at);
    }
    same("other faults", left, Vec::new())
}
