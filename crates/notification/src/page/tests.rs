use auscult_model::Severity::{Emergency, Urgent};

use super::*;

const NOW: i64 = 1_000_000_000;
const REPEAT_MS: i64 = 900_000;
const LIMIT_MS: i64 = 604_800_000;
const RULES: Rules<'static> =
    Rules { receiver: Some("ward"), repeat_after_ms: REPEAT_MS, backfill_limit_ms: LIMIT_MS };

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
    Some(Told { severity, at: at(NOW - ago_ms), acknowledged, receivers: vec!["ward".to_owned()] })
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
        (Some((Phase::Open, Urgent)),     None,                          LIMIT_MS + 1, false, Hold(HoldReason::Backfill)),
        (Some((Phase::Open, Emergency)),  told(Urgent, 1, false),        0,            false, Send(SendReason::Worsened)),
        (Some((Phase::Open, Emergency)),  told(Urgent, 1, true),         0,            false, Send(SendReason::Worsened)),
        (Some((Phase::Open, Emergency)),  told(Urgent, 1, false),        LIMIT_MS + 1, false, Hold(HoldReason::Backfill)),
        (Some((Phase::Open, Urgent)),     told(Emergency, 1, false),     0,            false, Hold(HoldReason::AlreadySent)),
        (Some((Phase::Open, Urgent)),     told(Urgent, 0, false),        0,            false, Hold(HoldReason::AlreadySent)),
        (Some((Phase::Open, Urgent)),     told(Urgent, REPEAT_MS - 1, false), 0,       false, Hold(HoldReason::AlreadySent)),
        (Some((Phase::Open, Urgent)),     told(Urgent, REPEAT_MS, false), 0,           false, Send(SendReason::Repeat)),
        (Some((Phase::Open, Urgent)),     told(Urgent, REPEAT_MS, false), LIMIT_MS + 1, false, Send(SendReason::Repeat)),
        (Some((Phase::Open, Urgent)),     told(Urgent, 1, true),         0,            false, Send(SendReason::Reopened)),
        (Some((ACKNOWLEDGED, Urgent)),    told(Urgent, REPEAT_MS, true), 0,            false, Nothing),
        (Some((ACKNOWLEDGED, Urgent)),    told(Emergency, REPEAT_MS, true), 0,         false, Hold(HoldReason::Acknowledged)),
        (Some((ACKNOWLEDGED, Urgent)),    None,                          0,            false, Nothing),
        (Some((Phase::Resolved, Urgent)), told(Urgent, 1, false),        0,            false, Send(SendReason::Resolved)),
        (Some((Phase::Resolved, Urgent)), None,                          0,            true,  Hold(HoldReason::AlreadyResolved)),
        (Some((Phase::Resolved, Urgent)), None,                          0,            false, Nothing),
        (Some((DISMISSED, Urgent)),       told(Urgent, 1, true),         0,            false, Send(SendReason::Resolved)),
        (Some((DISMISSED, Urgent)),       None,                          0,            false, Nothing),
        (None,                            told(Urgent, 1, false),        0,            false, Send(SendReason::Retracted)),
        (None,                            None,                          0,            true,  Nothing),
    ];
    for (alert, told, age_ms, passing, want) in rows {
        let state = alert.map(|(phase, severity)| state(phase, severity));
        let facing = Facing { state: state.as_ref(), evidence: at(NOW - age_ms), passing };
        let got = decide(RULES, told.as_ref(), facing, at(NOW));
        assert_eq!(got, want, "{alert:?} {told:?} {age_ms} {passing}");
    }
}

#[test]
fn without_a_receiver_an_open_alert_is_held_and_nothing_else_changes() {
    let rules = Rules { receiver: None, ..RULES };
    let open = state(Phase::Open, Urgent);
    let facing = Facing { state: Some(&open), evidence: at(NOW), passing: false };
    let decision = decide(rules, None, facing, at(NOW));
    assert_eq!(decision, Decision::Hold(HoldReason::NoReceiver));
    let ledger = Ledger::default().after(decision, Some(&open), None, at(NOW));
    assert_eq!(ledger, Ledger { held: Some(HoldReason::NoReceiver), ..Ledger::default() });
    assert_eq!(ledger.due(Some(&open), REPEAT_MS), None);
}

#[test]
fn the_ledger_names_everybody_who_must_hear_of_the_end() {
    let urgent = state(Phase::Open, Urgent);
    let emergency = state(Phase::Open, Emergency);
    let send = Decision::Send;
    let ledger = Ledger::default()
        .after(send(SendReason::First), Some(&urgent), Some("ward"), at(NOW))
        .after(send(SendReason::Worsened), Some(&emergency), Some("doctor"), at(NOW + 1))
        .after(send(SendReason::Repeat), Some(&emergency), Some("doctor"), at(NOW + 2));
    assert_eq!(ledger.pages, 3);
    assert_eq!(ledger.told.as_ref().unwrap().receivers, ["ward", "doctor"]);
    assert_eq!(ledger.due(Some(&emergency), REPEAT_MS), Some(at(NOW + 2 + REPEAT_MS)));
    let resolved = state(Phase::Resolved, Emergency);
    let ledger = ledger.after(send(SendReason::Resolved), Some(&resolved), None, at(NOW + 3));
    assert_eq!(ledger, Ledger { pages: 4, told: None, held: None });
}

#[test]
fn an_acknowledgement_ends_the_repeats_and_covers_what_was_seen() {
    let open = state(Phase::Open, Urgent);
    let coming = state(Phase::Acknowledged { covers: Emergency }, Urgent);
    let ledger = Ledger::default()
        .after(Decision::Send(SendReason::First), Some(&open), Some("ward"), at(NOW))
        .after(Decision::Nothing, Some(&coming), Some("ward"), at(NOW));
    assert_eq!(ledger.due(Some(&coming), REPEAT_MS), None);
    let told = ledger.told.unwrap();
    assert!(told.acknowledged);
    assert_eq!(told.severity, Emergency);
}
