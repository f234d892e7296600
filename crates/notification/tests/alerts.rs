//! Alerts through the store: what opens, pages, holds, resolves and takes back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so")]

mod ward;

use auscult_model::Severity::{Emergency, Urgent};
use auscult_model::{AlertStatus, AssessmentStatus, Timestamp};
use auscult_notification::store::{self, AnswerError, Filter, NewAnswer, Outcome, PolicyError};
use auscult_notification::{AnswerKind, HoldReason};
use ward::{UNKNOWN, WELL, Ward, at, complete, news2, policy};

fn acknowledges(by: &str, key: Option<&str>) -> NewAnswer {
    NewAnswer {
        key: key.map(str::to_owned),
        kind: AnswerKind::Acknowledge,
        by: by.to_owned(),
        comment: None,
    }
}

fn resolves() -> NewAnswer {
    NewAnswer { kind: AnswerKind::Resolve, ..acknowledges("nurse", None) }
}

fn path(ward: &Ward, name: &str) -> Vec<&'static str> {
    let view = ward.alert(name).unwrap();
    view.alert.transitions.iter().map(|it| it.to.as_str()).collect()
}

fn events(ward: &Ward, name: &str) -> Vec<String> {
    ward.pages(name).into_iter().map(|(event, _)| event).collect()
}

#[test]
fn an_emergency_pages_is_acknowledged_and_resolves() {
    let ward = Ward::with_policy();
    assert_eq!(ward.hears("a", 0, WELL, at(0)), Vec::<String>::new());
    assert_eq!(ward.hears("a", 1, complete(Urgent), at(1)), [news2("a")]);
    assert_eq!(ward.hears("a", 2, complete(Urgent), at(2)), Vec::<String>::new());
    ward.hears("a", 3, complete(Emergency), at(3));
    store::answer(&ward.db, &news2("a"), &acknowledges("nurse", None), at(4)).unwrap();
    ward.hears("a", 5, UNKNOWN, at(5));
    ward.hears("a", 6, WELL, at(6));
    assert_eq!(path(&ward, "a"), ["open", "open", "acknowledged", "resolved"]);
    let want = [
        ("alert.opened", "ward"),
        ("alert.worsened", "doctor"),
        ("alert.resolved", "ward"),
        ("alert.resolved", "doctor"),
    ];
    let want = want.map(|(event, receiver)| (event.to_owned(), receiver.to_owned()));
    assert_eq!(ward.pages("a"), want);
}

#[test]
fn the_same_event_twice_makes_no_second_page() {
    let ward = Ward::with_policy();
    let batch = [
        ward.assess("a", 1, Some(complete(Urgent)), 0),
        ward.assess("a", 2, Some(complete(Emergency)), 0),
        ward.assess("b", 2, Some(complete(Emergency)), 0),
    ];
    let first = store::on_assessments(&ward.db, &batch, at(3)).unwrap();
    assert_eq!(first.len(), 2);
    let once = (ward.alert("a"), ward.alert("b"), ward.count("delivery"));
    for _ in 0..3 {
        assert_eq!(store::on_assessments(&ward.db, &batch, at(4)).unwrap(), Vec::<String>::new());
    }
    assert_eq!(once, (ward.alert("a"), ward.alert("b"), ward.count("delivery")));
    assert_eq!(events(&ward, "a"), ["alert.opened"], "one page for what one batch brought");
}

#[test]
fn an_incomplete_score_below_every_threshold_never_resolves() {
    let ward = Ward::with_policy();
    ward.hears("a", 1, complete(Urgent), at(1));
    for (minute, status, want) in [
        (2, AssessmentStatus::Incomplete, AlertStatus::Open),
        (3, AssessmentStatus::Failed, AlertStatus::Open),
        (4, AssessmentStatus::NotApplicable, AlertStatus::Resolved),
    ] {
        ward.hears("a", minute, (status, None), at(minute));
        assert_eq!(ward.alert("a").unwrap().alert.status, want, "{status:?}");
    }
}

#[test]
fn late_data_takes_an_alert_back_and_says_so() {
    let ward = Ward::with_policy();
    ward.hears("a", 1, complete(Emergency), at(1));
    let corrected = ward.assess("a", 1, Some(WELL), 1);
    store::on_assessments(&ward.db, &[corrected], at(2)).unwrap();
    let view = ward.alert("a").unwrap();
    assert_eq!(view.alert.status, AlertStatus::Retracted);
    let last = view.alert.transitions.last().unwrap();
    assert_eq!((last.from, last.why.as_str()), (Some(AlertStatus::Open), "late data"));
    assert_eq!(view.revisions.len(), 1);
    assert_eq!(events(&ward, "a"), ["alert.opened", "alert.retracted"]);
    // And the cause may still come, later.
    ward.hears("a", 5, complete(Urgent), at(5));
    assert_eq!(path(&ward, "a"), ["open"]);
    assert_eq!(events(&ward, "a"), ["alert.opened", "alert.retracted", "alert.opened"]);
}

