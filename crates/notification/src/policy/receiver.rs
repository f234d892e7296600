//! Who can be paged and how: the entries of `receivers`.

use auscult_model::{Severity, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveTime;
use serde_json::{Map, Value};

use crate::channel::quiet::Quiet;
use crate::channel::settings::{self, KINDS};
use crate::channel::text::template_works;
use crate::channel::words::{LANGUAGES, Language};
use crate::channel::{Audience, Channel, Page, Shows};
use crate::delivery::{BACKOFF_MS, BACKOFF_MS_MAX, TRIES_MAX};
use crate::policy::read::Faults;

/// Most receivers: a large hospital's wards, each with a few.
const RECEIVERS_MAX: usize = 500;
/// Length of a webhook key in bytes, as Standard Webhooks asks.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Prefix of a webhook key, as Standard Webhooks asks.
pub const SECRET_PREFIX: &str = "whsec_";
/// Failed tries before the fall-back is told too, unless the policy says otherwise.
const FALLBACK_TRIES: u32 = 4;
/// Age of a page before the fall-back is told too, unless the policy says otherwise: a minute.
const FALLBACK_MS: i64 = 60_000;
/// Everything a receiver can say beside its channel.
const KEYS: [&str; 8] =
    ["name", "patient", "audience", "language", "quiet_hours", "template", "retry", "fallback"];

/// Somebody who can be paged. Its `Debug` shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// Unique in the policy.
    pub name: String,
    /// How to reach it.
    pub channel: Channel,
    /// How much of the patient it may know.
    pub shows: Shows,
    /// To whom it speaks.
    pub audience: Audience,
    /// In which language.
    pub language: Language,
    /// When it is left alone, but for an emergency.
    pub quiet: Option<Quiet>,
    /// Its own text.
    pub template: Option<String>,
    /// When a failed try is made again.
    pub retry: Retry,
    /// Who is told when it cannot be reached.
    pub fallback: Option<Fallback>,
}

impl Receiver {
    /// Until when the receiver is left alone with this page; an emergency always goes out.
    #[must_use]
    pub fn left_alone(&self, page: &Page, now: Timestamp) -> Option<Timestamp> {
        let until = self.quiet.as_ref()?.until(now)?;
        (page.severity() != Severity::Emergency).then_some(until)
    }
}

/// When a failed try is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// First wait, in milliseconds; it doubles.
    pub first_ms: i64,
    /// Longest wait, in milliseconds.
    pub most_ms: i64,
    /// Tries before the page is a dead letter.
    pub tries: u32,
}

impl Default for Retry {
    fn default() -> Self {
        Self { first_ms: BACKOFF_MS, most_ms: BACKOFF_MS_MAX, tries: TRIES_MAX }
    }
}

/// Who is told when a receiver cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// Name of a receiver.
    pub receiver: String,
    /// After so many failed tries; an emergency after half as many.
    pub after_tries: u32,
    /// Or after a failed try once the page is so old; an emergency at half the age.
    pub after_ms: i64,
}

impl Faults {
    /// The receivers of a document; what cannot be read is noted and left out.
    pub fn receivers(&mut self, value: Option<&Value>) -> Vec<Receiver> {
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
        if receivers.len() == list.len() {
            self.fallbacks(&receivers);
        }
        receivers
    }

    fn receiver(&mut self, value: &Value, path: &str) -> Option<Receiver> {
        let known: Vec<&str> = KEYS.iter().chain(&KINDS).copied().collect();
        let keys = self.object(value, path, &known)?;
        let name = self.text(keys.get("name"), &format!("{path}/name"));
        let mut kinds = KINDS.iter().filter(|it| keys.contains_key(**it));
        let channel = match (kinds.next(), kinds.next()) {
            (Some(kind), None) => {
                let settings = keys.get(*kind).unwrap_or(&Value::Null);
                self.channel(kind, settings, &format!("{path}/{kind}"))
            }
            (Some(_), Some(second)) => {
                let detail = "a receiver has one channel; name another receiver as its fallback";
                self.add(&format!("{path}/{second}"), "two-channels", detail);
                None
            }
            (None, _) => {
                let detail = format!("a receiver needs one of {}", KINDS.join(", "));
                self.add(&format!("{path}/webhook"), "missing", &detail);
                None
            }
        };
        // With a bad channel it still has its name, so that routes to it are no second fault.
        let channel =
            channel.unwrap_or(Channel::Webhook { url: String::new(), secret: Vec::new() });
        let mut receiver = Receiver {
            name: name.unwrap_or_default().to_owned(),
            shows: self.shows(keys, path).unwrap_or(channel.shows()),
            channel,
            audience: self.audience(keys, path),
            language: self.language(keys, path),
            quiet: self.quiet(keys.get("quiet_hours"), &format!("{path}/quiet_hours")),
            template: None,
            retry: self.retry(keys.get("retry"), &format!("{path}/retry")),
            fallback: self.fallback(keys.get("fallback"), &format!("{path}/fallback")),
        };
        receiver.template = self.template(&receiver, keys, path);
        if receiver.quiet.is_some() && receiver.audience == Audience::Staff {
            let detail = "for patients; staff have the quiet hours of the policy";
            self.add(&format!("{path}/quiet_hours"), "staff-quiet", detail);
        }
        name.map(|_| receiver)
    }

