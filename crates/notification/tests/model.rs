//! 10,000 random histories of one patient against a model written without the state machine: no alert
//! lost, no opening paged twice, every page and every silence explained.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so")]

use std::collections::{BTreeMap, BTreeSet};

use auscult_model::Severity::{Emergency, Routine, Technical, Urgent};
use auscult_model::{Severity, Timestamp};
use auscult_notification::delivery::delivery_id;
use auscult_notification::desk::turn;
use auscult_notification::fold::{DISMISSAL_MS, IMPROVED_MS, Phase, after_answer, after_data};
use auscult_notification::gate::{Scene, Standing};
use auscult_notification::page::{Facing, Ledger};
use auscult_notification::policy::{Match, Subject};
use auscult_notification::silence::Silence;
use auscult_notification::{
    Answer, AnswerKind, HoldReason, Observed, Policy, SendReason, State, Verdict,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const CAUSES: [&str; 3] = ["news2", "sepsis", "probe"];
const MINUTE_MS: i64 = 60_000;
/// 2026-11-20T05:00:00Z, so that histories cross the end of the quiet hours and a change of shifts.
const START_MS: i64 = 1_795_150_800_000;

#[derive(Debug, Clone, Copy)]
enum Act {
    /// A complete assessment of a cause.
    Data(usize, Option<Severity>),
    Acknowledge(usize),
    Resolve(usize),
    /// A silence of everything up to a severity, for some minutes.
    Silence(Severity, i64),
    /// Somebody ends every silence.
    Unsilence,
}

fn severity() -> impl Strategy<Value = Severity> {
    prop_oneof![Just(Technical), Just(Routine), Just(Urgent), Just(Emergency)]
}

fn act() -> impl Strategy<Value = Act> {
    let cause = 0..CAUSES.len();
    prop_oneof![
        8 => (cause.clone(), prop::option::weighted(0.65, severity())).prop_map(|(c, s)| Act::Data(c, s)),
        2 => cause.clone().prop_map(Act::Acknowledge),
        1 => cause.prop_map(Act::Resolve),
        1 => (severity(), 1..240_i64).prop_map(|(s, m)| Act::Silence(s, m)),
        1 => Just(Act::Unsilence),
    ]
}

/// Seconds since the act before, and the act.
fn history() -> impl Strategy<Value = Vec<(i64, Act)>> {
    let pause = prop_oneof![3 => 1..60_i64, 3 => 60..1_200_i64, 1 => 1_200..9_000_i64];
    prop::collection::vec((pause, act()), 1..28)
}

fn policies() -> Vec<Policy> {
    let default: Value = serde_json::from_str(auscult_notification::policy::DEFAULT).unwrap();
    let mut tight = default.clone();
    tight["budgets"][0]["pages"] = json!(1);
    tight["flapping"] = json!({ "openings": 2, "within": "2h", "steady": "7m" });
    let mut bare = json!({ "receivers": default["receivers"], "route": {
        "receiver": "ward", "repeat_interval": "10m",
        "escalate": [{ "after": "2m", "receiver": "doctor" }, { "after": "5m", "receiver": "biomed" }],
    } });
    bare["inhibit"] = json!([{ "source": { "cause": "probe" },
        "target": { "severity": ["emergency", "urgent"], "cause": "news2" } }]);
    [default, tight, bare].into_iter().map(|it| Policy::parse(it).unwrap()).collect()
}

#[derive(Debug, Clone)]
struct Paged {
    at: Timestamp,
    cause: usize,
    reason: SendReason,
    severity: Severity,
    receivers: Vec<String>,
}

/// The thing under test: the fold and the desk, driven as the store drives them.
struct Desk<'a> {
    policy: &'a Policy,
    states: [Option<State>; 3],
    ledgers: [Ledger; 3],
    dues: [Option<Timestamp>; 3],
    silences: Vec<Silence>,
    last_call: Option<Timestamp>,
    calls: Vec<Timestamp>,
    pages: Vec<Paged>,
}

impl<'a> Desk<'a> {
    fn new(policy: &'a Policy) -> Self {
        Self {
            policy,
            states: Default::default(),
            ledgers: Default::default(),
            dues: Default::default(),
            silences: Vec::new(),
            last_call: None,
            calls: Vec::new(),
            pages: Vec::new(),
        }
    }

    fn standing(&self) -> Vec<Standing> {
        let states = self.states.iter().enumerate();
        states
            .filter_map(|(cause, it)| {
                let state = it.as_ref()?;
                matches!(state.phase, Phase::Open | Phase::Acknowledged { .. }).then(|| Standing {
                    alert: CAUSES[cause].to_owned(),
                    cause: CAUSES[cause].to_owned(),
                    severity: state.severity,
                })
            })
            .collect()
    }

