//! What the validator takes and what it refuses, and where it says the fault is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::path::PathBuf;

use auscult_fhir::{ResourceType, validate};
use serde_json::{Value, json};

fn heart_rate() -> Value {
    json!({
        "resourceType": "Observation",
        "meta": { "profile": ["http://hl7.org/fhir/StructureDefinition/heartrate"] },
        "status": "final",
        "category": [{ "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs" }] }],
        "code": { "coding": [{ "system": "http://loinc.org", "code": "8867-4" }] },
        "subject": { "reference": "Patient/p1" },
        "effectiveDateTime": "2026-11-20T10:00:00Z",
        "valueQuantity": { "value": 72, "unit": "beats/minute", "system": "http://unitsofmeasure.org", "code": "/min" },
    })
}

fn blood_pressure() -> Value {
    let part = |code: &str, value: i64| {
        json!({
            "code": { "coding": [{ "system": "http://loinc.org", "code": code }] },
            "valueQuantity": { "value": value, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]" },
        })
    };
    let mut panel = heart_rate();
    panel["meta"]["profile"] = json!(["http://hl7.org/fhir/StructureDefinition/bp"]);
    panel["code"]["coding"][0]["code"] = json!("85354-9");
    panel["component"] = json!([part("8480-6", 128), part("8462-4", 79)]);
    panel.as_object_mut().unwrap().remove("valueQuantity");
    panel
}

/// Sets (or with null takes out) the member at a pointer.
fn with(mut resource: Value, path: &str, value: Value) -> Value {
    let (parent, name) = path.rsplit_once('/').unwrap();
    let parent = resource.pointer_mut(parent).unwrap();
    match (parent, value) {
        (Value::Object(object), Value::Null) => drop(object.remove(name)),
        (Value::Object(object), value) => drop(object.insert(name.to_owned(), value)),
        (Value::Array(items), Value::Null) => drop(items.remove(name.parse::<usize>().unwrap())),
        (other, _) => panic!("{other}"),
    }
    resource
}

fn check(kind: ResourceType, resource: &Value) -> Vec<(String, String)> {
    let faults = validate(kind, resource).err().unwrap_or_default();
    faults.into_iter().map(|it| (it.path, it.code)).collect()
}

#[test]
fn a_vital_sign_that_breaks_its_profile_is_refused_at_the_place() {
    let bp = blood_pressure;
    let hr = heart_rate;
    let absent = json!({ "coding": [{ "code": "error" }] });
    #[rustfmt::skip]
    let rows = [
        (with(hr(), "/category", Value::Null), "/category", "required"),
        (with(hr(), "/subject", Value::Null), "/subject", "required"),
        (with(hr(), "/effectiveDateTime", Value::Null), "/effectiveDateTime", "required"),
        (with(hr(), "/effectiveDateTime", json!("2026-11")), "/effectiveDateTime", "invariant"),
        (with(hr(), "/valueQuantity", Value::Null), "/valueQuantity", "invariant"),
        (with(hr(), "/valueQuantity/code", json!("{beats}/min")), "/valueQuantity/code", "fixed-value"),
        (with(hr(), "/valueQuantity/system", Value::Null), "/valueQuantity/system", "fixed-value"),
        (with(hr(), "/dataAbsentReason", absent.clone()), "/dataAbsentReason", "invariant"),
        (with(hr(), "/status", json!("done")), "/status", "code-invalid"),
        (with(hr(), "/code/coding/0/code", json!("9279-1")), "/code", "fixed-value"),
        (with(bp(), "/valueQuantity", json!({ "value": 1, "unit": "mmHg", "code": "mm[Hg]" })), "/valueQuantity", "cardinality"),
        (with(bp(), "/component/1", Value::Null), "/component", "cardinality"),
        (with(bp(), "/component/0/valueQuantity/code", json!("kPa")), "/component/0/valueQuantity/code", "fixed-value"),
        (with(bp(), "/component/1/valueQuantity", Value::Null), "/component/1", "invariant"),
    ];
    for (resource, path, code) in rows {
        let faults = check(ResourceType::Observation, &resource);
        assert!(faults.contains(&(path.to_owned(), code.to_owned())), "{path} {code}: {faults:?}");
    }
    assert_eq!(check(ResourceType::Observation, &hr()), []);
    assert_eq!(check(ResourceType::Observation, &bp()), []);
    let absent = with(
        with(bp(), "/component/1/valueQuantity", Value::Null),
        "/component/1/dataAbsentReason",
        absent,
    );
    assert_eq!(check(ResourceType::Observation, &absent), []);
}

#[test]
fn the_profile_holds_without_being_claimed() {
    let unclaimed =
        with(with(heart_rate(), "/meta", Value::Null), "/valueQuantity/code", json!("Hz"));
    let want = [("/valueQuantity/code".to_owned(), "fixed-value".to_owned())];
    assert_eq!(check(ResourceType::Observation, &unclaimed), want);
}

