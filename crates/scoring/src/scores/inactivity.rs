//! Nobody moves at home while awake. All limits are decisions of this project.

/// 07:00, in minutes after local midnight.
pub const WAKE_FROM_MIN: i64 = 420;
/// 22:00.
pub const WAKE_TO_MIN: i64 = 1_320;
/// Longer without movement is an alert.
pub const GAP_MAX_MIN: i64 = 240;

/// What the house says at one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Outside the waking hours.
    NotEvaluated,
    /// Movement soon enough; minutes since.
    Ok(i64),
    /// None for too long; minutes since.
    Alert(i64),
}

/// Judges the minutes of movement and absence of one day. Movement after `now` does not count, nor
/// does time away, however its intervals overlap.
#[must_use]
pub fn judge(motion: &[i64], away: &[(i64, i64)], now: i64) -> State {
    if !(WAKE_FROM_MIN..=WAKE_TO_MIN).contains(&now) {
        return State::NotEvaluated;
    }
    let last = motion.iter().copied().filter(|it| *it <= now).fold(WAKE_FROM_MIN, i64::max);
    let mut away = away.to_vec();
    away.sort_unstable();
    let (mut gap, mut counted_to) = (now - last, last);
    for (from, to) in away {
        let (from, to) = (from.max(counted_to), to.min(now));
        if from < to {
            gap -= to - from;
            counted_to = to;
        }
    }
    if gap > GAP_MAX_MIN { State::Alert(gap) } else { State::Ok(gap) }
}
