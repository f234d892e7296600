//! Hours of the day in a place's own time: shifts, quiet hours, on-call.

use auscult_model::Timestamp;
use chrono::{Datelike, NaiveTime, TimeZone, Timelike};
use chrono_tz::Tz;

/// One minute in milliseconds; every time zone in use today differs from UTC by whole minutes.
const MINUTE_MS: i64 = 60_000;
/// Minutes of a day on which no clock changes.
const DAY_MIN: u32 = 24 * 60;
/// How far a window's end or a shift's start is looked for: a week and a day of minutes.
const MINUTES_MAX: i64 = 8 * 24 * 60;

/// A span of the day on some days of the week. It may pass midnight and then belongs to the day it
/// began on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    /// Whose clocks.
    pub zone: Tz,
    /// Days from Monday.
    pub days: [bool; 7],
    /// First minute of the day.
    pub from_min: u32,
    /// First minute no longer in it; equal to `from_min` for the whole day.
    pub to_min: u32,
}

/// Minute of the day and day of the week (Monday is 0) at an instant.
fn local(zone: Tz, at: Timestamp) -> Option<(u32, usize)> {
    let there = zone.from_utc_datetime(&at.to_utc()?.naive_utc());
    let day = usize::try_from(there.weekday().num_days_from_monday()).ok()?;
    Some((there.hour() * 60 + there.minute(), day))
}

/// Minutes of a time such as `07:30`.
#[must_use]
pub fn minutes(text: &str) -> Option<u32> {
    let exact = text.len() == 5;
    let time = NaiveTime::parse_from_str(text, "%H:%M").ok().filter(|_| exact)?;
    Some(time.hour() * 60 + time.minute())
}

impl Hours {
    /// Whether the instant lies in the span.
    #[must_use]
    pub fn contain(&self, at: Timestamp) -> bool {
        let Some((minute, day)) = local(self.zone, at) else { return false };
        let on = |day: usize| self.days.get(day % 7).copied().unwrap_or(false);
        if self.from_min < self.to_min {
            on(day) && (self.from_min..self.to_min).contains(&minute)
        } else {
            (on(day) && minute >= self.from_min) || (on(day + 6) && minute < self.to_min)
        }
    }

    /// The first full minute after `at` that is outside.
    #[must_use]
    pub fn end_after(&self, at: Timestamp) -> Timestamp {
        // Unless the clocks change meanwhile or another day's span follows, it ends at its minute.
        let guess = local(self.zone, at).map(|(minute, _)| {
            full(at).plus_ms(MINUTE_MS * i64::from((self.to_min + DAY_MIN - minute) % DAY_MIN))
        });
        let ends = |it: &Timestamp| {
            *it > at
                && local(self.zone, *it).is_some_and(|(minute, _)| minute == self.to_min)
                && self.contain(it.plus_ms(-MINUTE_MS))
                && !self.contain(*it)
        };
        let inside = self.contain(at);
        guess
            .filter(|it| inside && ends(it))
            .unwrap_or_else(|| next_minute(at, |it| !self.contain(it)))
    }
}

/// The minutes of the day at which shifts change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shifts {
    /// Whose clocks.
    pub zone: Tz,
    /// Ascending.
    pub starts_min: Vec<u32>,
}

impl Shifts {
    fn changes(&self, at: Timestamp) -> bool {
        local(self.zone, at).is_some_and(|(minute, _)| self.starts_min.contains(&minute))
    }

    /// When the shift of that instant began.
    #[must_use]
    pub fn start_of(&self, at: Timestamp) -> Timestamp {
        let this = at.unix_ms().div_euclid(MINUTE_MS);
        let guess = local(self.zone, at).and_then(|(minute, _)| {
            let back = self.starts_min.iter().map(|it| (minute + DAY_MIN - it) % DAY_MIN).min()?;
            Some(full(at).plus_ms(-MINUTE_MS * i64::from(back)))
        });
        if let Some(guess) = guess.filter(|it| self.changes(*it)) {
            return guess;
        }
        // The clocks changed meanwhile.
        let began = (0..MINUTES_MAX)
            .map(|back| Timestamp::from_unix_ms((this - back).saturating_mul(MINUTE_MS)))
            .find(|it| self.changes(*it));
        began.unwrap_or(at)
    }