#[test]
fn an_assessment_that_scoring_retired_is_folded_out() {
    let ward = Ward::with_policy();
    ward.hears("a", 1, complete(Urgent), at(1));
    ward.hears("a", 2, complete(Emergency), at(2));
    let retired = ward.assess("a", 2, None, 1);
    store::on_assessments(&ward.db, &[retired], at(3)).unwrap();
    let view = ward.alert("a").unwrap();
    assert_eq!((view.alert.status, view.alert.severity), (AlertStatus::Open, Urgent));
    assert_eq!(view.revisions.len(), 1);
}

#[test]
fn an_old_backfill_pages_nobody_until_fresh_data_confirms_it() {
    let week = 7 * 24 * 60;
    let ward = Ward::with_policy();
    ward.hears("a", 0, complete(Emergency), at(week + 1));
    assert_eq!(events(&ward, "a"), Vec::<String>::new());
    let view = ward.alert("a").unwrap();
    assert_eq!(view.alert.held.len(), 1);
    assert_eq!(view.alert.held[0].reason, HoldReason::Backfill.as_str());
    ward.hears("a", week, complete(Emergency), at(week + 2));
    assert_eq!(events(&ward, "a"), ["alert.opened"]);
}

#[test]
fn what_is_over_within_one_batch_pages_nobody() {
    let ward = Ward::with_policy();
    let batch =
        [ward.assess("a", 1, Some(complete(Urgent)), 0), ward.assess("a", 2, Some(WELL), 0)];
    store::on_assessments(&ward.db, &batch, at(3)).unwrap();
    assert_eq!(path(&ward, "a"), ["open", "resolved"]);
    assert_eq!(events(&ward, "a"), Vec::<String>::new());
    assert_eq!(ward.alert("a").unwrap().alert.held[0].reason, "already-resolved");
}

#[test]
fn without_a_policy_alerts_show_and_are_paged_once_there_is_one() {
    let ward = Ward::new();
    ward.hears("a", 1, complete(Urgent), at(1));
    ward.hears("a", 2, complete(Urgent), at(2));
    let view = ward.alert("a").unwrap();
    assert_eq!(view.alert.status, AlertStatus::Open);
    assert_eq!(view.alert.held.len(), 1);
    assert_eq!(view.alert.held[0].reason, "no-receiver");
    assert!(!store::due(&ward.db, at(3)).unwrap().alerts);
    store::put_policy(&ward.db, policy(), None, "test", at(3)).unwrap();
    assert!(store::due(&ward.db, at(3)).unwrap().alerts);
    assert_eq!(store::repeat_due(&ward.db, at(3)).unwrap(), 1);
    assert_eq!(events(&ward, "a"), ["alert.opened"]);
}

#[test]
fn an_unanswered_page_repeats_on_time_and_an_answer_stops_it() {
    let ward = Ward::with_policy();
    ward.hears("a", 0, complete(Emergency), at(0));
    let mut repeats = 0;
    for minute in 1..=40 {
        for page in store::claim(&ward.db, at(minute), 16).unwrap() {
            store::record(&ward.db, &[(page, Outcome::Delivered(Default::default()))], at(minute))
                .unwrap();
        }
        if store::due(&ward.db, at(minute)).unwrap().alerts {
            repeats += store::repeat_due(&ward.db, at(minute)).unwrap();
        }
    }
    assert_eq!(repeats, 2, "every quarter of an hour");
    assert_eq!(events(&ward, "a"), ["alert.opened", "alert.repeated", "alert.repeated"]);
    store::answer(&ward.db, &news2("a"), &acknowledges("nurse", None), at(41)).unwrap();
    assert!(!store::due(&ward.db, at(10_000)).unwrap().alerts);
    // Nor does more of the same.
    ward.hears("a", 42, complete(Emergency), at(42));
    assert_eq!(events(&ward, "a").len(), 3);
}

#[test]
fn an_idempotency_key_counts_once_and_names_one_answer() {
    let ward = Ward::with_policy();
    ward.hears("a", 0, complete(Urgent), at(0));
    let id = news2("a");
    for minute in [1, 2] {
        store::answer(&ward.db, &id, &acknowledges("nurse", Some("k")), at(minute)).unwrap();
    }
    assert_eq!(path(&ward, "a"), ["open", "acknowledged"]);
    let other = acknowledges("doctor", Some("k"));
    assert_eq!(store::answer(&ward.db, &id, &other, at(3)), Err(AnswerError::KeyConflict));
    let nobody = store::answer(&ward.db, "nothing", &other, at(3));
    assert_eq!(nobody, Err(AnswerError::NoAlert));
}

