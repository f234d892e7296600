//! Pages on their way: claims, leases, retries, order.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so")]

mod ward;

use auscult_model::Severity::{Emergency, Urgent};
use auscult_notification::delivery::TRIES_MAX;
use auscult_notification::store::{self, Claimed, Outcome};
use ward::{WELL, Ward, at, complete};

const MOST: u32 = 16;

fn failed(code: &str) -> Outcome {
    Outcome::Failed { code: code.to_owned(), wait_ms: None }
}

fn claim(ward: &Ward, minute: i64) -> Vec<Claimed> {
    store::claim(&ward.db, at(minute), MOST).unwrap()
}

fn record(ward: &Ward, page: &Claimed, outcome: Outcome, minute: i64) {
    store::record(&ward.db, &[(page.clone(), outcome)], at(minute)).unwrap();
}

fn states(ward: &Ward, name: &str) -> Vec<(String, u32)> {
    let view = ward.alert(name).unwrap();
    view.alert.deliveries.into_iter().map(|it| (it.state, it.attempts)).collect()
}

#[test]
fn a_page_is_claimed_once_until_its_lease_ends() {
    let ward = Ward::with_policy();
    ward.hears("a", 0, complete(Urgent), at(0));
    assert!(store::due(&ward.db, at(0)).unwrap().deliveries);
    let first = claim(&ward, 0);
    assert_eq!(first.len(), 1);
    assert_eq!((first[0].receiver.as_str(), first[0].tries), ("ward", 1));
    assert_eq!(claim(&ward, 0), []);
    assert!(!store::due(&ward.db, at(0)).unwrap().deliveries);
    let again = claim(&ward, 1);
    assert_eq!((again[0].id == first[0].id, again[0].tries), (true, 2), "one id over all tries");
    record(&ward, &again[0], Outcome::Delivered, 1);
    assert_eq!(claim(&ward, 10), []);
    let delivery = &ward.alert("a").unwrap().alert.deliveries[0];
    assert_eq!((delivery.state.as_str(), delivery.delivered), ("delivered", Some(at(1))));
}

#[test]
fn a_receiver_that_fails_is_tried_again_and_in_the_end_given_up_visibly() {
    let ward = Ward::with_policy();
    ward.hears("a", 0, complete(Urgent), at(0));
    let mut minute = 0;
    for _ in 0..TRIES_MAX {
        let page = claim(&ward, minute).remove(0);
        record(&ward, &page, failed("status-500"), minute);
        assert_eq!(claim(&ward, minute), [], "it waits first");
        minute += 10;
    }
    assert_eq!(claim(&ward, minute + 100_000), []);
    assert_eq!(states(&ward, "a"), [("failed".to_owned(), TRIES_MAX)]);
    let delivery = &ward.alert("a").unwrap().alert.deliveries[0];
    assert_eq!(delivery.last_error.as_deref(), Some("status-500"));
}

#[test]
fn the_end_never_arrives_before_the_beginning() {
    let ward = Ward::with_policy();
    ward.hears("a", 0, complete(Urgent), at(0));
    let opened = claim(&ward, 0).remove(0);
    ward.hears("a", 1, WELL, at(1));
    record(&ward, &opened, failed("timeout"), 1);
    assert_eq!(claim(&ward, 1), [], "both wait");
    assert!(!store::due(&ward.db, at(1)).unwrap().deliveries, "and nobody asks in vain");
    let retried = claim(&ward, 2);
    assert_eq!(retried.len(), 1);
    assert_eq!(retried[0].id, opened.id);
    record(&ward, &retried[0], Outcome::Delivered, 2);
    let resolved = claim(&ward, 2);
    assert_eq!(resolved.len(), 1);
    assert_ne!(resolved[0].id, opened.id);
}

#[test]
fn a_worse_page_does_not_wait_for_the_backoff_of_the_one_before() {
    let ward = Ward::new();
    let mut policy = ward::policy();
    policy["route"]["routes"] = serde_json::json!([]);
    store::put_policy(&ward.db, policy, None, "test", at(0)).unwrap();
    ward.hears("a", 0, complete(Urgent), at(0));
    for _ in 0..12 {
        let page = claim(&ward, 0).first().cloned();
        let Some(page) = page else { break };
        record(&ward, &page, Outcome::Failed { code: "timeout".into(), wait_ms: Some(600_000) }, 0);
    }
    assert_eq!(claim(&ward, 1), []);
    ward.hears("a", 1, complete(Emergency), at(1));
    let first = claim(&ward, 1);
    assert_eq!(first.len(), 1);
    record(&ward, &first[0], Outcome::Delivered, 1);
    assert_eq!(claim(&ward, 1).len(), 1);
}

#[test]
fn pages_about_other_patients_do_not_wait() {
    let ward = Ward::with_policy();
    ward.hears("a", 0, complete(Urgent), at(0));
    ward.hears("b", 0, complete(Emergency), at(0));
    let both = claim(&ward, 0);
    assert_eq!(both.len(), 2);
    record(&ward, &both[0], failed("unreachable"), 0);
    record(&ward, &both[1], Outcome::Delivered, 0);
    assert_eq!(states(&ward, "b"), [("delivered".to_owned(), 1)]);
}

#[test]
fn a_late_record_of_a_delivered_page_changes_nothing() {
    let ward = Ward::with_policy();
    ward.hears("a", 0, complete(Urgent), at(0));
    let page = claim(&ward, 0).remove(0);
    record(&ward, &page, Outcome::Delivered, 0);
    record(&ward, &page, failed("timeout"), 1);
    assert_eq!(states(&ward, "a"), [("delivered".to_owned(), 1)]);
}

#[test]
fn no_more_than_a_bounded_number_of_pages_is_on_its_way() {
    let ward = Ward::with_policy();
    for patient in 0..100 {
        ward.hears(&format!("p{patient}"), 0, complete(Urgent), at(0));
    }
    let mut claimed = 0;
    for _ in 0..10 {
        claimed += claim(&ward, 0).len();
    }
    assert_eq!(claimed, 64);
    assert_eq!(claim(&ward, 1).len(), 16, "ended leases are claimed again");
}

#[test]
fn no_repeat_is_made_while_a_page_has_not_arrived() {
    let ward = Ward::with_policy();
    ward.hears("a", 0, complete(Emergency), at(0));
    let page = claim(&ward, 0).remove(0);
    record(&ward, &page, failed("unreachable"), 0);
    for minute in (15..120).step_by(15) {
        assert!(store::due(&ward.db, at(minute)).unwrap().alerts);
        store::repeat_due(&ward.db, at(minute)).unwrap();
        assert!(!store::due(&ward.db, at(minute)).unwrap().alerts, "not asked twice a second");
    }
    assert_eq!(ward.count("delivery"), 1);
    let page = claim(&ward, 120).remove(0);
    record(&ward, &page, Outcome::Delivered, 120);
    store::repeat_due(&ward.db, at(121)).unwrap();
    assert_eq!(ward.count("delivery"), 2, "now nobody answered what arrived");
}
