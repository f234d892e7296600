//! The rule set's engine: the same promises as for NEWS2, for every kind of rule.

use auscult_model::events::{ObservedValue, RecordedObservation};
use auscult_model::{Assessment, Quality, ReadingValue, Timestamp};
use auscult_scoring::rules::store::put;
use auscult_scoring::rules::tick::{settle, tick};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::{NOW, Ward, minute, reading};

fn every_kind() -> Value {
    json!({
        "zone": "+01:00",
        "rules": [
            { "name": "news2", "kind": "news2" },
            { "name": "spo2_low", "kind": "threshold", "code": "spo2", "unit": "%", "below": 91,
              "clear": 94, "for": "15m", "severity": "urgent" },
            { "name": "hr_jump", "kind": "rate", "codes": ["heart_rate", "pulse_rate"], "unit": "/min",
              "over": "2h", "rise": 40, "fall": 50 },
            { "name": "weight_gain", "kind": "weight-gain", "severity": "urgent" },
            { "name": "weight_trend", "kind": "trend", "code": "body_weight", "unit": "kg", "days": 3,
              "days_min": 3, "rise": 0.1 },
            { "name": "glucose_low", "kind": "glucose", "event": "low-2", "severity": "emergency" },
            { "name": "silent", "kind": "absence", "codes": ["spo2", "heart_rate"], "after": "3h",
              "severity": "technical" },
            { "name": "no_weight", "kind": "absence", "code": "body_weight", "by": "03:00" }
        ],
        "signal_quality": [{ "code": "spo2", "max_change_per_min": 0.2 }]
    })
}

fn ward(rules: &Value) -> Ward {
    let ward = Ward::new();
    put(&ward.db, rules, None, "tests", NOW).unwrap();
    ward
}

const CODES: [(&str, &str, [&str; 4]); 6] = [
    ("spo2", "%", ["97", "90", "89", "93"]),
    ("heart_rate", "/min", ["70", "75", "115", "135"]),
    ("pulse_rate", "/min", ["70", "75", "118", "60"]),
    ("body_weight", "kg", ["71.0", "71.9", "72.6", "74.05"]),
    ("glucose_isf_mass", "mg/dL", ["50", "52", "53", "75"]),
    ("glucose_isf_molar", "mmol/L", ["2.8", "2.9", "2.7", "5"]),
];

fn observed(
    id: &str,
    patient: &str,
    code: usize,
    value: usize,
    at: Timestamp,
) -> RecordedObservation {
    let (code, unit, values) = CODES[code];
    RecordedObservation {
        inputs: vec![ObservedValue {
            code: code.to_owned(),
            value: ReadingValue::Number(values[value].parse().unwrap()),
            unit: unit.to_owned(),
        }],
        quality: Quality::Accepted,
        ..reading(id, patient, code, "0", at)
    }
}

fn readings(n: usize, n_patients: usize) -> impl Strategy<Value = Vec<RecordedObservation>> {
    let one = (0..n_patients, 0..CODES.len(), 0..4_usize, 0..3 * 144_i64);
    prop::collection::vec(one, n).prop_map(|rows| {
        let row = |(place, (patient, code, value, tens)): (usize, (usize, usize, usize, i64))| {
            let id = format!("o{:03}", (place * 7_919) % 1_000);
            // The last of three days is partly after the test's now.
            observed(&id, &format!("p{patient}"), code, value, minute(tens * 10 - 2 * 1_440))
        };
        rows.into_iter().enumerate().map(row).collect()
    })
}

fn state(events: &[Vec<RecordedObservation>]) -> Vec<String> {
    let ward = ward(&every_kind());
    for event in events {
        ward.record(event);
    }
    let mut standing = ward.standing();
    let due = "SELECT patient || rule || due_ms AS due FROM absence_due ORDER BY patient, rule";
    let due = auscult_store::Database::query(&ward.db, due, &[]).unwrap();
    standing.extend(due.iter().map(|it| it.text("due").unwrap().to_owned()));
    standing
}

