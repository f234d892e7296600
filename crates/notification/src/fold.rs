//! The state machine of one alert: a fold over assessments in event time and people's answers in
//! clock time.
//!
//! A state changes only with a transition and remembers nothing in between. So whatever arrives
//! late, the fold may start again from the last transition before it and ends as if everything had
//! come in order.

use auscult_model::alert::Transition;
use auscult_model::{AlertStatus, AssessmentStatus, Severity, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a person's "resolved" holds while the cause is still there, in milliseconds, unless the
/// policy says otherwise. Four hours: the shortest routine monitoring interval of NEWS2, so a mistaken click is found by the
/// next round and a right one is not argued with at every reading.
pub const DISMISSAL_MS: i64 = 4 * 60 * 60 * 1_000;

/// How long it must have been better for a new rise to the severity that was acknowledged to count as
/// new, in milliseconds. Ten minutes: longer than a value dances about a limit, shorter than a nurse
/// stays at a bed.
pub const IMPROVED_MS: i64 = 10 * 60 * 1_000;

/// Who acts when data does.
pub const BY_DATA: &str = "auscult";

/// What one assessment says to the alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Some threshold is met. Not `exact`: inputs are missing, so it may be worse but not better.
    Above {
        /// How fast somebody must come, at least.
        severity: Severity,
        /// Whether every input was there.
        exact: bool,
    },
    /// Every input was there and no threshold is met.
    Below,
    /// The rule is not meant for this patient.
    NotApplicable,
    /// No threshold is met by what is there, and something is missing: says nothing either way.
    Unknown,
}

impl Verdict {
    /// Reads the status and severity of an assessment.
    #[must_use]
    pub const fn of(status: AssessmentStatus, severity: Option<Severity>) -> Self {
        match (status, severity) {
            (AssessmentStatus::NotApplicable, _) => Self::NotApplicable,
            (AssessmentStatus::Complete, Some(severity)) => Self::Above { severity, exact: true },
            (AssessmentStatus::Complete, None) => Self::Below,
            (AssessmentStatus::Incomplete | AssessmentStatus::Failed, Some(severity)) => {
                Self::Above { severity, exact: false }
            }
            (AssessmentStatus::Incomplete | AssessmentStatus::Failed, None) => Self::Unknown,
        }
    }
}

/// One current assessment, as far as an alert needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The event time it speaks of.
    pub effective: Timestamp,
    /// Its id.
    pub assessment: String,
    /// What it says.
    pub verdict: Verdict,
    /// The score, when there is one.
    pub value: Option<i64>,
    /// Its band, when it has one.
    pub band: Option<String>,
}

/// What a person did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum AnswerKind {
    /// "I am coming."
    Acknowledge,
    /// "This is for …"
    Assign {
        /// Who shall come.
        to: String,
    },
    /// Words.
    Comment,
    /// "It is over."
    Resolve,
}

impl AnswerKind {
    /// The last segment of its route.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Assign { .. } => "assign",
            Self::Comment => "comment",
            Self::Resolve => "resolve",
        }
    }
}

/// One answer of a person, with what that person could know. Never changes once given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Names it for good; the same answer twice counts once.
    pub id: String,
    /// When it was given, never before what it answers (a device's clock may run ahead of ours).
    pub at: Timestamp,
    /// What was done.
    #[serde(flatten)]
    pub kind: AnswerKind,
    /// Who.
    pub by: String,
    /// In their own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The severity they saw: an answer covers no worse.
    pub severity: Severity,
    /// Event time of the newest assessment they could see: an answer covers no later episode.
    pub seen: Timestamp,
    /// How long a "resolved" holds by the policy it was given under, in milliseconds.
    #[serde(default = "four_hours", skip_serializing_if = "is_four_hours")]
    pub dismissal_ms: i64,
}

const fn four_hours() -> i64 {
    DISMISSAL_MS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_four_hours(ms: &i64) -> bool {
    *ms == DISMISSAL_MS
}

/// One thing that happened, in the order the fold takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Data.
    Data(Observed),
    /// A person.
    Person(Answer),
}

