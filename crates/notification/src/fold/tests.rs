use auscult_model::Severity::{Emergency, Technical, Urgent};

use super::*;

const PERSON_AT: i64 = 50;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(ms)
}

fn state(phase: Phase, severity: Severity) -> State {
    State {
        phase,
        severity,
        opened: at(10),
        assigned: None,
        assessment: "a10".to_owned(),
        effective: at(10),
        value: Some(7),
        band: None,
    }
}

fn data(ms: i64, verdict: Verdict) -> Observed {
    Observed {
        effective: at(ms),
        assessment: format!("a{ms}"),
        verdict,
        value: Some(3),
        band: None,
    }
}

fn above(severity: Severity) -> Verdict {
    Verdict::Above { severity, exact: true }
}

fn at_least(severity: Severity) -> Verdict {
    Verdict::Above { severity, exact: false }
}

fn person(kind: AnswerKind, ms: i64, severity: Severity, seen: i64) -> Answer {
    Answer {
        id: format!("p{ms}"),
        at: at(ms),
        kind,
        by: "nurse".to_owned(),
        comment: None,
        severity,
        seen: at(seen),
        dismissal_ms: DISMISSAL_MS,
    }
}

const ACKNOWLEDGED: Phase = Phase::Acknowledged { covers: Urgent };
const DISMISSED: Phase = Phase::Dismissed { covers: Urgent, until: Timestamp::from_unix_ms(1_000) };

#[test]
fn every_phase_answers_every_verdict() {
    use Verdict::{Below, NotApplicable, Unknown};
    #[rustfmt::skip]
    let rows = [
        // phase, severity before,         verdict,             want: phase and severity, opened at
        (None,                             above(Urgent),       Some((Phase::Open, Urgent, 20))),
        (None,                             at_least(Urgent),    Some((Phase::Open, Urgent, 20))),
        (None,                             Below,               None),
        (None,                             NotApplicable,       None),
        (None,                             Unknown,             None),
        (Some((Phase::Open, Urgent)),      above(Emergency),    Some((Phase::Open, Emergency, 10))),
        (Some((Phase::Open, Urgent)),      at_least(Emergency), Some((Phase::Open, Emergency, 10))),
        (Some((Phase::Open, Urgent)),      above(Urgent),       None),
        (Some((Phase::Open, Urgent)),      above(Technical),    Some((Phase::Open, Technical, 10))),
        (Some((Phase::Open, Urgent)),      at_least(Technical), None),
        (Some((Phase::Open, Urgent)),      Below,               Some((Phase::Resolved, Urgent, 10))),
        (Some((Phase::Open, Urgent)),      NotApplicable,       Some((Phase::Resolved, Urgent, 10))),
        (Some((Phase::Open, Urgent)),      Unknown,             None),
        (Some((ACKNOWLEDGED, Urgent)),     above(Emergency),    Some((Phase::Open, Emergency, 10))),
        (Some((ACKNOWLEDGED, Urgent)),     at_least(Emergency), Some((Phase::Open, Emergency, 10))),
        (Some((ACKNOWLEDGED, Urgent)),     above(Urgent),       None),
        (Some((ACKNOWLEDGED, Urgent)),     above(Technical),    Some((ACKNOWLEDGED, Technical, 10))),
        (Some((ACKNOWLEDGED, Technical)),  above(Urgent),       Some((ACKNOWLEDGED, Urgent, 10))),
        (Some((ACKNOWLEDGED, Urgent)),     at_least(Technical), None),
        (Some((ACKNOWLEDGED, Urgent)),     Below,               Some((Phase::Resolved, Urgent, 10))),
        (Some((ACKNOWLEDGED, Urgent)),     NotApplicable,       Some((Phase::Resolved, Urgent, 10))),
        (Some((ACKNOWLEDGED, Urgent)),     Unknown,             None),
        (Some((Phase::Resolved, Urgent)),  above(Technical),    Some((Phase::Open, Technical, 20))),
        (Some((Phase::Resolved, Urgent)),  at_least(Urgent),    Some((Phase::Open, Urgent, 20))),
        (Some((Phase::Resolved, Urgent)),  Below,               None),
        (Some((Phase::Resolved, Urgent)),  NotApplicable,       None),
        (Some((Phase::Resolved, Urgent)),  Unknown,             None),
        (Some((DISMISSED, Urgent)),        above(Emergency),    Some((Phase::Open, Emergency, 20))),
        (Some((DISMISSED, Urgent)),        above(Urgent),       None),
        (Some((DISMISSED, Urgent)),        Below,               Some((Phase::Resolved, Urgent, 10))),
        (Some((DISMISSED, Urgent)),        NotApplicable,       Some((Phase::Resolved, Urgent, 10))),
        (Some((DISMISSED, Urgent)),        Unknown,             None),
    ];
    for (before, verdict, want) in rows {
        let before = before.map(|(phase, severity)| state(phase, severity));
        let after = after_data(before.as_ref(), &data(20, verdict));
        let got = after.map(|it| (it.phase, it.severity, it.opened.unix_ms()));
        assert_eq!(got, want, "{before:?} {verdict:?}");
    }
}

#[test]
fn a_dismissed_cause_that_stays_comes_back_after_its_time() {
    let dismissed = state(DISMISSED, Urgent);
    for (ms, want) in [(999, None), (1_000, Some(Phase::Open))] {
        let after = after_data(Some(&dismissed), &data(ms, above(Urgent)));
        assert_eq!(after.map(|it| it.phase), want, "{ms}");
    }
}

