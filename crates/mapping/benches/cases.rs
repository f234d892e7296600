//! One message with five measurements through five templates, from its text to measurements as JSON
//! text, and on to Observations as text. Compiled once, as a version of a mapping is.

use std::hint::black_box;

use auscult_mapping::fhir::{Convention, References, measurement_groups};
use auscult_mapping::{DeviceMapping, FhirMapping, Measurement, parse_token};
use serde::Serialize;
use serde_json::{Value, json};

/// What is measured, by name: each call is one message, or one compilation, and tells how many texts or
/// templates came of it, which is five.
pub const CASES: [(&str, fn() -> Case); 5] = [
    ("json_path_content", || message_to_text(json_path())),
    ("jmes_path_calculated_content", || message_to_text(jmes_path())),
    ("json_path_content_and_fhir", message_to_observations),
    ("compile_json_path_content", || compile(json_path())),
    ("compile_jmes_path_calculated_content", || compile(jmes_path())),
];

/// One thing that is measured.
pub type Case = Box<dyn Fn() -> usize>;

fn message_to_text(file: String) -> Case {
    let device = DeviceMapping::compile(&file).mapping;
    let message = message();
    Box::new(move || {
        let Ok(message) = parse_token(black_box(&message)) else { return 0 };
        device.measure(&message).measurements.iter().map(text).map(black_box).count()
    })
}

fn message_to_observations() -> Case {
    let device = DeviceMapping::compile(&json_path()).mapping;
    let fhir = FhirMapping::compile(&fhir()).mapping;
    let message = message();
    Box::new(move || {
        let Ok(message) = parse_token(black_box(&message)) else { return 0 };
        observations(&fhir, device.measure(&message).measurements)
    })
}

fn compile(file: String) -> Case {
    Box::new(move || DeviceMapping::compile(black_box(&file)).mapping.len())
}

/// A measurement as existing services hand it on.
fn text(it: &Measurement) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Property<'a> {
        name: &'a str,
        value: &'a str,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Normalized<'a> {
        r#type: &'a str,
        occurrence_time_utc: String,
        device_id: &'a str,
        patient_id: Option<&'a str>,
        encounter_id: Option<&'a str>,
        correlation_id: Option<&'a str>,
        properties: Vec<Property<'a>>,
    }
    let properties = it.properties.iter().map(|(name, value)| Property { name, value });
    let normalized = Normalized {
        r#type: &it.type_name,
        occurrence_time_utc: it.occurred.iso(),
        device_id: &it.device_id,
        patient_id: it.patient_id.as_deref(),
        encounter_id: it.encounter_id.as_deref(),
        correlation_id: it.correlation_id.as_deref(),
        properties: properties.collect(),
    };
    serde_json::to_string(&normalized).unwrap_or_default()
}

fn observations(fhir: &FhirMapping, measured: Vec<Measurement>) -> usize {
    let references = References { patient: "p", device: "d", encounter: None };
    let batch: Vec<_> = measured.into_iter().map(|it| (it, None)).collect();
    let mut made = 0;
    for grouped in measurement_groups(&batch) {
        for window in fhir.observation_groups(&grouped.group).unwrap_or_default() {
            let name = &grouped.group.type_name;
            let written = fhir.write(name, &window, &references, &Convention::default());
            made += usize::from(black_box(written).is_ok());
        }
    }
    made
}

const TYPES: [&str; 5] = ["heartrate", "spo2", "temperature", "respiration", "weight"];

fn message() -> String {
    json!({
        "Body": {
            "deviceId": "device-0001", "time": "2026-11-20T08:00:00.000Z", "heartrate": 72,
            "spo2": 97.5, "temperature": 36.6, "respiration": 14, "weight": 81.25,
        },
        "Properties": {}, "SystemProperties": {},
    })
    .to_string()
}

fn device(template: impl Fn(&str) -> Value) -> String {
    let templates: Vec<Value> = TYPES.iter().map(|it| template(it)).collect();
    json!({ "templateType": "CollectionContent", "template": templates }).to_string()
}

fn json_path() -> String {
    device(|name| {
        json!({ "templateType": "JsonPathContent", "template": {
            "typeName": name, "typeMatchExpression": format!("$..[?(@{name})]"),
            "deviceIdExpression": "$.deviceId", "timestampExpression": "$.time",
            "values": [{ "valueName": name, "valueExpression": format!("$.{name}"), "required": true }],
        }})
    })
}

fn jmes_path() -> String {
    device(|name| {
        json!({ "templateType": "CalculatedContent", "template": {
            "typeName": name, "defaultExpressionLanguage": "JmesPath",
            "typeMatchExpression": format!("[Body][?{name}]"),
            "deviceIdExpression": "matchedToken.deviceId",
            "timestampExpression": "matchedToken.time",
            "values": [{
                "valueName": name, "valueExpression": format!("add(matchedToken.{name}, `0`)"),
                "required": true,
            }],
        }})
    })
}

fn fhir() -> String {
    let templates: Vec<Value> = TYPES
        .iter()
        .map(|name| {
            json!({ "templateType": "CodeValueFhir", "template": {
                "typeName": name, "codes": [{ "code": "x", "system": "http://loinc.org" }],
                "value": { "valueType": "Quantity", "valueName": name, "unit": "u" },
            }})
        })
        .collect();
    json!({ "templateType": "CollectionFhir", "template": templates }).to_string()
}
