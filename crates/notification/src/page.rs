//! Who is told, and when: the decision, and what receivers have been told so far.

use auscult_model::{Severity, Timestamp};
use serde::{Deserialize, Serialize};

use crate::fold::{Phase, State};
use crate::gate::{self, Scene};
use crate::policy::{Escalation, OPENINGS_MAX};

/// What receivers believe right now. Absent while they believe that nothing is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The worst severity they were paged with, or that a person acknowledged.
    pub severity: Severity,
    /// When the last page was made, in clock time.
    pub at: Timestamp,
    /// Whether somebody said they are coming since.
    pub acknowledged: bool,
    /// Everybody who was paged and must hear of the end.
    pub receivers: Vec<String>,
    /// When the call that nobody answered yet first went out: escalation counts from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Timestamp>,
    /// Steps of the escalation chain taken since.
    #[serde(default)]
    pub level: usize,
}

/// What an alert remembers about its pages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Pages made so far; names the next one, so that a retry never makes a second.
    pub pages: u32,
    /// What receivers believe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
    /// Why a call about an open alert is held, while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HoldReason>,
    /// Until when, if a clock can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
    /// Until when it was first put off for the budget: it is not put off again after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub put_off: Option<Timestamp>,
    /// Since when it is open in clock time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When it last opened, in clock time, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub openings: Vec<Timestamp>,
}

/// What the policy says for this alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules<'a> {
    /// Who is to be paged; `None` without a policy.
    pub receiver: Option<&'a str>,
    /// How long the cause must stand before it is paged.
    pub delay_ms: i64,
    /// How long pages about one patient are gathered.
    pub group_ms: i64,
    /// A page goes out again after this long without an answer.
    pub repeat_after_ms: i64,
    /// Who comes next while nobody answers.
    pub escalate: &'a [Escalation],
    /// Assessments older than this page nobody.
    pub backfill_limit_ms: i64,
}

impl Rules<'_> {
    /// How many steps of the chain have come by now.
    pub(crate) fn level(&self, told: &Told, now: Timestamp) -> usize {
        let Some(first) = told.first else { return told.level };
        self.escalate.iter().take_while(|it| now.since_ms(first) >= it.after_ms).count()
    }
}

/// The alert as the decision sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facing<'a> {
    /// `None` when data shows that there never was an alert.
    pub state: Option<&'a State>,
    /// Event time of the newest assessment that speaks for the alert.
    pub evidence: Timestamp,
    /// Whether it opened and went away again within what is being decided now.
    pub passing: bool,
}

/// Why a page goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SendReason {
    /// Nobody knew.
    First,
    /// Worse than what was told.
    Worsened,
    /// Somebody was coming; the cause went away and came back, or late data took the answer's ground.
    Reopened,
    /// Nobody answered.
    Repeat,
    /// Nobody answered, and the next in the chain is called.
    Escalated,
    /// It is over.
    Resolved,
    /// It never was.
    Retracted,
}

impl SendReason {
    /// The `type` of the webhook.
    #[must_use]
    pub const fn event(self) -> &'static str {
        match self {
            Self::First => "alert.opened",
            Self::Worsened => "alert.worsened",
            Self::Reopened => "alert.reopened",
            Self::Repeat => "alert.repeated",
            Self::Escalated => "alert.escalated",
            Self::Resolved => "alert.resolved",
            Self::Retracted => "alert.retracted",
        }
    }

    /// Stable code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Worsened => "worsened",
            Self::Reopened => "reopened",
            Self::Repeat => "repeat",
            Self::Escalated => "escalated",
            Self::Resolved => "resolved",
            Self::Retracted => "retracted",
        }
    }

    /// Whether it calls somebody, rather than calling it off.
    #[must_use]
    pub const fn calls(self) -> bool {
        match self {
            Self::First | Self::Worsened | Self::Reopened | Self::Repeat | Self::Escalated => true,
            Self::Resolved | Self::Retracted => false,
        }
    }
}

/// Why a page is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldReason {
    /// The assessments are older than the backfill limit.
    Backfill,
    /// Somebody is coming.
    Acknowledged,
    /// Told already, and the repeat is not due.
    AlreadySent,
    /// It was over before anybody could be told.
    AlreadyResolved,
    /// No policy names anybody.
    NoReceiver,
    /// The cause has not stood long enough.
    Delay,
    /// A person silenced it.
    Silenced,
    /// Something that stands for it is told already.
    Inhibited,
    /// It comes and goes.
    Flapping,
    /// It can wait till morning.
    QuietHours,
    /// The unit had its pages for this shift.
    Budget,
    /// It joins the next page about the patient.
    Grouped,
}

