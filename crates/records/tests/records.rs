//! Records over a real SQLite file: put, read, search, page, trace.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::type_complexity,
    reason = "tests fail by panicking"
)]

use auscult_fhir::search::Search;
use auscult_fhir::{
    Component, ObservationParts, ResourceType, Value, assessment_tokens, codings, observation,
    search_tokens,
};
use auscult_model::{Quality, Timestamp};
use auscult_records::{
    Base, Change, Condition, Put, RecordsError, Written, find, put, read, search_bundle, trace,
    transact, transaction_bundle,
};
use auscult_store::native::NativeSqlite;
use auscult_store::{Database, Param};
use serde_json::{Value as Json, json};

const NOW: &str = "2026-11-21T12:00:00Z";

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// A database that is gone when the test is.
struct Ward {
    db: NativeSqlite,
    _folder: tempfile::TempDir,
}

fn ward() -> Ward {
    let folder = tempfile::tempdir().unwrap();
    let db = NativeSqlite::with_schema(&folder.path().join("ward.db")).unwrap();
    Ward { db, _folder: folder }
}

fn run(db: &dyn Database, sql: &str, params: &[Param<'_>]) {
    db.query(sql, params).unwrap();
}

impl Ward {
    fn put(&self, kind: ResourceType, id: &str, resource: Json) -> Result<Written, (u16, String)> {
        self.put_if(kind, id, resource, Condition::None)
    }

    fn put_if(
        &self,
        kind: ResourceType,
        id: &str,
        resource: Json,
        condition: Condition,
    ) -> Result<Written, (u16, String)> {
        let put = Put { kind, id: id.to_owned(), resource, condition };
        self::put(&self.db, put, at(NOW)).map_err(refusal)
    }

    /// Ids found, in order.
    fn find(&self, kind: ResourceType, query: &str) -> Vec<String> {
        let search = search(kind, query);
        let found = find(&self.db, &search).unwrap();
        found.entries.into_iter().map(|it| it.id).collect()
    }

    /// One reading as normalization stores it.
    fn measured(&self, id: &str, patient: Option<&str>, minute: i64, number: i64) {
        let url = "http://hl7.org/fhir/StructureDefinition/heartrate";
        let codings = codings("heart_rate", Some(("8867-4", "Heart rate")), None, Some(url));
        let effective = at("2026-11-20T08:00:00Z").plus_ms(minute * 60_000);
        let resource = observation(&ObservationParts {
            id,
            patient,
            device: "d1",
            category: "vital-signs",
            codings: &codings,
            value: Some(Value::Quantity { number: number.into(), ucum: "/min", comparator: None }),
            native: None,
            components: &[],
            effective,
            end: None,
            quality: Quality::Accepted,
            flags: &[],
            identifier: &format!("d1|147842|{effective}"),
            mapping: "catalogue@1",
            received: effective,
        })
        .unwrap();
        let tokens = search_tokens(&codings, &[], Some("vital-signs"));
        self.row(id, patient, "heart_rate", &tokens, effective, &resource);
    }

    fn panel(&self, id: &str, patient: &str, minute: i64) {
        let panel = codings("blood_pressure", Some(("85354-9", "Blood pressure")), None, None);
        let part = codings("systolic_bp", Some(("8480-6", "Systolic")), None, None);
        let value = Value::Quantity { number: 128.into(), ucum: "mm[Hg]", comparator: None };
        let components = [Component { codings: &part, value, native: None }];
        let effective = at("2026-11-20T08:00:00Z").plus_ms(minute * 60_000);
        let resource = observation(&ObservationParts {
            id,
            patient: Some(patient),
            device: "d2",
            category: "vital-signs",
            codings: &panel,
            value: None,
            native: None,
            components: &components,
            effective,
            end: None,
            quality: Quality::Accepted,
            flags: &[],
            identifier: "bp",
            mapping: "catalogue@1",
            received: effective,
        })
        .unwrap();
        let tokens = search_tokens(&panel, &part, Some("vital-signs"));
        self.row(id, Some(patient), "blood_pressure", &tokens, effective, &resource);
    }

    fn row(
        &self,
        id: &str,
        patient: Option<&str>,
        code: &str,
        tokens: &str,
        effective: Timestamp,
        resource: &str,
    ) {
        let device = if code == "blood_pressure" { "d2" } else { "d1" };
        run(
            &self.db,
            "INSERT INTO observation (id, message, device, patient, code, codes, effective_ms, inputs,
                 quality, mapping, received_ms, updated_ms, resource)
             VALUES (?, 'm1', ?, ?, ?, ?, ?, '[]', 'accepted', 'catalogue@1', ?, ?, ?)",
            &[
                id.into(),
                device.into(),
                patient.into(),
                code.into(),
                tokens.into(),
                effective.into(),
                effective.into(),
                effective.into(),
                resource.into(),
            ],
        );
    }

    /// One NEWS2 result as scoring stores it.
    fn scored(&self, id: &str, minute: i64, current: i64, status: &str) {
        let effective = at("2026-11-20T08:00:00Z").plus_ms(minute * 60_000);
        let body = json!({
            "id": id, "patient": "p1", "rule": "news2", "version": "1", "effective": effective,
            "status": status, "value": 7, "band": "high", "severity": "emergency",
            "inputs": [{ "code": "heart_rate", "value": 131, "unit": "/min", "effective": effective,
                "age_seconds": 0, "points": 3, "observation": "o1" }],
            "missing": [], "reason": null, "supersedes": null,
        })
        .to_string();
        run(
            &self.db,
            "INSERT INTO assessment (id, patient, rule, effective_ms, current, status, value, created_ms, body)
             VALUES (?, 'p1', 'news2', ?, ?, ?, 7, ?, ?)",
            &[
                id.into(),
                effective.into(),
                current.into(),
                status.into(),
                effective.into(),
                (&body).into(),
            ],
        );
    }
}