    fn look(&mut self, cause: usize, moved: bool, now: Timestamp) {
        let standing = self.standing();
        let Some(state) = self.states[cause].clone() else { return };
        let budget = self.policy.noise.budget("");
        let start = budget.map(|it| it.shifts.start_of(now));
        let spent = self.calls.iter().filter(|it| start.is_some_and(|start| **it >= start)).count();
        let scene = Scene {
            alert: CAUSES[cause],
            patient: "p",
            subject: Subject {
                severity: state.severity,
                cause: CAUSES[cause],
                unit: "",
                tags: &[],
            },
            noise: Some(&self.policy.noise),
            silences: &self.silences,
            standing: &standing,
            last_call: self.last_call,
            spent: i64::try_from(spent).unwrap(),
        };
        let facing = Facing { state: Some(&state), evidence: state.effective, passing: false };
        let turned = turn(Some(self.policy), &self.ledgers[cause], facing, scene, moved, now);
        self.ledgers[cause] = turned.ledger;
        self.dues[cause] = turned.due;
        let Some(page) = turned.page else { return };
        if page.reason.calls() {
            self.last_call = Some(now);
            self.calls.push(now);
        }
        self.pages.push(Paged {
            at: now,
            cause,
            reason: page.reason,
            severity: state.severity,
            receivers: page.receivers,
        });
    }

    /// What changed may free others.
    fn moved(&mut self, cause: usize, now: Timestamp) {
        self.look(cause, true, now);
        for other in (0..CAUSES.len()).filter(|it| *it != cause) {
            if self.ledgers[other].held == Some(HoldReason::Inhibited) {
                self.look(other, false, now);
            }
        }
    }

    /// Everything a clock has to do up to and including `until`.
    fn run(&mut self, until: Timestamp) {
        for _ in 0..10_000 {
            let next = (0..CAUSES.len()).filter_map(|it| Some((self.dues[it]?, it))).min();
            match next.filter(|(at, _)| *at <= until) {
                Some((at, cause)) => self.look(cause, false, at),
                None => return,
            }
        }
        panic!("the clock never comes to rest");
    }

    fn act(&mut self, n: usize, act: Act, now: Timestamp) {
        match act {
            Act::Data(cause, severity) => {
                let verdict = severity
                    .map_or(Verdict::Below, |severity| Verdict::Above { severity, exact: true });
                let seen = Observed {
                    effective: now,
                    assessment: format!("a{n}"),
                    verdict,
                    value: None,
                    band: None,
                };
                if let Some(state) = after_data(self.states[cause].as_ref(), &seen) {
                    self.states[cause] = Some(state);
                    self.moved(cause, now);
                }
            }
            Act::Acknowledge(cause) => self.answer(n, cause, AnswerKind::Acknowledge, now),
            Act::Resolve(cause) => self.answer(n, cause, AnswerKind::Resolve, now),
            Act::Silence(severity, minutes) => self.silences.push(Silence {
                id: format!("s{n}"),
                of: Match::default(),
                patient: Some("p".to_owned()),
                alert: None,
                covers: severity,
                author: "nurse".to_owned(),
                comment: None,
                from: now,
                until: now.plus_ms(minutes * MINUTE_MS),
            }),
            Act::Unsilence => {
                self.silences.clear();
                for cause in 0..CAUSES.len() {
                    if self.ledgers[cause].held == Some(HoldReason::Silenced) {
                        self.look(cause, false, now);
                    }
                }
            }
        }
    }

    fn answer(&mut self, n: usize, cause: usize, kind: AnswerKind, now: Timestamp) {
        let Some(state) = &self.states[cause] else { return };
        let answer = Answer {
            id: format!("p{n}"),
            at: now,
            kind,
            by: "nurse".to_owned(),
            comment: None,
            severity: state.severity,
            seen: now,
            dismissal_ms: DISMISSAL_MS,
        };
        if let Some(state) = after_answer(Some(state), &answer) {
            self.states[cause] = Some(state);
            self.moved(cause, now);
        }
    }
}

/// What a person with paper and pencil would note of one cause.
#[derive(Debug, Clone, Copy, Default)]
struct Noted {
    /// The severity while it stands.
    stands: Option<Severity>,
    /// When that severity began.
    since: i64,
    /// The worst that somebody said to be coming for, in this episode.
    answered: Option<Severity>,
    /// "It is over", up to that severity and until then.
    dismissed: Option<(Severity, i64)>,
    /// Counts the times somebody has to be called anew.
    opening: u32,
}

