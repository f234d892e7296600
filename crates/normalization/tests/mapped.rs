//! Mapping sets with a FHIR mapping on a real file: windows, wearers, claims, versions.

use std::fmt::Write as _;

use auscult_model::Timestamp;
use auscult_model::events::ReceivedMessage;
use auscult_normalization::mappings::{self, Change};
use auscult_normalization::{refile, store};
use auscult_store::Database;
use auscult_store::native::NativeSqlite;
use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;

const NOON: &str = "2026-11-20T12:00:00Z";

/// Heart rate by the hour as a series, temperature one by one, pressure as components.
const SET: &str = r#"{
    "device": { "templateType": "CollectionContent", "template": [
        { "templateType": "JsonPathContent", "template": { "typeName": "hr", "typeMatchExpression": "$..[?(@hr)]",
            "deviceIdExpression": "$.device", "timestampExpression": "$.at", "patientIdExpression": "$.patient",
            "values": [ { "valueName": "rate", "valueExpression": "$.hr", "required": true } ] } },
        { "templateType": "JsonPathContent", "template": { "typeName": "temp", "typeMatchExpression": "$..[?(@temp)]",
            "deviceIdExpression": "$.device", "timestampExpression": "$.at", "patientIdExpression": "$.patient",
            "values": [ { "valueName": "t", "valueExpression": "$.temp", "required": true } ] } },
        { "templateType": "JsonPathContent", "template": { "typeName": "bp", "typeMatchExpression": "$..[?(@sys)]",
            "deviceIdExpression": "$.device", "timestampExpression": "$.at",
            "values": [ { "valueName": "s", "valueExpression": "$.sys", "required": true },
                        { "valueName": "d", "valueExpression": "$.dia" } ] } } ] },
    "fhir": { "templateType": "CollectionFhir", "template": [
        { "templateType": "CodeValueFhir", "template": { "typeName": "hr", "periodInterval": 60,
            "codes": [ { "code": "8867-4", "system": "http://loinc.org" } ],
            "value": { "valueType": "SampledData", "valueName": "rate", "defaultPeriod": 600000, "unit": "/min" } } },
        { "templateType": "CodeValueFhir", "template": { "typeName": "temp", "periodInterval": 0,
            "codes": [ { "code": "8310-5", "system": "http://loinc.org" } ],
            "value": { "valueType": "Quantity", "valueName": "t", "unit": "°F", "code": "[degF]", "system": "http://unitsofmeasure.org" } } },
        { "templateType": "CodeValueFhir", "template": { "typeName": "bp", "periodInterval": 0,
            "codes": [ { "code": "85354-9", "system": "http://loinc.org" } ],
            "components": [
                { "codes": [ { "code": "8480-6", "system": "http://loinc.org" } ],
                  "value": { "valueType": "Quantity", "valueName": "s", "unit": "mmHg", "code": "mm[Hg]", "system": "http://unitsofmeasure.org" } },
                { "codes": [ { "code": "8462-4", "system": "http://loinc.org" } ],
                  "value": { "valueType": "Quantity", "valueName": "d", "unit": "mmHg", "code": "mm[Hg]", "system": "http://unitsofmeasure.org" } } ] } } ] }
}"#;

struct Ward {
    _dir: tempfile::TempDir,
    db: NativeSqlite,
}

fn ward() -> Ward {
    let dir = tempfile::tempdir().unwrap();
    let db = NativeSqlite::with_schema(&dir.path().join("a.db")).unwrap();
    let ward = Ward { _dir: dir, db };
    ward.put("ward", SET);
    ward
}

fn now() -> Timestamp {
    Timestamp::parse(NOON).unwrap()
}

fn message(body: &str, source: Option<&str>) -> ReceivedMessage {
    ReceivedMessage {
        id: auscult_model::digest(&[body]),
        device: Some("m".to_owned()),
        allowed: vec!["m".to_owned()],
        source: source.map(str::to_owned),
        received: now(),
        body: RawValue::from_string(body.to_owned()).unwrap(),
    }
}

