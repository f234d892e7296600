//! One message with five measurements through five templates, from text to measurements, and on to
//! Observations. Numbers are in `docs/mapping.md`.

use auscult_mapping::fhir::{Convention, References, measurement_groups};
use auscult_mapping::{DeviceMapping, FhirMapping, parse_token};
use divan::{Bencher, black_box};
use serde_json::{Value, json};

const TYPES: [&str; 5] = ["heartrate", "spo2", "temperature", "respiration", "weight"];

fn main() {
    divan::main();
}

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

fn device(template: impl Fn(&str) -> Value) -> DeviceMapping {
    let templates: Vec<Value> = TYPES.iter().map(|it| template(it)).collect();
    let text = json!({ "templateType": "CollectionContent", "template": templates }).to_string();
    DeviceMapping::compile(&text).mapping
}

fn json_path() -> DeviceMapping {
    device(|name| {
        json!({ "templateType": "JsonPathContent", "template": {
            "typeName": name, "typeMatchExpression": format!("$..[?(@{name})]"),
            "deviceIdExpression": "$.deviceId", "timestampExpression": "$.time",
            "values": [{ "valueName": name, "valueExpression": format!("$.{name}"), "required": true }],
        }})
    })
}

fn jmes_path() -> DeviceMapping {
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

fn fhir() -> FhirMapping {
    let templates: Vec<Value> = TYPES
        .iter()
        .map(|name| {
            json!({ "templateType": "CodeValueFhir", "template": {
                "typeName": name, "codes": [{ "code": "x", "system": "http://loinc.org" }],
                "value": { "valueType": "Quantity", "valueName": name, "unit": "u" },
            }})
        })
        .collect();
    let text = json!({ "templateType": "CollectionFhir", "template": templates }).to_string();
    FhirMapping::compile(&text).mapping
}

fn measure(bencher: Bencher<'_, '_>, mapping: &DeviceMapping) {
    let text = message();
    let once = || {
        let message = parse_token(black_box(&text)).ok()?;
        Some(mapping.measure(&message))
    };
    assert_eq!(once().map(|it| it.measurements.len()), Some(5));
    bencher.bench_local(once);
}

#[divan::bench]
fn json_path_content(bencher: Bencher<'_, '_>) {
    measure(bencher, &json_path());
}

#[divan::bench]
fn jmes_path_calculated_content(bencher: Bencher<'_, '_>) {
    measure(bencher, &jmes_path());
}

#[divan::bench]
fn json_path_content_and_fhir(bencher: Bencher<'_, '_>) {
    let (device, fhir, text) = (json_path(), fhir(), message());
    let references = References { patient: "p", device: "d", encounter: None };
    bencher.bench_local(|| {
        let message = parse_token(black_box(&text)).ok()?;
        let measured = device.measure(&message).measurements;
        let batch: Vec<_> = measured.into_iter().map(|it| (it, None)).collect();
        let mut made = Vec::new();
        for grouped in measurement_groups(&batch) {
            for window in fhir.observation_groups(&grouped.group).ok()? {
                let convention = Convention::default();
                let name = &grouped.group.type_name;
                made.push(fhir.write(name, &window, &references, &convention).ok()?);
            }
        }
        Some(made)
    });
}
