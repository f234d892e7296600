//! Reads the channel of a receiver. Closed: what is not known is refused with its place.

use serde_json::{Map, Value};

use crate::policy::read::Faults;
use crate::policy::receiver::secret_key;

/// How a receiver is reached. Its `Debug` shows its kind and no more.
#[derive(Clone, PartialEq, Eq)]
pub enum Channel {
    /// Standard Webhooks.
    Webhook {
        /// Where pages are posted.
        url: String,
        /// Key of the signature.
        secret: Vec<u8>,
    },
    /// An incoming webhook of Slack, or of what understands its shape.
    Slack {
        /// The webhook; whoever knows it may post.
        url: String,
    },
    /// A Workflows webhook of Teams.
    Teams {
        /// The webhook; whoever knows it may post.
        url: String,
    },
    /// Events API v2.
    PagerDuty {
        /// Where events are posted.
        url: String,
        /// Integration key.
        routing_key: String,
    },
    /// Programmable Messaging of Twilio, or of what understands its shape.
    Sms {
        /// Base address.
        url: String,
        /// Account SID.
        account: String,
        /// Auth token.
        token: String,
        /// Number or sender id.
        from: String,
        /// Number.
        to: String,
    },
    /// Mail Send v3 of SendGrid, or of what understands its shape.
    Email {
        /// Base address.
        url: String,
        /// API key.
        key: String,
        /// Address.
        from: String,
        /// Address.
        to: String,
    },
    /// A mail relay of the own network.
    Smtp {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
        /// Address.
        from: String,
        /// Address.
        to: String,
        /// User and password.
        login: Option<(String, String)>,
    },
    /// An EHR's FHIR R4 endpoint.
    Fhir {
        /// Base address.
        url: String,
        /// Bearer token.
        token: Option<String>,
        /// What is written there.
        resource: FhirResource,
        /// Reference to who shall read it.
        recipient: Option<String>,
    },
    /// IHE PCD-04 over MLLP.
    Hl7 {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
        /// MSH-5.
        application: String,
        /// MSH-4 and MSH-6.
        facility: String,
    },
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind())
    }
}

/// What an alert is in an EHR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FhirResource {
    /// One per page.
    Communication,
    /// One per alert, updated.
    CommunicationRequest,
    /// One per alert, updated.
    Task,
}

/// How much of the patient a receiver may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// Where and what.
    Nobody,
    /// The patient's logical id too.
    Id,
    /// The patient's name too.
    Name,
}

/// To whom a receiver speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Audience {
    /// People who know the words of the trade.
    #[default]
    Staff,
    /// The patient: plain words.
    Patient,
}

/// The keys a receiver can have a channel under.
pub const KINDS: [&str; 9] =
    ["webhook", "slack", "teams", "pagerduty", "sms", "email", "smtp", "fhir", "hl7"];

/// The keys of a channel that are never shown.
#[must_use]
pub fn secrets(kind: &str) -> &'static [&'static str] {
    match kind {
        "webhook" => &["secret"],
        // Whoever knows the address may post.
        "slack" | "teams" => &["url"],
        "pagerduty" => &["routing_key"],
        "sms" | "fhir" => &["token"],
        "email" => &["key"],
        "smtp" => &["password"],
        _ => &[],
    }
}

impl Channel {
    /// The key it stands under.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Slack { .. } => "slack",
            Self::Teams { .. } => "teams",
            Self::PagerDuty { .. } => "pagerduty",
            Self::Sms { .. } => "sms",
            Self::Email { .. } => "email",
            Self::Smtp { .. } => "smtp",
            Self::Fhir { .. } => "fhir",
            Self::Hl7 { .. } => "hl7",
        }
    }

    /// What it shows of the patient when the policy does not say: systems that cannot do without
    /// get the id, messages that may be read by anybody do not.
    #[must_use]
    pub const fn shows(&self) -> Shows {
        match self {
            Self::Webhook { .. } | Self::Fhir { .. } | Self::Hl7 { .. } => Shows::Id,
            Self::Slack { .. }
            | Self::Teams { .. }
            | Self::PagerDuty { .. }
            | Self::Sms { .. }
            | Self::Email { .. }
            | Self::Smtp { .. } => Shows::Nobody,
        }
    }

    /// Whether it keeps an alert of its own, which has to hear of an acknowledgement.
    #[must_use]
    pub const fn follows(&self) -> bool {
        match self {
            Self::PagerDuty { .. } | Self::Hl7 { .. } => true,
            Self::Fhir { resource, .. } => !matches!(resource, FhirResource::Communication),
            _ => false,
        }
    }
}

