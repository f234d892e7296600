//! Checks a policy document and names every fault with its place.

use auscult_model::{Fault, Severity};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::duration;
use crate::policy::{BACKFILL_LIMIT_MS, Receiver, Route};

/// Most receivers: a large hospital's wards, each with a few.
const RECEIVERS_MAX: usize = 500;
/// Most routes on one node.
const ROUTES_MAX: usize = 500;
/// Deepest nesting of routes; keeps the recursion bounded.
const DEPTH_MAX: usize = 16;
/// Longest name or URL, in bytes.
const TEXT_BYTES_MAX: usize = 2_000;
/// Shortest repeat interval: the clock that makes repeats ticks twice a second.
const REPEAT_MS_MIN: i64 = 1_000;
/// Length of a webhook key in bytes, as Standard Webhooks asks.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Prefix of a webhook key, as Standard Webhooks asks.
pub const SECRET_PREFIX: &str = "whsec_";

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

struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, path: &str, code: &str, detail: &str) {
        self.0.push(Fault {
            path: path.to_owned(),
            code: code.to_owned(),
            detail: detail.to_owned(),
        });
    }

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

    fn receivers(&mut self, value: Option<&Value>) -> Vec<Receiver> {
        let Some(list) = self.list(value, "/receivers", RECEIVERS_MAX) else { return Vec::new() };
        if list.is_empty() {
            self.add("/receivers", "empty", "a policy needs at least one receiver");
        }
        let mut receivers: Vec<Receiver> = Vec::new();
        for (place, value) in list.iter().enumerate() {
            let path = format!("/receivers/{place}");
            let Some(receiver) = self.receiver(value, &path) else { continue };
            if receivers.iter().any(|it| it.name == receiver.name) {
                self.add(&format!("{path}/name"), "duplicate", "another receiver has this name");
            }
            receivers.push(receiver);
        }
        receivers
    }

    fn receiver(&mut self, value: &Value, path: &str) -> Option<Receiver> {
        let keys = self.object(value, path, &["name", "webhook"])?;
        let name = self.text(keys.get("name"), &format!("{path}/name"));
        let path = format!("{path}/webhook");
        let keys = match keys.get("webhook") {
            Some(webhook) => self.object(webhook, &path, &["url", "secret"]),
            None => {
                self.add(&path, "missing", "a receiver needs a webhook");
                None
            }
        };
        let (mut url, mut secret) = (None, None);
        if let Some(keys) = keys {
            url = self.url(keys.get("url"), &format!("{path}/url"));
            secret = self.secret(keys.get("secret"), &format!("{path}/secret"));
        }
        // With a bad webhook it still has its name, so that routes to it are no second fault.
        Some(Receiver {
            name: name?.to_owned(),
            url: url.unwrap_or_default().to_owned(),
            secret: secret.unwrap_or_default(),
        })
    }

    fn url<'a>(&mut self, value: Option<&'a Value>, path: &str) -> Option<&'a str> {
        let text = self.text(value, path)?;
        let uri: Option<http::Uri> = text.parse().ok();
        let good = uri.is_some_and(|it| {
            matches!(it.scheme_str(), Some("http" | "https"))
                && it.host().is_some_and(|host| !host.is_empty())
                && !it.authority().is_some_and(|who| who.as_str().contains('@'))
        });
        if !good {
            self.add(path, "bad-url", "an http or https address with a host and no user is needed");
        }
        good.then_some(text)
    }

    fn secret(&mut self, value: Option<&Value>, path: &str) -> Option<Vec<u8>> {
        let text = self.text(value, path)?;
        let key = text.strip_prefix(SECRET_PREFIX).and_then(|it| STANDARD.decode(it).ok());
        let key = key.filter(|it| SECRET_BYTES.contains(&it.len()));
        if key.is_none() {
            self.add(path, "bad-secret", "whsec_ and then 24 to 64 bytes in base64 are needed");
        }
        key
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

    /// One text, or a list of at least one, each with its place.
    fn texts<'a>(&mut self, value: Option<&'a Value>, path: &str) -> Vec<(&'a str, String)> {
        match value {
            None => Vec::new(),
            Some(Value::Array(list)) if !list.is_empty() && list.len() <= ROUTES_MAX => {
                let mut texts = Vec::with_capacity(list.len());
                for (at, value) in list.iter().enumerate() {
                    let place = format!("{path}/{at}");
                    if let Some(text) = self.text(Some(value), &place) {
                        texts.push((text, place));
                    }
                }
                texts
            }
            Some(value) => {
                self.text(Some(value), path).map(|it| (it, path.to_owned())).into_iter().collect()
            }
        }
    }

    fn duration(&mut self, value: Option<&Value>, path: &str, least_ms: i64) -> Option<i64> {
        let text = self.text(Some(value?), path)?;
        let found = duration::parse(text).filter(|it| *it >= least_ms);
        if found.is_none() {
            self.add(path, "bad-duration", "a duration such as 15m, 1h30m or 7d is needed");
        }
        found
    }

    fn text<'a>(&mut self, value: Option<&'a Value>, path: &str) -> Option<&'a str> {
        match value {
            None => self.add(path, "missing", "this key is needed"),
            Some(Value::String(text)) if text.trim().is_empty() => {
                self.add(path, "blank", "a text that is not blank is needed");
            }
            Some(Value::String(text)) if text.len() > TEXT_BYTES_MAX => {
                self.add(path, "too-long", "the text is too long");
            }
            Some(Value::String(text)) => return Some(text),
            Some(_) => self.add(path, "wrong-type", "a text is needed"),
        }
        None
    }

    fn list<'a>(
        &mut self,
        value: Option<&'a Value>,
        path: &str,
        most: usize,
    ) -> Option<&'a [Value]> {
        match value {
            None => self.add(path, "missing", "this key is needed"),
            Some(Value::Array(list)) if list.len() > most => {
                self.add(path, "too-many", "the list is too long");
            }
            Some(Value::Array(list)) => return Some(list),
            Some(_) => self.add(path, "wrong-type", "a list is needed"),
        }
        None
    }

    fn object<'a>(
        &mut self,
        value: &'a Value,
        path: &str,
        known: &[&str],
    ) -> Option<&'a Map<String, Value>> {
        let Some(keys) = value.as_object() else {
            self.add(path, "wrong-type", "an object is needed");
            return None;
        };
        for key in keys.keys().filter(|it| !known.contains(&it.as_str())) {
            let key = key.replace('~', "~0").replace('/', "~1");
            self.add(&format!("{path}/{key}"), "unknown-key", "this key means nothing here");
        }
        Some(keys)
    }
}
