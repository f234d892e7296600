use auscult_model::Severity::{Emergency, Urgent};

use super::*;
use crate::policy::Subject;

const NOW: i64 = 1_000_000_000;
const REPEAT_MS: i64 = 900_000;
const LIMIT_MS: i64 = 604_800_000;
const RULES: Rules<'static> = Rules {
    receiver: Some("ward"),
    delay_ms: 0,
    group_ms: 0,
    repeat_after_ms: REPEAT_MS,
    escalate: &[],
    backfill_limit_ms: LIMIT_MS,
};

/// Nothing around it holds anything back.
fn scene(severity: Severity) -> Scene<'static> {
    let subject = Subject { severity, cause: "news2", unit: "", tags: &[] };
    Scene {
        alert: "a",
        patient: "p",
        subject,
        noise: None,
        silences: &[],
        standing: &[],
        last_call: None,
        spent: 0,
    }
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(ms)
}

fn state(phase: Phase, severity: Severity) -> State {
    State {
        phase,
        severity,
        opened: at(NOW),
        assigned: None,
        assessment: "a".to_owned(),
        effective: at(NOW),
        value: None,
        band: None,
    }
}

fn told(severity: Severity, ago_ms: i64, acknowledged: bool) -> Option<Told> {
    Some(Told {
        severity,
        at: at(NOW - ago_ms),
        acknowledged,
        receivers: vec!["ward".to_owned()],
        first: Some(at(NOW - ago_ms)),
        level: 0,
    })
}

#[test]
fn a_page_goes_out_for_a_reason_or_is_held_for_one() {
    use Decision::{Hold, Nothing, Send};
    const ACKNOWLEDGED: Phase = Phase::Acknowledged { covers: Severity::Emergency };
    const DISMISSED: Phase =
        Phase::Dismissed { covers: Severity::Emergency, until: Timestamp::from_unix_ms(0) };
    #[rustfmt::skip]
    let rows = [
        // alert,                         told: what, ms ago, answered   evidence's age, passing, want
        (Some((Phase::Open, Urgent)),     None,                          0,            false, Send(SendReason::First)),
        (Some((Phase::Open, Urgent)),     None,                          LIMIT_MS,     false, Send(SendReason::First)),
        (Some((Phase::Open, Urgent)),     None,                          LIMIT_MS + 1, false, Hold(HoldReason::Backfill, None)),
        (Some((Phase::Open, Emergency)),  told(Urgent, 1, false),        0,            false, Send(SendReason::Worsened)),
        (Some((Phase::Open, Emergency)),  told(Urgent, 1, true),         0,            false, Send(SendReason::Worsened)),
        (Some((Phase::Open, Emergency)),  told(Urgent, 1, false),        LIMIT_MS + 1, false, Hold(HoldReason::Backfill, None)),
        (Some((Phase::Open, Urgent)),     told(Emergency, 1, false),     0,            false, Hold(HoldReason::AlreadySent, None)),
        (Some((Phase::Open, Urgent)),     told(Urgent, 0, false),        0,            false, Hold(HoldReason::AlreadySent, None)),
        (Some((Phase::Open, Urgent)),     told(Urgent, REPEAT_MS - 1, false), 0,       false, Hold(HoldReason::AlreadySent, None)),
        (Some((Phase::Open, Urgent)),     told(Urgent, REPEAT_MS, false), 0,           false, Send(SendReason::Repeat)),
        (Some((Phase::Open, Urgent)),     told(Urgent, REPEAT_MS, false), LIMIT_MS + 1, false, Send(SendReason::Repeat)),
        (Some((Phase::Open, Urgent)),     told(Urgent, 1, true),         0,            false, Send(SendReason::Reopened)),
        (Some((ACKNOWLEDGED, Urgent)),    told(Urgent, REPEAT_MS, true), 0,            false, Nothing),
        (Some((ACKNOWLEDGED, Urgent)),    told(Emergency, REPEAT_MS, true), 0,         false, Hold(HoldReason::Acknowledged, None)),
        (Some((ACKNOWLEDGED, Urgent)),    None,                          0,            false, Nothing),
        (Some((Phase::Resolved, Urgent)), told(Urgent, 1, false),        0,            false, Send(SendReason::Resolved)),
        (Some((Phase::Resolved, Urgent)), None,                          0,            true,  Hold(HoldReason::AlreadyResolved, None)),
        (Some((Phase::Resolved, Urgent)), None,                          0,            false, Nothing),
        (Some((DISMISSED, Urgent)),       told(Urgent, 1, true),         0,            false, Send(SendReason::Resolved)),
        (Some((DISMISSED, Urgent)),       None,                          0,            false, Nothing),
        (None,                            told(Urgent, 1, false),        0,            false, Send(SendReason::Retracted)),
        (None,                            None,                          0,            true,  Nothing),
    ];
    for (alert, told, age_ms, passing, want) in rows {
        let state = alert.map(|(phase, severity)| state(phase, severity));
        let facing = Facing { state: state.as_ref(), evidence: at(NOW - age_ms), passing };
        let ledger = Ledger { told, ..Ledger::default() };
        let severity = state.as_ref().map_or(Urgent, |it| it.severity);
        let got = decide(RULES, &ledger, facing, scene(severity), at(NOW));
        assert_eq!(got, want, "{alert:?} {ledger:?} {age_ms} {passing}");
    }
}