fn refusal(error: RecordsError) -> (u16, String) {
    match error {
        RecordsError::Refused(problem) => {
            let fault = problem.errors.first().map(|it| format!("{} {}", it.path, it.code));
            (problem.status, fault.unwrap_or_else(|| problem.code().to_owned()))
        }
        other => panic!("{other}"),
    }
}

fn search(kind: ResourceType, query: &str) -> Search {
    let query: Vec<(String, String)> = query
        .split('&')
        .filter_map(|it| it.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Search::parse(kind, &query, true).unwrap()
}

fn patient(family: &str) -> Json {
    json!({ "resourceType": "Patient", "name": [{ "family": family, "given": ["Alex", "Jo"] }],
        "birthDate": "1956-04-12", "gender": "female", "active": true,
        "identifier": [{ "system": "urn:mrn", "value": "4711" }],
        "telecom": [{ "system": "phone", "value": "+15550100" }] })
}

fn worn(device: &str, patient: &str, start: &str, end: Option<&str>) -> Json {
    let mut period = json!({ "start": start });
    if let Some(end) = end {
        period["end"] = json!(end);
    }
    json!({ "resourceType": "DeviceUseStatement", "status": "active",
        "subject": { "reference": format!("Patient/{patient}") },
        "device": { "reference": format!("Device/{device}") }, "timingPeriod": period })
}

#[test]
fn the_same_content_twice_makes_one_version() {
    use ResourceType::Patient;
    let ward = ward();
    let first = ward.put(Patient, "p1", patient("Doe")).unwrap();
    assert_eq!((first.change, first.stored.version), (Change::Created, 1));
    let again = ward.put(Patient, "p1", patient("Doe")).unwrap();
    assert_eq!((again.change, &again.stored), (Change::Unchanged, &first.stored));
    // What a client read, it may put back.
    let back: Json = serde_json::from_str(&first.stored.resource).unwrap();
    assert_eq!(ward.put(Patient, "p1", back).unwrap().change, Change::Unchanged);
    let second = ward.put(Patient, "p1", patient("Roe")).unwrap();
    assert_eq!((second.change, second.stored.version), (Change::Updated, 2));
    let stored = read(&ward.db, Patient, "p1").unwrap().unwrap();
    assert_eq!(stored, second.stored);
    let json: Json = serde_json::from_str(&stored.resource).unwrap();
    assert_eq!(json["meta"]["versionId"], "2");
    assert_eq!(json["meta"]["lastUpdated"], "2026-11-21T12:00:00.000Z");
    assert!(stored.resource.starts_with(r#"{"resourceType":"Patient","id":"p1","meta":"#));
    assert_eq!(read(&ward.db, Patient, "p2").unwrap(), None);
}

#[test]
fn a_condition_that_does_not_hold_changes_nothing() {
    use ResourceType::Patient;
    let ward = ward();
    let put = |family: &str, condition| {
        ward.put_if(Patient, "p1", patient(family), condition).map(|it| it.stored.version)
    };
    let conflict = Err((412, "version-conflict".to_owned()));
    assert_eq!(put("A", Condition::Version(1)), conflict);
    assert_eq!(put("A", Condition::Absent), Ok(1));
    assert_eq!(put("B", Condition::Absent), conflict);
    assert_eq!(put("B", Condition::Version(1)), Ok(2));
    assert_eq!(put("C", Condition::Version(1)), conflict);
    assert_eq!(Condition::if_match("W/\"3\""), Some(Condition::Version(3)));
    assert_eq!(Condition::if_match("3"), None);
}

#[test]
fn what_is_not_valid_is_refused_with_its_place() {
    use ResourceType::{DeviceUseStatement, Observation, Patient};
    let ward = ward();
    #[rustfmt::skip]
    let rows = [
        (Patient, "p1", json!({ "resourceType": "Patient", "gender": "f" }), "/gender code-invalid"),
        (Patient, "p1", json!({ "resourceType": "Patient", "id": "p2" }), "/id id"),
        (Patient, "p 1", json!({ "resourceType": "Patient" }), "/id id"),
        (Patient, "p1", json!({ "resourceType": "Device" }), "/resourceType resource-type"),
        (Observation, "o1", json!({ "resourceType": "Observation" }), " interaction-unknown"),
        (DeviceUseStatement, "a1", worn("d1", "p 1", "2026", None), "/subject/reference reference"),
    ];
    for (kind, id, resource, want) in rows {
        let refused = ward.put(kind, id, resource).map(|it| it.change);
        assert_eq!(refused, Err((400, want.to_owned())));
    }
    assert_eq!(ward.find(Patient, ""), Vec::<String>::new());
}

#[test]
fn a_device_is_worn_by_one_patient_at_a_time() {
    use ResourceType::DeviceUseStatement;
    let ward = ward();
    let put = |id: &str, resource| ward.put(DeviceUseStatement, id, resource).map(|it| it.devices);
    let overlap = Err((409, "/timingPeriod overlap".to_owned()));
    let d1 = vec!["d1".to_owned()];
    let (eight, ten) = ("2026-11-20T08:00:00Z", "2026-11-20T10:00:00Z");
    assert_eq!(put("a1", worn("d1", "p1", eight, Some(ten))), Ok(d1.clone()));
    assert_eq!(put("a1", worn("d1", "p1", eight, Some(ten))), Ok(vec![]), "a repeat tells nobody");
    assert_eq!(put("a2", worn("d1", "p2", "2026-11-20T09:59:59Z", None)), overlap);
    assert_eq!(put("a2", worn("d1", "p2", "2026-11-20", None)), overlap);
    assert_eq!(put("a2", worn("d1", "p2", ten, None)), Ok(d1.clone()), "a handover is no overlap");
    assert_eq!(put("a3", worn("d2", "p1", eight, None)), Ok(vec!["d2".to_owned()]));
    let refused = read(&ward.db, DeviceUseStatement, "a2").unwrap().unwrap();
    assert_eq!(refused.version, 1, "a refused put leaves nothing");
    let mut wrong = worn("d1", "p2", ten, None);
    wrong["status"] = json!("entered-in-error");
    assert_eq!(put("a2", wrong), Ok(d1.clone()));
    assert_eq!(put("a4", worn("d1", "p3", "2026-11-20T11:00:00Z", None)), Ok(d1));
    let rows = ward
        .db
        .query("SELECT id FROM assignment WHERE device = 'd1' AND active = 1 ORDER BY id", &[])
        .unwrap();
    let active: Vec<&str> = rows.iter().map(|it| it.text("id").unwrap()).collect();
    assert_eq!(active, ["a1", "a4"]);
}

#[test]
fn a_use_that_comes_to_name_another_device_tells_both() {
    let ward = ward();
    let put = |device: &str| {
        let mut devices = ward
            .put(ResourceType::DeviceUseStatement, "a1", worn(device, "p1", "2026", None))
            .unwrap()
            .devices;
        devices.sort();
        devices
    };
    assert_eq!(put("d1"), ["d1"]);
    assert_eq!(put("d2"), ["d1", "d2"]);
    let rows = ward.db.query("SELECT id, device, active FROM assignment ORDER BY id", &[]).unwrap();
    let rows: Vec<(&str, &str, i64)> = rows
        .iter()
        .map(|it| {
            (it.text("id").unwrap(), it.text("device").unwrap(), it.integer("active").unwrap())
        })
        .collect();
    assert_eq!(rows, [("a1", "d2", 1), ("a1#1", "d1", 0)]);
}

fn bundle(entries: Vec<(&str, Json)>) -> Json {
    let entries: Vec<Json> = entries
        .into_iter()
        .map(|(url, resource)| {
            json!({ "fullUrl": format!("urn:uuid:{url}"), "resource": resource,
                "request": { "method": "PUT", "url": url } })
        })
        .collect();
    json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries })
}

#[test]
fn a_transaction_is_all_or_nothing() {
    let ward = ward();
    let device = json!({ "resourceType": "Device", "status": "active" });
    let mut use_of = worn("d1", "p1", "2026-11-20", None);
    use_of["subject"]["reference"] = json!("urn:uuid:Patient/p1");
    let good = bundle(vec![
        ("Patient/p1", patient("Doe")),
        ("Device/d1", device.clone()),
        ("DeviceUseStatement/a1", use_of.clone()),
    ]);
    let written = transact(&ward.db, good.clone(), at(NOW)).unwrap();
    assert!(written.iter().all(|it| it.change == Change::Created));
    let text = transaction_bundle(&written, &Base("http://h/fhir".to_owned())).unwrap();
    let json: Json = serde_json::from_str(&text).unwrap();
    assert_eq!(json["entry"][2]["response"]["status"], "201 Created");
    let location = &json["entry"][2]["response"]["location"];
    assert_eq!(location, "http://h/fhir/DeviceUseStatement/a1/_history/1");
    let stored = read(&ward.db, ResourceType::DeviceUseStatement, "a1").unwrap().unwrap();
    assert!(stored.resource.contains(r#""reference":"Patient/p1""#));
    let again = transact(&ward.db, good, at(NOW)).unwrap();
    assert!(again.iter().all(|it| it.change == Change::Unchanged && it.devices.is_empty()));

    let rows = [
        (
            bundle(vec![
                ("Patient/p2", patient("Roe")),
                ("Device/d2", json!({ "resourceType": "Device", "status": "x" })),
            ]),
            400,
            "/entry/1/resource/status code-invalid",
        ),
        (
            bundle(vec![
                ("Patient/p2", patient("Roe")),
                ("DeviceUseStatement/a2", worn("d1", "p2", "2026-11-21", None)),
            ]),
            409,
            "/entry/1/resource/timingPeriod overlap",
        ),
        (
            bundle(vec![("Patient/p2", patient("Roe")), ("Patient/p2", patient("Roe"))]),
            400,
            "/entry/1/request/url duplicate",
        ),
        (bundle(vec![("Practitioner/x", json!({}))]), 400, "/entry/0/request/url unknown-type"),
        (json!({ "resourceType": "Bundle", "type": "batch" }), 400, "not-a-transaction"),
    ];
    for (bundle, status, want) in rows {
        let refused = transact(&ward.db, bundle, at(NOW)).map(|it| it.len()).map_err(refusal);
        assert_eq!(refused, Err((status, want.to_owned())));
    }
    assert_eq!(ward.find(ResourceType::Patient, ""), ["p1"]);
}

#[test]
fn two_patients_swap_a_device_in_one_transaction() {
    let ward = ward();
    let swap = |one: &str, other: &str| {
        bundle(vec![
            ("DeviceUseStatement/a1", worn(one, "p1", "2026-11-20", None)),
            ("DeviceUseStatement/a2", worn(other, "p2", "2026-11-20", None)),
        ])
    };
    transact(&ward.db, swap("d1", "d2"), at(NOW)).unwrap();
    let written = transact(&ward.db, swap("d2", "d1"), at(NOW)).unwrap();
    assert!(written.iter().all(|it| it.change == Change::Updated && it.devices.len() == 2));
}

#[test]
fn resources_are_found_by_what_is_in_them() {
    use ResourceType::{Device, DeviceUseStatement, Patient};
    let ward = ward();
    ward.put(Patient, "p1", patient("Doe")).unwrap();
    ward.put(Patient, "p2", json!({ "resourceType": "Patient", "deceasedDateTime": "2026" }))
        .unwrap();
    let device = json!({ "resourceType": "Device", "status": "active", "manufacturer": "Acme 100%",
        "type": { "coding": [{ "system": "urn:iso:std:iso:11073:10101", "code": "528388" }] },
        "patient": { "reference": "Patient/p1" } });
    ward.put(Device, "d1", device).unwrap();
    ward.put(DeviceUseStatement, "a1", worn("d1", "p1", "2026", None)).unwrap();
    #[rustfmt::skip]
    let rows: [(ResourceType, &str, &[&str]); 38] = [
        (Patient, "", &["p1", "p2"]),
        (Patient, "_sort=-_id", &["p2", "p1"]),
        (Patient, "_id=p2", &["p2"]),
        (Patient, "_id=p1,p2", &["p1", "p2"]),
        (Patient, "_id:not=p1", &["p2"]),
        (Patient, "identifier=urn:mrn|4711", &["p1"]),
        (Patient, "identifier=4711", &["p1"]),
        (Patient, "identifier=urn:mrn|", &["p1"]),
        (Patient, "identifier=|4711", &[]),
        (Patient, "identifier=urn:other|4711", &[]),
        (Patient, "identifier:missing=true", &["p2"]),
        (Patient, "family=do", &["p1"]),
        (Patient, "family:exact=doe", &[]),
        (Patient, "family:exact=Doe", &["p1"]),
        (Patient, "given=jo", &["p1"]),
        (Patient, "given=doe", &[]),
        (Patient, "name=ALEX", &["p1"]),
        (Patient, "name:contains=lex", &["p1"]),
        (Patient, "name=%", &[]),
        (Patient, "gender=female", &["p1"]),
        (Patient, "gender:not=female", &["p2"]),
        (Patient, "active=true", &["p1"]),
        (Patient, "active=false", &[]),
        (Patient, "birthdate=1956", &["p1"]),
        (Patient, "birthdate=1956-04-12", &["p1"]),
        (Patient, "birthdate=lt1956-04-12", &[]),
        (Patient, "birthdate=ge1956-04&birthdate=lt1957", &["p1"]),
        (Patient, "phone=%2B15550100", &[]),
        (Patient, "phone=+15550100", &["p1"]),
        (Patient, "email=+15550100", &[]),
        (Patient, "deceased=true", &["p2"]),
        (Patient, "deceased=false", &["p1"]),
        (Patient, "_lastUpdated=2026-11-21", &["p1", "p2"]),
        (Patient, "_lastUpdated=gt2026-11-21", &[]),
        (Device, "type=urn:iso:std:iso:11073:10101|528388&status=active&patient=p1", &["d1"]),
        (Device, "manufacturer=acme 100%", &["d1"]),
        (DeviceUseStatement, "device=Device/d1&patient=Patient/p1", &["a1"]),
        (DeviceUseStatement, "subject=p2", &[]),
    ];
    for (kind, query, want) in rows {
        assert_eq!(ward.find(kind, query), want, "{} {query}", kind.as_str());
    }
}

fn monitored() -> Ward {
    let ward = ward();
    ward.measured("o1", Some("p1"), 0, 72);
    ward.measured("o2", Some("p1"), 10, 131);
    ward.measured("o3", Some("p2"), 20, 80);
    ward.measured("o4", None, 30, 90);
    ward.panel("o5", "p1", 40);
    ward.scored("a1", 0, 0, "complete");
    ward.scored("a2", 0, 1, "complete");
    ward.scored("a3", 10, 1, "incomplete");
    ward
}

#[test]
fn observations_and_scores_are_found_together() {
    let ward = monitored();
    #[rustfmt::skip]
    let rows: [(&str, &[&str]); 45] = [
        ("", &["o5", "o4", "o3", "o2", "a3", "o1", "a2"]),
        ("_sort=date", &["a2", "o1", "a3", "o2", "o3", "o4", "o5"]),
        ("_sort=_id", &["a2", "a3", "o1", "o2", "o3", "o4", "o5"]),
        ("patient=p1", &["o5", "o2", "a3", "o1", "a2"]),
        ("subject=Patient/p1&category=vital-signs", &["o5", "o2", "o1"]),
        ("subject:Patient=p2", &["o3"]),
        ("subject=Device/d1", &[]),
        ("subject:missing=true", &["o4"]),
        ("patient=nobody", &[]),
        ("code=8867-4", &["o4", "o3", "o2", "o1"]),
        ("code=http://loinc.org|8867-4&patient=p1", &["o2", "o1"]),
        ("code=http://loinc.org|", &["o5", "o4", "o3", "o2", "o1"]),
        ("code=|8867-4", &[]),
        ("code=http://snomed.info/sct|8867-4", &[]),
        ("code=867-4", &[]),
        ("code=8480-6", &[]),
        ("component-code=8480-6", &["o5"]),
        ("combo-code=8480-6,8867-4&patient=p1", &["o5", "o2", "o1"]),
        ("code=8867-4,85354-9&patient=p1", &["o5", "o2", "o1"]),
        ("code:not=8867-4&patient=p1", &["o5", "a3", "a2"]),
        ("category=survey", &["a3", "a2"]),
        ("category:not=survey&patient=p1", &["o5", "o2", "o1"]),
        ("code=urn:auscult:codes|news2-total", &["a3", "a2"]),
        ("code=http://snomed.info/sct|1104051000000101", &["a3", "a2"]),
        ("status=preliminary", &["a3"]),
        ("status=final&patient=p1", &["o5", "o2", "o1", "a2"]),
        ("device=Device/d1&patient=p1", &["o2", "o1"]),
        ("device=d2", &["o5"]),
        ("date=2026-11-20&patient=p2", &["o3"]),
        ("date=2026-11-20T08:10", &["o2", "a3"]),
        ("date=2026-11-20T08:10Z", &["o2", "a3"]),
        ("date=2026-11-20T08:10:00.000Z", &["o2", "a3"]),
        ("date=gt2026-11-20T08:10:00Z&patient=p1", &["o5"]),
        ("date=ge2026-11-20T08:10:00Z&patient=p1", &["o5", "o2", "a3"]),
        ("date=lt2026-11-20T08:10:00Z&patient=p1", &["o1", "a2"]),
        ("date=le2026-11-20T08:10:00Z&patient=p1", &["o2", "a3", "o1", "a2"]),
        ("date=sa2026-11-20", &[]),
        ("date=ne2026-11-20", &[]),
        ("value-quantity=gt100", &["o2"]),
        ("value-quantity=72||/min", &["o1"]),
        ("code-value-quantity=8867-4$ge90", &["o4", "o2"]),
        ("component-value-quantity=128||mm[Hg]", &["o5"]),
        ("identifier=urn:auscult:observation|bp", &["o5"]),
        ("derived-from=Observation/o1", &[]),
        ("_id=a3,o1", &["a3", "o1"]),
    ];
    for (query, want) in rows {
        assert_eq!(ward.find(ResourceType::Observation, query), want, "{query}");
    }
}

#[test]
fn the_tokens_of_scores_in_sql_are_those_of_the_resource() {
    let ward = monitored();
    let tokens = assessment_tokens("news2");
    let every = tokens.split(' ').filter(|it| !it.is_empty());
    for token in every {
        let query = match token.split_once('^') {
            Some((system, code)) => format!("category={system}|{code}"),
            None => format!("code={token}"),
        };
        assert_eq!(ward.find(ResourceType::Observation, &query), ["a3", "a2"], "{query}");
    }
}

#[test]
fn a_replaced_score_is_still_read_by_its_id() {
    let ward = monitored();
    let read = |id: &str| read(&ward.db, ResourceType::Observation, id).unwrap();
    let resource = read("a1").unwrap().resource;
    assert!(resource.contains(r#""valueInteger":7"#));
    let json: Json = serde_json::from_str(&read("o1").unwrap().resource).unwrap();
    assert_eq!(json["meta"]["versionId"], "1");
    assert_eq!(json["meta"]["lastUpdated"], "2026-11-20T08:00:00.000Z");
    assert_eq!(read("unknown"), None);
}

#[test]
fn pages_meet_without_gap_or_repeat_while_new_readings_arrive() {
    for order in ["_sort=-date", "_sort=date", "_sort=_id", "_sort=-_lastUpdated"] {
        let ward = monitored();
        let whole = ward.find(ResourceType::Observation, order);
        let mut query = format!("{order}&_count=2");
        let mut seen = Vec::new();
        for round in 0.. {
            let found = find(&ward.db, &search(ResourceType::Observation, &query)).unwrap();
            assert!(found.entries.len() <= 2);
            seen.extend(found.entries.iter().map(|it| it.id.clone()));
            let Some(next) = found.next else { break };
            query = format!("{order}&_count=2&_page={}", next.encode());
            ward.measured(&format!("new{round}"), Some("p9"), -100 - round, 70);
            ward.measured(&format!("newer{round}"), Some("p9"), 100 + round, 70);
        }
        seen.retain(|it| !it.starts_with("new"));
        assert_eq!(seen, whole, "{order}");
    }
}

#[test]
fn a_bundle_links_to_itself_and_to_the_next_page() {
    let ward = monitored();
    let query = [("patient", "p1"), ("colour", "red"), ("_count", "2")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let search = Search::parse(ResourceType::Observation, &query, false).unwrap();
    let found = find(&ward.db, &search).unwrap();
    let text = search_bundle(&search, &found, &Base("http://h/fhir".to_owned())).unwrap();
    let bundle: Json = serde_json::from_str(&text).unwrap();
    assert_eq!(bundle["total"], 5);
    assert_eq!(bundle["link"][0]["url"], "http://h/fhir/Observation?patient=p1&_count=2");
    let next = bundle["link"][1]["url"].as_str().unwrap();
    assert!(next.starts_with("http://h/fhir/Observation?patient=p1&_count=2&_page="), "{next}");
    assert_eq!(bundle["entry"][0]["fullUrl"], "http://h/fhir/Observation/o5");
    assert_eq!(bundle["entry"][0]["search"]["mode"], "match");
    assert_eq!(bundle["entry"].as_array().unwrap().len(), 2);

    let counted = self::search(ResourceType::Observation, "patient=p1&_summary=count");
    let found = find(&ward.db, &counted).unwrap();
    assert_eq!((found.total, found.entries.len(), found.next), (Some(5), 0, None));
}

#[test]
fn a_message_is_followed_through_every_stage() {
    let ward = monitored();
    let db = &ward.db;
    let received = at("2026-11-20T08:00:00Z");
    run(
        db,
        "INSERT INTO inbox (id, digest, device, allowed, body, received_ms, state, attempts, due_ms)
         VALUES ('m1', 'x', 'd1', '[]', '{\"hr\":131}', ?, 'done', 1, 0)",
        &[received.into()],
    );
    run(
        db,
        "INSERT INTO message_outcome (message, status, observations, problem, mapping, at_ms)
         VALUES ('m1', 'normalized', '[\"o1\",\"o2\"]', NULL, 'catalogue@1', ?)",
        &[received.plus_ms(5).into()],
    );
    run(
        db,
        "INSERT INTO inbox (id, digest, device, allowed, body, received_ms, state, attempts, due_ms)
         VALUES ('m2', 'x', 'd1', '[]', '{}', ?, 'done', 1, 0)",
        &[received.into()],
    );
    run(
        db,
        "INSERT INTO message_outcome (message, status, observations, problem, mapping, at_ms)
         VALUES ('m2', 'normalized', '[\"o1\"]', NULL, 'catalogue@1', ?)",
        &[received.into()],
    );
    run(
        db,
        "INSERT INTO alert (id, patient, cause, severity, status, opened_ms, updated_ms, assessment, body)
         VALUES ('x1', 'p1', 'news2', 'emergency', 'open', ?1, ?1, 'a2', '{}')",
        &[received.into()],
    );
    run(
        db,
        "INSERT INTO alert_transition (alert, at_ms, place, body) VALUES ('x1', ?, 0, ?)",
        &[
            received.into(),
            r#"{"at":"2026-11-20T08:00:00Z","to":"open","by":"auscult","why":"7","severity":"emergency","assessment":"a2"}"#.into(),
        ],
    );
    run(
        db,
        "INSERT INTO delivery (id, alert, receiver, body, state, attempts, created_ms, due_ms, delivered_ms)
         VALUES ('w1', 'x1', 'ward', '{}', 'delivered', 1, ?1, 0, ?1)",
        &[received.plus_ms(9).into()],
    );
    let told = trace(db, "m1").unwrap().unwrap();
    let steps: Vec<(&str, &str)> =
        told.steps.iter().map(|it| (it.stage, it.result.as_str())).collect();
    #[rustfmt::skip]
    let want = [
        ("ingest", "done"),
        ("normalization", "normalized"),
        ("normalization", "filed"), ("normalization", "filed"), ("normalization", "filed"),
        ("normalization", "unassigned"), ("normalization", "filed"),
        ("scoring", "complete"), ("scoring", "complete"), ("scoring", "incomplete"),
        ("notification", "open"), ("notification", "delivered"),
    ];
    assert_eq!(steps, want);
    let text = serde_json::to_string(&told).unwrap();
    assert!(!text.contains("131") && !text.contains("p1"), "no values, no patient: {text}");
    assert_eq!(trace(db, "o2").unwrap().map(|it| it.id), Some("m1".to_owned()));
    assert_eq!(trace(db, "unknown").unwrap(), None);

    let repeat = trace(db, "m2").unwrap().unwrap();
    let made = repeat.steps.iter().find(|it| it.result == "filed").unwrap();
    assert_eq!((&made.detail["observation"], &made.detail["repeat"]), (&json!("o1"), &json!(true)));
}
