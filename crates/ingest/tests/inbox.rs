//! The inbox on a real file: storing, repeating, moving on, giving up, replaying.

use auscult_ingest::admit::{Request, admit};
use auscult_ingest::dead_letters::{self, Filter};
use auscult_ingest::relay::{Answer, Fate, LEASE_MS, TRIES_MAX, batches, fate};
use auscult_ingest::store::{self, Pending};
use auscult_ingest::{Credential, Form, read};
use auscult_model::Timestamp;
use auscult_store::Database;
use auscult_store::native::NativeSqlite;

struct Inbox {
    _dir: tempfile::TempDir,
    db: NativeSqlite,
}

fn inbox() -> Inbox {
    let dir = tempfile::tempdir().unwrap();
    let db = NativeSqlite::with_schema(&dir.path().join("a.db")).unwrap();
    Inbox { _dir: dir, db }
}

const fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(ms)
}

impl Inbox {
    fn send(&self, form: &Form, body: &str, key: Option<&str>, now: i64) -> Vec<String> {
        let credential = Credential {
            id: "c".to_owned(),
            device: "m".to_owned(),
            allowed: vec!["m".to_owned(), "icu-*".to_owned()],
        };
        let request =
            Request { credential: &credential, idempotency_key: key, source: None, now: at(now) };
        let messages = admit(read(form, body.as_bytes()).unwrap(), &request);
        let verdicts = store::keep(&self.db, messages, at(now)).unwrap();
        verdicts
            .iter()
            .map(|it| match &it.problem {
                Some(problem) => format!("{}: {}", it.status, problem.code()),
                None => it.status.to_owned(),
            })
            .collect()
    }

    fn states(&self) -> Vec<String> {
        let rows = self.db.query("SELECT state FROM inbox ORDER BY seq", &[]).unwrap();
        rows.iter().map(|it| it.text("state").unwrap().to_owned()).collect()
    }

    /// One round of the relay: every batch gets this answer.
    fn relay(&self, answer: Answer, now: i64) -> bool {
        let mut given_back = false;
        for batch in batches(store::pending(&self.db, at(now)).unwrap()) {
            let size = batch.len();
            let fates: Vec<(Pending, Fate)> = batch
                .into_iter()
                .map(|it| {
                    let fate = fate(answer, size, it.tries + 1);
                    (it, fate)
                })
                .collect();
            given_back = store::settle(&self.db, &fates, at(now)).unwrap();
        }
        given_back
    }
}