fn check(readings: &[RecordedObservation], shuffled: &[RecordedObservation], size: usize) {
    let whole = state(&[readings.to_vec()]);
    let mut sorted = readings.to_vec();
    sorted.sort_by_key(|it| it.effective);
    let in_order: Vec<_> = sorted.chunks(1).map(<[_]>::to_vec).collect();
    let mixed: Vec<_> = shuffled.chunks(size).map(<[_]>::to_vec).collect();
    for rule in ["spo2_low", "hr_jump", "weight_gain", "glucose_low", "silent", "no_weight"] {
        let named = format!("\"rule\":\"{rule}\"");
        assert!(whole.iter().any(|it| it.contains(&named)), "{rule} says nothing");
    }
    assert_eq!(state(&in_order), whole, "in order");
    assert_eq!(state(&mixed), whole, "shuffled");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, failure_persistence: None, ..Default::default() })]

    #[test]
    fn five_hundred_readings_end_alike_under_every_kind_of_rule(
        (readings, shuffled, size) in readings(500, 5).prop_flat_map(|it| {
            let twice: Vec<_> = it.iter().chain(it.iter().step_by(2)).cloned().collect();
            (Just(it), Just(twice).prop_shuffle(), 1..40_usize)
        })
    ) {
        check(&readings, &shuffled, size);
    }
}

fn of<'a>(sent: &'a [Assessment], rule: &str) -> Vec<&'a Assessment> {
    sent.iter().filter(|it| it.rule == rule).collect()
}

#[test]
fn an_absence_is_told_once_and_withdrawn_by_late_data() {
    let ward = ward(&json!({ "rules": [
        { "name": "silent", "kind": "absence", "code": "spo2", "after": "30m", "severity": "technical" }
    ] }));
    let start = NOW.plus_ms(-60_000);
    assert!(of(&ward.record(&[reading("a", "p", "spo2", "97", start)]), "silent").is_empty());
    let due = start.plus_ms(30 * 60_000);
    assert!(tick(&ward.db, due.plus_ms(-1)).unwrap().emissions.is_empty(), "not due yet");

    let told = tick(&ward.db, due).unwrap();
    assert_eq!((told.emissions.len(), told.due.len()), (1, 1));
    let body: Assessment = serde_json::from_str(told.emissions[0].body.get()).unwrap();
    assert_eq!((body.effective, body.band.as_deref()), (due, Some("absent")));
    // Whoever dies before it was told tells it again, under the same id.
    let again = tick(&ward.db, due.plus_ms(5_000)).unwrap();
    assert_eq!(again.emissions[0].id, told.emissions[0].id);
    settle(&ward.db, &again.due).unwrap();
    assert!(tick(&ward.db, due.plus_ms(10_000)).unwrap().emissions.is_empty(), "told already");
    assert_eq!(ward.count("assessment WHERE rule = 'silent'"), 1);

    // A reading of before the due time comes late: nothing was missing.
    let late = auscult_scoring::record(
        &ward.db,
        &{
            let late = vec![reading("b", "p", "spo2", "96", due.plus_ms(-1_000))];
            ward.store(&late);
            late
        },
        due.plus_ms(60_000),
    )
    .unwrap();
    let sent: Vec<Assessment> =
        late.emissions.iter().map(|it| serde_json::from_str(it.body.get()).unwrap()).collect();
    let gone = of(&sent, "silent");
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert_eq!(gone[0].reason.as_deref(), Some("late-data"));
    assert_eq!(gone[0].supersedes.as_deref(), Some(body.id.as_str()));
    assert_eq!(ward.count("assessment WHERE rule = 'silent' AND current = 1"), 0);
}

