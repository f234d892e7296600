//! Whatever the order, the batches and the repeats: the same assessments and answers end in the
//! same alert, and nobody is paged twice for one thing.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so")]

mod ward;

use std::collections::BTreeMap;

use auscult_model::{AlertStatus, AssessmentStatus, Severity, Timestamp};
use auscult_notification::fold::{DISMISSAL_MS, fold};
use auscult_notification::store::{self, Changed};
use auscult_notification::{Answer, AnswerKind, Item, Observed, Step};
use auscult_store::transaction;
use proptest::prelude::*;
use ward::{Content, Essence, Ward, at, essence, news2, verdict};

const PATIENTS: [&str; 2] = ["a", "b"];
const SLOTS: i64 = 8;

/// A version of the assessment of one patient at one minute; `None` retires it.
type Version = (usize, i64, Option<Content>);

fn content() -> impl Strategy<Value = Option<Content>> {
    use AssessmentStatus::{Complete, Failed, Incomplete, NotApplicable};
    let severity = prop_oneof![
        3 => Just(None),
        2 => Just(Some(Severity::Urgent)),
        2 => Just(Some(Severity::Emergency)),
    ];
    let status = prop_oneof![
        6 => Just(Complete), 2 => Just(Incomplete), 1 => Just(Failed), 1 => Just(NotApplicable),
    ];
    prop_oneof![9 => (status, severity).prop_map(Some), 1 => Just(None)]
}

fn versions() -> impl Strategy<Value = Vec<Version>> {
    prop::collection::vec((0..PATIENTS.len(), 0..SLOTS, content()), 1..24)
}

fn answers() -> impl Strategy<Value = Vec<(usize, Answer)>> {
    let kind = prop_oneof![
        4 => Just(AnswerKind::Acknowledge),
        2 => Just(AnswerKind::Resolve),
        1 => Just(AnswerKind::Comment),
        1 => Just(AnswerKind::Assign { to: "doctor".to_owned() }),
    ];
    let severity = prop_oneof![Just(Severity::Urgent), Just(Severity::Emergency)];
    let one = (0..PATIENTS.len(), kind, severity, 0..SLOTS * 60_000, 0..SLOTS);
    prop::collection::vec(one, 0..4).prop_map(|list| {
        let numbered = list.into_iter().enumerate();
        numbered
            .map(|(n, (patient, kind, severity, ms, seen))| {
                let id = format!("answer-{n}");
                let (at, seen) = (at(0).plus_ms(ms), at(seen));
                let by = "nurse".to_owned();
                (
                    patient,
                    Answer {
                        id,
                        at,
                        kind,
                        by,
                        comment: None,
                        severity,
                        seen,
                        dismissal_ms: DISMISSAL_MS,
                    },
                )
            })
            .collect()
    })
}

/// Splitmix64: the arrival is reproducible from the seed proptest prints.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap()
    }
}

/// The fold over everything at once: what every arrival must end in.
fn reference(versions: &[Version], answers: &[(usize, Answer)], patient: usize) -> Vec<Step> {
    fold(None, items(versions, answers, patient))
}

/// What stands in the end: the last version of each slot, and every answer.
fn items(versions: &[Version], answers: &[(usize, Answer)], patient: usize) -> Vec<Item> {
    let mut last: BTreeMap<i64, (usize, Option<Content>)> = BTreeMap::new();
    for (n, (_, slot, content)) in versions.iter().enumerate().filter(|(_, it)| it.0 == patient) {
        last.insert(*slot, (n, *content));
    }
    let data = last.into_iter().filter_map(|(slot, (n, content))| {
        Some(Item::Data(Observed {
            effective: at(slot),
            assessment: format!("{}-{slot}-{n}", PATIENTS[patient]),
            verdict: verdict(content?),
            value: Some(5),
            band: Some("some".to_owned()),
        }))
    });
    let people = answers.iter().filter(|(it, _)| *it == patient);
    data.chain(people.map(|(_, it)| Item::Person(it.clone()))).collect()
}

