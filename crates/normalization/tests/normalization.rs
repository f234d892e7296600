//! Messages to stored Observations on a real file, and filing again when assignments change.

use std::fmt::Write as _;

use auscult_model::Timestamp;
use auscult_model::events::ReceivedMessage;
use auscult_normalization::{refile, store};
use auscult_store::Database;
use auscult_store::native::NativeSqlite;
use proptest::prelude::*;
use serde_json::value::RawValue;

const NOON: &str = "2026-11-20T12:00:00Z";

struct Ward {
    _dir: tempfile::TempDir,
    db: NativeSqlite,
}

fn ward() -> Ward {
    let dir = tempfile::tempdir().unwrap();
    let db = NativeSqlite::with_schema(&dir.path().join("a.db")).unwrap();
    Ward { _dir: dir, db }
}

fn message(body: &str) -> ReceivedMessage {
    ReceivedMessage {
        id: auscult_model::digest(&[body]),
        device: Some("m".to_owned()),
        allowed: vec!["m".to_owned(), "n".to_owned()],
        source: None,
        received: Timestamp::parse(NOON).unwrap(),
        body: RawValue::from_string(body.to_owned()).unwrap(),
    }
}

impl Ward {
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

    fn normalize(&self, bodies: &[&str]) -> usize {
        let messages: Vec<_> = bodies.iter().map(|it| message(it)).collect();
        let sets = store::mapping_sets(&self.db, &messages).unwrap();
        store::normalize(&self.db, &messages, &sets, Timestamp::parse(NOON).unwrap()).unwrap().len()
    }

    /// `code @ minute patient quality inputs`, a line each.
    fn observations(&self) -> String {
        let rows = self
            .db
            .query(
                "SELECT code, effective_ms, patient, quality, inputs, resource FROM observation
                 ORDER BY effective_ms, code, inputs",
                &[],
            )
            .unwrap();
        rows.iter().fold(String::new(), |mut text, it| {
            let patient = it.text_or_null("patient").unwrap().unwrap_or("-");
            let resource: serde_json::Value = it.json("resource").unwrap();
            let subject = resource.pointer("/subject/reference").and_then(|it| it.as_str());
            assert_eq!(subject.unwrap_or("Patient/-"), format!("Patient/{patient}"));
            let inputs: Vec<String> = it
                .json::<Vec<serde_json::Value>>("inputs")
                .unwrap()
                .iter()
                .map(|it| format!("{}={}", it["code"].as_str().unwrap(), it["value"]))
                .collect();
            let at = Timestamp::from_unix_ms(it.integer("effective_ms").unwrap()).to_string();
            let (code, quality) = (it.text("code").unwrap(), it.text("quality").unwrap());
            writeln!(text, "{} {code} {patient} {quality} {}", &at[11..16], inputs.join(" "))
                .unwrap();
            text
        })
    }

    fn problem(&self, body: &str) -> String {
        let rows = self
            .db
            .query(
                "SELECT status, problem FROM message_outcome WHERE message = ?1",
                &[(&message(body).id).into()],
            )
            .unwrap();
        let row = rows.first().unwrap();
        let problem = row.text_or_null("problem").unwrap().unwrap_or("null");
        let problem: serde_json::Value = serde_json::from_str(problem).unwrap();
        let faults: Vec<String> = problem["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|it| format!("{} {}", it["path"].as_str().unwrap(), it["code"].as_str().unwrap()))
            .collect();
        format!("{}: {}", row.text("status").unwrap(), faults.join(", "))
    }

    fn file_again(&self) -> usize {
        let mut told = 0;
        loop {
            let round = refile::round(&self.db, Timestamp::parse(NOON).unwrap()).unwrap();
            told += round.recorded.len();
            refile::told(&self.db, &round.told).unwrap();
            if !round.more {
                return told;
            }
        }
    }
}

#[test]
fn a_plain_message_becomes_filed_observations() {
    let ward = ward();
    ward.assign("u1", 1, "ann", "2020-01-01T00:00:00Z", None);
    let body = r#"{"device":"m","ts":"2026-11-20T11:00:00Z","HR":104,"sys":98,"dia":60,
        "temp":{"value":101.3,"unit":"F"},"avpu":"V"}"#;
    assert_eq!(ward.normalize(&[body]), 4);
    assert_eq!(
        ward.observations(),
        "\
11:00 blood_pressure ann accepted systolic_bp=98 diastolic_bp=60
11:00 body_temperature ann accepted body_temperature=38.5
11:00 consciousness_acvpu ann accepted consciousness_acvpu=\"V\"
11:00 heart_rate ann accepted heart_rate=104
"
    );
    assert_eq!(ward.problem(body), "normalized: ");
}

#[test]
fn a_repeat_changes_nothing_and_tells_the_same() {
    let ward = ward();
    ward.assign("u1", 1, "ann", "2020-01-01T00:00:00Z", None);
    let a = r#"{"device":"m","ts":"2026-11-20T11:00:00Z","HR":104}"#;
    let same_reading_other_text = r#"{"HR":104.0,"device":"m","ts":"2026-11-20T12:00:00+01:00"}"#;
    assert_eq!(ward.normalize(&[a]), 1);
    let before = ward.observations();
    assert_eq!(ward.normalize(&[a, a, same_reading_other_text]), 3);
    assert_eq!(ward.observations(), before);
}

