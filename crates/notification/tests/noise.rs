//! What is held back, and how it comes out again, through the store.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so")]

mod ward;

use auscult_model::AlertStatus;
use auscult_model::Severity::{Emergency, Routine, Urgent};
use auscult_notification::policy::Match;
use auscult_notification::store::{self, HeldFilter, NewSilence, SilenceError};
use auscult_store::Database;
use serde_json::{Value, json};
use ward::{WELL, Ward, at, complete, news2, policy};

fn with(key: &str, value: Value) -> Ward {
    let ward = Ward::new();
    let mut document = policy();
    document[key] = value;
    store::put_policy(&ward.db, document, None, "test", at(0)).unwrap();
    ward
}

/// Lets the clock do what is due, minute by minute.
fn run(ward: &Ward, from: i64, to: i64) {
    for minute in from..=to {
        while store::repeat_due(&ward.db, at(minute)).unwrap() > 0 {
            ward.db.query("UPDATE delivery SET state = 'delivered'", &[]).unwrap();
        }
        ward.db.query("UPDATE delivery SET state = 'delivered'", &[]).unwrap();
    }
}

fn events(ward: &Ward, name: &str) -> Vec<String> {
    ward.pages(name).into_iter().map(|(event, _)| event).collect()
}

fn put_unit(ward: &Ward, name: &str, unit: &str) {
    let body = json!({ "resourceType": "Patient", "id": name, "meta": { "tag": [
        { "system": "urn:auscult:unit", "code": unit }, { "system": "urn:auscult:tag", "code": "isolated" },
    ] } });
    ward.db
        .query(
            "INSERT INTO resource (type, id, version, updated_ms, body) VALUES ('Patient', ?1, 1, 0, ?2)",
            &[name.into(), (&body.to_string()).into()],
        )
        .unwrap();
}

#[test]
fn a_cause_that_must_stand_first_is_pending_and_then_paged_once() {
    let mut route = policy()["route"].clone();
    route["delay"] = json!("3m");
    let ward = with("route", route);
    ward.hears("a", 0, complete(Urgent), at(0));
    assert_eq!(ward.alert("a").unwrap().alert.status, AlertStatus::Pending);
    run(&ward, 1, 2);
    assert_eq!(events(&ward, "a"), Vec::<String>::new());
    run(&ward, 3, 10);
    assert_eq!(events(&ward, "a"), ["alert.opened"]);
    let view = ward.alert("a").unwrap();
    assert_eq!((view.alert.status, view.pages[0].reason.as_str()), (AlertStatus::Open, "first"));
    // One that goes away before is held for good, with its reason.
    ward.hears("b", 0, complete(Urgent), at(0));
    ward.hears("b", 1, WELL, at(1));
    run(&ward, 2, 10);
    assert_eq!(events(&ward, "b"), Vec::<String>::new());
    assert_eq!(ward.alert("b").unwrap().alert.held[0].reason, "delay");
}

#[test]
fn a_silence_holds_what_it_names_until_it_ends_and_no_emergency() {
    let ward = Ward::with_policy();
    let until_ms = at(30).unix_ms();
    let new = NewSilence {
        patient: Some("a".to_owned()),
        author: "nurse".to_owned(),
        until_ms,
        ..NewSilence::default()
    };
    let silence = store::put_silence(&ward.db, &new, at(0)).unwrap();
    assert_eq!(
        silence,
        store::put_silence(&ward.db, &new, at(0)).unwrap(),
        "the same twice is one"
    );
    ward.hears("a", 1, complete(Urgent), at(1));
    assert_eq!(events(&ward, "a"), Vec::<String>::new());
    let view = ward.alert("a").unwrap();
    let suppressed = view.suppressed.unwrap();
    assert_eq!((suppressed.reason, suppressed.until), ("silenced", Some(at(30))));
    ward.hears("a", 2, complete(Emergency), at(2));
    assert_eq!(events(&ward, "a"), ["alert.opened"]);
    ward.hears("b", 3, complete(Urgent), at(3));
    assert_eq!(events(&ward, "b"), ["alert.opened"], "another patient");
    // A second one, ended early by a person.
    let of = Match { units: vec!["icu".to_owned()], ..Match::default() };
    let icu = NewSilence { of, author: "nurse".to_owned(), until_ms, ..NewSilence::default() };
    let icu = store::put_silence(&ward.db, &icu, at(3)).unwrap();
    put_unit(&ward, "c", "icu");
    ward.hears("c", 4, complete(Urgent), at(4));
    assert_eq!(events(&ward, "c"), Vec::<String>::new());
    assert_eq!(store::silences(&ward.db, at(4)).unwrap().len(), 2);
    assert!(store::end_silence(&ward.db, &icu.id, "doctor", at(5)).unwrap());
    run(&ward, 5, 5);
    assert_eq!(events(&ward, "c"), ["alert.opened"]);
    assert!(!store::end_silence(&ward.db, "nothing", "doctor", at(5)).unwrap());
}

