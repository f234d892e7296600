//! A hundred seeded faults in messages: the trace names the true cause of each.

use auscult_mapping::device::Outcome;
use auscult_mapping::{DeviceMapping, MessageFaultCode, parse_token};
use serde_json::{Value, json};

const TEMPLATE: &str = r#"{"templateType": "CollectionContent", "template": [
    {"templateType": "JsonPathContent", "template": {
        "typeName": "bp", "typeMatchExpression": "$..[?(@systolic)]",
        "deviceIdExpression": "$.deviceId", "timestampExpression": "$.time",
        "correlationIdExpression": "$.session",
        "values": [
            {"valueName": "systolic", "valueExpression": "$.systolic", "required": true},
            {"valueName": "diastolic", "valueExpression": "$.diastolic", "required": true}
        ]}}
]}"#;

/// The next number of a small generator; the same on every machine.
fn next(state: &mut u64, below: usize) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap() % below
}

#[test]
fn the_true_cause_is_named_for_each_of_a_hundred_faults() {
    use MessageFaultCode::{ConversionFailed, RequiredValueMissing, RequiredValueNullOrEmpty};
    let mapping = DeviceMapping::compile(TEMPLATE).mapping;
    let members = [
        ("deviceId", "DeviceIdExpression"),
        ("time", "TimestampExpression"),
        ("session", "CorrelationIdExpression"),
        ("diastolic", "diastolic"),
    ];
    let mut state = 20_261_120;
    for round in 0..100 {
        let mut reading = json!({
            "deviceId": format!("d{round}"), "time": "2026-11-20T08:00:00Z", "session": "s1",
            "systolic": 100 + round, "diastolic": 60 + round % 40,
        });
        let (member, field) = members[next(&mut state, members.len())];
        let object = reading.as_object_mut().unwrap();
        let kind = next(&mut state, 6);
        let code = match kind {
            0 => {
                object.remove(member);
                RequiredValueMissing
            }
            1 => {
                // A slip of the pen: one letter doubled.
                let value = object.remove(member).unwrap();
                object.insert(format!("{member}{}", &member[member.len() - 1..]), value);
                RequiredValueMissing
            }
            2 => {
                object[member] = Value::Null;
                RequiredValueNullOrEmpty
            }
            3 => {
                object[member] = json!("  ");
                if member == "time" { ConversionFailed } else { RequiredValueNullOrEmpty }
            }
            4 => {
                object[member] = json!({ "value": 1 });
                ConversionFailed
            }
            _ => {
                object[member] = json!([1, 2]);
                ConversionFailed
            }
        };
        let good = json!({ "deviceId": "d", "time": "2026-11-20T08:00:00Z", "session": "s",
            "systolic": 1, "diastolic": 2 });
        let faulty_first = next(&mut state, 2) == 0;
        let readings = if faulty_first { [reading, good] } else { [good, reading] };
        let message = parse_token(&json!({ "Body": { "list": readings } }).to_string()).unwrap();
        let place = format!("$.Body.list[{}]", usize::from(!faulty_first));

        let explained = mapping.explain(&message);
        let fault = &explained.measured.errors;
        assert_eq!(fault.len(), 1, "round {round}");
        let found = (fault[0].field.as_str(), fault[0].code, fault[0].path.as_str());
        assert_eq!(found, (field, code, place.as_str()), "round {round}");
        // The neighbour of the faulty reading arrives.
        assert_eq!(explained.measured.measurements.len(), 1, "round {round}");

        let matches = &explained.templates[0].matches;
        let trace = matches.iter().find(|it| it.path == place).unwrap();
        assert!(!trace.measured && trace.fault.as_ref().unwrap().starts_with(field));
        let expression = trace.expressions.iter().find(|it| it.field == field).unwrap();
        let hinted = match &expression.outcome {
            Outcome::Nothing { hint } => hint
                .as_ref()
                .is_some_and(|it| kind == 0 || it.contains(&format!("there is '{member}"))),
            Outcome::NoText { path, .. } => path.as_ref() == Some(&format!("{place}.{member}")),
            Outcome::Found { text, .. } => text.trim().is_empty(),
            Outcome::Failed { .. } => false,
        };
        assert!(hinted, "round {round}: {expression:?}");
    }
}

#[test]
fn a_template_that_matches_nothing_says_so() {
    let mapping = DeviceMapping::compile(TEMPLATE).mapping;
    let message = parse_token(r#"{"Body": {"hr": 60}}"#).unwrap();
    let explained = mapping.explain(&message);
    assert!(explained.measured.measurements.is_empty());
    assert_eq!(explained.templates[0].no_match.as_deref(), Some("the type match finds nothing"));
}