    fn shows(&mut self, keys: &Map<String, Value>, path: &str) -> Option<Shows> {
        let path = format!("{path}/patient");
        match self.text(Some(keys.get("patient")?), &path)? {
            "none" => return Some(Shows::Nobody),
            "id" => return Some(Shows::Id),
            "name" => return Some(Shows::Name),
            _ => self.add(&path, "unknown-value", "none, id or name"),
        }
        None
    }

    fn audience(&mut self, keys: &Map<String, Value>, path: &str) -> Audience {
        let path = format!("{path}/audience");
        match keys.get("audience").map(|it| self.text(Some(it), &path)) {
            None | Some(None | Some("staff")) => Audience::Staff,
            Some(Some("patient")) => Audience::Patient,
            Some(Some(_)) => {
                self.add(&path, "unknown-value", "staff or patient");
                Audience::Staff
            }
        }
    }

    fn language(&mut self, keys: &Map<String, Value>, path: &str) -> Language {
        let path = format!("{path}/language");
        let Some(text) = keys.get("language").and_then(|it| self.text(Some(it), &path)) else {
            return Language::default();
        };
        let found = LANGUAGES.iter().find(|(name, _)| *name == text).map(|(_, it)| *it);
        if found.is_none() {
            self.add(&path, "unknown-language", "en, de, fr or es");
        }
        found.unwrap_or_default()
    }

    fn quiet(&mut self, value: Option<&Value>, path: &str) -> Option<Quiet> {
        let keys = self.object(value?, path, &["from", "to", "zone"])?;
        let from = self.time_of_day(keys.get("from"), &format!("{path}/from"));
        let to = self.time_of_day(keys.get("to"), &format!("{path}/to"));
        let zone_path = format!("{path}/zone");
        let zone = self.text(keys.get("zone"), &zone_path)?;
        let zone = zone.parse().ok();
        if zone.is_none() {
            self.add(&zone_path, "unknown-zone", "a zone such as Europe/Berlin is needed");
        }
        Some(Quiet { from: from?, to: to?, zone: zone? })
    }

    fn time_of_day(&mut self, value: Option<&Value>, path: &str) -> Option<NaiveTime> {
        let text = self.text(value, path)?;
        let time = NaiveTime::parse_from_str(text, "%H:%M").ok();
        if time.is_none() {
            self.add(path, "bad-time", "a time of day such as 22:00 is needed");
        }
        time
    }

    fn template(
        &mut self,
        receiver: &Receiver,
        keys: &Map<String, Value>,
        path: &str,
    ) -> Option<String> {
        let path = format!("{path}/template");
        let text = self.text(Some(keys.get("template")?), &path)?;
        if !template_works(text, receiver) {
            let detail = "the template cannot be written out: see docs/channels.md for its names";
            self.add(&path, "bad-template", detail);
        }
        Some(text.to_owned())
    }

    fn retry(&mut self, value: Option<&Value>, path: &str) -> Retry {
        let usual = Retry::default();
        let keys = value.and_then(|it| self.object(it, path, &["first", "most", "tries"]));
        let Some(keys) = keys else { return usual };
        let first = self.duration(keys.get("first"), &format!("{path}/first"), 10);
        let most = self.duration(keys.get("most"), &format!("{path}/most"), 10);
        let tries = self.count(keys.get("tries"), &format!("{path}/tries"));
        Retry {
            first_ms: first.unwrap_or(usual.first_ms),
            most_ms: most.unwrap_or(usual.most_ms),
            tries: tries.unwrap_or(usual.tries),
        }
    }