#[test]
fn elements_types_and_cardinalities_are_those_of_r4() {
    use ResourceType::{Device, DeviceUseStatement, Patient};
    let patient = |more: Value| {
        let mut it = json!({ "resourceType": "Patient", "id": "p1" });
        it.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        it
    };
    let device = |status: &str| json!({ "resourceType": "Device", "status": status });
    let statement = json!({ "resourceType": "DeviceUseStatement", "status": "active" });
    #[rustfmt::skip]
    let rows = [
        (Patient, patient(json!({ "gender": "f" })), "/gender", "code-invalid"),
        (Patient, patient(json!({ "birthDate": "12.04.1956" })), "/birthDate", "value"),
        (Patient, patient(json!({ "birthDate": "1956-02-30" })), "/birthDate", "value"),
        (Patient, patient(json!({ "name": { "family": "X" } })), "/name", "structure"),
        (Patient, patient(json!({ "name": [{ "family": 3 }] })), "/name/0/family", "value"),
        (Patient, patient(json!({ "name": [] })), "/name", "empty"),
        (Patient, patient(json!({ "active": "yes" })), "/active", "value"),
        (Patient, patient(json!({ "colour": "red" })), "/colour", "unknown-element"),
        (Patient, patient(json!({ "a/b~c": 1 })), "/a~1b~0c", "unknown-element"),
        (Patient, patient(json!({ "id": "has space" })), "/id", "id"),
        (Patient, patient(json!({ "deceasedBoolean": false, "deceasedDateTime": "2026" })), "/deceasedDateTime", "choice"),
        (Patient, patient(json!({ "contact": [{ "gender": "male" }] })), "/contact/0", "invariant"),
        (Patient, json!({ "resourceType": "Device" }), "/resourceType", "resource-type"),
        (Patient, json!([]), "", "structure"),
        (Device, device("broken"), "/status", "code-invalid"),
        (DeviceUseStatement, statement.clone(), "/subject", "required"),
        (DeviceUseStatement, statement, "/device", "required"),
    ];
    for (kind, resource, path, code) in rows {
        let faults = check(kind, &resource);
        assert!(faults.contains(&(path.to_owned(), code.to_owned())), "{path} {code}: {faults:?}");
    }
    let extended = patient(json!({
        "_birthDate": { "extension": [{ "url": "u", "valueCode": "unknown" }] },
        "extension": [{ "url": "u", "valueString": "x" }],
        "contained": [{ "resourceType": "Organization" }],
    }));
    assert_eq!(check(Patient, &extended), []);
    assert_eq!(check(Device, &device("active")), []);
}

#[test]
fn a_fault_never_shows_the_value() {
    let secret = "Mustermann-4711";
    let resource = json!({
        "resourceType": "Patient", "gender": secret, "birthDate": secret, "active": secret,
        "name": [{ "use": secret, "family": [secret] }], "id": format!("{secret} {secret}"),
    });
    let faults = validate(ResourceType::Patient, &resource).unwrap_err();
    assert!(faults.len() >= 5);
    assert!(!format!("{faults:?}").contains(secret));
}

#[test]
fn a_hostile_resource_gets_a_bounded_answer() {
    let items: Vec<Value> = (0..10_000).map(|it| json!({ format!("x{it}"): 1 })).collect();
    let resource = json!({ "resourceType": "Patient", "name": items });
    assert!(validate(ResourceType::Patient, &resource).unwrap_err().len() < 100);
}

fn reference() -> Option<PathBuf> {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/domain/fhir");
    if path.is_dir() {
        return Some(path);
    }
    println!("not run: no reference examples beside this repository");
    None
}

fn read(path: PathBuf) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_reference_example_is_taken() {
    let Some(path) = reference() else { return };
    let mut taken = 0;
    for file in std::fs::read_dir(path).unwrap().map(|it| it.unwrap().path()) {
        if file.extension().is_none_or(|it| it != "json") {
            continue;
        }
        let name = file.display().to_string();
        let resource = read(file);
        let kind = resource.get("resourceType").and_then(Value::as_str);
        if let Some(kind) = kind.and_then(ResourceType::parse) {
            assert_eq!(validate(kind, &resource), Ok(()), "{name}");
            taken += 1;
        }
    }
    println!("{taken} examples");
    assert!(taken >= 9);
}

#[test]
fn every_invalid_reference_example_is_refused() {
    let Some(path) = reference() else { return };
    let list = std::fs::read_to_string(path.join("invalid/expected.csv")).unwrap();
    let mut refused = 0;
    for row in list.lines().skip(1) {
        let name = row.split(',').next().unwrap();
        let resource = read(path.join("invalid").join(format!("{name}.json")));
        assert!(validate(ResourceType::Observation, &resource).is_err(), "{name}");
        refused += 1;
    }
    println!("{refused} examples");
    assert_eq!(refused, 10);
}

#[test]
fn every_search_parameter_that_shall_be_is_there() {
    let Some(path) = reference() else { return };
    let list = std::fs::read_to_string(path.join("search_params.csv")).unwrap();
    for row in list.lines().skip(1) {
        let cells: Vec<&str> = row.splitn(5, ',').collect();
        let [kind, name, form, conformance, _] = cells.as_slice() else { panic!("{row}") };
        let kind = ResourceType::parse(kind).unwrap();
        let param = auscult_fhir::search::param_named(kind, name);
        if let Some(param) = param {
            assert_eq!(param.kind.as_str(), *form, "{name}");
        }
        assert!(param.is_some() || *conformance != "SHALL", "{} {name}", kind.as_str());
    }
}