impl Noted {
    fn open(&self) -> bool {
        self.stands.is_some() && self.answered.is_none() && self.dismissed.is_none()
    }

    fn hears(&mut self, found: Option<Severity>, now: i64) {
        let Some(severity) = found else {
            *self = Self { opening: self.opening, ..Self::default() };
            return;
        };
        if let Some((covers, until)) = self.dismissed {
            if severity <= covers && now < until {
                return;
            }
            *self = Self { opening: self.opening, ..Self::default() };
        }
        let before = self.stands;
        if before.is_none() {
            self.opening += 1;
        }
        let rose = before.is_some_and(|it| severity > it);
        let long = now - self.since >= IMPROVED_MS;
        if self.answered.is_some_and(|it| severity > it || (rose && long)) {
            self.answered = None;
            self.opening += 1;
        }
        if before != Some(severity) {
            self.since = now;
        }
        self.stands = Some(severity);
    }

    fn note(&mut self, act: Act, cause: usize, now: i64) {
        match act {
            Act::Data(it, found) if it == cause => self.hears(found, now),
            Act::Acknowledge(it) if it == cause && self.open() => self.answered = self.stands,
            Act::Resolve(it) if it == cause && self.dismissed.is_none() => {
                if let Some(severity) = self.stands {
                    self.dismissed = Some((severity, now + DISMISSAL_MS));
                    self.answered = None;
                }
            }
            _ => {}
        }
    }
}

/// The notes at every instant at which something happened.
struct Notes(Vec<(i64, [Noted; 3])>);

impl Notes {
    fn of(history: &[(Timestamp, Act)]) -> Self {
        let mut noted = [Noted::default(); 3];
        let mut all = vec![(i64::MIN, noted)];
        for (at, act) in history {
            for (cause, it) in noted.iter_mut().enumerate() {
                it.note(*act, cause, at.unix_ms());
            }
            all.push((at.unix_ms(), noted));
        }
        Self(all)
    }

    fn at(&self, at: Timestamp, cause: usize) -> Noted {
        let found = self.0.iter().rev().find(|(ms, _)| *ms <= at.unix_ms());
        found.map(|(_, it)| it[cause]).unwrap()
    }
}

fn silenced(history: &[(Timestamp, Act)], severity: Severity, at: Timestamp) -> bool {
    let mut until = Vec::new();
    for (when, act) in history.iter().filter(|(when, _)| *when <= at) {
        match act {
            Act::Silence(covers, minutes) => {
                until.push((*covers, when.plus_ms(minutes * MINUTE_MS)))
            }
            Act::Unsilence => until.clear(),
            _ => {}
        }
    }
    until.iter().any(|(covers, until)| severity <= *covers && at < *until)
}

fn check(policy: &Policy, bare: bool, history: &[(i64, Act)]) -> Result<(), TestCaseError> {
    let mut now = Timestamp::from_unix_ms(START_MS);
    let mut timed = Vec::new();
    let mut desk = Desk::new(policy);
    for (n, (pause, act)) in history.iter().enumerate() {
        let next = now.plus_ms(pause * 1_000);
        desk.run(next.plus_ms(-1));
        desk.act(n, *act, next);
        timed.push((next, *act));
        now = next;
        let notes = Notes::of(&timed);
        for cause in 0..CAUSES.len() {
            now_is_right(&desk, &timed, notes.at(now, cause), cause, bare, now)?;
        }
    }
    let notes = Notes::of(&timed);
    desk.run(now.plus_ms(26 * 60 * MINUTE_MS));
    nobody_is_lost(&desk, &notes, now)?;
    pages_are_explained(&desk, &notes)
}

/// The state machine agrees with the notes, and an emergency is told at once.
fn now_is_right(
    desk: &Desk<'_>,
    history: &[(Timestamp, Act)],
    noted: Noted,
    cause: usize,
    bare: bool,
    now: Timestamp,
) -> Result<(), TestCaseError> {
    let phase = desk.states[cause].as_ref().map(|it| it.phase);
    let open = phase == Some(Phase::Open);
    prop_assert_eq!(open, noted.open(), "{} {:?} {:?}", CAUSES[cause], phase, noted);
    let coming = matches!(phase, Some(Phase::Acknowledged { .. }));
    prop_assert_eq!(coming, noted.answered.is_some(), "{:?} {:?}", phase, noted);
    if !open {
        return Ok(());
    }
    let ledger = &desk.ledgers[cause];
    let severity = noted.stands.unwrap();
    let told = ledger.told.as_ref().filter(|it| !it.acknowledged);
    if severity == Emergency && !silenced(history, severity, now) {
        let spoiled = bare && cause == 0 && desk.states[2].as_ref().is_some_and(stands);
        let is_told = told.is_some_and(|it| it.severity == Emergency);
        prop_assert!(is_told || spoiled, "an emergency waits: {:?}", ledger);
    }
    // Whoever is not told yet is held for a named reason, and something will look again.
    if told.is_none_or(|it| it.severity < severity) {
        let woken = desk.dues[cause].is_some() || ledger.held == Some(HoldReason::Inhibited);
        prop_assert!(ledger.held.is_some() && woken, "lost: {:?}", ledger);
    }
    Ok(())
}