#[test]
fn a_silence_names_something_and_ends_within_a_week() {
    let ward = Ward::with_policy();
    let base = NewSilence {
        author: "nurse".to_owned(),
        until_ms: at(9).unix_ms(),
        ..NewSilence::default()
    };
    let ask = |it: NewSilence| store::put_silence(&ward.db, &it, at(5)).unwrap_err();
    assert_eq!(ask(base.clone()), SilenceError::Everything);
    let patient = NewSilence { patient: Some("a".to_owned()), ..base.clone() };
    for minute in [5, 5 + 7 * 24 * 60 + 1] {
        let until_ms = at(minute).unix_ms();
        assert_eq!(ask(NewSilence { until_ms, ..patient.clone() }), SilenceError::End);
    }
    assert_eq!(ask(NewSilence { alert: Some("x".to_owned()), ..base }), SilenceError::NoAlert);
}

#[test]
fn a_crisis_silences_its_lesser_causes_until_it_is_over() {
    let rule =
        json!([{ "source": { "severity": "emergency" }, "target": { "severity": "urgent" } }]);
    let ward = with("inhibit", rule);
    ward.hears("a", 0, complete(Emergency), at(0));
    let sepsis = ward.assess_rule("a", "sepsis", 1, complete(Urgent), 0);
    store::on_assessments(&ward.db, &[sepsis], at(1)).unwrap();
    let id = auscult_notification::alert_id(&ward::patient("a"), "sepsis");
    let view = || store::alert(&ward.db, &id).unwrap().unwrap();
    assert_eq!(view().suppressed.unwrap().reason, "inhibited");
    ward.hears("a", 5, WELL, at(5));
    run(&ward, 5, 5);
    assert_eq!(view().suppressed, None);
    assert_eq!(view().pages.len(), 1);
}

#[test]
fn what_comes_and_goes_is_paged_only_once_it_stays() {
    let ward = with("flapping", json!({ "openings": 3, "within": "1h", "steady": "10m" }));
    for minute in [0, 2, 4, 6] {
        ward.hears("a", minute, complete(Urgent), at(minute));
        ward.hears("a", minute + 1, WELL, at(minute + 1));
    }
    let calls = |it: &Vec<String>| it.iter().filter(|it| *it == "alert.opened").count();
    assert_eq!(calls(&events(&ward, "a")), 2);
    ward.hears("a", 8, complete(Urgent), at(8));
    run(&ward, 9, 17);
    assert_eq!(calls(&events(&ward, "a")), 2);
    run(&ward, 18, 19);
    assert_eq!(calls(&events(&ward, "a")), 3);
}

#[test]
fn what_is_over_the_budget_comes_in_one_digest_and_emergencies_come_at_once() {
    // The shift ends at 08:30; the ward's minute 0 is 08:00.
    let ward = with(
        "budgets",
        json!([{ "unit": "icu", "pages": 2, "time_zone": "UTC", "shifts": ["00:30", "08:30"] }]),
    );
    for name in ["a", "b", "c", "d", "e"] {
        put_unit(&ward, name, "icu");
    }
    for (minute, name) in (1..).zip(["a", "b", "c", "d"]) {
        ward.hears(name, minute, complete(Urgent), at(minute));
    }
    ward.hears("e", 5, complete(Emergency), at(5));
    assert_eq!(ward.count("delivery"), 3, "two of the budget and the emergency");
    let filter =
        HeldFilter { reason: Some("budget".to_owned()), limit: 1, ..HeldFilter::default() };
    let (held, next) = store::held_back(&ward.db, &filter).unwrap();
    assert_eq!(
        (held[0].patient.as_str(), held[0].unit.as_str(), held[0].held_now),
        ("d", "icu", true)
    );
    assert_eq!(held[0].until, Some(at(30)));
    let (held, _) = store::held_back(&ward.db, &HeldFilter { after: next, ..filter }).unwrap();
    assert_eq!(held[0].patient, "c");
    run(&ward, 6, 30);
    let rows = ward
        .db
        .query("SELECT body FROM delivery WHERE body ->> 'type' = 'alert.digest'", &[])
        .unwrap();
    let bodies: Vec<Value> = rows.iter().map(|it| it.json("body").unwrap()).collect();
    assert_eq!(bodies.len(), 1, "one digest for both");
    assert_eq!(bodies[0]["data"]["also"].as_array().unwrap().len(), 1);
    for name in ["c", "d"] {
        assert_eq!(ward.alert(name).unwrap().pages.len(), 1, "{name}");
    }
}