impl HoldReason {
    /// Stable code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backfill => "backfill",
            Self::Acknowledged => "acknowledged",
            Self::AlreadySent => "already-sent",
            Self::AlreadyResolved => "already-resolved",
            Self::NoReceiver => "no-receiver",
            Self::Delay => "delay",
            Self::Silenced => "silenced",
            Self::Inhibited => "inhibited",
            Self::Flapping => "flapping",
            Self::QuietHours => "quiet-hours",
            Self::Budget => "budget",
            Self::Grouped => "grouped",
        }
    }

    /// For people.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Backfill => "the assessments are older than the backfill limit of the policy",
            Self::Acknowledged => "somebody acknowledged this severity and is coming",
            Self::AlreadySent => "receivers were paged and the repeat is not due",
            Self::AlreadyResolved => "the cause was gone before a page could go out",
            Self::NoReceiver => "no policy names a receiver",
            Self::Delay => "the cause has not stood for the delay of its route",
            Self::Silenced => "a person silenced it",
            Self::Inhibited => "another alert of the patient stands for it",
            Self::Flapping => "it comes and goes; paged once it stands",
            Self::QuietHours => "its class waits for the end of the quiet hours",
            Self::Budget => "the unit had its pages for this shift; it comes in the digest",
            Self::Grouped => "it joins the next page about the patient",
        }
    }
}

/// Whether somebody is told now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A page goes out.
    Send(SendReason),
    /// A page would have gone out, and does not; a clock may know until when.
    Hold(HoldReason, Option<Timestamp>),
    /// There is nothing to say.
    Nothing,
}

/// Decides whether somebody is told about the alert now.
#[must_use]
pub fn decide(
    rules: Rules<'_>,
    ledger: &Ledger,
    facing: Facing<'_>,
    scene: Scene<'_>,
    now: Timestamp,
) -> Decision {
    use Decision::{Hold, Nothing, Send};
    let told = ledger.told.as_ref();
    let Some(state) = facing.state else {
        return told.map_or(Nothing, |_| Send(SendReason::Retracted));
    };
    match (state.phase, told) {
        (Phase::Open, _) => open(rules, ledger, state, facing.evidence, scene, now),
        (Phase::Acknowledged { .. }, Some(told)) if told.severity != state.severity => {
            Hold(HoldReason::Acknowledged, None)
        }
        (Phase::Acknowledged { .. }, _) => Nothing,
        (Phase::Resolved | Phase::Dismissed { .. }, Some(_)) => Send(SendReason::Resolved),
        (Phase::Resolved | Phase::Dismissed { .. }, None) if facing.passing => {
            Hold(HoldReason::AlreadyResolved, None)
        }
        (Phase::Resolved | Phase::Dismissed { .. }, None) => Nothing,
    }
}

fn open(
    rules: Rules<'_>,
    ledger: &Ledger,
    state: &State,
    evidence: Timestamp,
    scene: Scene<'_>,
    now: Timestamp,
) -> Decision {
    let reason = match &ledger.told {
        None => SendReason::First,
        Some(told) if state.severity > told.severity => SendReason::Worsened,
        Some(told) if told.acknowledged => SendReason::Reopened,
        Some(told) if rules.level(told, now) > told.level => SendReason::Escalated,
        Some(told) if now.since_ms(told.at) >= rules.repeat_after_ms => SendReason::Repeat,
        Some(_) => return Decision::Hold(HoldReason::AlreadySent, None),
    };
    if rules.receiver.is_none() {
        return Decision::Hold(HoldReason::NoReceiver, None);
    }
    // A repeat is about silence, not about data: it goes on when the monitor has gone quiet.
    let again = matches!(reason, SendReason::Repeat | SendReason::Escalated);
    if !again && now.since_ms(evidence) > rules.backfill_limit_ms {
        return Decision::Hold(HoldReason::Backfill, None);
    }
    let standing = ledger.since.map_or(state.opened, |it| it.min(state.opened));
    let put_off = ledger.put_off.is_some_and(|it| it <= now);
    let call = gate::Call { reason, standing, openings: &ledger.openings, put_off };
    match gate::gate(rules, call, scene, now) {
        Some((reason, until)) => Decision::Hold(reason, until),
        None => Decision::Send(reason),
    }
}