#[test]
fn what_cannot_be_taken_is_told_with_its_place_and_costs_nothing_else() {
    let ward = ward();
    let rows = [
        (r#"{"device":"m","HR":80}"#, "rejected: /HR missing-time"),
        (r#"{"device":"m","ts":"1970-01-01T00:00:00Z","HR":80}"#, "rejected: /HR implausible-time"),
        (
            r#"{"device":"m","ts":"2026-11-20T11:00:00Z","HR":1e308,"rr":16}"#,
            "normalized: /HR number-out-of-range",
        ),
        (
            r#"{"device":"m","ts":"2026-11-20T11:00:00Z","temp":{"value":99,"unit":"parsec"}}"#,
            "rejected: /temp/value unknown-unit",
        ),
    ];
    let bodies: Vec<&str> = rows.iter().map(|(body, _)| *body).collect();
    ward.normalize(&bodies);
    for (body, want) in rows {
        assert_eq!(ward.problem(body), want, "{body}");
    }
    assert_eq!(ward.observations(), "11:00 respiratory_rate - accepted respiratory_rate=16\n");
}

#[test]
fn an_implausible_or_future_value_is_kept_and_marked() {
    let ward = ward();
    ward.assign("u1", 1, "ann", "2020-01-01T00:00:00Z", None);
    ward.normalize(&[
        r#"{"device":"m","ts":"2026-11-20T11:00:00Z","HR":900}"#,
        r#"{"device":"m","ts":"2026-11-20T12:06:00Z","HR":80}"#,
    ]);
    assert_eq!(
        ward.observations(),
        "\
11:00 heart_rate ann out-of-plausible-range heart_rate=900
12:06 heart_rate ann future-time heart_rate=80
"
    );
}

#[test]
fn a_reading_waits_unassigned_and_is_filed_when_the_assignment_comes() {
    let ward = ward();
    let body = r#"{"device":"m","ts":"2026-11-20T11:00:00Z","HR":80}"#;
    assert_eq!(ward.normalize(&[body]), 0, "nobody's: scoring hears nothing");
    assert_eq!(ward.observations(), "11:00 heart_rate - accepted heart_rate=80\n");
    ward.assign("u1", 1, "ann", "2026-11-20T10:00:00Z", None);
    assert_eq!(ward.file_again(), 1);
    assert_eq!(ward.observations(), "11:00 heart_rate ann accepted heart_rate=80\n");
    assert_eq!(ward.file_again(), 0);
}

#[test]
fn a_corrected_assignment_moves_readings_and_both_patients_are_told() {
    let ward = ward();
    ward.assign("u1", 1, "ann", "2026-11-20T10:00:00Z", None);
    ward.normalize(&[
        r#"{"device":"m","ts":"2026-11-20T10:30:00Z","HR":80}"#,
        r#"{"device":"m","ts":"2026-11-20T11:30:00Z","HR":90}"#,
    ]);
    ward.file_again();
    ward.assign("u1", 2, "ann", "2026-11-20T10:00:00Z", Some("2026-11-20T11:00:00Z"));
    ward.assign("u2", 1, "bob", "2026-11-20T11:00:00Z", None);
    assert_eq!(ward.file_again(), 2, "ann lost one, bob has it");
    assert_eq!(
        ward.observations(),
        "\
10:30 heart_rate ann accepted heart_rate=80
11:30 heart_rate bob accepted heart_rate=90
"
    );
}

#[test]
fn a_device_the_token_does_not_cover_is_refused_even_inside_a_message() {
    let ward = ward();
    let mut message = message(r#"{"device":"x","ts":"2026-11-20T11:00:00Z","HR":80}"#);
    message.device = None;
    let sets = store::mapping_sets(&ward.db, &[]).unwrap();
    let now = Timestamp::parse(NOON).unwrap();
    store::normalize(&ward.db, std::slice::from_ref(&message), &sets, now).unwrap();
    assert!(ward.problem(message.body.get()).ends_with(" device-mismatch"));
    assert_eq!(ward.observations(), "");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever the order and however often, the same messages leave the same observations.
    #[test]
    fn order_and_repetition_do_not_matter(order in prop::collection::vec(0_usize..12, 12..40)) {
        let bodies: Vec<String> = (0..12)
            .map(|it| format!(r#"{{"device":"m","ts":"2026-11-20T11:{:02}:00Z","HR":{}}}"#, it / 2, 80 + it))
            .collect();
        let check = |order: &[usize]| {
            let ward = ward();
            ward.assign("u1", 1, "ann", "2026-11-20T11:02:00Z", None);
            for chunk in order.chunks(5) {
                let chunk: Vec<&str> = chunk.iter().map(|it| bodies[*it].as_str()).collect();
                ward.normalize(&chunk);
            }
            ward.observations()
        };
        let mut sorted = order.clone();
        sorted.sort_unstable();
        sorted.dedup();
        prop_assert_eq!(check(&order), check(&sorted));
    }
}
