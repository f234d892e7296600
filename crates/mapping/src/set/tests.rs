use super::*;
use crate::envelope::parse_token;
use crate::load::FaultCode;

const DEVICE: &str = r#"{ "templateType": "CollectionContent", "template": [
    { "templateType": "JsonPathContent", "template": {
        "typeName": "glucose", "typeMatchExpression": "$..[?(@bg)]",
        "deviceIdExpression": "$.device", "timestampExpression": "$.at",
        "values": [ { "valueName": "bg", "valueExpression": "$.bg", "required": true } ] } } ] }"#;

fn set(members: &str) -> Loaded<MappingSet> {
    MappingSet::compile(&format!(r#"{{ "device": {DEVICE}{members} }}"#))
}

fn measured(set: &MappingSet, body: &str) -> SetMeasured {
    set.measure(parse_token(&format!(r#"{{"Body":{body}}}"#)).unwrap())
}

#[test]
fn a_device_mapping_alone_is_a_set() {
    let loaded = MappingSet::compile(DEVICE);
    assert!(loaded.is_sound() && loaded.faults.is_empty(), "{:?}", loaded.faults);
    assert_eq!(loaded.mapping.device.len(), 1);
    assert!(loaded.mapping.applies.is_empty() && loaded.mapping.fhir.is_none());
}

#[test]
fn values_are_put_into_words_units_and_ranges() {
    let rule = r#", "values": [ { "type": "glucose", "name": "bg", "unit": "mg/dL", "to": "g/L",
        "synonyms": { "LOW": 39, "HIGH": 401 }, "plausible": { "low": 0.2, "high": 6 } } ]"#;
    let loaded = set(rule);
    assert_eq!(loaded.faults, []);
    // sent, stored, implausible
    let rows = [
        ("120", Some(("1.2", false))),
        ("\"90.5\"", Some(("0.905", false))),
        ("\"low\"", Some(("0.39", false))),
        ("\"HIGH\"", Some(("4.01", false))),
        ("900", Some(("9", true))),
        ("\"broken\"", None),
    ];
    for (sent, want) in rows {
        let body = format!(r#"{{"device":"d","at":"2026-11-27T08:00:00Z","bg":{sent}}}"#);
        let got = measured(&loaded.mapping, &body);
        let one = &got.measurements[0];
        let stored = one.measurement.properties.first().map(|(_, it)| it.as_str());
        let implausible = one.meanings.first().is_some_and(|it| it.implausible);
        assert_eq!(stored.map(|it| (it, implausible)), want, "{sent}");
        let fault = got.errors.first().map(|it| (it.field.as_str(), it.code.as_str()));
        let wanted = want.is_none().then_some(("bg", "conversion-failed"));
        assert_eq!(fault, wanted, "{sent}");
        if want.is_some() {
            let native = one.meanings[0].native.as_ref().map(|(_, unit)| &**unit);
            assert_eq!(native, Some("mg/dL"));
        }
    }
}

#[test]
fn every_element_is_a_message_that_inherits_what_is_around_it() {
    let loaded = set(r#", "each": "$.readings[*]""#);
    assert_eq!(loaded.faults, []);
    let body = r#"{"device":"d","unit":"x","readings":[
        {"at":"2026-11-27T08:00:00Z","bg":100},{"at":"2026-11-27T08:05:00Z","bg":101,"device":"e"}]}"#;
    let got = measured(&loaded.mapping, body);
    let found: Vec<(&str, &str)> = got
        .measurements
        .iter()
        .map(|it| (it.measurement.device_id.as_str(), it.measurement.property("bg").unwrap()))
        .collect();
    assert_eq!(found, [("d", "100"), ("e", "101")]);
    assert_eq!(got.errors, []);
    // Without such an array the message is what it is.
    let plain = measured(&loaded.mapping, r#"{"device":"d","at":"2026-11-27T08:00:00Z","bg":99}"#);
    assert_eq!(plain.measurements.len(), 1);
}

#[test]
fn a_set_chooses_messages_by_device_type_or_sender() {
    let loaded =
        set(r#", "applies": { "deviceTypes": ["528409", "http://snomed.info/sct|337414009"],
        "senders": ["cgm-*", "x1"] }"#);
    assert_eq!(loaded.faults, []);
    let typed = |system: &str, code: &str| vec![(system.to_owned(), code.to_owned())];
    #[rustfmt::skip]
    let rows = [
        ("cgm-7", vec![], true),
        ("x1", vec![], true),
        ("x12", vec![], false),
        ("other", typed("urn:iso:std:iso:11073:10101", "528409"), true),
        ("other", typed("http://snomed.info/sct", "337414009"), true),
        ("other", typed("http://loinc.org", "337414009"), false),
    ];
    for (device, types, want) in rows {
        assert_eq!(loaded.mapping.applies.covers(device, &types), want, "{device} {types:?}");
    }
}

#[test]
fn every_fault_of_a_set_is_named_with_its_place() {
    #[rustfmt::skip]
    let rows = [
        (r#", "vaules": []"#, "/vaules", FaultCode::UnknownMember),
        (r#", "applies": []"#, "/applies", FaultCode::BadValueType),
        (r#", "applies": { "sender": [] }"#, "/applies/sender", FaultCode::UnknownMember),
        (r#", "applies": { "senders": [""] }"#, "/applies/senders/0", FaultCode::BadValueType),
        (r#", "each": "$.a[""#, "/each", FaultCode::ExpressionSyntax),
        (r#", "each": ["$.a", "$..[?("]"#, "/each/1", FaultCode::ExpressionSyntax),
        (r#", "each": 5"#, "/each", FaultCode::BadValueType),
        (r#", "values": [5]"#, "/values/0", FaultCode::BadValueType),
        (r#", "values": [{ "unit": "mg/dL" }]"#, "/values/0", FaultCode::MissingRequiredProperty),
        (r#", "values": [{ "name": "gb" }]"#, "/values/0/name", FaultCode::UnknownMember),
        (r#", "values": [{ "name": "bg", "unit": "mgdl%" }]"#, "/values/0/unit", FaultCode::BadValueType),
        (r#", "values": [{ "name": "bg", "to": "g/L" }]"#, "/values/0/to", FaultCode::MissingRequiredProperty),
        (r#", "values": [{ "name": "bg", "unit": "mg/dL", "to": "Cel" }]"#, "/values/0/to", FaultCode::OutOfRange),
        (r#", "values": [{ "name": "bg", "synonyms": [1] }]"#, "/values/0/synonyms", FaultCode::BadValueType),
        (r#", "values": [{ "name": "bg", "synonyms": { "x": {} } }]"#, "/values/0/synonyms/x", FaultCode::BadValueType),
        (r#", "values": [{ "name": "bg", "plausible": { "low": 5, "high": 1 } }]"#, "/values/0/plausible", FaultCode::OutOfRange),
        (r#", "values": [{ "name": "bg", "plausible": { "low": "x" } }]"#, "/values/0/plausible/low", FaultCode::BadValueType),
        (r#", "fhir": { "templateType": "CollectionContent", "template": [] }"#, "/fhir/templateType", FaultCode::WrongTemplateType),
        (r#", "fhir": { "templateType": "CollectionFhir", "template": [ { "templateType": "CodeValueFhir", "template": { "codes": [] } } ] }"#,
            "/fhir/template/0/template", FaultCode::MissingRequiredProperty),
    ];
    for (members, path, code) in rows {
        let faults = set(members).faults;
        let found: Vec<_> = faults.iter().map(|it| (it.path.as_str(), it.code)).collect();
        assert_eq!(found, [(path, code)], "{members}");
        assert!(faults[0].line >= 1 && !faults[0].detail.is_empty());
    }
    let only_fhir = MappingSet::compile(r#"{ "templateType": "CollectionFhir", "template": [] }"#);
    assert_eq!(only_fhir.faults[0].code, FaultCode::WrongTemplateType);
    let no_device = MappingSet::compile(r#"{ "values": [] }"#);
    assert_eq!(no_device.faults[0].code, FaultCode::MissingRequiredProperty);
}

#[test]
fn a_faulty_template_of_a_set_is_placed_within_the_whole_file() {
    let text = "{\n \"device\": { \"templateType\": \"CollectionContent\", \"template\": [\n  { \"templateType\": \"JsonPath\", \"template\": {} } ] } }";
    let fault = &MappingSet::compile(text).faults[0];
    assert_eq!(fault.path, "/device/template/0/templateType");
    assert_eq!(fault.line, 3);
}

#[test]
fn the_schema_is_json_and_names_every_member_that_is_read() {
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
    let members = schema["$defs"]["set"]["properties"].as_object().unwrap();
    for member in load::MEMBERS {
        assert!(members.contains_key(member), "{member}");
    }
    assert_eq!(members.len(), load::MEMBERS.len());
    let rule = schema["$defs"]["value"]["properties"].as_object().unwrap();
    for member in load::RULE_MEMBERS {
        assert!(rule.contains_key(member), "{member}");
    }
    assert_eq!(rule.len(), load::RULE_MEMBERS.len());
}
