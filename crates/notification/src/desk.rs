//! One turn at the desk: an alert as it stands now, what was told, what the policy says; out come
//! the page, or why there is none, and when to look again.

use auscult_model::{Severity, Timestamp};

use crate::gate::Scene;
use crate::page::{Decision, Facing, HoldReason, Ledger, Rules, SendReason, decide};
use crate::policy::{BACKFILL_LIMIT_MS, Policy, repeat_after_ms};

/// A page to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Counts the pages of the alert from 1.
    pub number: u32,
    /// Why.
    pub reason: SendReason,
    /// Who.
    pub receivers: Vec<String>,
    /// Whether it may share a delivery with others about the patient.
    pub groups: bool,
    /// Whether it was put off to a time at which many come together.
    pub put_off: bool,
}

/// What comes of one look at an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// What receivers believe afterwards.
    pub ledger: Ledger,
    /// When to look again.
    pub due: Option<Timestamp>,
    /// A page that does not go out, and until when.
    pub held: Option<(HoldReason, Option<Timestamp>)>,
    /// A page that does.
    pub page: Option<Page>,
}

/// Looks at an alert. `moved` tells whether its transitions changed since the last look.
#[must_use]
pub fn turn(
    policy: Option<&Policy>,
    ledger: &Ledger,
    facing: Facing<'_>,
    scene: Scene<'_>,
    moved: bool,
    now: Timestamp,
) -> Turn {
    let seen = ledger.seen(facing.state, now);
    let rules = rules(policy, facing.state.map(|it| it.severity), scene, now);
    let decision = decide(rules, &seen, facing, scene, now);
    let page = match decision {
        Decision::Send(reason) => Some(Page {
            number: seen.pages.saturating_add(1),
            reason,
            receivers: receivers(policy, rules, &seen, reason, now),
            groups: rules.group_ms > 0,
            put_off: ledger.put_off.is_some() || ledger.held == Some(HoldReason::QuietHours),
        }),
        Decision::Hold(..) | Decision::Nothing => None,
    };
    let names: Vec<&str> = page.iter().flat_map(|it| &it.receivers).map(String::as_str).collect();
    let after = seen.after(decision, facing.state, &names, rules, now);
    let due = after.due(facing.state, rules);
    let held = match decision {
        Decision::Hold(reason, until) if moved || ledger.held != after.held => {
            Some((reason, until))
        }
        Decision::Hold(..) | Decision::Send(_) | Decision::Nothing => None,
    };
    Turn { ledger: after, due, held, page }
}

fn rules<'a>(
    policy: Option<&'a Policy>,
    severity: Option<Severity>,
    scene: Scene<'a>,
    now: Timestamp,
) -> Rules<'a> {
    let routed = policy.zip(severity).and_then(|(policy, severity)| {
        let routed = policy.route(crate::policy::Subject { severity, ..scene.subject })?;
        Some((policy.who(routed.receiver, now), routed))
    });
    let backfill_limit_ms = policy.map_or(BACKFILL_LIMIT_MS, |it| it.backfill_limit_ms);
    match routed {
        Some((receiver, routed)) => Rules {
            receiver: Some(receiver),
            delay_ms: routed.delay_ms,
            group_ms: routed.group_ms,
            repeat_after_ms: routed.repeat_after_ms,
            escalate: routed.escalate,
            backfill_limit_ms,
        },
        None => Rules {
            receiver: None,
            delay_ms: 0,
            group_ms: 0,
            repeat_after_ms: severity.map_or(i64::MAX, repeat_after_ms),
            escalate: &[],
            backfill_limit_ms,
        },
    }
}

/// Everybody a page goes to.
fn receivers(
    policy: Option<&Policy>,
    rules: Rules<'_>,
    ledger: &Ledger,
    reason: SendReason,
    now: Timestamp,
) -> Vec<String> {
    let told = ledger.told.as_ref();
    if !reason.calls() {
        return told.map(|it| it.receivers.clone()).unwrap_or_default();
    }
    let level = told.map_or(0, |it| it.level);
    let steps = rules.escalate.iter().map(|it| it.receiver.as_str());
    let mut names: Vec<&str> = match (reason, told) {
        (SendReason::Escalated, Some(told)) => {
            let reached = rules.level(told, now).saturating_sub(level);
            steps.skip(level).take(reached).collect()
        }
        (SendReason::Repeat, _) => rules.receiver.into_iter().chain(steps.take(level)).collect(),
        _ => rules.receiver.into_iter().collect(),
    };
    if let Some(policy) = policy {
        for name in &mut names {
            *name = policy.who(name, now);
        }
    }
    let mut found: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        if !found.iter().any(|it| it == name) {
            found.push(name.to_owned());
        }
    }
    found
}
