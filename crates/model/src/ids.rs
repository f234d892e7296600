//! Names of devices, patients and messages.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest id accepted, in bytes: FHIR ids have at most 64; a sender's own message id may be longer.
pub const ID_BYTES_MAX: usize = 200;

fn acceptable(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= ID_BYTES_MAX && !text.chars().any(char::is_control)
}

/// Names one patient: the FHIR logical id. Its `Debug` shows nothing, so no log line can leak one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PatientId(String);

impl PatientId {
    /// `None` when the text is blank, too long or holds control characters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        acceptable(text).then(|| Self(text.to_owned()))
    }

    /// The id itself, for what leaves to FHIR or the database. Grep for this in review.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PatientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PatientId(…)")
    }
}

/// Whether a list of device ids and patterns (`icu-*`) covers a device: what a credential may speak for.
#[must_use]
pub fn covers(allowed: &[String], device: &str) -> bool {
    allowed.iter().any(|it| match it.strip_suffix('*') {
        Some(start) => device.starts_with(start),
        None => it == device,
    })
}

macro_rules! plain_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// `None` when the text is blank, too long or holds control characters.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                acceptable(text).then(|| Self(text.to_owned()))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

plain_id! {
    /// Names one device: the FHIR logical id of its Device resource.
    DeviceId
}
plain_id! {
    /// Names one received message for its whole life; deterministic, see `auscult-ingest`.
    MessageId
}
