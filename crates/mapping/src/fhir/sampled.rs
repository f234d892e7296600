//! The data string of SampledData: one entry for each step of the period, `E` where there is none.

use super::{ConvertError, Series};
use crate::moment::Instant;

/// Entry of a step without a value.
pub(super) const EMPTY: &str = "E";
/// Most entries of one string: a day at ten a second. More would not fit a resource.
const SAMPLES_MAX: i64 = 864_000;

/// The string over a window whose end is included: each step has the last value within it.
///
/// # Errors
/// When the period is not positive or the window has too many steps.
pub fn build(
    values: &[(Instant, String)],
    start: Instant,
    end: Instant,
    period_ticks: i64,
) -> Result<String, ConvertError> {
    if period_ticks <= 0 {
        return Err(ConvertError::NoDefaultPeriod);
    }
    if (end.ticks() - start.ticks()) / period_ticks >= SAMPLES_MAX {
        return Err(ConvertError::TooManySamples);
    }
    let mut text = String::new();
    let mut values = values.iter().peekable();
    let mut from = start.ticks();
    while from <= end.ticks() {
        let mut sample = EMPTY;
        let step = from..from + period_ticks;
        // A value before the start stays first in line, as existing services have it; windows
        // always begin at or before their first value.
        while let Some((_, value)) = values.next_if(|(time, _)| step.contains(&time.ticks())) {
            sample = value;
        }
        if from > start.ticks() {
            text.push(' ');
        }
        text.push_str(sample);
        from += period_ticks;
    }
    Ok(text)
}

/// Reads a string back as values and times; empty steps are left out.
pub(super) fn read(data: &str, start: Instant, period_ticks: i64) -> Series {
    let entries = data.split(' ').filter(|it| !it.is_empty()).enumerate();
    entries
        .filter(|(_, entry)| *entry != EMPTY)
        .filter_map(|(at, entry)| {
            let steps = i64::try_from(at).ok()?.checked_mul(period_ticks)?;
            let time = Instant::from_ticks(start.ticks().checked_add(steps)?)?;
            Some((time, entry.to_owned()))
        })
        .collect()
}

/// Two series in time order as one; at the same instant the new value counts.
#[must_use]
pub fn merge(existing: &[(Instant, String)], new: &[(Instant, String)]) -> Series {
    let kept = existing.iter().filter(|(time, _)| new.iter().all(|(it, _)| it != time));
    let mut merged: Series = kept.chain(new).cloned().collect();
    merged.sort_by_key(|(time, _)| *time);
    merged
}
