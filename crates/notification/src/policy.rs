//! The policy document: who is paged for what, and how often. Words of Alertmanager where they fit.

use auscult_model::{Fault, Severity};
use serde_json::Value;

use crate::policy_check;

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

/// Somebody who can be paged. Its `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Receiver {
    /// Unique in the policy.
    pub name: String,
    /// Where pages are posted.
    pub url: String,
    /// Key of the signature.
    pub secret: Vec<u8>,
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Receiver");
        shown.field("name", &self.name).field("url", &self.url).finish_non_exhaustive()
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
        policy_check::check(&document).map(|(receivers, route, backfill_limit_ms)| Self {
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
        let mut document = self.document.clone();
        each_webhook(&mut document, |_, webhook| {
            webhook.remove("secret");
        });
        document
    }
}

impl Route {
    fn takes(&self, severity: Severity, cause: &str) -> bool {
        (self.severities.is_empty() || self.severities.contains(&severity))
            && (self.causes.is_empty() || self.causes.iter().any(|it| it == cause))
    }
}

/// Gives every receiver that comes without a secret the one stored under its name, so that a
/// document that was read can be written back.
pub fn keep_secrets(document: &mut Value, stored: &Value) {
    let mut kept: Vec<(String, Value)> = Vec::new();
    let mut stored = stored.clone();
    each_webhook(&mut stored, |name, webhook| {
        kept.extend(webhook.remove("secret").map(|secret| (name.to_owned(), secret)));
    });
    each_webhook(document, |name, webhook| {
        let secret = kept.iter().find(|(it, _)| it == name).map(|(_, secret)| secret);
        if let (false, Some(secret)) = (webhook.contains_key("secret"), secret) {
            webhook.insert("secret".to_owned(), secret.clone());
        }
    });
}

fn each_webhook(
    document: &mut Value,
    mut act: impl FnMut(&str, &mut serde_json::Map<String, Value>),
) {
    let receivers = document.get_mut("receivers").and_then(Value::as_array_mut);
    for receiver in receivers.into_iter().flatten() {
        let name = receiver.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(webhook) = receiver.get_mut("webhook").and_then(Value::as_object_mut) {
            act(&name, webhook);
        }
    }
}

#[cfg(test)]
mod tests;