#[test]
fn pages_about_one_patient_at_one_time_share_a_delivery() {
    let mut route = policy()["route"].clone();
    route["group_wait"] = json!("2m");
    let ward = with("route", route);
    let batch = [
        ward.assess("a", 1, Some(complete(Urgent)), 0),
        ward.assess_rule("a", "sepsis", 1, complete(Routine), 0),
    ];
    store::on_assessments(&ward.db, &batch, at(1)).unwrap();
    assert_eq!(ward.count("delivery"), 1);
    let third = ward.assess_rule("a", "weight", 2, complete(Routine), 0);
    store::on_assessments(&ward.db, &[third], at(2)).unwrap();
    assert_eq!(ward.count("delivery"), 1, "gathered for two minutes");
    run(&ward, 2, 4);
    assert_eq!(ward.count("delivery"), 2);
    assert_eq!(ward.count("alert_page"), 3);
}

#[test]
fn an_unanswered_emergency_goes_up_the_chain_once_however_long_nothing_ran() {
    let mut route = policy()["route"].clone();
    route["routes"][0]["escalate"] = json!([{ "after": "5m", "receiver": "ward" }]);
    let ward = with("route", route);
    ward.hears("a", 0, complete(Emergency), at(0));
    run(&ward, 1, 4);
    assert_eq!(ward.alert("a").unwrap().escalated, 0);
    // Nothing runs from minute 5 to 12.
    run(&ward, 12, 14);
    assert_eq!(events(&ward, "a"), ["alert.opened", "alert.escalated"]);
    assert_eq!(ward.pages("a")[1].1, "ward");
    assert_eq!(ward.alert("a").unwrap().escalated, 1);
}

#[test]
fn the_heartbeat_beats_once_a_period_and_its_absence_shows() {
    let ward = with("heartbeat", json!({ "receiver": "ward", "interval": "10m" }));
    for (minute, want) in [(0, true), (1, false), (9, false), (10, true), (35, true)] {
        assert_eq!(store::beat_due(&ward.db, at(minute)).unwrap(), want, "{minute}");
    }
    assert_eq!(ward.count("delivery"), 3, "missed periods are gone");
    let beat = |minute| store::beat(&ward.db, at(minute)).unwrap().unwrap();
    assert!(!beat(15).overdue && beat(36).overdue, "none was delivered");
    for page in store::claim(&ward.db, at(36), 16).unwrap() {
        assert!(page.body.contains("heartbeat"));
        store::record(&ward.db, &[(page, store::Outcome::Delivered(Default::default()))], at(36))
            .unwrap();
    }
    assert_eq!((beat(37).overdue, beat(37).delivered), (false, Some(at(36))));
}

#[test]
fn a_policy_is_put_back_as_a_new_version() {
    let ward = Ward::with_policy();
    let mut other = policy();
    other["backfill_limit"] = json!("1d");
    store::put_policy(&ward.db, other, Some(1), "test", at(1)).unwrap();
    let back = store::rollback_policy(&ward.db, 1, Some(2), "doctor", at(2)).unwrap().unwrap();
    assert_eq!((back.version, back.policy.stored()), (3, &policy()));
    let versions = store::policy_versions(&ward.db).unwrap();
    assert_eq!(versions.iter().map(|it| it.version).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!(store::rollback_policy(&ward.db, 9, None, "doctor", at(3)).unwrap(), None);
}

#[test]
fn what_changed_is_sent_on_until_it_was_taken() {
    let ward = Ward::with_policy();
    ward.hears("a", 0, complete(Urgent), at(0));
    let batch = store::unpublished(&ward.db, 10).unwrap().unwrap();
    assert_eq!(batch.alerts[0].alert.id, news2("a"));
    assert_eq!(store::unpublished(&ward.db, 10).unwrap().unwrap().id, batch.id);
    ward.hears("a", 1, complete(Emergency), at(1));
    store::published(&ward.db, &batch).unwrap();
    let again = store::unpublished(&ward.db, 10).unwrap().unwrap();
    assert_ne!(again.id, batch.id, "it changed meanwhile");
    store::published(&ward.db, &again).unwrap();
    assert_eq!(store::unpublished(&ward.db, 10).unwrap(), None);
}

#[test]
fn a_policy_says_how_long_a_dismissal_holds() {
    let ward = with("dismissal", json!("10m"));
    ward.hears("a", 0, complete(Urgent), at(0));
    let resolve = store::NewAnswer {
        key: None,
        kind: auscult_notification::AnswerKind::Resolve,
        by: "nurse".to_owned(),
        comment: None,
    };
    store::answer(&ward.db, &news2("a"), &resolve, at(1)).unwrap();
    let status = |minute: i64| -> AlertStatus {
        ward.hears("a", minute, complete(Urgent), at(minute));
        ward.alert("a").unwrap().alert.status
    };
    assert_eq!(status(10), AlertStatus::Resolved);
    assert_eq!(status(11), AlertStatus::Open);
}
