//! What settings and age change, and the list that the API shows.

use auscult_model::AssessmentStatus;
use auscult_scoring::ScoringError;
use auscult_scoring::Step;
use auscult_scoring::list::{Cursor, Query, assessments};
use auscult_scoring::reevaluate::{current, next_step, put};
use auscult_store::Database;
use serde_json::{Value, json};

use crate::common::{NOW, Ward, full_set, minute, reading};

fn scale_2(from: i64, until: Option<i64>) -> Value {
    json!({ "spo2_scale": {
        "scale": 2, "ordered_by": "Dr Osei", "reason": "hypercapnic respiratory failure",
        "from": minute(from), "until": until.map(minute),
    } })
}

/// Stores a document and re-evaluates as the component does; values by minute.
fn change(ward: &Ward, document: &Value) -> Vec<(i64, Option<i64>)> {
    let stored = put(&ward.db, "p", document, None, "operator", NOW).unwrap();
    let mut sent = Vec::new();
    let mut left = stored.touched;
    while let Some((from, to)) = left {
        let Some(segments) = next_step(&ward.db, "p", (from, to)).unwrap() else { break };
        let step = Step::News2(segments.clone());
        for it in auscult_scoring::step(&ward.db, &step, NOW).unwrap().emissions {
            let body: Value = serde_json::from_str(it.body.get()).unwrap();
            let at = auscult_model::Timestamp::parse(body["effective"].as_str().unwrap()).unwrap();
            sent.push((at.since_ms(minute(0)) / 60_000, body["value"].as_i64()));
        }
        left = segments.last().map(|it| (it.to_ms + 1, to)).filter(|(from, to)| from <= to);
    }
    sent
}

#[test]
fn scale_2_holds_in_the_period_it_was_ordered_for() {
    let ward = Ward::new();
    for at in [0, 10, 2_000, 3_000] {
        ward.record(&[reading(&format!("s{at}"), "p", "spo2", "88", minute(at))]);
    }
    assert_eq!(change(&ward, &scale_2(10, Some(3_000))), [(10, Some(0)), (2_000, Some(0))]);
    assert_eq!(current(&ward.db, "p").unwrap().version, 1);
    // Sent again the same document makes no version, and tells of the same assessments.
    assert_eq!(change(&ward, &scale_2(10, Some(3_000))), [(10, Some(0)), (2_000, Some(0))]);
    assert_eq!(current(&ward.db, "p").unwrap().version, 1);
    assert_eq!(change(&ward, &json!({})), [(10, Some(3)), (2_000, Some(3))]);
    let sent = ward.record(&[reading("n", "p", "spo2", "88", minute(3_001))]);
    assert_eq!(sent[0].value, Some(3));
}

#[test]
fn the_scale_that_was_used_is_shown_beside_the_saturation() {
    let ward = Ward::new();
    change(&ward, &scale_2(0, None));
    let sent = ward.record(&full_set("p", minute(5), "16"));
    let codes: Vec<&str> = sent[0].inputs.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(codes[1..3], ["spo2", "spo2_scale"]);
    assert_eq!(sent[0].value, Some(0), "97 % on air");
}

#[test]
fn news2_is_not_for_children_nor_during_pregnancy() {
    let ward = Ward::new();
    let sql = "INSERT INTO resource (type, id, version, updated_ms, body)
               VALUES ('Patient', 'child', 1, 0, '{\"birthDate\":\"2015-03-01\"}')";
    ward.db.query(sql, &[]).unwrap();
    let sent = ward.record(&full_set("child", minute(0), "30"));
    assert_eq!((sent[0].status, sent[0].value), (AssessmentStatus::NotApplicable, None));
    assert_eq!((sent[0].severity, sent[0].missing[0].code.as_str()), (None, "age"));

    ward.record(&full_set("p", minute(0), "30"));
    assert_eq!(change(&ward, &json!({ "pregnant": true })), [(0, None)]);
    let during = json!({ "pregnant": { "from": minute(1), "until": null } });
    assert_eq!(change(&ward, &during), [(0, Some(3))]);
}

#[test]
fn a_document_changed_in_between_is_not_overwritten() {
    let ward = Ward::new();
    let put = |document: &Value, expected| put(&ward.db, "p", document, expected, "op", NOW);
    assert_eq!(put(&scale_2(0, None), Some(0)).unwrap().versioned.version, 1);
    let stale = put(&json!({ "pregnant": false }), Some(0)).unwrap_err();
    assert_eq!(stale, ScoringError::VersionMismatch { current: 1 });
    assert_eq!(put(&json!({ "pregnant": false }), Some(1)).unwrap().versioned.version, 2);
    assert!(matches!(put(&json!([]), Some(2)), Err(ScoringError::Invalid(_))));
}

#[test]
fn the_list_pages_from_the_newest_back_and_knows_history() {
    let ward = Ward::new();
    for at in 0..5 {
        ward.record(&[reading(&format!("h{at}"), "p", "heart_rate", "70", minute(at))]);
    }
    ward.record(&[reading("late", "p", "respiratory_rate", "26", minute(3))]);
    let page = |after: Option<Cursor>, history: bool| {
        let query = Query { limit: 2, after, history, ..Query::default() };
        let page = assessments(&ward.db, "p", &query).unwrap();
        let bodies: Vec<Value> =
            page.items.iter().map(|it| serde_json::from_str(it.get()).unwrap()).collect();
        let seen: Vec<(Value, i64)> = bodies
            .iter()
            .map(|it| (it["effective"].clone(), it["value"].as_i64().unwrap()))
            .collect();
        (seen, page.next)
    };
    let at = |it: i64| serde_json::to_value(minute(it)).unwrap();
    let (first, next) = page(None, false);
    assert_eq!(first, [(at(4), 3), (at(3), 3)]);
    let (second, next) = page(next, false);
    assert_eq!(second, [(at(2), 0), (at(1), 0)]);
    let (third, next) = page(next, false);
    assert_eq!((third, next), (vec![(at(0), 0)], None));
    let (history, _) = page(None, true);
    assert_eq!(history, [(at(4), 3), (at(4), 0)]);

    let other = Query { rule: Some("mews".to_owned()), limit: 5, ..Query::default() };
    assert!(assessments(&ward.db, "p", &other).unwrap().items.is_empty());
    let range = Query {
        from_ms: Some(minute(1).unix_ms()),
        to_ms: Some(minute(2).unix_ms()),
        limit: 5,
        ..Query::default()
    };
    assert_eq!(assessments(&ward.db, "p", &range).unwrap().items.len(), 2);
}