fn stands(state: &State) -> bool {
    matches!(state.phase, Phase::Open | Phase::Acknowledged { .. })
}

/// A day later, everything that is open and unanswered has called somebody since it opened, unless
/// what stands for it still does.
fn nobody_is_lost(desk: &Desk<'_>, notes: &Notes, end: Timestamp) -> Result<(), TestCaseError> {
    for cause in 0..CAUSES.len() {
        let noted = notes.at(end, cause);
        if !noted.open() {
            continue;
        }
        let called = desk.pages.iter().any(|it| {
            it.cause == cause
                && it.reason.calls()
                && notes.at(it.at, cause).opening == noted.opening
        });
        let stood_for = desk.ledgers[cause].held == Some(HoldReason::Inhibited)
            && (0..CAUSES.len())
                .any(|it| it != cause && desk.states[it].as_ref().is_some_and(stands));
        prop_assert!(called || stood_for, "{} was lost: {:?}", CAUSES[cause], desk.ledgers[cause]);
    }
    Ok(())
}

fn pages_are_explained(desk: &Desk<'_>, notes: &Notes) -> Result<(), TestCaseError> {
    let mut openings: BTreeMap<(usize, u32), u32> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    let mut numbers = [0_u32; 3];
    let mut last: [Option<&Paged>; 3] = [None; 3];
    for page in &desk.pages {
        let noted = notes.at(page.at, page.cause);
        numbers[page.cause] += 1;
        for receiver in &page.receivers {
            let id = delivery_id(CAUSES[page.cause], numbers[page.cause], receiver);
            prop_assert!(ids.insert(id), "one idempotency key for two pages");
        }
        prop_assert!(!page.receivers.is_empty(), "a page to nobody: {:?}", page);
        let before = last[page.cause].filter(|it| it.reason.calls());
        match page.reason {
            SendReason::First | SendReason::Reopened => {
                let n = openings.entry((page.cause, noted.opening)).or_default();
                *n += 1;
                prop_assert!(noted.open() && *n == 1, "an opening was paged {} times", n);
                prop_assert_eq!(before.is_some(), page.reason == SendReason::Reopened);
            }
            SendReason::Worsened => {
                prop_assert!(noted.open() && before.is_some(), "{:?}", page);
                let before = before.unwrap();
                if notes.at(before.at, page.cause).opening == noted.opening {
                    prop_assert!(before.severity < page.severity, "{:?}", page);
                } else {
                    // Worse than what was answered: a call of its own.
                    let n = openings.entry((page.cause, noted.opening)).or_default();
                    *n += 1;
                    prop_assert_eq!(*n, 1, "an opening was paged {} times", n);
                }
            }
            SendReason::Repeat | SendReason::Escalated => {
                prop_assert!(noted.open() && before.is_some(), "{:?}", page);
                prop_assert!(page.at > before.unwrap().at, "twice at once: {:?}", page);
            }
            SendReason::Resolved => {
                prop_assert!(!noted.open() && noted.answered.is_none() && before.is_some());
            }
            SendReason::Retracted => prop_assert!(false, "nothing came late"),
        }
        if page.reason == SendReason::Repeat {
            let route = desk.policy.route(Subject {
                severity: page.severity,
                cause: CAUSES[page.cause],
                unit: "",
                tags: &[],
            });
            let interval = route.unwrap().repeat_after_ms;
            prop_assert!(page.at.since_ms(before.unwrap().at) >= interval, "{:?}", page);
        }
        last[page.cause] = Some(page);
    }
    Ok(())
}

#[test]
fn ten_thousand_histories_lose_nothing_and_page_nothing_twice() {
    let policies = policies();
    let cases =
        ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(cases);
    runner
        .run(&(0..policies.len(), history()), |(place, history)| {
            check(&policies[place], place == 2, &history)
        })
        .unwrap();
}