#[test]
fn without_a_receiver_an_open_alert_is_held_and_nothing_else_changes() {
    let rules = Rules { receiver: None, ..RULES };
    let open = state(Phase::Open, Urgent);
    let facing = Facing { state: Some(&open), evidence: at(NOW), passing: false };
    let decision = decide(rules, &Ledger::default(), facing, scene(Urgent), at(NOW));
    assert_eq!(decision, Decision::Hold(HoldReason::NoReceiver, None));
    let ledger = Ledger::default().after(decision, Some(&open), &[], rules, at(NOW));
    assert_eq!(ledger, Ledger { held: Some(HoldReason::NoReceiver), ..Ledger::default() });
    assert_eq!(ledger.due(Some(&open), RULES), None);
}

#[test]
fn the_ledger_names_everybody_who_must_hear_of_the_end() {
    let urgent = state(Phase::Open, Urgent);
    let emergency = state(Phase::Open, Emergency);
    let send = Decision::Send;
    let ledger = Ledger::default()
        .after(send(SendReason::First), Some(&urgent), &["ward"], RULES, at(NOW))
        .after(send(SendReason::Worsened), Some(&emergency), &["doctor"], RULES, at(NOW + 1))
        .after(send(SendReason::Repeat), Some(&emergency), &["doctor"], RULES, at(NOW + 2));
    assert_eq!(ledger.pages, 3);
    assert_eq!(ledger.told.as_ref().unwrap().receivers, ["ward", "doctor"]);
    assert_eq!(ledger.due(Some(&emergency), RULES), Some(at(NOW + 2 + REPEAT_MS)));
    let resolved = state(Phase::Resolved, Emergency);
    let ledger = ledger.after(send(SendReason::Resolved), Some(&resolved), &[], RULES, at(NOW + 3));
    assert_eq!(ledger, Ledger { pages: 4, ..Ledger::default() });
}

#[test]
fn an_acknowledgement_ends_the_repeats_and_covers_what_was_seen() {
    let open = state(Phase::Open, Urgent);
    let coming = state(Phase::Acknowledged { covers: Emergency }, Urgent);
    let ledger = Ledger::default()
        .after(Decision::Send(SendReason::First), Some(&open), &["ward"], RULES, at(NOW))
        .after(Decision::Nothing, Some(&coming), &["ward"], RULES, at(NOW));
    assert_eq!(ledger.due(Some(&coming), RULES), None);
    let told = ledger.told.unwrap();
    assert!(told.acknowledged);
    assert_eq!(told.severity, Emergency);
}

#[test]
fn each_step_of_a_chain_is_called_once_and_on_time() {
    let chain = ["doctor", "head"].map(str::to_owned);
    let steps: Vec<Escalation> = (1..)
        .zip(chain)
        .map(|(n, receiver)| Escalation { after_ms: n * 1_000, receiver })
        .collect();
    let rules = Rules { escalate: &steps, ..RULES };
    let open = state(Phase::Open, Emergency);
    let facing = Facing { state: Some(&open), evidence: at(NOW), passing: false };
    let mut ledger = Ledger::default();
    let mut pages = Vec::new();
    for ms in (0..4_000).step_by(250) {
        let decision = decide(rules, &ledger, facing, scene(Emergency), at(NOW + ms));
        ledger = ledger.after(decision, Some(&open), &["x"], rules, at(NOW + ms));
        if let Decision::Send(reason) = decision {
            pages.push((ms, reason, ledger.due(Some(&open), rules).map(|it| it.unix_ms() - NOW)));
        }
    }
    let want = [
        (0, SendReason::First, Some(1_000)),
        (1_000, SendReason::Escalated, Some(2_000)),
        (2_000, SendReason::Escalated, Some(2_000 + REPEAT_MS)),
    ];
    assert_eq!(pages, want);
}
