//! The policy document: who is paged for what, and how often. Words of Alertmanager where they fit.

mod check;
pub mod read;
pub mod receiver;

use auscult_model::{Fault, Severity};
use serde_json::Value;

pub use receiver::{Receiver, keep_secrets};

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
    /// Everybody who can be paged. Names are unique.
    pub receivers: Vec<Receiver>,
    /// The root of the routing tree.
    pub route: Route,
    /// Assessments older than this page nobody.
    pub backfill_limit_ms: i64,
    document: Value,
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Policy").field(&self.shown()).finish()
    }
}

/// One node of the routing tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Severities it takes; empty takes all.
    pub severities: Vec<Severity>,
    /// Causes it takes; empty takes all.
    pub causes: Vec<String>,
    /// Receiver of what no child takes; inherited when absent.
    pub receiver: Option<String>,
    /// Repeat interval; inherited when absent, then by severity.
    pub repeat_after_ms: Option<i64>,
    /// The first that matches takes it.
    pub routes: Vec<Route>,
}

/// Where an alert goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed<'a> {
    /// Name of the receiver.
    pub receiver: &'a str,
    /// Repeat interval.
    pub repeat_after_ms: i64,
}

impl Policy {
    /// Reads and checks a document.
    ///
    /// # Errors
    /// Every fault found, each with its place.
    pub fn parse(document: Value) -> Result<Self, Vec<Fault>> {
        check::check(&document).map(|(receivers, route, backfill_limit_ms)| Self {
            receivers,
            route,
            backfill_limit_ms,
            document,
        })
    }

    /// The receiver of that name.
    #[must_use]
    pub fn receiver(&self, name: &str) -> Option<&Receiver> {
        self.receivers.iter().find(|it| it.name == name)
    }

    /// Where an alert of that severity and cause goes: down the tree, first match first.
    #[must_use]
    pub fn route(&self, severity: Severity, cause: &str) -> Option<Routed<'_>> {
        let mut node = &self.route;
        let mut receiver = node.receiver.as_deref();
        let mut repeat = node.repeat_after_ms;
        while let Some(child) = node.routes.iter().find(|it| it.takes(severity, cause)) {
            receiver = child.receiver.as_deref().or(receiver);
            repeat = child.repeat_after_ms.or(repeat);
            node = child;
        }
        let repeat_after_ms = repeat.unwrap_or_else(|| repeat_after_ms(severity));
        receiver.map(|receiver| Routed { receiver, repeat_after_ms })
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
}

impl Route {
    fn takes(&self, severity: Severity, cause: &str) -> bool {
        (self.severities.is_empty() || self.severities.contains(&severity))
            && (self.causes.is_empty() || self.causes.iter().any(|it| it == cause))
    }
}

#[cfg(test)]
mod tests;
