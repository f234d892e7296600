//! Checks a policy document and names every fault with its place.

use auscult_model::{Fault, Severity};
use serde_json::{Map, Value};

use crate::fold::DISMISSAL_MS;
use crate::policy::read::Faults;
use crate::policy::{BACKFILL_LIMIT_MS, Escalation, Match, Policy, Route};

/// Most routes on one node.
pub(super) const ROUTES_MAX: usize = 500;
/// Deepest nesting of routes; keeps the recursion bounded.
const DEPTH_MAX: usize = 16;
/// Most steps of one escalation chain.
const STEPS_MAX: usize = 10;
/// Shortest repeat interval: the clock that makes repeats ticks twice a second.
pub(super) const REPEAT_MS_MIN: i64 = 1_000;

/// Keys of the document.
pub(super) const KEYS: [&str; 10] = [
    "receivers",
    "schedules",
    "route",
    "backfill_limit",
    "dismissal",
    "inhibit",
    "flapping",
    "quiet_hours",
    "budgets",
    "heartbeat",
];

/// Keys of a route.
pub(super) const ROUTE_KEYS: [&str; 7] =
    ["match", "receiver", "delay", "group_wait", "repeat_interval", "escalate", "routes"];

/// The policy a document describes, or every fault in it.
pub fn check(document: Value) -> Result<Policy, Vec<Fault>> {
    let mut faults = Faults(Vec::new());
    let policy = faults.document(&document);
    match policy {
        Some(policy) if faults.0.is_empty() => Ok(Policy { document, ..policy }),
        _ => Err(faults.0),
    }
}

/// The names routes may use; `None` when some could not be read, since a route to such a one is no
/// second fault.
pub type Names<'a> = Option<&'a [String]>;

impl Faults {
    fn document(&mut self, document: &Value) -> Option<Policy> {
        let keys = self.object(document, "", &KEYS)?;
        let receivers = self.receivers(keys.get("receivers"));
        let names: Vec<String> = receivers.iter().map(|it| it.name.clone()).collect();
        let listed = keys.get("receivers").and_then(Value::as_array).map_or(0, Vec::len);
        let known = listed > 0 && names.len() == listed;
        let schedules = self.schedules(keys.get("schedules"), known.then_some(names.as_slice()));
        let listed = keys.get("schedules").and_then(Value::as_array).map_or(0, Vec::len);
        let known = known && schedules.len() == listed;
        let mut targets = names.clone();
        targets.extend(schedules.iter().map(|it| it.name.clone()));
        let targets = known.then_some(targets.as_slice());
        let route = match keys.get("route") {
            Some(route) => self.route(route, "/route", targets, 0),
            None => {
                self.add("/route", "missing", "a policy needs a route");
                None
            }
        };
        let backfill = self.duration(keys.get("backfill_limit"), "/backfill_limit", 1);
        let dismissal = self.duration(keys.get("dismissal"), "/dismissal", 1);
        let noise = self.noise(keys);
        let heartbeat = self.heartbeat(keys.get("heartbeat"), targets);
        Some(Policy {
            receivers,
            schedules,
            route: route?,
            backfill_limit_ms: backfill.unwrap_or(BACKFILL_LIMIT_MS),
            dismissal_ms: dismissal.unwrap_or(DISMISSAL_MS),
            noise,
            heartbeat,
            document: Value::Null,
        })
    }