impl Item {
    /// When it counts: event time of data, time of the act of a person.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Data(seen) => seen.effective,
            Self::Person(answer) => answer.at,
        }
    }

    /// Data before people at one instant, then by id: a total order over any set of items.
    fn key(&self) -> (Timestamp, u8, &str) {
        match self {
            Self::Data(seen) => (seen.effective, 0, &seen.assessment),
            Self::Person(answer) => (answer.at, 1, &answer.id),
        }
    }
}

/// Where the alert stands, with what that phase has to remember.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "is")]
pub enum Phase {
    /// Somebody should come.
    Open,
    /// Somebody is coming.
    Acknowledged {
        /// For anything up to this.
        covers: Severity,
    },
    /// The cause is gone.
    Resolved,
    /// A person said it is over while the cause was still there.
    Dismissed {
        /// For anything up to this.
        covers: Severity,
        /// And for assessments before this.
        until: Timestamp,
    },
}

/// The alert after a transition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Where it stands.
    pub phase: Phase,
    /// The last severity known.
    pub severity: Severity,
    /// Event time at which the cause came (back).
    pub opened: Timestamp,
    /// Who shall come, once somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned: Option<String>,
    /// The assessment behind the last change by data.
    pub assessment: String,
    /// Its event time.
    pub effective: Timestamp,
    /// Its score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
    /// Its band.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<String>,
}

impl State {
    /// The status the API shows.
    #[must_use]
    pub const fn status(&self) -> AlertStatus {
        match self.phase {
            Phase::Open => AlertStatus::Open,
            Phase::Acknowledged { .. } => AlertStatus::Acknowledged,
            Phase::Resolved | Phase::Dismissed { .. } => AlertStatus::Resolved,
        }
    }

    fn opened_by(seen: &Observed, severity: Severity) -> Self {
        Self {
            phase: Phase::Open,
            severity,
            opened: seen.effective,
            assigned: None,
            assessment: seen.assessment.clone(),
            effective: seen.effective,
            value: seen.value,
            band: seen.band.clone(),
        }
    }

    fn moved_by(&self, seen: &Observed, phase: Phase, severity: Severity) -> Self {
        Self {
            phase,
            severity,
            opened: self.opened,
            assigned: self.assigned.clone(),
            assessment: seen.assessment.clone(),
            effective: seen.effective,
            value: seen.value,
            band: seen.band.clone(),
        }
    }
}

/// One transition and the state after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// As the API shows it.
    #[serde(flatten)]
    pub transition: Transition,
    /// Where the fold may start again.
    pub state: State,
}

/// The state after `seen`, or `None` when it changes nothing. `state` is `None` while there never
/// was an alert.
#[must_use]
pub fn after_data(state: Option<&State>, seen: &Observed) -> Option<State> {
    let Some(state) = state else {
        return match seen.verdict {
            Verdict::Above { severity, .. } => Some(State::opened_by(seen, severity)),
            Verdict::Below | Verdict::NotApplicable | Verdict::Unknown => None,
        };
    };
    let gone = |phase| Some(state.moved_by(seen, phase, state.severity));
    match (state.phase, seen.verdict) {
        (_, Verdict::Unknown) => None,
        (Phase::Open, Verdict::Above { severity, exact }) => moved(state.severity, severity, exact)
            .then(|| state.moved_by(seen, Phase::Open, severity)),
        (Phase::Acknowledged { covers }, Verdict::Above { severity, exact }) => {
            let better = seen.effective.since_ms(state.effective) >= IMPROVED_MS;
            let again = severity > state.severity && better;
            let phase = if severity > covers || again { Phase::Open } else { state.phase };
            moved(state.severity, severity, exact).then(|| state.moved_by(seen, phase, severity))
        }
        (Phase::Resolved, Verdict::Above { severity, .. }) => {
            Some(State::opened_by(seen, severity))
        }
        (Phase::Dismissed { covers, until }, Verdict::Above { severity, .. }) => {
            let back = severity > covers || seen.effective >= until;
            back.then(|| State::opened_by(seen, severity))
        }
        (
            Phase::Open | Phase::Acknowledged { .. } | Phase::Dismissed { .. },
            Verdict::Below | Verdict::NotApplicable,
        ) => gone(Phase::Resolved),
        (Phase::Resolved, Verdict::Below | Verdict::NotApplicable) => None,
    }
}

