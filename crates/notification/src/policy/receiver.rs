//! Who can be paged and how: the entries of `receivers`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::policy::read::Faults;

/// Most receivers: a large hospital's wards, each with a few.
const RECEIVERS_MAX: usize = 500;
/// Length of a webhook key in bytes, as Standard Webhooks asks.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Prefix of a webhook key, as Standard Webhooks asks.
pub const SECRET_PREFIX: &str = "whsec_";

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
}

/// The document as it is shown: without secrets.
#[must_use]
pub fn shown(document: &Value) -> Value {
    let mut document = document.clone();
    each_webhook(&mut document, |_, webhook| {
        webhook.remove("secret");
    });
    document
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