#[test]
fn a_repeat_is_told_and_stored_once() {
    let it = inbox();
    let (a, b) = (r#"{"device":"m","hr":80}"#, r#"{"device":"m","hr":81}"#);
    assert_eq!(
        it.send(&Form::Lines, &format!("{a}\n{b}\n{a}"), None, 0),
        ["accepted", "accepted", "duplicate"]
    );
    assert_eq!(it.send(&Form::Json, a, None, 1), ["duplicate"]);
    assert_eq!(it.states(), ["pending", "pending"]);
}

#[test]
fn the_same_key_with_other_content_is_a_conflict_and_kept_for_audit() {
    let it = inbox();
    assert_eq!(it.send(&Form::Json, r#"{"device":"m","hr":80}"#, Some("k"), 0), ["accepted"]);
    assert_eq!(it.send(&Form::Json, r#"{"device":"m","hr":80}"#, Some("k"), 1), ["duplicate"]);
    assert_eq!(
        it.send(&Form::Json, r#"{"device":"m","hr":99}"#, Some("k"), 2),
        ["rejected: conflicting-duplicate"]
    );
    assert_eq!(it.states(), ["pending", "rejected"]);
}

#[test]
fn only_one_holds_the_lease_until_it_runs_out_or_nothing_is_due() {
    let it = inbox();
    assert!(store::take_lease(&it.db, at(0)).unwrap());
    assert!(!store::take_lease(&it.db, at(1)).unwrap());
    assert!(store::take_lease(&it.db, at(LEASE_MS + 1)).unwrap());
    it.send(&Form::Json, r#"{"device":"m","hr":80}"#, None, LEASE_MS + 2);
    let now = at(LEASE_MS + 3);
    assert!(!store::give_back(&it.db, now).unwrap(), "a message is due: the holder goes on");
    assert!(
        it.relay(Answer::Taken, LEASE_MS + 4),
        "nothing is due: given back with the last batch"
    );
    assert!(store::take_lease(&it.db, at(LEASE_MS + 5)).unwrap());
}

#[test]
fn a_refused_batch_is_tried_one_by_one_and_only_the_culprit_dies() {
    let it = inbox();
    it.send(&Form::Lines, "{\"device\":\"m\",\"hr\":1}\n{\"device\":\"m\",\"hr\":2}", None, 0);
    it.relay(Answer::Refused(400), 0);
    assert_eq!(it.states(), ["pending", "pending"]);
    let alone = batches(store::pending(&it.db, at(0)).unwrap());
    assert_eq!(alone.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1]);
    let mut alone = alone.into_iter().flatten();
    let fates = [
        (alone.next().unwrap(), fate(Answer::Refused(400), 1, 2)),
        (alone.next().unwrap(), Fate::Done),
    ];
    store::settle(&it.db, &fates, at(0)).unwrap();
    assert_eq!(it.states(), ["dead", "done"]);
}

#[test]
fn a_stage_that_stays_away_costs_waiting_then_a_dead_letter_that_can_be_replayed() {
    let it = inbox();
    it.send(&Form::Json, r#"{"device":"m","hr":80}"#, None, 0);
    let mut now = 0;
    for _ in 0..TRIES_MAX {
        it.relay(Answer::Away, now);
        assert!(store::pending(&it.db, at(now)).unwrap().is_empty(), "not again at once");
        now += 400_000;
    }
    assert_eq!(it.states(), ["dead"]);
    let page = dead_letters::list(&it.db, &Filter::default(), None, 10).unwrap();
    let problem = page.items[0].problem.as_ref().unwrap();
    assert_eq!((page.items[0].stage.as_str(), problem.code()), ("relay", "tries-exhausted"));
    let id = page.items[0].id.clone();
    assert_eq!(
        dead_letters::show(&it.db, &id).unwrap().unwrap().body.unwrap(),
        r#"{"device":"m","hr":80}"#
    );
    assert_eq!(dead_letters::replay(&it.db, Some(&id), &Filter::default(), at(now)).unwrap(), [id]);
    it.relay(Answer::Taken, now);
    assert_eq!(it.states(), ["done"]);
}

#[test]
fn dead_letters_are_paged_and_filtered_by_cause() {
    let it = inbox();
    for hr in 0..5 {
        it.send(&Form::Json, &format!(r#"{{"device":"other","hr":{hr}}}"#), None, hr);
    }
    it.send(&Form::Lines, "not json", None, 9);
    let filter = Filter { device: None, code: Some("device-mismatch".to_owned()) };
    let first = dead_letters::list(&it.db, &filter, None, 3).unwrap();
    assert_eq!(first.items.len(), 3);
    let before = first.next.unwrap().rsplit('=').next().unwrap().parse().unwrap();
    assert_eq!(dead_letters::list(&it.db, &filter, Some(before), 3).unwrap().items.len(), 2);
    let nothing_reads_it = Filter { device: None, code: Some("malformed-json".to_owned()) };
    assert!(dead_letters::replay(&it.db, None, &nothing_reads_it, at(10)).unwrap().is_empty());
}

#[test]
fn a_device_is_known_by_its_resource_or_its_own_credential() {
    let it = inbox();
    it.db
        .query(
            "INSERT INTO resource (type, id, version, updated_ms, body) VALUES ('Device', 'icu-1', 1, 0, '{}')",
            &[],
        )
        .unwrap();
    let asked: Vec<String> = ["icu-1", "icu-2"].map(str::to_owned).to_vec();
    assert_eq!(store::unknown(&it.db, &asked).unwrap(), ["icu-2"]);
}