impl Ward {
    fn put(&self, name: &str, document: &str) -> i64 {
        let change = Change { name, author: "a", now: now(), expected: None };
        mappings::put(&self.db, change, document).unwrap().version
    }

    fn resource(&self, kind: &str, body: &Value) {
        self.db
            .query(
                "INSERT INTO resource (type, id, version, updated_ms, body) VALUES (?1, ?2, 1, 0, ?3)",
                &[kind.into(), body["id"].as_str().unwrap().into(), (&body.to_string()).into()],
            )
            .unwrap();
    }

    fn assign(&self, id: &str, version: i64, patient: &str, from: &str, until: Option<&str>) {
        let ms = |it: &str| Timestamp::parse(it).unwrap();
        self.db
            .query(
                "INSERT INTO assignment (id, version, device, patient, start_ms, end_ms, active)
                 VALUES (?1, ?2, 'm', ?3, ?4, ?5, 1)
                 ON CONFLICT (id) DO UPDATE SET version = excluded.version, patient = excluded.patient,
                     start_ms = excluded.start_ms, end_ms = excluded.end_ms",
                &[id.into(), version.into(), patient.into(), ms(from).into(), until.map(ms).into()],
            )
            .unwrap();
    }

    fn send(&self, bodies: &[&str]) {
        self.send_to(Some("ward"), bodies);
    }

    fn send_to(&self, source: Option<&str>, bodies: &[&str]) {
        let messages: Vec<_> = bodies.iter().map(|it| message(it, source)).collect();
        let sets = store::mapping_sets(&self.db, &messages).unwrap();
        store::normalize(&self.db, &messages, &sets, now()).unwrap();
    }

    /// Files again until nothing is left; what scoring hears, as `patient observation-time`.
    fn refiled(&self) -> Vec<String> {
        let mut heard = Vec::new();
        loop {
            let round = refile::round(&self.db, now()).unwrap();
            heard.extend(
                round
                    .recorded
                    .iter()
                    .map(|it| format!("{} {}", it.patient, &it.effective.to_string()[11..16])),
            );
            refile::told(&self.db, &round.told).unwrap();
            if !round.more {
                heard.sort();
                return heard;
            }
        }
    }

    /// `hh:mm code patient status quality value inputs`, a line each.
    fn observations(&self) -> String {
        let rows = self
            .db
            .query(
                "SELECT code, effective_ms, patient, quality, inputs, resource FROM observation
                 ORDER BY effective_ms, code, patient",
                &[],
            )
            .unwrap();
        rows.iter().fold(String::new(), |mut text, it| {
            let patient = it.text_or_null("patient").unwrap().unwrap_or("-");
            let resource: Value = it.json("resource").unwrap();
            let subject = resource.pointer("/subject/reference").and_then(Value::as_str);
            assert_eq!(subject.unwrap_or("Patient/-"), format!("Patient/{patient}"));
            let inputs: Vec<String> = it
                .json::<Vec<Value>>("inputs")
                .unwrap()
                .iter()
                .map(|it| format!("{}={}", it["code"].as_str().unwrap(), it["value"]))
                .collect();
            let value = match resource["valueSampledData"]["data"].as_str() {
                Some(data) => data.to_owned(),
                None => resource["valueQuantity"]["value"].to_string(),
            };
            let at = Timestamp::from_unix_ms(it.integer("effective_ms").unwrap()).to_string();
            let (code, quality) = (it.text("code").unwrap(), it.text("quality").unwrap());
            let status = resource["status"].as_str().unwrap();
            let line = format!(
                "{} {code} {patient} {status} {quality} {value} {}",
                &at[11..16],
                inputs.join(" ")
            );
            writeln!(text, "{}", line.trim_end()).unwrap();
            text
        })
    }