#[test]
fn an_answer_counts_although_the_device_clock_runs_ahead() {
    let ward = Ward::with_policy();
    ward.hears("a", 4, complete(Urgent), at(0));
    store::answer(&ward.db, &news2("a"), &acknowledges("nurse", None), at(1)).unwrap();
    ward.hears("a", 5, complete(Urgent), at(2));
    assert_eq!(ward.alert("a").unwrap().alert.status, AlertStatus::Acknowledged);
}

#[test]
fn an_answer_to_a_resolved_alert_is_not_kept_for_later() {
    let ward = Ward::with_policy();
    ward.hears("a", 1, complete(Urgent), at(1));
    ward.hears("a", 3, WELL, at(3));
    store::answer(&ward.db, &news2("a"), &acknowledges("nurse", None), at(4)).unwrap();
    assert_eq!(ward.count("alert_answer"), 0);
}

#[test]
fn a_person_may_end_an_alert_whose_cause_stays_but_not_what_is_worse() {
    let ward = Ward::with_policy();
    ward.hears("a", 1, complete(Urgent), at(1));
    store::answer(&ward.db, &news2("a"), &resolves(), at(2)).unwrap();
    ward.hears("a", 3, complete(Urgent), at(3));
    assert_eq!(path(&ward, "a"), ["open", "resolved"]);
    ward.hears("a", 4, complete(Emergency), at(4));
    assert_eq!(path(&ward, "a"), ["open", "resolved", "open"]);
    assert_eq!(events(&ward, "a"), ["alert.opened", "alert.resolved", "alert.opened"]);
}

#[test]
fn a_policy_has_versions_and_the_author_of_a_stale_one_is_told() {
    let ward = Ward::new();
    assert_eq!(store::policy(&ward.db).unwrap(), None);
    let put = |document, expected| store::put_policy(&ward.db, document, expected, "test", at(0));
    assert_eq!(put(policy(), Some(0)).unwrap().version, 1);
    assert_eq!(put(policy(), Some(1)).unwrap().version, 1, "the same document is no new version");
    let mut other = policy();
    other["backfill_limit"] = serde_json::json!("1d");
    assert_eq!(put(other.clone(), Some(0)), Err(PolicyError::Stale(1)));
    assert_eq!(put(other, Some(1)).unwrap().version, 2);
    assert_eq!(store::policy(&ward.db).unwrap().unwrap().version, 2);
    assert!(matches!(put(serde_json::json!({}), None), Err(PolicyError::Faults(_))));
}

#[test]
fn alerts_are_listed_by_status_patient_and_severity_in_pages() {
    let ward = Ward::with_policy();
    for (minute, name) in ["a", "b", "c"].into_iter().enumerate() {
        let minute = i64::try_from(minute).unwrap();
        ward.hears(name, minute, complete(Urgent), at(minute));
    }
    ward.hears("b", 10, complete(Emergency), at(10));
    ward.hears("c", 11, WELL, at(11));
    let all = Filter { limit: 50, ..Filter::default() };
    assert_eq!(ward.listed(all.clone()), [news2("c"), news2("b"), news2("a")]);
    let open = Filter { statuses: vec![AlertStatus::Open], ..all.clone() };
    assert_eq!(ward.listed(open), [news2("b"), news2("a")]);
    let worst = Filter { severities: vec![Emergency], ..all.clone() };
    assert_eq!(ward.listed(worst), [news2("b")]);
    let of_a = Filter { patient: Some("a".to_owned()), ..all };
    assert_eq!(ward.listed(of_a), [news2("a")]);
    let mut filter = Filter { limit: 1, ..Filter::default() };
    let mut seen = Vec::new();
    loop {
        let (items, next) = store::list(&ward.db, &filter).unwrap();
        seen.extend(items.into_iter().map(|it| it.alert.id));
        match next {
            Some(next) => filter.after = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, [news2("c"), news2("b"), news2("a")]);
}

#[test]
fn a_thousand_quiet_assessments_cost_one_read() {
    let ward = Ward::with_policy();
    let batch: Vec<_> = (0..1_000).map(|it| ward::changed(&format!("p{it}"), 1, WELL, 0)).collect();
    let started = now();
    assert_eq!(store::on_assessments(&ward.db, &batch, at(1)).unwrap(), Vec::<String>::new());
    println!("1,000 quiet assessments: {} ms", now().since_ms(started));
    assert_eq!(ward.count("alert"), 0);
}

#[expect(clippy::disallowed_methods, reason = "only printed")]
fn now() -> Timestamp {
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_unix_ms(i64::try_from(elapsed.as_millis()).unwrap())
}