/// Lets everything arrive as the dice say: versions of one slot in order, the rest in any; in
/// batches; events late, repeated and out of date.
fn arrive(ward: &Ward, versions: &[Version], answers: &[(usize, Answer)], dice: &mut Dice) {
    let mut waiting: Vec<(usize, Version)> = versions.iter().copied().enumerate().collect();
    let mut people: Vec<&(usize, Answer)> = answers.iter().collect();
    let mut pending: Vec<Changed> = Vec::new();
    let mut sent: Vec<Changed> = Vec::new();
    let mut now = at(SLOTS);
    while !(waiting.is_empty() && pending.is_empty() && people.is_empty()) {
        now = now.plus_ms(1_000);
        if !waiting.is_empty() {
            let mut pick = dice.below(waiting.len());
            let (patient, slot, _) = waiting[pick].1;
            pick = waiting.iter().position(|(_, it)| (it.0, it.1) == (patient, slot)).unwrap();
            let (n, (patient, slot, content)) = waiting.remove(pick);
            pending.push(ward.assess(PATIENTS[patient], slot, content, n));
        }
        if dice.below(3) == 0 || waiting.is_empty() {
            let mut batch = Vec::new();
            for _ in 0..=dice.below(4) {
                if !pending.is_empty() {
                    batch.push(pending.remove(dice.below(pending.len())));
                }
                if !sent.is_empty() && dice.below(3) == 0 {
                    batch.push(sent[dice.below(sent.len())].clone());
                }
            }
            store::on_assessments(&ward.db, &batch, now).unwrap();
            sent.extend(batch);
        }
        if !people.is_empty() && (dice.below(4) == 0 || waiting.is_empty()) {
            let place = dice.below(people.len());
            let (patient, answer) = people[place];
            let taken = store::replay_answer(&ward.db, &news2(PATIENTS[*patient]), answer, now);
            // Nobody can answer an alert that is not there yet, or ever.
            if taken.is_ok() || (waiting.is_empty() && pending.is_empty()) {
                people.remove(place);
            }
        }
    }
}

fn ends_as(ward: &Ward, patient: usize, steps: &[Step]) -> Result<(), TestCaseError> {
    let got: Option<Essence> = ward.alert(PATIENTS[patient]).map(essence);
    match (steps.last(), got) {
        (Some(last), Some(got)) => {
            let transitions = steps.iter().map(|it| it.transition.clone()).collect();
            let want = (last.state.status(), last.state.severity, last.state.opened, transitions);
            prop_assert_eq!(got, want);
        }
        (None, None) => {}
        (None, Some((status, ..))) => prop_assert_eq!(status, AlertStatus::Retracted),
        (Some(_), None) => prop_assert!(false, "an alert was lost"),
    }
    Ok(())
}

/// What receivers believe at the end agrees with the alert, and every page had a ground.
fn pages_agree(ward: &Ward, patient: usize) -> Result<(), TestCaseError> {
    let Some(view) = ward.alert(PATIENTS[patient]) else { return Ok(()) };
    let pages = ward.pages(PATIENTS[patient]);
    let events: Vec<&str> = pages.iter().map(|(event, _)| event.as_str()).collect();
    let calls = |event: &str| !matches!(event, "alert.resolved" | "alert.retracted");
    let believed = events.last().is_some_and(|it| calls(it));
    let want = matches!(view.alert.status, AlertStatus::Open | AlertStatus::Acknowledged);
    if view.alert.status == AlertStatus::Acknowledged {
        // Answered before anybody had to be paged: nothing to call off, nothing to say.
    } else {
        prop_assert_eq!(believed, want, "{:?} {:?}", view.alert.status, events);
    }
    for pair in events.windows(2) {
        let second_opening = pair[1] == "alert.opened" && calls(pair[0]);
        prop_assert!(!second_opening, "paged twice for one opening: {:?}", events);
    }
    prop_assert!(!events.contains(&"alert.repeated"), "no clock ran long enough: {:?}", events);
    Ok(())
}

fn clear(ward: &Ward) {
    let cleared: Result<(), auscult_store::StoreError> = transaction(&ward.db, |db| {
        for table in [
            "assessment",
            "alert",
            "alert_transition",
            "alert_answer",
            "alert_held",
            "delivery",
            "alert_revision",
            "alert_page",
        ] {
            db.query(&format!("DELETE FROM {table}"), &[])?;
        }
        Ok(())
    });
    cleared.unwrap();
}

#[test]
fn arrival_does_not_matter() {
    // Every case pays for synced commits; the fold alone is tested far more often below.
    let ward = Ward::with_policy();
    let cases =
        ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(cases);
    let strategy = (versions(), answers(), any::<u64>());
    runner
        .run(&strategy, |(versions, answers, seed)| {
            clear(&ward);
            arrive(&ward, &versions, &answers, &mut Dice(seed));
            for patient in 0..PATIENTS.len() {
                let steps = reference(&versions, &answers, patient);
                ends_as(&ward, patient, &steps)?;
                pages_agree(&ward, patient)?;
            }
            Ok(())
        })
        .unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 10_000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn folding_on_from_any_step_is_folding_from_the_start(
        versions in versions(), answers in answers(), cut in any::<prop::sample::Index>(),
    ) {
        let whole = reference(&versions, &answers, 0);
        if !whole.is_empty() {
            let cut = cut.index(whole.len());
            let base = &whole[cut];
            let rest: Vec<Item> = items(&versions, &answers, 0)
                .into_iter()
                .filter(|it| it.at() > base.transition.at)
                .collect();
            let until = |steps: &[Step], at: Timestamp| {
                steps.iter().filter(|it| it.transition.at > at).cloned().collect::<Vec<_>>()
            };
            let last_there = whole.iter().rev().find(|it| it.transition.at == base.transition.at);
            let again = fold(last_there.map(|it| &it.state), rest);
            prop_assert_eq!(again, until(&whole, base.transition.at));
        }
    }
}
