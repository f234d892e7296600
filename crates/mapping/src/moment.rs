//! Instants with the resolution of 100 nanoseconds, and the texts dates have in the mapping language.

use std::fmt;

/// 100-nanosecond steps in a second.
pub const TICKS_PER_SECOND: i64 = 10_000_000;
/// 100-nanosecond steps in a day.
pub const TICKS_PER_DAY: i64 = 86_400 * TICKS_PER_SECOND;
/// 0001-01-01T00:00:00Z, the earliest date there is.
const TICKS_MIN: i64 = -62_135_596_800 * TICKS_PER_SECOND;
/// 9999-12-31T23:59:59.9999999Z, the latest date there is.
const TICKS_MAX: i64 = 253_402_300_800 * TICKS_PER_SECOND - 1;

/// An instant: 100-nanosecond steps since 1970-01-01T00:00:00Z, from year 1 to 9999.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// The instant that many steps of 100 ns after the epoch; `None` outside years 1 to 9999.
    #[must_use]
    pub const fn from_ticks(ticks: i64) -> Option<Self> {
        if ticks < TICKS_MIN || ticks > TICKS_MAX { None } else { Some(Self(ticks)) }
    }

    /// The instant that many milliseconds after the epoch; `None` outside years 1 to 9999.
    #[must_use]
    pub const fn from_unix_ms(ms: i64) -> Option<Self> {
        match ms.checked_mul(10_000) {
            Some(ticks) => Self::from_ticks(ticks),
            None => None,
        }
    }

    /// Steps of 100 ns since the epoch.
    #[must_use]
    pub const fn ticks(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch; finer is cut toward the past.
    #[must_use]
    pub const fn unix_ms(self) -> i64 {
        self.0.div_euclid(10_000)
    }

    /// Reads an ISO date-time; a text without a zone is read as UTC.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        crate::dates::general(text).map(|it| it.instant)
    }

    /// Calendar fields in UTC.
    #[must_use]
    pub fn fields(self) -> Fields {
        let days = self.0.div_euclid(TICKS_PER_DAY);
        let rest = self.0.rem_euclid(TICKS_PER_DAY);
        let (year, month, day) = civil_from_days(days);
        let second = rest / TICKS_PER_SECOND;
        Fields {
            year,
            month,
            day,
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
            fraction: rest % TICKS_PER_SECOND,
        }
    }

    /// `yyyyMMddHHmmssZ`, the form used in ids.
    #[must_use]
    pub fn compact(self) -> String {
        let mut text = String::with_capacity(15);
        self.push_compact(&mut text);
        text
    }

    pub(crate) fn push_compact(self, text: &mut String) {
        let it = self.fields();
        for part in [it.year / 100, it.year % 100, it.month, it.day, it.hour, it.minute, it.second]
        {
            push_two(text, part);
        }
        text.push('Z');
    }

    /// ISO 8601 with seven fraction digits and `Z`.
    #[must_use]
    pub fn iso(self) -> String {
        let mut text = String::with_capacity(28);
        self.push_iso(&mut text);
        text
    }

    pub(crate) fn push_iso(self, text: &mut String) {
        let it = self.fields();
        push_two(text, it.year / 100);
        push_two(text, it.year % 100);
        for (mark, part) in
            [('-', it.month), ('-', it.day), ('T', it.hour), (':', it.minute), (':', it.second)]
        {
            text.push(mark);
            push_two(text, part);
        }
        text.push('.');
        push_digit(text, it.fraction / 1_000_000);
        for part in [it.fraction / 10_000 % 100, it.fraction / 100 % 100, it.fraction % 100] {
            push_two(text, part);
        }
        text.push('Z');
    }
}

/// Appends a number below 100 with a leading zero; much quicker than formatting, and done for every value.
fn push_two(text: &mut String, number: i64) {
    push_digit(text, number / 10);
    push_digit(text, number % 10);
}

fn push_digit(text: &mut String, digit: i64) {
    text.push(char::from(b'0' + u8::try_from(digit).unwrap_or_default()));
}

