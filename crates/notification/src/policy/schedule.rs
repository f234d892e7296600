//! Roles that people take in turns.

use auscult_model::Timestamp;

use crate::policy::hours::Hours;

/// A role, such as the doctor on call: which receiver it is depends on the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Routes name it like a receiver.
    pub name: String,
    /// The first that holds the instant decides.
    pub shifts: Vec<Shift>,
    /// Who it is otherwise: a role is never nobody.
    pub otherwise: String,
}

/// Who has the role in some hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// When.
    pub hours: Hours,
    /// Who.
    pub receiver: String,
}

impl Schedule {
    /// Who has the role at that instant.
    #[must_use]
    pub fn receiver_at(&self, at: Timestamp) -> &str {
        let found = self.shifts.iter().find(|it| it.hours.contain(at));
        found.map_or(&self.otherwise, |it| &it.receiver)
    }
}

/// The dead man's switch: a page that must always arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// Where to.
    pub receiver: String,
    /// How often, in milliseconds.
    pub interval_ms: i64,
}
