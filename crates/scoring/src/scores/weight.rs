//! Weight gain in heart failure (AHA: 2–3 lb in a day or 5 lb in a week; ESC, McDonagh et al., EHJ
//! 2021: more than 2 kg in three days).

use rust_decimal::Decimal;

use crate::bands::rounded;
use crate::stats::{decimal, median};

/// Days looked back.
pub const DAYS: usize = 7;
/// 3 lb over yesterday, in kg.
const GAIN_DAY: Decimal = decimal(136, 2);
/// More than this over the least of three days, in kg.
const GAIN_THREE_DAYS: Decimal = decimal(200, 2);
/// 5 lb over the least of seven days, in kg.
const GAIN_WEEK: Decimal = decimal(227, 2);
/// Further than this from the week's median: somebody else stood on the scale.
const ARTEFACT: Decimal = decimal(10, 0);

/// A rule that fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A day's gain.
    Day,
    /// Three days' gain.
    ThreeDays,
    /// A week's gain.
    Week,
}

impl Rule {
    /// Its code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "R1_24h",
            Self::ThreeDays => "R3_3d",
            Self::Week => "R2_7d",
        }
    }
}

/// What the day's weight says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `no_data`, `suspect_artefact`, `alert` or `ok`.
    pub status: &'static str,
    /// Rules that fired, also for a suspected artefact.
    pub rules: Vec<Rule>,
}

/// Judges today's weight against those of the days before, yesterday first; `None` for a day
/// without one. Weights are in kg as stored, differences are rounded to two decimals.
#[must_use]
pub fn judge(today: Option<Decimal>, before: &[Option<Decimal>]) -> Finding {
    let Some(today) = today else {
        return Finding { status: "no_data", rules: Vec::new() };
    };
    let least = |days: usize| before.iter().take(days).flatten().min();
    let gain = |least: Option<&Decimal>| least.map(|it| rounded(today - it, 2));
    let yesterday = before.first().and_then(Option::as_ref);
    let fired = [
        (Rule::Day, gain(yesterday).is_some_and(|it| it >= GAIN_DAY)),
        (Rule::ThreeDays, gain(least(3)).is_some_and(|it| it > GAIN_THREE_DAYS)),
        (Rule::Week, gain(least(DAYS)).is_some_and(|it| it >= GAIN_WEEK)),
    ];
    let rules: Vec<Rule> = fired.into_iter().filter(|(_, it)| *it).map(|(rule, _)| rule).collect();
    let known: Vec<Decimal> = before.iter().take(DAYS).flatten().copied().collect();
    let artefact = median(&known).is_some_and(|it| (today - it).abs() > ARTEFACT);
    let status = match (artefact, rules.is_empty()) {
        (true, _) => "suspect_artefact",
        (false, false) => "alert",
        (false, true) => "ok",
    };
    Finding { status, rules }
}