/// A lower bound may raise a severity, never lower it.
fn moved(from: Severity, to: Severity, exact: bool) -> bool {
    to > from || (exact && to < from)
}

/// The state after a person's answer, or `None` when it has nothing to apply to.
#[must_use]
pub fn after_answer(state: Option<&State>, answer: &Answer) -> Option<State> {
    let state = state?;
    // What came to light only afterwards was not answered.
    let known = state.opened <= answer.seen && state.severity <= answer.severity;
    let with = |phase| Some(State { phase, ..state.clone() });
    match (&answer.kind, state.phase) {
        (AnswerKind::Acknowledge, Phase::Open) if known => {
            with(Phase::Acknowledged { covers: answer.severity })
        }
        (AnswerKind::Resolve, Phase::Open | Phase::Acknowledged { .. }) if known => {
            let until = answer.at.plus_ms(answer.dismissal_ms);
            with(Phase::Dismissed { covers: answer.severity, until })
        }
        (
            AnswerKind::Acknowledge | AnswerKind::Resolve,
            Phase::Open | Phase::Acknowledged { .. } | Phase::Resolved | Phase::Dismissed { .. },
        ) => None,
        (AnswerKind::Assign { to }, _) => {
            Some(State { assigned: Some(to.clone()), ..state.clone() })
        }
        (AnswerKind::Comment, _) => Some(state.clone()),
    }
}

/// Folds `items`, in any order and with repeats, onto the state before all of them. Returns every
/// transition, oldest first.
#[must_use]
pub fn fold(base: Option<&State>, mut items: Vec<Item>) -> Vec<Step> {
    items.sort_by(|a, b| a.key().cmp(&b.key()));
    items.dedup_by(|a, b| a.key() == b.key());
    let mut steps: Vec<Step> = Vec::new();
    for item in &items {
        let before = steps.last().map_or(base, |it| Some(&it.state));
        let after = match item {
            Item::Data(seen) => after_data(before, seen),
            Item::Person(answer) => after_answer(before, answer),
        };
        if let Some(state) = after {
            let transition = transition(before, &state, item);
            steps.push(Step { transition, state });
        }
    }
    steps
}

fn transition(before: Option<&State>, after: &State, item: &Item) -> Transition {
    let (by, why, assessment) = match item {
        Item::Data(seen) => (BY_DATA.to_owned(), said(seen), Some(seen.assessment.clone())),
        Item::Person(answer) => (answer.by.clone(), answered(answer), None),
    };
    Transition {
        at: item.at(),
        from: before.map(State::status),
        to: after.status(),
        by,
        why,
        severity: after.severity,
        assessment,
    }
}

fn said(seen: &Observed) -> String {
    let value = match (seen.value, seen.verdict) {
        (Some(value), Verdict::Above { exact: false, .. }) => format!("score at least {value}"),
        (Some(value), _) => format!("score {value}"),
        (None, _) => "no score".to_owned(),
    };
    let band = seen.band.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
    let verdict = match seen.verdict {
        Verdict::Above { severity, .. } => severity.as_str(),
        Verdict::Below => "below every threshold",
        Verdict::NotApplicable => "the rule is not meant for this patient",
        Verdict::Unknown => "inputs are missing",
    };
    format!("{value}{band}: {verdict}")
}

fn answered(answer: &Answer) -> String {
    let act = match &answer.kind {
        AnswerKind::Acknowledge => "acknowledged".to_owned(),
        AnswerKind::Assign { to } => format!("assigned to {to}"),
        AnswerKind::Comment => "comment".to_owned(),
        AnswerKind::Resolve => "resolved".to_owned(),
    };
    match &answer.comment {
        Some(comment) => format!("{act}: {comment}"),
        None => act,
    }
}

#[cfg(test)]
mod tests;