impl Ledger {
    /// The ledger once it is known that the alert stands as `state` says, before anything is decided.
    #[must_use]
    pub fn seen(&self, state: Option<&State>, now: Timestamp) -> Self {
        let open = state.is_some_and(|it| it.phase == Phase::Open);
        let mut next = self.clone();
        match (open, self.since) {
            (true, None) => {
                next.since = Some(now);
                next.openings.push(now);
                let more = next.openings.len().saturating_sub(OPENINGS_MAX as usize);
                next.openings.drain(..more);
            }
            (false, Some(_)) => {
                next.since = None;
                next.put_off = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
        next
    }

    /// The ledger after `decision` about `state` has been acted on at `now`.
    #[must_use]
    pub fn after(
        &self,
        decision: Decision,
        state: Option<&State>,
        receivers: &[&str],
        rules: Rules<'_>,
        now: Timestamp,
    ) -> Self {
        let mut next = Self { held: None, held_until: None, ..self.clone() };
        match decision {
            Decision::Send(reason) => {
                next.pages = self.pages.saturating_add(1);
                next.put_off = None;
                next.told = match state {
                    Some(state) if reason.calls() => {
                        Some(self.paged(reason, state, receivers, rules, now))
                    }
                    _ => None,
                };
            }
            Decision::Hold(
                HoldReason::Acknowledged | HoldReason::AlreadySent | HoldReason::AlreadyResolved,
                _,
            )
            | Decision::Nothing => {}
            Decision::Hold(reason, until) => {
                next.held = Some(reason);
                next.held_until = until;
                if reason == HoldReason::Budget {
                    next.put_off = self.put_off.or(until);
                }
            }
        }
        if let (Some(told), Some(State { phase: Phase::Acknowledged { covers }, .. })) =
            (&mut next.told, state)
        {
            told.acknowledged = true;
            told.severity = *covers;
        }
        next
    }

    fn paged(
        &self,
        reason: SendReason,
        state: &State,
        receivers: &[&str],
        rules: Rules<'_>,
        now: Timestamp,
    ) -> Told {
        let before = self.told.as_ref();
        let mut names = before.map(|it| it.receivers.clone()).unwrap_or_default();
        for name in receivers {
            if !names.iter().any(|it| it == name) {
                names.push((*name).to_owned());
            }
        }
        // A new call starts the chain again; a repeat is part of the old one.
        let (first, level) = match (reason, before) {
            (SendReason::Repeat, Some(told)) => (told.first, told.level),
            (SendReason::Escalated, Some(told)) => (told.first, rules.level(told, now)),
            _ => (Some(now), 0),
        };
        Told {
            severity: state.severity,
            at: now,
            acknowledged: false,
            receivers: names,
            first,
            level,
        }
    }

    /// When a clock has to look at the alert again, if nothing else happens.
    #[must_use]
    pub fn due(&self, state: Option<&State>, rules: Rules<'_>) -> Option<Timestamp> {
        let open = state.is_some_and(|it| it.phase == Phase::Open);
        if !open {
            return None;
        }
        if self.held.is_some() {
            return self.held_until;
        }
        let told = self.told.as_ref()?;
        let repeat = told.at.plus_ms(rules.repeat_after_ms);
        let step = rules.escalate.get(told.level).zip(told.first);
        let step = step.map(|(it, first)| first.plus_ms(it.after_ms));
        Some(step.map_or(repeat, |it| it.min(repeat)))
    }

    /// Whether an assessment that changes nothing may still make a page: an open alert nobody was
    /// told of, because all that spoke for it was too old.
    #[must_use]
    pub fn waits_for_fresh_data(&self) -> bool {
        self.held == Some(HoldReason::Backfill)
    }

    /// Whether the next of the chain is due rather than a repeat.
    #[must_use]
    pub fn escalates(&self, escalate: &[Escalation], now: Timestamp) -> bool {
        let Some(told) = &self.told else { return false };
        let next = escalate.get(told.level).zip(told.first);
        next.is_some_and(|(step, first)| now.since_ms(first) >= step.after_ms)
    }

    /// Whether it waits out its delay and nobody was told yet.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.told.is_none() && self.held == Some(HoldReason::Delay)
    }
}

#[cfg(test)]
mod tests;
