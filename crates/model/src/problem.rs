//! RFC 9457 problem details, the one shape of an error answer outside FHIR.

use serde::{Deserialize, Serialize};

/// An error answer. Holds no patient data: codes, places and reasons only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `urn:auscult:problem:<code>`, stable.
    #[serde(rename = "type")]
    pub urn: String,
    /// One line for people, the same for every occurrence.
    pub title: String,
    /// The HTTP status it is answered with.
    pub status: u16,
    /// What went wrong this time.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Which request or message, when it has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Every fault found, each with its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
}

/// One fault at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// JSON Pointer to the value at fault, empty for the whole document.
    pub path: String,
    /// Stable code, kebab-case.
    pub code: String,
    /// The reason, without the value itself.
    pub detail: String,
}

impl Problem {
    /// A problem of this status and stable code.
    #[must_use]
    pub fn new(status: u16, code: &str, title: &str) -> Self {
        Self {
            urn: format!("urn:auscult:problem:{code}"),
            title: title.to_owned(),
            status,
            detail: String::new(),
            instance: None,
            errors: Vec::new(),
        }
    }

    /// The same with what went wrong this time.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// The same with one more fault.
    #[must_use]
    pub fn fault(mut self, path: &str, code: &str, detail: impl Into<String>) -> Self {
        self.errors.push(Fault {
            path: path.to_owned(),
            code: code.to_owned(),
            detail: detail.into(),
        });
        self
    }

    /// The stable code, the last part of the URN.
    #[must_use]
    pub fn code(&self) -> &str {
        self.urn.rsplit(':').next().unwrap_or_default()
    }
}
