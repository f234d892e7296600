//! Who is told, and when: the decision, and what receivers have been told so far.

use auscult_model::{Severity, Timestamp};
use serde::{Deserialize, Serialize};

use crate::fold::{Phase, State};

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
}

/// What an alert remembers about its pages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Pages made so far; names the next one, so that a retry never makes a second.
    pub pages: u32,
    /// What receivers believe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
    /// Why the opening page of an open alert was held, while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HoldReason>,
}

/// What the policy says for this alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules<'a> {
    /// Who is to be paged; `None` without a policy.
    pub receiver: Option<&'a str>,
    /// A page goes out again after this long without an answer.
    pub repeat_after_ms: i64,
    /// Assessments older than this page nobody.
    pub backfill_limit_ms: i64,
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
            Self::Resolved => "alert.resolved",
            Self::Retracted => "alert.retracted",
        }
    }

    /// Whether it calls somebody, rather than calling it off.
    #[must_use]
    pub const fn calls(self) -> bool {
        match self {
            Self::First | Self::Worsened | Self::Reopened | Self::Repeat => true,
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
        }
    }
}

/// Whether somebody is told now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A page goes out.
    Send(SendReason),
    /// A page would have gone out, and does not.
    Hold(HoldReason),
    /// There is nothing to say.
    Nothing,
}

/// Decides whether somebody is told about the alert now.
#[must_use]
pub fn decide(
    rules: Rules<'_>,
    told: Option<&Told>,
    facing: Facing<'_>,
    now: Timestamp,
) -> Decision {
    use Decision::{Hold, Nothing, Send};
    let Some(state) = facing.state else {
        return told.map_or(Nothing, |_| Send(SendReason::Retracted));
    };
    match (state.phase, told) {
        (Phase::Open, told) => open(rules, told, state, facing.evidence, now),
        (Phase::Acknowledged { .. }, Some(told)) if told.severity != state.severity => {
            Hold(HoldReason::Acknowledged)
        }
        (Phase::Acknowledged { .. }, _) => Nothing,
        (Phase::Resolved | Phase::Dismissed { .. }, Some(_)) => Send(SendReason::Resolved),
        (Phase::Resolved | Phase::Dismissed { .. }, None) if facing.passing => {
            Hold(HoldReason::AlreadyResolved)
        }
        (Phase::Resolved | Phase::Dismissed { .. }, None) => Nothing,
    }
}

fn open(
    rules: Rules<'_>,
    told: Option<&Told>,
    state: &State,
    evidence: Timestamp,
    now: Timestamp,
) -> Decision {
    let reason = match told {
        None => SendReason::First,
        Some(told) if state.severity > told.severity => SendReason::Worsened,
        Some(told) if told.acknowledged => SendReason::Reopened,
        Some(told) if now.since_ms(told.at) >= rules.repeat_after_ms => SendReason::Repeat,
        Some(_) => return Decision::Hold(HoldReason::AlreadySent),
    };
    if rules.receiver.is_none() {
        return Decision::Hold(HoldReason::NoReceiver);
    }
    // A repeat is about silence, not about data: it goes on when the monitor has gone quiet.
    if reason != SendReason::Repeat && now.since_ms(evidence) > rules.backfill_limit_ms {
        return Decision::Hold(HoldReason::Backfill);
    }
    Decision::Send(reason)
}

impl Ledger {
    /// The ledger after `decision` about `state` has been acted on at `now`.
    #[must_use]
    pub fn after(
        &self,
        decision: Decision,
        state: Option<&State>,
        receiver: Option<&str>,
        now: Timestamp,
    ) -> Self {
        let mut next = Self { held: None, ..self.clone() };
        match decision {
            Decision::Send(reason) => {
                next.pages = self.pages.saturating_add(1);
                next.told = match state {
                    Some(state) if reason.calls() => Some(self.paged(state, receiver, now)),
                    _ => None,
                };
            }
            Decision::Hold(reason @ (HoldReason::Backfill | HoldReason::NoReceiver)) => {
                next.held = Some(reason);
            }
            Decision::Hold(
                HoldReason::Acknowledged | HoldReason::AlreadySent | HoldReason::AlreadyResolved,
            )
            | Decision::Nothing => {}
        }
        if let (Some(told), Some(State { phase: Phase::Acknowledged { covers }, .. })) =
            (&mut next.told, state)
        {
            told.acknowledged = true;
            told.severity = *covers;
        }
        next
    }

    fn paged(&self, state: &State, receiver: Option<&str>, now: Timestamp) -> Told {
        let mut receivers = self.told.as_ref().map(|it| it.receivers.clone()).unwrap_or_default();
        if let Some(name) = receiver.filter(|name| !receivers.iter().any(|it| it == name)) {
            receivers.push(name.to_owned());
        }
        Told { severity: state.severity, at: now, acknowledged: false, receivers }
    }

    /// When a clock has to look at the alert again, if nothing else happens.
    #[must_use]
    pub fn due(&self, state: Option<&State>, repeat_after_ms: i64) -> Option<Timestamp> {
        let told = self.told.as_ref()?;
        let open = state.is_some_and(|it| it.phase == Phase::Open);
        (open && self.held.is_none()).then(|| told.at.plus_ms(repeat_after_ms))
    }

    /// Whether an assessment that changes nothing may still make a page: an open alert nobody was
    /// told of, because all that spoke for it was too old.
    #[must_use]
    pub fn waits_for_fresh_data(&self) -> bool {
        self.held == Some(HoldReason::Backfill)
    }
}

#[cfg(test)]
mod tests;
