//! What happens to the patients and to their sensors.

use std::fmt;
use std::str::FromStr;

/// The story of a ward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scenario {
    /// Everybody is well.
    Steady,
    /// Well for 20 minutes, then worse over an hour, and ill from then on.
    Deteriorating,
    /// Ill at the start, well after two hours.
    Recovering,
    /// Well, with sensors that slip, come loose and report in the wrong unit.
    NoisySensor,
    /// Well, with monitors that fall silent for an hour and a half and no thermometer at first.
    Gaps,
    /// One bed of each, with illness that comes and goes: the ward of the demo.
    Mixed,
}

impl Scenario {
    /// Every scenario.
    pub const ALL: [Self; 6] = [
        Self::Steady,
        Self::Deteriorating,
        Self::Recovering,
        Self::NoisySensor,
        Self::Gaps,
        Self::Mixed,
    ];

    /// The name on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Deteriorating => "deteriorating",
            Self::Recovering => "recovering",
            Self::NoisySensor => "noisy-sensor",
            Self::Gaps => "gaps",
            Self::Mixed => "mixed",
        }
    }

    /// What happens in one bed.
    pub(crate) const fn story(self, bed: u32) -> (Course, Fault) {
        match self {
            Self::Steady => (Course::Well, Fault::None),
            Self::Deteriorating => (Course::Worsening, Fault::None),
            Self::Recovering => (Course::Improving, Fault::None),
            Self::NoisySensor => (Course::Well, Fault::Artefacts),
            Self::Gaps => (Course::Well, Fault::Silences),
            Self::Mixed => match bed % 8 {
                0 => (Course::Episodes { shift_min: 0 }, Fault::None),
                2 => (Course::Episodes { shift_min: 95 }, Fault::None),
                3 => (Course::Well, Fault::Artefacts),
                4 => (Course::Well, Fault::Silences),
                5 => (Course::Frail, Fault::None),
                7 => (Course::Episodes { shift_min: 160 }, Fault::Artefacts),
                _ => (Course::Well, Fault::None),
            },
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No scenario has that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such scenario: steady, deteriorating, recovering, noisy-sensor, gaps or mixed")]
pub struct UnknownScenario;

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(text: &str) -> Result<Self, UnknownScenario> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or(UnknownScenario)
    }
}

/// How ill a patient is over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// Well throughout.
    Well,
    /// A little ill throughout: a NEWS2 of about 3 to 5.
    Frail,
    /// Falls ill once.
    Worsening,
    /// Gets well once.
    Improving,
    /// Falls ill and gets well again and again, `shift_min` minutes into the first round at the start.
    Episodes { shift_min: u16 },
}

/// Minutes of patients' time; one round of [`Course::Episodes`].
const ROUND_MIN: f64 = 210.0;
/// `(minute, illness)` of one round: rises over an hour, holds, is treated, rests.
const ROUND: [(f64, f64); 6] =
    [(0.0, 0.0), (10.0, 0.0), (65.0, 1.0), (95.0, 1.0), (155.0, 0.0), (ROUND_MIN, 0.0)];
const WORSENING: [(f64, f64); 3] = [(0.0, 0.0), (20.0, 0.0), (80.0, 1.0)];
const IMPROVING: [(f64, f64); 3] = [(0.0, 1.0), (20.0, 1.0), (120.0, 0.0)];

impl Course {
    /// Illness from 0 (well) to 1 (an emergency) at that minute.
    pub fn illness(self, minute: f64) -> f64 {
        match self {
            Self::Well => 0.0,
            Self::Frail => 0.4,
            Self::Worsening => along(&WORSENING, minute),
            Self::Improving => along(&IMPROVING, minute),
            Self::Episodes { shift_min } => {
                let minute = minute + f64::from(shift_min);
                along(&ROUND, minute - (minute / ROUND_MIN).floor() * ROUND_MIN)
            }
        }
    }
}

/// The height of a path at a minute, with soft corners; level after its last point.
fn along(path: &[(f64, f64)], minute: f64) -> f64 {
    let after = path.iter().position(|(at, _)| minute < *at);
    let (from, to) = match after {
        Some(place) => (path.get(place.saturating_sub(1)), path.get(place)),
        None => (path.last(), None),
    };
    match (from, to) {
        (Some((start, low)), Some((end, high))) if start < end => {
            let share = (minute - start) / (end - start);
            low + (high - low) * share * share * (3.0 - 2.0 * share)
        }
        (Some((_, level)), _) | (None, Some((_, level))) => *level,
        (None, None) => 0.0,
    }
}

/// What is wrong with a patient's sensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Values no living patient has, and a thermometer that names the wrong unit.
    Artefacts,
    /// Long silences.
    Silences,
}