#[test]
fn every_phase_takes_every_answer() {
    use AnswerKind::{Acknowledge, Assign, Comment, Resolve};
    let covers = Phase::Acknowledged { covers: Urgent };
    let gone = Phase::Dismissed { covers: Urgent, until: at(PERSON_AT + DISMISSAL_MS) };
    let assign = || Assign { to: "dr".to_owned() };
    #[rustfmt::skip]
    let rows = [
        // phase,          answer,      severity seen, seen until, want
        (Phase::Open,      Acknowledge, Urgent,        10,         Some(covers)),
        (Phase::Open,      Acknowledge, Technical,     10,         None),
        (Phase::Open,      Acknowledge, Urgent,        9,          None),
        (Phase::Open,      Resolve,     Urgent,        10,         Some(gone)),
        (Phase::Open,      Resolve,     Technical,     10,         None),
        (Phase::Open,      assign(),    Technical,     0,          Some(Phase::Open)),
        (Phase::Open,      Comment,     Technical,     0,          Some(Phase::Open)),
        (ACKNOWLEDGED,     Acknowledge, Urgent,        10,         None),
        (ACKNOWLEDGED,     Resolve,     Urgent,        10,         Some(gone)),
        (ACKNOWLEDGED,     assign(),    Urgent,        10,         Some(ACKNOWLEDGED)),
        (ACKNOWLEDGED,     Comment,     Urgent,        10,         Some(ACKNOWLEDGED)),
        (Phase::Resolved,  Acknowledge, Urgent,        10,         None),
        (Phase::Resolved,  Resolve,     Urgent,        10,         None),
        (Phase::Resolved,  assign(),    Urgent,        10,         Some(Phase::Resolved)),
        (Phase::Resolved,  Comment,     Urgent,        10,         Some(Phase::Resolved)),
        (DISMISSED,        Acknowledge, Urgent,        10,         None),
        (DISMISSED,        Resolve,     Urgent,        10,         None),
        (DISMISSED,        assign(),    Urgent,        10,         Some(DISMISSED)),
        (DISMISSED,        Comment,     Urgent,        10,         Some(DISMISSED)),
    ];
    for (phase, kind, severity, seen, want) in rows {
        let before = state(phase, Urgent);
        let answer = person(kind, PERSON_AT, severity, seen);
        let after = after_answer(Some(&before), &answer);
        assert_eq!(after.map(|it| it.phase), want, "{phase:?} {answer:?}");
        assert_eq!(after_answer(None, &answer), None);
    }
}

#[test]
fn an_episode_is_told_in_full() {
    let items = vec![
        Item::Data(data(40, Verdict::Below)),
        Item::Person(person(AnswerKind::Acknowledge, 25, Urgent, 20)),
        Item::Data(data(30, above(Emergency))),
        Item::Data(data(20, above(Urgent))),
        Item::Data(data(20, above(Urgent))),
        Item::Data(data(10, Verdict::Below)),
        Item::Data(data(35, Verdict::Unknown)),
    ];
    let told: Vec<String> = fold(None, items)
        .into_iter()
        .map(|it| it.transition)
        .map(|it| {
            let from = it.from.map_or("none", AlertStatus::as_str);
            format!("{} {from} → {} by {}: {}", it.at.unix_ms(), it.to.as_str(), it.by, it.why)
        })
        .collect();
    assert_eq!(
        told,
        [
            "20 none → open by auscult: score 3: urgent",
            "25 open → acknowledged by nurse: acknowledged",
            "30 acknowledged → open by auscult: score 3: emergency",
            "40 open → resolved by auscult: score 3: below every threshold",
        ]
    );
}

#[test]
fn late_data_under_an_answer_is_not_covered_by_it() {
    // Acknowledged at 25 having seen urgent; at 22 it had been an emergency already.
    let items = vec![
        Item::Data(data(20, above(Urgent))),
        Item::Person(person(AnswerKind::Acknowledge, 25, Urgent, 20)),
        Item::Data(data(22, above(Emergency))),
    ];
    let last = fold(None, items).pop().unwrap();
    assert_eq!((last.state.phase, last.state.severity), (Phase::Open, Emergency));
}

#[test]
fn a_verdict_reads_status_and_severity() {
    use AssessmentStatus::{Complete, Failed, Incomplete, NotApplicable};
    let rows = [
        (Complete, Some(Urgent), above(Urgent)),
        (Complete, None, Verdict::Below),
        (Incomplete, Some(Urgent), at_least(Urgent)),
        (Incomplete, None, Verdict::Unknown),
        (Failed, Some(Urgent), at_least(Urgent)),
        (Failed, None, Verdict::Unknown),
        (NotApplicable, Some(Urgent), Verdict::NotApplicable),
        (NotApplicable, None, Verdict::NotApplicable),
    ];
    for (status, severity, want) in rows {
        assert_eq!(Verdict::of(status, severity), want);
    }
}

#[test]
fn what_was_acknowledged_counts_as_new_once_it_was_better_for_long() {
    let covers = Phase::Acknowledged { covers: Emergency };
    let better = state(covers, Urgent);
    for (ms, want) in [(10 + IMPROVED_MS - 1, covers), (10 + IMPROVED_MS, Phase::Open)] {
        let after = after_data(Some(&better), &data(ms, above(Emergency)));
        assert_eq!(after.map(|it| it.phase), Some(want), "{ms}");
    }
}

#[test]
fn a_dismissal_holds_as_long_as_the_policy_said_when_it_was_given() {
    let mut answer = person(AnswerKind::Resolve, PERSON_AT, Urgent, 10);
    answer.dismissal_ms = 7;
    let after = after_answer(Some(&state(Phase::Open, Urgent)), &answer);
    let want = Phase::Dismissed { covers: Urgent, until: at(PERSON_AT + 7) };
    assert_eq!(after.map(|it| it.phase), Some(want));
}