    fn faults(&self, body: &str) -> Vec<String> {
        let rows = self
            .db
            .query(
                "SELECT problem FROM message_outcome WHERE message = ?1",
                &[(&auscult_model::digest(&[body])).into()],
            )
            .unwrap();
        let problem: Value = serde_json::from_str(
            rows.first().unwrap().text_or_null("problem").unwrap().unwrap_or("null"),
        )
        .unwrap();
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|it| format!("{} {}", it["path"].as_str().unwrap(), it["code"].as_str().unwrap()))
            .collect()
    }
}

fn reading(member: &str, value: &str, minute: u32) -> String {
    format!(r#"{{"device":"m","at":"2026-11-20T08:{minute:02}:00Z","{member}":{value}}}"#)
}

#[test]
fn readings_of_one_hour_become_one_observation() {
    let ward = ward();
    ward.assign("u", 1, "ann", "2026-11-01T00:00:00Z", None);
    ward.send(&[&reading("hr", "60", 0), &reading("hr", "62", 20)]);
    assert_eq!(ward.observations(), "08:00 heart_rate ann amended accepted 60 E 62 E E E\n");
    ward.send(&[&reading("hr", "61", 10)]);
    assert_eq!(ward.observations(), "08:00 heart_rate ann amended accepted 60 61 62 E E E\n");
}

#[test]
fn a_quantity_the_code_table_knows_is_scored_in_its_own_unit() {
    let ward = ward();
    ward.assign("u", 1, "ann", "2026-11-01T00:00:00Z", None);
    ward.send(&[
        &reading("temp", "98.6", 0),
        &reading("temp", "1000", 5),
        r#"{"device":"m","at":"2026-11-20T08:10:00Z","sys":120,"dia":80}"#,
    ]);
    let want = "\
        08:00 body_temperature ann final accepted 98.6 body_temperature=37\n\
        08:05 body_temperature ann final out-of-plausible-range null\n\
        08:10 blood_pressure ann final accepted null systolic_bp=120 diastolic_bp=80\n";
    assert_eq!(ward.observations(), want);
}

#[test]
fn an_hour_that_two_patients_share_becomes_an_observation_each() {
    let ward = ward();
    ward.assign("u1", 1, "ann", "2026-11-01T00:00:00Z", Some("2026-11-20T08:15:00Z"));
    ward.assign("u2", 1, "bob", "2026-11-20T08:15:00Z", None);
    ward.send(&[&reading("hr", "60", 0), &reading("hr", "90", 20)]);
    let want = "\
        08:00 heart_rate ann final accepted 60 E E E E E\n\
        08:00 heart_rate bob final accepted E E 90 E E E\n";
    assert_eq!(ward.observations(), want);
    // The assignment was wrong: all of it was ann's.
    ward.assign("u1", 2, "ann", "2026-11-01T00:00:00Z", None);
    ward.assign("u2", 2, "bob", "2026-11-21T08:15:00Z", None);
    let heard = ward.refiled();
    let want = "\
        08:00 heart_rate - entered-in-error accepted E E 90 E E E\n\
        08:00 heart_rate ann amended accepted 60 E 90 E E E\n";
    assert_eq!(ward.observations(), want);
    assert_eq!(heard, ["bob 08:00"]);
    assert_eq!(ward.refiled(), [""; 0]);
}

#[test]
fn a_reading_waits_unassigned_and_is_filed_when_the_assignment_comes() {
    let ward = ward();
    ward.send(&[&reading("temp", "98.6", 0)]);
    let line = |patient: &str| {
        format!("08:00 body_temperature {patient} final accepted 98.6 body_temperature=37\n")
    };
    assert_eq!(ward.observations(), line("-"));
    ward.assign("u", 1, "ann", "2026-11-01T00:00:00Z", None);
    assert_eq!(ward.refiled(), ["ann 08:00"]);
    assert_eq!(ward.observations(), line("ann"));
    ward.assign("u", 2, "bob", "2026-11-01T00:00:00Z", None);
    assert_eq!(ward.refiled(), ["ann 08:00", "bob 08:00"]);
    assert_eq!(ward.observations(), line("bob"));
}

#[test]
fn a_message_that_names_another_patient_is_filed_to_nobody() {
    // With a FHIR mapping and without one.
    let set: Value = serde_json::from_str(SET).unwrap();
    for (document, type_name) in [(SET.to_owned(), "/temp"), (set["device"].to_string(), "/temp/t")]
    {
        let ward = ward();
        ward.put("ward", &document);
        ward.resource(
            "Patient",
            &serde_json::json!({ "resourceType": "Patient", "id": "ann",
            "identifier": [{ "value": "MRN-7" }] }),
        );
        ward.assign("u", 1, "ann", "2026-11-01T00:00:00Z", None);
        let named = |who: &str, minute: u32| {
            format!(
                r#"{{"device":"m","patient":"{who}","at":"2026-11-20T08:{minute:02}:00Z","temp":37}}"#
            )
        };
        let rows = [("ann", 0, "ann"), ("MRN-7", 5, "ann"), ("bob", 10, "-")];
        for (who, minute, _) in rows {
            ward.send(&[&named(who, minute)]);
        }
        let filed = |ward: &Ward| -> Vec<String> {
            ward.observations().lines().map(|it| it.split(' ').nth(2).unwrap().to_owned()).collect()
        };
        let want: Vec<&str> = rows.iter().map(|it| it.2).collect();
        assert_eq!(filed(&ward), want, "{document}");
        assert_eq!(ward.faults(&named("bob", 10)), [format!("{type_name} patient-mismatch")]);
        // Nor does filing again give it to the wearer.
        ward.assign("u", 2, "ann", "2026-11-02T00:00:00Z", None);
        assert_eq!(ward.refiled(), [""; 0]);
        assert_eq!(filed(&ward), want);
        // Once the device turns out to have been bob's, it is his alone.
        ward.assign("u", 3, "bob", "2026-11-02T00:00:00Z", None);
        ward.refiled();
        assert_eq!(filed(&ward), ["-", "-", "bob"]);
    }
}

#[test]
fn what_cannot_become_an_observation_is_told_and_costs_nothing_else() {
    let ward = ward();
    let body = r#"{"all":[{"device":"m","at":"2026-11-20T08:00:00Z","temp":"hot"},
        {"device":"m","at":"2026-11-20T08:00:00Z","hr":60},{"device":"x","at":"2026-11-20T08:00:00Z","hr":61}]}"#;
    ward.send(&[body]);
    assert_eq!(ward.faults(body), ["/temp quantity-invalid", "/hr device-mismatch"]);
    assert_eq!(ward.observations().lines().count(), 1);
}

