//! A stored page as channels read it.

use auscult_model::{Severity, Timestamp};
use serde::Deserialize;

/// A page, read back from the payload it was stored with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Page {
    /// `alert.opened` … or `heartbeat`.
    #[serde(rename = "type")]
    pub event: String,
    /// When it was made.
    pub timestamp: Timestamp,
    /// What it is about.
    pub data: PageData,
}

/// The alert inside a [`Page`]. Everything is absent in a heartbeat.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PageData {
    /// Alert id.
    pub alert: String,
    /// Logical id of the patient.
    pub patient: String,
    /// The rule.
    pub cause: String,
    /// How fast somebody must come.
    pub severity: String,
    /// Status of the alert.
    pub status: String,
    /// Score behind it.
    pub value: Option<i64>,
    /// Event time of the assessment behind it.
    pub effective: Option<Timestamp>,
    /// Event time at which it opened.
    pub opened: Option<Timestamp>,
    /// Counts the pages of this alert from 1.
    pub page: u32,
    /// Path of the alert on the console.
    pub link: String,
    /// Other alerts the page tells of.
    pub also: Vec<Other>,
}

/// Another alert a page tells of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Other {
    /// The rule.
    pub cause: String,
    /// Score behind it.
    pub value: Option<i64>,
}

/// Where in its life the alert of a page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Somebody is called.
    Calls,
    /// Somebody answered.
    Answered,
    /// It is over.
    Over,
    /// It never was.
    Retracted,
    /// Nothing is wrong: the page itself is the news.
    Heartbeat,
}

impl Page {
    /// Reads a stored payload.
    #[must_use]
    pub fn read(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }

    /// Where the alert stands.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self.event.as_str() {
            "heartbeat" => Stage::Heartbeat,
            "alert.acknowledged" => Stage::Answered,
            "alert.resolved" => Stage::Over,
            "alert.retracted" => Stage::Retracted,
            _ => Stage::Calls,
        }
    }

    /// How fast somebody must come; a heartbeat is technical.
    #[must_use]
    pub fn severity(&self) -> Severity {
        Severity::parse(&self.data.severity).unwrap_or(Severity::Technical)
    }
}