    fn route(
        &mut self,
        value: &Value,
        path: &str,
        names: Names<'_>,
        depth: usize,
    ) -> Option<Route> {
        if depth > DEPTH_MAX {
            self.add(path, "too-deep", "routes are nested too deeply");
            return None;
        }
        let keys = self.object(value, path, &ROUTE_KEYS)?;
        let of = match keys.get("match") {
            Some(_) if depth == 0 => {
                self.add(&format!("{path}/match"), "root-match", "the root takes every alert");
                Match::default()
            }
            Some(found) => self.matches(found, &format!("{path}/match")),
            None if depth == 0 => Match::default(),
            None => {
                self.add(&format!("{path}/match"), "missing", "a nested route needs a match");
                Match::default()
            }
        };
        let receiver = match keys.get("receiver") {
            None if depth > 0 => None,
            found => self.name(found, &format!("{path}/receiver"), names),
        };
        let delay_ms = self.duration(keys.get("delay"), &format!("{path}/delay"), 1);
        let group_ms = self.duration(keys.get("group_wait"), &format!("{path}/group_wait"), 1);
        for (key, found) in [("delay", delay_ms), ("group_wait", group_ms)] {
            if found.is_some() && of.severities == [Severity::Emergency] {
                let place = format!("{path}/{key}");
                self.add(&place, "holds-emergency", "an emergency is never made to wait");
            }
        }
        let place = format!("{path}/repeat_interval");
        let repeat_after_ms = self.duration(keys.get("repeat_interval"), &place, REPEAT_MS_MIN);
        let escalate = self.escalate(keys, path, names);
        let place = format!("{path}/routes");
        let list = match keys.get("routes") {
            None => &[],
            found => self.list(found, &place, ROUTES_MAX).unwrap_or_default(),
        };
        let mut routes = Vec::with_capacity(list.len());
        for (at, child) in list.iter().enumerate() {
            routes.extend(self.route(child, &format!("{place}/{at}"), names, depth + 1));
        }
        Some(Route { of, receiver, delay_ms, group_ms, repeat_after_ms, escalate, routes })
    }

    fn escalate(
        &mut self,
        keys: &Map<String, Value>,
        path: &str,
        names: Names<'_>,
    ) -> Option<Vec<Escalation>> {
        let place = format!("{path}/escalate");
        let list = self.list(Some(keys.get("escalate")?), &place, STEPS_MAX)?;
        let mut steps: Vec<Escalation> = Vec::new();
        for (at, value) in list.iter().enumerate() {
            let path = format!("{place}/{at}");
            let Some(keys) = self.object(value, &path, &["after", "receiver"]) else { continue };
            let after_path = format!("{path}/after");
            if !keys.contains_key("after") {
                self.add(&after_path, "missing", "how long nobody answered is needed");
            }
            let after = self.duration(keys.get("after"), &after_path, REPEAT_MS_MIN);
            let receiver = self.name(keys.get("receiver"), &format!("{path}/receiver"), names);
            if let (Some(after_ms), Some(before)) = (after, steps.last())
                && after_ms <= before.after_ms
            {
                self.add(&after_path, "not-later", "each step comes later than the one before");
            }
            if let (Some(after_ms), Some(receiver)) = (after, receiver) {
                steps.push(Escalation { after_ms, receiver });
            }
        }
        Some(steps)
    }

    /// The name of a receiver or schedule.
    pub(super) fn name(
        &mut self,
        value: Option<&Value>,
        path: &str,
        names: Names<'_>,
    ) -> Option<String> {
        let name = self.text(value, path)?;
        if names.is_some_and(|it| !it.iter().any(|known| known == name)) {
            self.add(path, "unknown-receiver", "no receiver has this name");
        }
        Some(name.to_owned())
    }

    /// Which alerts; at least one condition.
    pub fn matches(&mut self, value: &Value, path: &str) -> Match {
        let Some(keys) = self.object(value, path, &["severity", "cause", "unit", "tag"]) else {
            return Match::default();
        };
        if keys.is_empty() {
            self.add(path, "empty", "a match needs a severity, cause, unit or tag");
        }
        let mut severities = Vec::new();
        for (text, place) in self.texts(keys.get("severity"), &format!("{path}/severity")) {
            match Severity::parse(text) {
                Some(severity) => severities.push(severity),
                None => self.add(
                    &place,
                    "unknown-severity",
                    "one of technical, routine, urgent, emergency is needed",
                ),
            }
        }
        let mut texts = |key: &str| -> Vec<String> {
            let found = self.texts(keys.get(key), &format!("{path}/{key}"));
            found.into_iter().map(|(text, _)| text.to_owned()).collect()
        };
        Match { severities, causes: texts("cause"), units: texts("unit"), tags: texts("tag") }
    }
}
