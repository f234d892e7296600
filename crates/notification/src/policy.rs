//! The policy document: who is paged for what, how often, and what is held back. Words of
//! Alertmanager where they fit.

mod check;
pub mod hours;
pub mod matching;
pub mod noise;
mod noise_check;
pub mod read;
pub mod receiver;
pub mod schedule;

use auscult_model::{Fault, Severity, Timestamp};
use serde_json::Value;

pub use matching::{Match, Subject};
pub use noise::Noise;
pub use noise_check::OPENINGS_MAX;
pub use receiver::{Receiver, keep_secrets};
pub use schedule::{Heartbeat, Schedule};

use crate::fold::DISMISSAL_MS;

/// The JSON Schema of a policy, for editors; [`Policy::parse`] checks more.
pub const SCHEMA: &str = include_str!("policy/policy.schema.json");

/// The policy to begin with: everything against noise is on, and one webhook has to be filled in.
pub const DEFAULT: &str = include_str!("policy/default.json");

/// Assessments older than this page nobody, unless the policy says otherwise: seven days, in
/// milliseconds.
pub const BACKFILL_LIMIT_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// How long a page stays unanswered before it goes out again, unless the policy says otherwise.
/// A quarter of an hour for an emergency and an hour for what is urgent; the classes that wait for
/// the next working day are named once a day.
#[must_use]
pub const fn repeat_after_ms(severity: Severity) -> i64 {
    const MINUTE_MS: i64 = 60_000;
    match severity {
        Severity::Emergency => 15 * MINUTE_MS,
        Severity::Urgent => 60 * MINUTE_MS,
        Severity::Routine | Severity::Technical => 24 * 60 * MINUTE_MS,
    }
}

/// A policy that has been checked. Its `Debug` shows no secret.
#[derive(Clone, PartialEq)]
pub struct Policy {
    /// Everybody who can be paged. Names are unique, also among schedules.
    pub receivers: Vec<Receiver>,
    /// Roles that people take in turns.
    pub schedules: Vec<Schedule>,
    /// The root of the routing tree.
    pub route: Route,
    /// Assessments older than this page nobody.
    pub backfill_limit_ms: i64,
    /// How long a person's "resolved" holds while the cause is still there.
    pub dismissal_ms: i64,
    /// What is held back.
    pub noise: Noise,
    /// The page that must always arrive.
    pub heartbeat: Option<Heartbeat>,
    document: Value,
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Policy").field(&self.shown()).finish()
    }
}

/// One node of the routing tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// Which alerts it takes.
    pub of: Match,
    /// Receiver or schedule of what no child takes; inherited when absent.
    pub receiver: Option<String>,
    /// How long a cause must stand before it is paged; inherited, else at once.
    pub delay_ms: Option<i64>,
    /// How long pages about one patient are gathered after one went out; inherited, else not.
    pub group_ms: Option<i64>,
    /// Repeat interval; inherited when absent, then by severity.
    pub repeat_after_ms: Option<i64>,
    /// Who comes next while nobody answers; inherited when absent.
    pub escalate: Option<Vec<Escalation>>,
    /// The first that matches takes it.
    pub routes: Vec<Route>,
}

impl Route {
    /// Whether pages about one patient are gathered anywhere below.
    #[must_use]
    pub fn groups(&self) -> bool {
        self.group_ms.is_some() || self.routes.iter().any(Self::groups)
    }
}

/// One step of an escalation chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// After the first page, in milliseconds.
    pub after_ms: i64,
    /// Receiver or schedule.
    pub receiver: String,
}

/// Where an alert goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Routed<'a> {
    /// Name of the receiver, or of the schedule that says who it is.
    pub receiver: &'a str,
    /// How long the cause must stand first.
    pub delay_ms: i64,
    /// How long pages about one patient are gathered.
    pub group_ms: i64,
    /// Repeat interval.
    pub repeat_after_ms: i64,
    /// Who comes next while nobody answers.
    pub escalate: &'a [Escalation],
}

impl Policy {
    /// Reads and checks a document.
    ///
    /// # Errors
    /// Every fault found, each with its place.
    pub fn parse(document: Value) -> Result<Self, Vec<Fault>> {
        check::check(document)
    }

    /// The receiver of that name.
    #[must_use]
    pub fn receiver(&self, name: &str) -> Option<&Receiver> {
        self.receivers.iter().find(|it| it.name == name)
    }

    /// Who is meant by a name at that instant: a schedule's receiver, or the receiver itself.
    #[must_use]
    pub fn who<'a>(&'a self, name: &'a str, at: Timestamp) -> &'a str {
        let schedule = self.schedules.iter().find(|it| it.name == name);
        schedule.map_or(name, |it| it.receiver_at(at))
    }

    /// Where an alert goes: down the tree, first match first.
    #[must_use]
    pub fn route(&self, subject: Subject<'_>) -> Option<Routed<'_>> {
        let mut node = &self.route;
        let mut receiver = node.receiver.as_deref();
        let mut delay = node.delay_ms;
        let mut group = node.group_ms;
        let mut repeat = node.repeat_after_ms;
        let mut escalate = node.escalate.as_deref();
        while let Some(child) = node.routes.iter().find(|it| it.of.takes(subject)) {
            receiver = child.receiver.as_deref().or(receiver);
            delay = child.delay_ms.or(delay);
            group = child.group_ms.or(group);
            repeat = child.repeat_after_ms.or(repeat);
            escalate = child.escalate.as_deref().or(escalate);
            node = child;
        }
        // What saves a life is never made to wait, wherever the tree leads it.
        let waits = |ms: Option<i64>| match subject.severity {
            Severity::Emergency => 0,
            _ => ms.unwrap_or(0),
        };
        receiver.map(|receiver| Routed {
            receiver,
            delay_ms: waits(delay),
            group_ms: waits(group),
            repeat_after_ms: repeat.unwrap_or_else(|| repeat_after_ms(subject.severity)),
            escalate: escalate.unwrap_or_default(),
        })
    }

    /// The document as it is stored, secrets included.
    #[must_use]
    pub const fn stored(&self) -> &Value {
        &self.document
    }

    /// The document as it is shown: without secrets.
    #[must_use]
    pub fn shown(&self) -> Value {
        receiver::shown(&self.document)
    }

    /// How long a dismissal holds without a policy.
    #[must_use]
    pub fn dismissal_ms(policy: Option<&Self>) -> i64 {
        policy.map_or(DISMISSAL_MS, |it| it.dismissal_ms)
    }
}

#[cfg(test)]
mod tests;