/// ISO 8601 with seven fraction digits and `Z`.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iso())
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Calendar fields of an instant in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields {
    /// 1 to 9999.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
    /// 0 to 23.
    pub hour: i64,
    /// 0 to 59.
    pub minute: i64,
    /// 0 to 59.
    pub second: i64,
    /// In 100 ns.
    pub fraction: i64,
}

/// How a date was written, which decides its ISO text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// With `Z`.
    Utc,
    /// With an offset.
    Offset,
    /// Without; read as UTC.
    None,
}

/// A date of the mapping language: an instant and how it was written.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The instant.
    pub instant: Instant,
    /// How it was written.
    pub zone: Zone,
}

/// Two dates are equal when their instants are, however they were written.
impl PartialEq for Moment {
    fn eq(&self, other: &Self) -> bool {
        self.instant == other.instant
    }
}

impl Moment {
    /// A date in UTC.
    #[must_use]
    pub const fn utc(instant: Instant) -> Self {
        Self { instant, zone: Zone::Utc }
    }

    /// The month-first text a date has as a value or an id: zone and fraction are lost.
    #[must_use]
    pub fn us_text(self) -> String {
        let it = self.instant.fields();
        format!(
            "{:02}/{:02}/{:04} {:02}:{:02}:{:02}",
            it.month, it.day, it.year, it.hour, it.minute, it.second
        )
    }

    /// ISO 8601 with as many fraction digits as needed, and the zone as it was written.
    #[must_use]
    pub fn iso(self) -> String {
        let it = self.instant.fields();
        let mut text = format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            it.year, it.month, it.day, it.hour, it.minute, it.second
        );
        if it.fraction != 0 {
            let digits = format!(".{:07}", it.fraction);
            text.push_str(digits.trim_end_matches('0'));
        }
        text.push_str(match self.zone {
            Zone::Utc => "Z",
            Zone::Offset => "+00:00",
            Zone::None => "",
        });
        text
    }
}

/// The instant of calendar fields; `None` when there is no such day or time. `hour` may be 24 when
/// the rest is zero.
#[must_use]
pub fn instant_of(it: Fields) -> Option<Instant> {
    let day_ok = (1..=9999).contains(&it.year)
        && (1..=12).contains(&it.month)
        && it.day >= 1
        && it.day <= days_in_month(it.year, it.month);
    let midnight = it.hour == 24 && it.minute == 0 && it.second == 0 && it.fraction == 0;
    let time_ok = (0..24).contains(&it.hour) || midnight;
    if !day_ok || !time_ok || !(0..60).contains(&it.minute) || !(0..60).contains(&it.second) {
        return None;
    }
    let days = days_from_civil(it.year, it.month, it.day);
    let seconds = it.hour * 3600 + it.minute * 60 + it.second;
    Instant::from_ticks(days * TICKS_PER_DAY + seconds * TICKS_PER_SECOND + it.fraction)
}

/// Day of the week of calendar fields, Sunday is 0.
#[must_use]
pub fn weekday(year: i64, month: i64, day: i64) -> i64 {
    (days_from_civil(year, month, day) + 4).rem_euclid(7)
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

// Days since 1970-01-01 of the proleptic Gregorian calendar, counted in eras of 400 years that
// begin in March so that the leap day is the last of its year.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + if month <= 2 { 1 } else { 0 }, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_round_trips_over_the_whole_range() {
        let mut ticks = TICKS_MIN;
        while ticks < TICKS_MAX {
            let instant = Instant::from_ticks(ticks).unwrap();
            assert_eq!(instant_of(instant.fields()), Some(instant));
            ticks += 97 * TICKS_PER_DAY + 12_345_678_901;
        }
    }

    #[test]
    fn texts_of_a_date() {
        let instant = Instant::from_unix_ms(1_583_298_367_120).unwrap();
        assert_eq!(instant.to_string(), "2020-03-04T05:06:07.1200000Z");
        assert_eq!(instant.compact(), "20200304050607Z");
        assert_eq!(Moment::utc(instant).us_text(), "03/04/2020 05:06:07");
        assert_eq!(Moment::utc(instant).iso(), "2020-03-04T05:06:07.12Z");
        assert_eq!(weekday(2020, 3, 4), 3);
    }
}
