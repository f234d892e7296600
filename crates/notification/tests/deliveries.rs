//! Pages on their way: claims, leases, retries, order.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so")]

mod ward;

use auscult_model::Severity::{Emergency, Urgent};
use auscult_notification::delivery::{Receipt, TRIES_MAX};
use auscult_notification::store::{self, Claimed, Outcome};
use ward::{WELL, Ward, at, complete};

const MOST: u32 = 16;

fn failed(code: &str) -> Outcome {
    Outcome::Failed { code: code.to_owned(), wait_ms: None, permanent: false }
}

fn taken() -> Outcome {
    Outcome::Delivered(Receipt { status: "204".to_owned(), id: Some("theirs".to_owned()) })
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
    record(&ward, &again[0], taken(), 1);
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
    record(&ward, &retried[0], taken(), 2);
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
        record(
            &ward,
            &page,
            Outcome::Failed { code: "timeout".into(), wait_ms: Some(600_000), permanent: false },
            0,
        );
    }
    assert_eq!(claim(&ward, 1), []);
    ward.hears("a", 1, complete(Emergency), at(1));
    let first = claim(&ward, 1);
    assert_eq!(first.len(), 1);
    record(&ward, &first[0], taken(), 1);
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
    record(&ward, &both[1], taken(), 0);
    assert_eq!(states(&ward, "b"), [("delivered".to_owned(), 1)]);
}

#[test]
fn a_late_record_of_a_delivered_page_changes_nothing() {
    let ward = Ward::with_policy();
    ward.hears("a", 0, complete(Urgent), at(0));
    let page = claim(&ward, 0).remove(0);
    record(&ward, &page, taken(), 0);
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
    assert_eq!(claimed, 16, "one receiver that hangs ties up no more");
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
    record(&ward, &page, taken(), 120);
    store::repeat_due(&ward.db, at(121)).unwrap();
    assert_eq!(ward.count("delivery"), 2, "now nobody answered what arrived");
}

fn with_fallback() -> Ward {
    let ward = Ward::new();
    let mut policy = ward::policy();
    policy["route"]["routes"] = serde_json::json!([]);
    policy["receivers"][0]["fallback"] =
        serde_json::json!({ "receiver": "doctor", "after_tries": 4, "after": "5m" });
    store::put_policy(&ward.db, policy, None, "test", at(0)).unwrap();
    ward
}

/// Receiver and event of every delivery there is, oldest first.
fn sent(ward: &Ward) -> Vec<(String, String)> {
    let (mut all, _) = store::deliveries(&ward.db, None, None, 200).unwrap();
    all.reverse();
    all.into_iter().map(|it| (it.receiver, it.event)).collect()
}

fn pairs(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn the_fallback_is_told_after_its_tries_and_an_emergency_after_half_of_them() {
    for (severity, tries) in [(Urgent, 4), (Emergency, 2)] {
        let ward = with_fallback();
        ward.hears("a", 0, complete(severity), at(0));
        for n in 1..=tries {
            assert_eq!(sent(&ward).len(), 1, "{severity:?} before try {n}");
            let page = store::claim(&ward.db, at(0).plus_ms(n * 20_000), MOST).unwrap().remove(0);
            let now = at(0).plus_ms(n * 20_000);
            store::record(&ward.db, &[(page, failed("status-503"))], now).unwrap();
        }
        let want = [("ward", "alert.opened"), ("doctor", "alert.opened")];
        assert_eq!(sent(&ward), pairs(&want), "{severity:?}");
    }
}

#[test]
fn a_page_that_is_refused_for_good_is_a_dead_letter_at_once_and_goes_to_the_fallback() {
    let ward = with_fallback();
    ward.hears("a", 0, complete(Urgent), at(0));
    let page = claim(&ward, 0).remove(0);
    let id = page.id.clone();
    let refused = Outcome::Failed { code: "status-404".to_owned(), wait_ms: None, permanent: true };
    record(&ward, &page, refused, 0);
    let (dead, _) = store::deliveries(&ward.db, Some("failed"), None, 50).unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].last_error.as_deref(), Some("status-404"));
    let copy = claim(&ward, 0).remove(0);
    assert_eq!((copy.receiver.as_str(), copy.body == page.body), ("doctor", true));
    let again = store::replay_delivery(&ward.db, &id, at(1)).unwrap().unwrap();
    assert_eq!((again.state.as_str(), again.attempts), ("pending", 0));
    let page = claim(&ward, 1).remove(0);
    assert_eq!(page.id, id, "the receiver may know it already");
    record(&ward, &page, taken(), 1);
    let shown = store::delivery(&ward.db, &id).unwrap().unwrap();
    let receipt = shown.receipt.unwrap();
    assert_eq!((receipt.status.as_str(), receipt.id.as_deref()), ("204", Some("theirs")));
}