#[test]
fn what_a_patient_loses_is_withdrawn_and_told_again_to_whom_it_did_not_reach() {
    let ward = ward(&json!({ "rules": [
        { "name": "low", "kind": "threshold", "code": "spo2", "unit": "%", "below": 91, "severity": "urgent" }
    ] }));
    let low = [reading("a", "p", "spo2", "88", minute(0))];
    let stood = ward.record(&low);
    assert_eq!((stood.len(), stood[0].value, stood[0].band.as_deref()), (1, Some(1), Some("low")));
    ward.refile("a", Some("q"));
    let gone = ward.tell(&low);
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert_eq!(gone[0].supersedes.as_deref(), Some(stood[0].id.as_str()));
    assert_eq!(ward.tell(&low)[0].id, gone[0].id);
    let theirs = ward.tell(&[RecordedObservation { patient: "q".to_owned(), ..low[0].clone() }]);
    assert_eq!(theirs.len(), 1);
    assert_eq!(ward.count("assessment WHERE current = 1"), 1);
    assert_eq!(ward.count("score_input WHERE patient = 'p'"), 0);
}

#[test]
fn a_rule_that_comes_later_misses_whom_it_would_have_missed() {
    let ward = ward(&json!({ "rules": [] }));
    let patient = "INSERT INTO resource (type, id, version, updated_ms, body)
                   VALUES ('Patient', 'p', 1, 0, '{}')";
    auscult_store::Database::query(&ward.db, patient, &[]).unwrap();
    ward.record(&[reading("a", "p", "spo2", "97", NOW.plus_ms(-3_600_000))]);
    let rules = json!({ "rules": [
        { "name": "silent", "kind": "absence", "code": "spo2", "after": "30m", "severity": "technical" }
    ] });
    put(&ward.db, &rules, None, "tests", NOW).unwrap();
    assert_eq!(tick(&ward.db, NOW).unwrap().emissions.len(), 1);
}

#[test]
fn an_order_changes_a_rule_for_a_patient_and_a_period() {
    let ward = ward(&json!({ "rules": [
        { "name": "spo2_low", "kind": "threshold", "code": "spo2", "unit": "%", "below": 91,
          "severity": "urgent" }
    ] }));
    ward.record(&[
        reading("a", "p", "spo2", "90", NOW.plus_ms(-7_200_000)),
        reading("b", "p", "spo2", "90", NOW.plus_ms(-3_600_000)),
    ]);
    assert_eq!(ward.count("assessment WHERE severity = 'urgent' AND current = 1"), 2);
    let order = |set: Value| {
        json!({ "rules": [{ "rule": "spo2_low", "set": set, "ordered_by": "Dr Osei",
            "reason": "COPD", "from": NOW.plus_ms(-4_000_000), "until": null }] })
    };
    let put = |document: &Value| {
        let stored = auscult_scoring::reevaluate::put(&ward.db, "p", document, None, "t", NOW)?;
        for step in &stored.rules {
            auscult_scoring::step(&ward.db, step, NOW)?;
        }
        Ok::<_, auscult_scoring::ScoringError>(())
    };
    put(&order(json!({ "below": 86 }))).unwrap();
    assert_eq!(ward.count("assessment WHERE severity = 'urgent' AND current = 1"), 1);
    assert_eq!(ward.count("assessment WHERE current = 1"), 2);
    put(&json!({})).unwrap();
    assert_eq!(ward.count("assessment WHERE severity = 'urgent' AND current = 1"), 2);
    for wrong in [json!({ "bellow": 86 }), json!({ "code": "heart_rate" }), json!({ "for": "9h" })]
    {
        assert!(put(&order(wrong.clone())).is_err(), "{wrong}");
    }
}

#[test]
fn without_a_rule_set_only_news2_and_what_is_plainly_dangerous_has_a_severity() {
    let ward = Ward::new();
    for (place, value) in [0, 1, 2, 3].into_iter().zip([0, 1, 2, 0]) {
        let at = NOW.plus_ms(-3_600_000 + place * 300_000);
        ward.record(&[observed(&format!("g{place}"), "p", 4, value, at)]);
    }
    let sent = ward.record(&[observed("w", "p", 3, 0, NOW)]);
    assert_eq!(of(&sent, "weight_gain").len(), 1);
    assert_eq!(
        ward.count("assessment WHERE rule = 'glucose_very_low' AND severity = 'emergency'"),
        1
    );
    assert_eq!(ward.count("assessment WHERE rule = 'weight_gain' AND severity IS NULL"), 1);
}
