//! Faults are all told, each with its place; the built-in set and the schema hold.

use serde_json::json;

use super::*;
use crate::rules::{SCHEMA, built_in};

fn faults(document: &Value) -> Vec<(String, String)> {
    let found = parse(document).unwrap_err();
    found.into_iter().map(|it| (it.path, it.code)).collect()
}

#[test]
fn the_built_in_set_is_sound_and_wakes_nobody_but_for_danger() {
    let set = parse(&built_in()).unwrap();
    assert!(set.news2());
    let alerting: Vec<&str> =
        set.rules.iter().filter(|it| it.severity.is_some()).map(|it| it.name.as_str()).collect();
    assert_eq!(alerting, ["glucose_very_low"]);
}

#[test]
fn every_fault_is_told_with_its_place() {
    let document = json!({
        "zone": "Berlin", "colour": 1,
        "rules": [
            { "name": "Low", "kind": "threshold", "code": "spo2", "unit": "%", "below": 90, "clear": 80 },
            { "name": "a", "kind": "astrology" },
            { "name": "b", "kind": "rate", "code": "spo2", "unit": "%", "over": "soon", "rise": -1 },
            { "name": "c", "kind": "absence", "code": "spo2", "after": "1h", "by": "10:00" },
            { "kind": "trend", "code": "body_weight", "unit": "kg", "rise": 1, "confidence": 94 },
            { "name": "c", "kind": "glucose", "event": "low-2", "severity": "dreadful", "x": 1 }
        ]
    });
    let found = faults(&document);
    for (path, code) in [
        ("/zone", "value"),
        ("/colour", "unknown-key"),
        ("/rules/0/name", "value"),
        ("/rules/0/clear", "value"),
        ("/rules/1/kind", "value"),
        ("/rules/2/over", "value"),
        ("/rules/2/rise", "value"),
        ("/rules/3/after", "value"),
        ("/rules/4/name", "missing"),
        ("/rules/4/confidence", "value"),
        ("/rules/5/severity", "value"),
        ("/rules/5/x", "unknown-key"),
    ] {
        assert!(found.contains(&(path.to_owned(), code.to_owned())), "{path} {code}: {found:?}");
    }
}

#[test]
fn a_name_is_the_cause_of_alerts_and_stands_once() {
    let rule = |name: &str| json!({ "name": name, "kind": "weight-gain" });
    let twice = json!({ "rules": [rule("a"), rule("a")] });
    assert_eq!(faults(&twice), [("/rules".to_owned(), "duplicate".to_owned())]);
    assert_eq!(faults(&json!({ "rules": [rule("news2")] })).len(), 1);
}

#[test]
fn a_version_is_a_function_of_the_definition() {
    let of = |document: &Value| parse(document).unwrap().rules[0].version.clone();
    let one = json!({ "rules": [{ "name": "a", "kind": "weight-gain" }] });
    let other = json!({ "rules": [{ "name": "a", "kind": "weight-gain", "severity": "urgent" }] });
    assert_eq!(of(&one), of(&one.clone()));
    assert_ne!(of(&one), of(&other));
}

#[test]
fn the_schema_names_every_kind() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let kinds = schema["$defs"]["rule"]["properties"]["kind"]["enum"].as_array().unwrap();
    let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
    assert_eq!(kinds, KINDS);
}
