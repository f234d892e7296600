//! Whole ways through both mappings, small enough to read.

use auscult_mapping::fhir::{Convention, References, measurement_groups};
use auscult_mapping::{DeviceMapping, FhirMapping, Measurement, envelope, parse_token};
use serde_json::{Map, Value, json};

fn template(kind: &str, body: Value) -> String {
    json!({ "templateType": "CollectionContent",
        "template": [{ "templateType": kind, "template": body }] })
    .to_string()
}

/// Measurements and faults as short texts.
fn check(mapping: &str, message: &str, want: &[&str]) {
    let loaded = DeviceMapping::compile(mapping);
    assert_eq!(loaded.faults, [], "{mapping}");
    let message = envelope(message, &Map::new(), &Map::new()).unwrap();
    let measured = loaded.mapping.measure(&message);
    let measurement = |it: &Measurement| {
        let values: Vec<_> = it.properties.iter().map(|(n, v)| format!("{n}={v}")).collect();
        format!("{} {} {} {}", it.type_name, it.device_id, it.occurred, values.join(" "))
    };
    let mut found: Vec<String> = measured.measurements.iter().map(measurement).collect();
    found.extend(
        measured
            .errors
            .iter()
            .map(|it| format!("{} at {}: {}", it.field, it.path, it.code.as_str())),
    );
    assert_eq!(found, want);
}

#[test]
fn each_reading_of_a_list_becomes_a_measurement() {
    let mapping = template(
        "JsonPathContent",
        json!({ "typeName": "hr", "typeMatchExpression": "$..[?(@hr)]",
            "deviceIdExpression": "$.d", "timestampExpression": "$.t",
            "values": [{ "valueName": "hr", "valueExpression": "$.hr", "required": "true" }] }),
    );
    check(
        &mapping,
        "[{hr: 60.0, d: 'a', t: '2020-01-01T00:00:00+01:00'}, {hr: null, d: 'b', t: 1},\n\
         {hr: 0x10, d: 7, t: 'Jan 2 2020'}]",
        &[
            "hr a 2019-12-31T23:00:00.0000000Z hr=60",
            "hr 7 2020-01-02T00:00:00.0000000Z hr=16",
            "TimestampExpression at $.Body[1]: conversion-failed",
        ],
    );
}

#[test]
fn calculated_content_sees_the_message_and_the_match() {
    let mapping = template(
        "CalculatedContent",
        json!({ "typeName": "height", "defaultExpressionLanguage": "JmesPath",
            "typeMatchExpression": "Body.items[?unit == 'in']", "deviceIdExpression": "Body.id",
            "timestampExpression": "fromUnixTimestamp(matchedToken.at)",
            "values": [{ "valueName": "m", "required": true,
                "valueExpression": "multiply(to_number(matchedToken.v), `0.0254`)" }] }),
    );
    check(
        &mapping,
        r#"{"id": "x", "items": [{"unit": "in", "v": "78", "at": 1577934245}, {"unit": "cm"},
            {"unit": "in", "v": "1", "at": 1.5}]}"#,
        &[
            "height x 2020-01-02T03:04:05.0000000Z m=1.9811999999999999",
            "TimestampExpression at $.Body.items[2]: function-argument-type",
        ],
    );
}

#[test]
fn hub_messages_take_device_and_time_from_the_broker() {
    let mapping = template(
        "IotJsonPathContent",
        json!({ "typeName": "hr", "typeMatchExpression": "$..[?(@Body.hr)]",
            "values": [{ "valueName": "hr", "valueExpression": "$.Body.hr" }] }),
    );
    let mapping = DeviceMapping::compile(&mapping).mapping;
    let message = parse_token(
        r#"{"Body": {"hr": 1}, "Properties": {"iothub-creation-time-utc": "soon"},
            "SystemProperties": {"iothub-connection-device-id": "dev",
                "iothub-enqueuedtime": "2020-01-02T00:00:00Z"}}"#,
    );
    let measured = mapping.measure(&message.unwrap());
    assert_eq!(measured.errors, []);
    assert_eq!(measured.measurements[0].device_id, "dev");
    assert_eq!(measured.measurements[0].occurred.to_string(), "2020-01-02T00:00:00.0000000Z");
}

const FHIR: &str = r#"{"templateType": "CollectionFhir", "template": [
    {"templateType": "CodeValueFhir", "template": {
        "typeName": "bp", "periodInterval": -1,
        "codes": [{"code": "85354-9", "system": "http://loinc.org"}],
        "components": [
            {"codes": [{"code": "8480-6"}], "value": {"valueType": "SampledData",
                "valueName": "sys", "defaultPeriod": 60000, "unit": "mmHg"}},
            {"codes": [{"code": "8462-4"}], "value": {"valueType": "SampledData",
                "valueName": "dia", "defaultPeriod": 60000, "unit": "mmHg"}}]}}]}"#;

fn reading(
    minute: u32,
    values: &[(&str, &str)],
) -> (Measurement, Option<auscult_mapping::Instant>) {
    let time = format!("2020-01-01T10:{minute:02}:00Z");
    let measurement = Measurement {
        type_name: "bp".into(),
        occurred: auscult_mapping::Instant::parse(&time).unwrap(),
        device_id: "d".into(),
        patient_id: None,
        encounter_id: None,
        correlation_id: Some("c".into()),
        properties: values.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect(),
        template: 0,
    };
    (measurement, None)
}

#[test]
fn merged_series_neither_shift_nor_lose_a_sample() {
    let fhir = FhirMapping::compile(FHIR).mapping;
    let references = References { patient: "p", device: "d", encounter: None };
    let convention = Convention::default();
    let window = |batch: &[_]| {
        let group = measurement_groups(batch).remove(0).group;
        fhir.observation_groups(&group).unwrap().remove(0)
    };
    let first = window(&[reading(5, &[("sys", "120")]), reading(7, &[("sys", "122")])]);
    let stored = fhir.create("bp", &first, &references, &convention).unwrap();
    assert_eq!(stored["id"].as_str().unwrap().len(), 64);
    assert_eq!(stored["component"][0]["valueSampledData"]["data"], "120 E 122");

    let second = window(&[reading(4, &[("dia", "80")]), reading(9, &[("dia", "82")])]);
    let merged = fhir.merge("bp", &second, &stored, &convention).unwrap();
    assert!(merged.changed);
    let data = |at: usize| merged.observation["component"][at]["valueSampledData"]["data"].clone();
    assert_eq!(data(0), "E 120 E 122 E E");
    assert_eq!(data(1), "80 E E E E 82");
    assert_eq!(merged.observation["status"], "amended");
    assert_eq!(merged.observation["id"], stored["id"]);

    let again = fhir.merge("bp", &second, &merged.observation, &convention).unwrap();
    assert!(!again.changed, "the same values twice change nothing");
}