#[test]
fn what_waits_behind_a_page_that_fails_goes_to_the_fallback_in_its_order() {
    let ward = with_fallback();
    ward.hears("a", 0, complete(Urgent), at(0));
    ward.hears("a", 1, WELL, at(1));
    let page = claim(&ward, 6).remove(0);
    record(&ward, &page, failed("timeout"), 6);
    let opened = claim(&ward, 6);
    assert_eq!(opened.len(), 1, "one after the other there too");
    assert_eq!(opened[0].receiver, "doctor");
    record(&ward, &opened[0], taken(), 6);
    let resolved = claim(&ward, 6);
    assert_eq!(resolved.len(), 1);
    assert!(resolved[0].body.contains("alert.resolved"), "{}", resolved[0].body);
}

#[test]
fn who_was_told_in_another_s_place_hears_of_the_end() {
    let ward = with_fallback();
    ward.hears("a", 0, complete(Urgent), at(0));
    let page = claim(&ward, 6).remove(0);
    record(&ward, &page, failed("timeout"), 6);
    let mut minute = 7;
    ward.hears("a", 1, WELL, at(7));
    loop {
        let pages = claim(&ward, minute);
        if pages.is_empty() {
            break;
        }
        for page in pages {
            record(&ward, &page, taken(), minute);
        }
        minute += 1;
    }
    let want = [
        ("ward", "alert.opened"),
        ("doctor", "alert.opened"),
        ("ward", "alert.resolved"),
        ("doctor", "alert.resolved"),
    ];
    assert_eq!(sent(&ward), pairs(&want));
}

#[test]
fn ten_minutes_of_silence_lose_nothing_and_mix_up_nothing() {
    // Real durations, simulated clock: ward is down for ten minutes, doctor takes everything.
    let ward = with_fallback();
    let (mut heard, mut now) = (Vec::new(), at(0));
    let down_until = at(10);
    for minute in 0..4 {
        for patient in 0..5 {
            let content = if minute % 2 == 0 { complete(Emergency) } else { WELL };
            ward.hears(&format!("p{patient}"), minute, content, at(minute));
        }
    }
    while now < at(30) {
        for page in store::claim(&ward.db, now, MOST).unwrap() {
            let up = page.receiver == "doctor" || now >= down_until;
            if up {
                heard.push((page.receiver.clone(), page.alert.clone(), page.body.clone()));
            }
            let outcome = if up { taken() } else { failed("connection-refused") };
            store::record(&ward.db, &[(page, outcome)], now).unwrap();
        }
        now = now.plus_ms(500);
    }
    let (left, _) = store::deliveries(&ward.db, Some("pending"), None, 50).unwrap();
    assert_eq!(left, [], "everything arrived in the end");
    for receiver in ["ward", "doctor"] {
        for patient in 0..5 {
            let alert = ward::news2(&format!("p{patient}"));
            let events: Vec<&str> = heard
                .iter()
                .filter(|(to, of, _)| to == receiver && *of == alert)
                .map(|(.., body)| if body.contains("alert.resolved") { "end" } else { "call" })
                .collect();
            assert_eq!(events, ["call", "end", "call", "end"], "{receiver} {patient}");
        }
    }
}