    /// When the shift of that instant ends.
    #[must_use]
    pub fn end_of(&self, at: Timestamp) -> Timestamp {
        let guess = local(self.zone, at).and_then(|(minute, _)| {
            let on = self.starts_min.iter().map(|it| match (it + DAY_MIN - minute) % DAY_MIN {
                0 => DAY_MIN,
                on => on,
            });
            Some(full(at).plus_ms(MINUTE_MS * i64::from(on.min()?)))
        });
        let found = guess.filter(|it| self.changes(*it));
        found.unwrap_or_else(|| next_minute(at, |it| self.changes(it)))
    }
}

/// The instant's full minute.
const fn full(at: Timestamp) -> Timestamp {
    Timestamp::from_unix_ms(at.unix_ms().div_euclid(MINUTE_MS) * MINUTE_MS)
}

fn next_minute(at: Timestamp, found: impl Fn(Timestamp) -> bool) -> Timestamp {
    let this = at.unix_ms().div_euclid(MINUTE_MS);
    let mut later =
        (1..=MINUTES_MAX).map(|on| Timestamp::from_unix_ms((this + on).saturating_mul(MINUTE_MS)));
    later.find(|it| found(*it)).unwrap_or_else(|| at.plus_ms(MINUTES_MAX * MINUTE_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_night_belongs_to_the_day_it_began_on_and_keeps_summer_time() {
        let mut days = [false; 7];
        days[4] = true; // Friday
        let night =
            Hours { zone: chrono_tz::Europe::Berlin, days, from_min: 22 * 60, to_min: 6 * 60 };
        #[rustfmt::skip]
        let rows = [
            ("2026-11-20T20:59:59Z", false), // Friday 21:59
            ("2026-11-20T21:00:00Z", true),  // Friday 22:00
            ("2026-11-21T04:59:00Z", true),  // Saturday 05:59
            ("2026-11-21T05:00:00Z", false), // Saturday 06:00
            ("2026-11-21T22:00:00Z", false), // Saturday 23:00
            ("2026-07-03T20:00:00Z", true),  // Friday 22:00 in summer
        ];
        for (text, want) in rows {
            assert_eq!(night.contain(at(text)), want, "{text}");
        }
        assert_eq!(night.end_after(at("2026-11-20T21:00:30Z")), at("2026-11-21T05:00:00Z"));
        // The clocks go forward this night: it is an hour shorter.
        let all = Hours { days: [true; 7], ..night };
        assert_eq!(all.end_after(at("2026-03-28T21:00:00Z")), at("2026-03-29T04:00:00Z"));
    }

    #[test]
    fn a_shift_begins_and_ends_by_the_clock_on_the_wall() {
        let shifts = Shifts { zone: chrono_tz::America::New_York, starts_min: vec![420, 1_140] };
        let now = at("2026-11-20T16:30:10Z"); // 11:30
        assert_eq!(shifts.start_of(now), at("2026-11-20T12:00:00Z"));
        assert_eq!(shifts.end_of(now), at("2026-11-21T00:00:00Z"));
        assert_eq!(shifts.start_of(at("2026-11-20T12:00:00Z")), at("2026-11-20T12:00:00Z"));
    }

    #[test]
    fn a_time_of_day_has_two_digits_each() {
        for (text, want) in [
            ("07:30", Some(450)),
            ("00:00", Some(0)),
            ("23:59", Some(1_439)),
            ("24:00", None),
            ("7:30", None),
            ("07:30:00", None),
            ("noon", None),
        ] {
            assert_eq!(minutes(text), want, "{text}");
        }
    }
}
