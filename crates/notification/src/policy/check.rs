//! Checks a policy document and names every fault with its place.

use auscult_model::{Fault, Severity};
use serde_json::{Map, Value};

use crate::policy::read::Faults;
use crate::policy::{BACKFILL_LIMIT_MS, Receiver, Route};

/// Most routes on one node.
const ROUTES_MAX: usize = 500;
/// Deepest nesting of routes; keeps the recursion bounded.
const DEPTH_MAX: usize = 16;
/// Shortest repeat interval: the clock that makes repeats ticks twice a second.
const REPEAT_MS_MIN: i64 = 1_000;

type Checked = (Vec<Receiver>, Route, i64);

/// Receivers, routing tree and backfill limit of a document, or every fault in it.
pub fn check(document: &Value) -> Result<Checked, Vec<Fault>> {
    let mut faults = Faults(Vec::new());
    let read = faults.document(document);
    match read {
        Some(checked) if faults.0.is_empty() => Ok(checked),
        _ => Err(faults.0),
    }
}

impl Faults {
    fn document(&mut self, document: &Value) -> Option<Checked> {
        let keys = self.object(document, "", &["receivers", "route", "backfill_limit"])?;
        let receivers = self.receivers(keys.get("receivers"));
        let names: Vec<&str> = receivers.iter().map(|it| it.name.as_str()).collect();
        // Where a name could not be read, a route to it is not a second fault.
        let listed = keys.get("receivers").and_then(Value::as_array).map_or(0, Vec::len);
        let names = (listed > 0 && names.len() == listed).then_some(names.as_slice());
        let route = match keys.get("route") {
            Some(route) => self.route(route, "/route", names, 0),
            None => {
                self.add("/route", "missing", "a policy needs a route");
                None
            }
        };
        let backfill = self.duration(keys.get("backfill_limit"), "/backfill_limit", 1);
        Some((receivers, route?, backfill.unwrap_or(BACKFILL_LIMIT_MS)))
    }

    fn route(
        &mut self,
        value: &Value,
        path: &str,
        names: Option<&[&str]>,
        depth: usize,
    ) -> Option<Route> {
        if depth > DEPTH_MAX {
            self.add(path, "too-deep", "routes are nested too deeply");
            return None;
        }
        let known = ["match", "receiver", "repeat_interval", "routes"];
        let keys = self.object(value, path, &known)?;
        let (severities, causes) = match keys.get("match") {
            Some(_) if depth == 0 => {
                self.add(&format!("{path}/match"), "root-match", "the root takes every alert");
                (Vec::new(), Vec::new())
            }
            Some(found) => self.matches(found, &format!("{path}/match")),
            None if depth == 0 => (Vec::new(), Vec::new()),
            None => {
                self.add(&format!("{path}/match"), "missing", "a nested route needs a match");
                (Vec::new(), Vec::new())
            }
        };
        let receiver = self.receiver_name(keys, path, names, depth);
        let place = format!("{path}/repeat_interval");
        let repeat_after_ms = self.duration(keys.get("repeat_interval"), &place, REPEAT_MS_MIN);
        let place = format!("{path}/routes");
        let list = match keys.get("routes") {
            None => &[],
            found => self.list(found, &place, ROUTES_MAX).unwrap_or_default(),
        };
        let mut routes = Vec::with_capacity(list.len());
        for (at, child) in list.iter().enumerate() {
            routes.extend(self.route(child, &format!("{place}/{at}"), names, depth + 1));
        }
        Some(Route { severities, causes, receiver, repeat_after_ms, routes })
    }

    fn receiver_name(
        &mut self,
        keys: &Map<String, Value>,
        path: &str,
        names: Option<&[&str]>,
        depth: usize,
    ) -> Option<String> {
        let path = format!("{path}/receiver");
        if depth > 0 && !keys.contains_key("receiver") {
            return None;
        }
        let name = self.text(keys.get("receiver"), &path)?;
        if names.is_some_and(|it| !it.contains(&name)) {
            self.add(&path, "unknown-receiver", "no receiver has this name");
        }
        Some(name.to_owned())
    }

    fn matches(&mut self, value: &Value, path: &str) -> (Vec<Severity>, Vec<String>) {
        let Some(keys) = self.object(value, path, &["severity", "cause"]) else {
            return (Vec::new(), Vec::new());
        };
        if keys.is_empty() {
            self.add(path, "empty", "a match needs a severity or a cause");
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
        let causes = self.texts(keys.get("cause"), &format!("{path}/cause"));
        (severities, causes.into_iter().map(|(text, _)| text.to_owned()).collect())
    }
}