impl Faults {
    /// A channel; what is wrong is noted.
    pub fn channel(&mut self, kind: &str, value: &Value, path: &str) -> Option<Channel> {
        let at = |key: &str| format!("{path}/{key}");
        let known: &[&str] = match kind {
            "webhook" => &["url", "secret"],
            "slack" | "teams" => &["url"],
            "pagerduty" => &["url", "routing_key"],
            "sms" => &["url", "account", "token", "from", "to"],
            "email" => &["url", "key", "from", "to"],
            "smtp" => &["host", "port", "from", "to", "user", "password"],
            "fhir" => &["url", "token", "resource", "recipient"],
            _ => &["host", "port", "application", "facility"],
        };
        let keys = self.object(value, path, known)?;
        let faults = self.0.len();
        let channel = match kind {
            "webhook" => {
                let url = self.url(keys.get("url"), &at("url"));
                let secret = self.secret(keys.get("secret"), &at("secret"));
                Channel::Webhook { url: url?.to_owned(), secret: secret? }
            }
            "slack" => Channel::Slack { url: self.url(keys.get("url"), &at("url"))?.to_owned() },
            "teams" => Channel::Teams { url: self.url(keys.get("url"), &at("url"))?.to_owned() },
            "pagerduty" => Channel::PagerDuty {
                url: self.base(keys, path, "https://events.pagerduty.com"),
                routing_key: self.needed(keys, "routing_key", path),
            },
            "sms" => Channel::Sms {
                url: self.base(keys, path, "https://api.twilio.com"),
                account: self.path_part(keys, "account", path),
                token: self.needed(keys, "token", path),
                from: self.needed(keys, "from", path),
                to: self.needed(keys, "to", path),
            },
            "email" => Channel::Email {
                url: self.base(keys, path, "https://api.sendgrid.com"),
                key: self.needed(keys, "key", path),
                from: self.address(keys, "from", path),
                to: self.address(keys, "to", path),
            },
            "smtp" => Channel::Smtp {
                host: self.host(keys, path),
                port: self.port(keys.get("port"), &at("port"), 25),
                from: self.address(keys, "from", path),
                to: self.address(keys, "to", path),
                login: self.login(keys, path),
            },
            "fhir" => Channel::Fhir {
                url: self.url(keys.get("url"), &at("url"))?.trim_end_matches('/').to_owned(),
                token: self.optional(keys, "token", path),
                resource: self.resource(keys.get("resource"), &at("resource")),
                recipient: self.optional(keys, "recipient", path),
            },
            _ => Channel::Hl7 {
                host: self.host(keys, path),
                port: self.port(keys.get("port"), &at("port"), 2575),
                application: self.optional(keys, "application", path).unwrap_or_default(),
                facility: self.optional(keys, "facility", path).unwrap_or_default(),
            },
        };
        (self.0.len() == faults).then_some(channel)
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

    fn base(&mut self, keys: &Map<String, Value>, path: &str, usual: &str) -> String {
        let url = match keys.get("url") {
            Some(url) => self.url(Some(url), &format!("{path}/url")).unwrap_or_default(),
            None => usual,
        };
        url.trim_end_matches('/').to_owned()
    }

    fn secret(&mut self, value: Option<&Value>, path: &str) -> Option<Vec<u8>> {
        let text = self.text(value, path)?;
        let key = secret_key(text);
        if key.is_none() {
            self.add(path, "bad-secret", "whsec_ and then 24 to 64 bytes in base64 are needed");
        }
        key
    }

    /// A text that can stand in a header or a line: control characters are refused.
    fn needed(&mut self, keys: &Map<String, Value>, key: &str, path: &str) -> String {
        let path = format!("{path}/{key}");
        let text = self.text(keys.get(key), &path).unwrap_or_default();
        if text.chars().any(char::is_control) {
            self.add(&path, "control-character", "a text of one line is needed");
        }
        text.to_owned()
    }

    fn optional(&mut self, keys: &Map<String, Value>, key: &str, path: &str) -> Option<String> {
        keys.get(key)?;
        Some(self.needed(keys, key, path))
    }

    fn path_part(&mut self, keys: &Map<String, Value>, key: &str, path: &str) -> String {
        let text = self.needed(keys, key, path);
        if !text.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_.".contains(&it)) {
            self.add(&format!("{path}/{key}"), "bad-text", "letters and digits are needed");
        }
        text
    }

    fn address(&mut self, keys: &Map<String, Value>, key: &str, path: &str) -> String {
        let text = self.needed(keys, key, path);
        let good = text.rsplit_once('@').is_some_and(|(user, host)| {
            !user.is_empty() && !host.is_empty() && !text.contains([' ', '<', '>', ','])
        });
        if !good && !text.is_empty() {
            self.add(
                &format!("{path}/{key}"),
                "bad-address",
                "one address such as a@b.org is needed",
            );
        }
        text
    }

    fn host(&mut self, keys: &Map<String, Value>, path: &str) -> String {
        let text = self.needed(keys, "host", path);
        if !text.bytes().all(|it| it.is_ascii_alphanumeric() || b"-.:".contains(&it)) {
            self.add(&format!("{path}/host"), "bad-host", "a host name or an IP address is needed");
        }
        text
    }

    fn port(&mut self, value: Option<&Value>, path: &str, usual: u16) -> u16 {
        let Some(value) = value else { return usual };
        let port = value.as_u64().and_then(|it| u16::try_from(it).ok()).filter(|it| *it > 0);
        if port.is_none() {
            self.add(path, "bad-number", "1 to 65535");
        }
        port.unwrap_or(usual)
    }

    fn login(&mut self, keys: &Map<String, Value>, path: &str) -> Option<(String, String)> {
        if !keys.contains_key("user") && !keys.contains_key("password") {
            return None;
        }
        Some((self.needed(keys, "user", path), self.needed(keys, "password", path)))
    }

    fn resource(&mut self, value: Option<&Value>, path: &str) -> FhirResource {
        let Some(value) = value else { return FhirResource::CommunicationRequest };
        match self.text(Some(value), path) {
            Some("Communication") => FhirResource::Communication,
            Some("Task") => FhirResource::Task,
            Some("CommunicationRequest") | None => FhirResource::CommunicationRequest,
            Some(_) => {
                let kinds = "Communication, CommunicationRequest or Task";
                self.add(path, "unknown-resource", kinds);
                FhirResource::CommunicationRequest
            }
        }
    }
}
