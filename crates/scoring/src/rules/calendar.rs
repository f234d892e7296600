//! Local days at a fixed offset from UTC.

/// One day, in milliseconds.
pub const DAY_MS: i64 = 86_400_000;

/// A fixed offset from UTC, in milliseconds. Summer time is a new version of the rule set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Zone(i64);

impl Zone {
    /// Reads `+01:00`, `-05:30`, `Z`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "Z" {
            return Some(Self(0));
        }
        let (sign, rest) = match text.split_at_checked(1)? {
            ("+", rest) => (1, rest),
            ("-", rest) => (-1, rest),
            _ => return None,
        };
        let minute = minute_of_day(rest).filter(|it| *it <= 14 * 60)?;
        Some(Self(sign * minute * 60_000))
    }

    /// Number of the local day that holds an instant.
    #[must_use]
    pub const fn day(self, at_ms: i64) -> i64 {
        at_ms.saturating_add(self.0).div_euclid(DAY_MS)
    }

    /// First instant of a local day.
    #[must_use]
    pub const fn start(self, day: i64) -> i64 {
        day.saturating_mul(DAY_MS).saturating_sub(self.0)
    }
}

/// Minutes of `HH:MM`.
#[must_use]
pub fn minute_of_day(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |it: &str| it.len() == 2 && it.bytes().all(|it| it.is_ascii_digit());
    if !digits(hours) || !digits(minutes) {
        return None;
    }
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_day_begins_at_its_own_midnight() {
        let east = Zone::parse("+01:00").unwrap();
        let west = Zone::parse("-05:30").unwrap();
        assert_eq!((east.day(-3_600_001), east.day(-3_600_000)), (-1, 0));
        assert_eq!((east.start(0), west.start(0)), (-3_600_000, 19_800_000));
        for text in ["", "1:00", "+1:00", "+15:00", "+01:60", "UTC"] {
            assert_eq!(Zone::parse(text), None, "{text}");
        }
    }
}