#[test]
fn a_set_chooses_messages_by_sender_and_by_device_type() {
    let rows = [
        (r#""applies": { "senders": ["m*"] },"#, true),
        (r#""applies": { "senders": ["x*"] },"#, false),
        (r#""applies": { "deviceTypes": ["528391"] },"#, true),
        (r#""applies": { "deviceTypes": ["urn:other|528391"] },"#, false),
    ];
    for (applies, chosen) in rows {
        let ward = ward();
        ward.put("own", &SET.replacen('{', &format!("{{{applies}"), 1));
        ward.resource("Device", &serde_json::json!({ "resourceType": "Device", "id": "m",
            "type": { "coding": [{ "system": "urn:iso:std:iso:11073:10101", "code": "528391" }] } }));
        ward.send_to(None, &[&reading("temp", "98.6", 0)]);
        let rows = ward.db.query("SELECT mapping FROM message_outcome", &[]).unwrap();
        let mapping = rows.first().unwrap().text("mapping").unwrap().to_owned();
        assert_eq!(mapping, if chosen { "own@1" } else { "catalogue@1" }, "{applies}");
    }
}

#[test]
fn a_version_comes_back_as_a_new_one() {
    let ward = ward();
    let other = SET.replace("\"periodInterval\": 60", "\"periodInterval\": 0");
    assert_eq!(ward.put("ward", &other), 2);
    assert_eq!(ward.put("ward", &other), 2);
    let change = |expected| Change { name: "ward", author: "b", now: now(), expected };
    assert!(mappings::roll_back(&ward.db, change(Some(1)), 1).is_err());
    let back = mappings::roll_back(&ward.db, change(Some(2)), 1).unwrap();
    assert_eq!((back.version, back.document.as_str()), (3, SET));
    assert_eq!(back.note.as_deref(), Some("rollback to 1"));
    let versions = mappings::versions(&ward.db, "ward").unwrap();
    assert_eq!(versions.iter().map(|it| it.version).collect::<Vec<_>>(), [3, 2, 1]);
    assert!(mappings::roll_back(&ward.db, change(None), 9).is_err());
}

#[test]
fn a_dry_run_tells_what_would_change() {
    let ward = ward();
    for (at, body) in [reading("temp", "98.6", 0), reading("hr", "60", 1)].iter().enumerate() {
        ward.db
            .query(
                "INSERT INTO inbox (id, digest, device, allowed, source, body, received_ms, state, due_ms)
                 VALUES (?1, ?1, 'm', '[\"m\"]', 'ward', ?2, ?3, 'done', 0)",
                &[format!("m{at}").as_str().into(), body.into(), now().into()],
            )
            .unwrap();
    }
    let run = mappings::dry_run(&ward.db, "ward", SET, 10).unwrap();
    assert_eq!((run.messages, run.same), (2, 2));
    let other = SET
        .replace("\"unit\": \"°F\", \"code\": \"[degF]\"", "\"unit\": \"°C\", \"code\": \"Cel\"");
    let run = mappings::dry_run(&ward.db, "ward", &other, 10).unwrap();
    let changed: Vec<&str> = run.changed.iter().map(|it| it.message.as_str()).collect();
    assert_eq!((run.messages, run.same, changed), (2, 1, vec!["m0"]));
    let unit = |it: &auscult_normalization::explain::Explanation| {
        it.observations[0]["valueQuantity"]["unit"].as_str().map(str::to_owned)
    };
    assert_eq!(unit(&run.changed[0].before).as_deref(), Some("°F"));
    // No living patient has 98.6 °C.
    assert_eq!(unit(&run.changed[0].after), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_and_repetition_do_not_matter(
        order in Just((0..12_usize).collect::<Vec<_>>()).prop_shuffle(),
        again in proptest::collection::vec(0..12_usize, 0..6),
    ) {
        let bodies: Vec<String> = (0..12_u32)
            .map(|it| match it % 3 {
                0 => reading("hr", &(60 + it).to_string(), it * 7 % 60),
                1 => reading("temp", &(97 + it).to_string(), it * 5),
                _ => reading("hr", &(80 + it).to_string(), 10),
            })
            .collect();
        let straight = ward();
        straight.assign("u1", 1, "ann", "2026-11-01T00:00:00Z", Some("2026-11-20T08:15:00Z"));
        straight.assign("u2", 1, "bob", "2026-11-20T08:15:00Z", None);
        for body in &bodies {
            straight.send(&[body]);
        }
        let shuffled = ward();
        for (done, at) in order.iter().chain(&again).enumerate() {
            if done == 6 {
                shuffled.assign("u1", 1, "ann", "2026-11-01T00:00:00Z", Some("2026-11-20T08:15:00Z"));
                shuffled.assign("u2", 1, "bob", "2026-11-20T08:15:00Z", None);
            }
            shuffled.send(&[&bodies[*at]]);
        }
        shuffled.refiled();
        let standing = |ward: &Ward| -> Vec<String> {
            let all = ward.observations();
            all.lines().filter(|it| !it.contains("entered-in-error")).map(str::to_owned).collect()
        };
        prop_assert_eq!(standing(&straight), standing(&shuffled));
    }
}
