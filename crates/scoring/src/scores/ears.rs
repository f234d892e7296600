//! EARS C1 to C3 on daily counts (Hutwagner et al., J Urban Health 2003;80:i89; Fricker et al., Stat
//! Med 2008;27:3407). The floor of the deviation is a decision of this project.

use rust_decimal::Decimal;

use crate::stats::{decimal, mean, standard_deviation};

/// Days a baseline spans.
const BASELINE: usize = 7;
/// Least standard deviation: a quiet week must not make one case an outbreak.
const DEVIATION_MIN: Decimal = decimal(5, 1);
const ALARM_C1: Decimal = decimal(3, 0);
const ALARM_C2: Decimal = decimal(3, 0);
const ALARM_C3: Decimal = decimal(2, 0);

/// The three statistics of the last day; `None` with too short a history (7, 9 and 11 days).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// Against the seven days before.
    pub c1: Option<Decimal>,
    /// Against seven days ending three days before.
    pub c2: Option<Decimal>,
    /// C2 of three days added up, each less one.
    pub c3: Option<Decimal>,
}

impl Statistics {
    /// Whether C1, C2 and C3 alarm, on the values before rounding.
    #[must_use]
    pub fn alarms(&self) -> [bool; 3] {
        [
            self.c1.is_some_and(|it| it > ALARM_C1),
            self.c2.is_some_and(|it| it > ALARM_C2),
            self.c3.is_some_and(|it| it > ALARM_C3),
        ]
    }
}

/// The statistics of the last of these daily counts.
#[must_use]
pub fn statistics(counts: &[Decimal]) -> Statistics {
    let c3 = (0..3).map(|back| excess(counts, back, 2)).try_fold(Decimal::ZERO, |sum, c2| {
        c2.map(|it| sum + (it - Decimal::ONE).max(Decimal::ZERO))
    });
    Statistics { c1: excess(counts, 0, 0), c2: excess(counts, 0, 2), c3 }
}

/// How many deviations the count `back` days before the last lies over its baseline, which ends
/// `gap` days before it.
fn excess(counts: &[Decimal], back: usize, gap: usize) -> Option<Decimal> {
    let day = counts.len().checked_sub(1 + back)?;
    let end = day.checked_sub(gap)?;
    let baseline = counts.get(end.checked_sub(BASELINE)?..end)?;
    let deviation = standard_deviation(baseline)?.max(DEVIATION_MIN);
    Some((counts.get(day)? - mean(baseline)?) / deviation)
}
