//! Why a command did not do what it was asked, and the exit status that says so.

use auscult_model::Problem;
use serde_json::{Value, json};

/// A failed command. Wrong use (2) is told by the argument parser.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The thing asked about is bad: exit 1.
    #[error("{0}")]
    Bad(String),
    /// The server says no: exit 1.
    #[error("{}{}", .0.title, detail(.0))]
    Refused(Box<Problem>),
    /// Something could not be reached or read: exit 3.
    #[error("{what}: {why}")]
    Unreached {
        /// What.
        what: String,
        /// Why not.
        why: String,
    },
}

fn detail(problem: &Problem) -> String {
    let mut text = format!(" ({}", problem.status);
    if !problem.detail.is_empty() {
        text.push_str(", ");
        text.push_str(&problem.detail);
    }
    for fault in &problem.errors {
        text.push_str(&format!("; {} {}: {}", fault.path, fault.code, fault.detail));
    }
    text.push(')');
    text
}

impl Failure {
    /// Something could not be reached or read.
    pub fn unread(what: &str, why: &impl std::fmt::Display) -> Self {
        Self::Unreached { what: what.to_owned(), why: why.to_string() }
    }

    /// The exit status.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Bad(_) | Self::Refused(_) => 1,
            Self::Unreached { .. } => 3,
        }
    }

    /// For programs.
    pub fn json(&self) -> Value {
        match self {
            Self::Refused(problem) => json!({ "error": problem }),
            Self::Bad(_) | Self::Unreached { .. } => {
                json!({ "error": { "detail": self.to_string() } })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_every_fault_with_its_place() {
        let problem = Problem::new(400, "bad", "The bundle was refused").detail("entry 2").fault(
            "/entry/2",
            "reference",
            "no such patient",
        );
        let failure = Failure::Refused(Box::new(problem));
        assert_eq!(
            failure.to_string(),
            "The bundle was refused (400, entry 2; /entry/2 reference: no such patient)"
        );
        assert_eq!(failure.code(), 1);
        assert_eq!(Failure::unread("x", &"y").code(), 3);
    }
}