    fn fallback(&mut self, value: Option<&Value>, path: &str) -> Option<Fallback> {
        let keys = self.object(value?, path, &["receiver", "after_tries", "after"])?;
        let after = self.duration(keys.get("after"), &format!("{path}/after"), 10);
        let tries = self.count(keys.get("after_tries"), &format!("{path}/after_tries"));
        let receiver = self.text(keys.get("receiver"), &format!("{path}/receiver"))?;
        Some(Fallback {
            receiver: receiver.to_owned(),
            after_tries: tries.unwrap_or(FALLBACK_TRIES),
            after_ms: after.unwrap_or(FALLBACK_MS),
        })
    }

    fn count(&mut self, value: Option<&Value>, path: &str) -> Option<u32> {
        let count = value?.as_u64().and_then(|it| u32::try_from(it).ok());
        let count = count.filter(|it| (1..=1_000).contains(it));
        if count.is_none() {
            self.add(path, "bad-number", "1 to 1000");
        }
        count
    }

    /// Every fall-back exists, and none leads back to where it came from.
    fn fallbacks(&mut self, receivers: &[Receiver]) {
        let next = |name: &str| {
            let found = receivers.iter().find(|it| it.name == name);
            found.and_then(|it| it.fallback.as_ref()).map(|it| it.receiver.as_str())
        };
        for (place, receiver) in receivers.iter().enumerate() {
            let Some(first) = next(&receiver.name) else { continue };
            let path = format!("/receivers/{place}/fallback/receiver");
            if !receivers.iter().any(|it| it.name == first) {
                self.add(&path, "unknown-receiver", "no receiver has this name");
                continue;
            }
            let mut name = first;
            for _ in 0..receivers.len() {
                if name == receiver.name {
                    self.add(&path, "circular", "the fall-backs lead back to this receiver");
                    break;
                }
                let Some(more) = next(name) else { break };
                name = more;
            }
        }
    }
}

/// The key inside `whsec_…`.
#[must_use]
pub fn secret_key(text: &str) -> Option<Vec<u8>> {
    let key = text.strip_prefix(SECRET_PREFIX).and_then(|it| STANDARD.decode(it).ok());
    key.filter(|it| SECRET_BYTES.contains(&it.len()))
}

/// The document as it is shown: without secrets.
#[must_use]
pub fn shown(document: &Value) -> Value {
    let mut document = document.clone();
    each_channel(&mut document, |_, kind, channel| {
        for key in settings::secrets(kind) {
            channel.remove(*key);
        }
    });
    document
}

/// Gives every receiver that comes without a secret the one stored under its name, so that a
/// document that was read can be written back. A secret that is itself sent goes nowhere else: it is
/// kept only while the channel leads to the same place.
pub fn keep_secrets(document: &mut Value, stored: &Value) {
    let mut kept: Vec<(String, &'static str, Map<String, Value>)> = Vec::new();
    let mut stored = stored.clone();
    each_channel(&mut stored, |name, kind, channel| {
        kept.push((name.to_owned(), kind, std::mem::take(channel)));
    });
    each_channel(document, |name, kind, channel| {
        let Some((.., old)) = kept.iter().find(|(it, of, _)| it == name && *of == kind) else {
            return;
        };
        let secrets = settings::secrets(kind);
        let same = ["url", "host", "port"]
            .iter()
            .all(|it| secrets.contains(it) || channel.get(*it) == old.get(*it));
        // A webhook's key signs and never leaves.
        if !same && kind != "webhook" {
            return;
        }
        for key in secrets {
            if let (false, Some(secret)) = (channel.contains_key(*key), old.get(*key)) {
                channel.insert((*key).to_owned(), secret.clone());
            }
        }
    });
}

fn each_channel(
    document: &mut Value,
    mut act: impl FnMut(&str, &'static str, &mut Map<String, Value>),
) {
    let receivers = document.get_mut("receivers").and_then(Value::as_array_mut);
    for receiver in receivers.into_iter().flatten() {
        let name = receiver.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        for kind in KINDS {
            if let Some(channel) = receiver.get_mut(kind).and_then(Value::as_object_mut) {
                act(&name, kind, channel);
            }
        }
    }
}
