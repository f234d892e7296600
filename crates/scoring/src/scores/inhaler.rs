//! Reliever overuse (GINA control question: on more than two days a week; twelve puffs on one day is
//! a decision of this project).

/// More days than this of the last seven ask for a review.
pub const DAYS_MAX: usize = 2;
/// So many puffs on the current day are an alarm.
pub const PUFFS_DAY: u64 = 12;
/// Days looked at, today included.
pub const DAYS: usize = 7;

/// What a week of puffs says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Days with a puff.
    pub n_days: usize,
    /// All puffs.
    pub n_puffs: u64,
    /// Codes of what is wrong.
    pub flags: Vec<&'static str>,
}

/// Judges the puffs of the last seven local days, today last.
#[must_use]
pub fn judge(puffs: &[u64]) -> Finding {
    let week = puffs.get(puffs.len().saturating_sub(DAYS)..).unwrap_or_default();
    let n_days = week.iter().filter(|it| **it > 0).count();
    let today = week.last().copied().unwrap_or(0);
    let flags = [(n_days > DAYS_MAX, "SABA_DAYS_GT2_7D"), (today >= PUFFS_DAY, "SABA_GE12_24H")];
    Finding {
        n_days,
        n_puffs: week.iter().fold(0, |sum, it| sum.saturating_add(*it)),
        flags: flags.into_iter().filter(|(is, _)| *is).map(|(_, code)| code).collect(),
    }
}
