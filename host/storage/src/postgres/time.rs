//! Days and microseconds since 2000-01-01, as PostgreSQL counts them, from and to parts.

/// A date and time of day: year, month, day, hour, minute, second, nanosecond.
pub(super) type Parts = (i32, u8, u8, u8, u8, u8, u32);

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// Seconds from the Unix epoch to PostgreSQL's.
const UNIX_TO_2000: i64 = 946_684_800;
/// Days from 0000-03-01 (where the calendar's arithmetic is simple) to 2000-01-01.
const MARCH_0_TO_2000: i64 = 730_425;

/// Days since 2000-01-01 of a date of the proleptic Gregorian calendar, if there is such a day.
pub(super) fn days(year: i32, month: u8, day: u8) -> Option<i32> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u8::from(leap),
        _ => return None,
    };
    if day == 0 || day > length {
        return None;
    }
    // Years begin in March, so that a leap day is a year's last.
    let year = i64::from(year) - i64::from(month < 3);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (i64::from(month) + if month < 3 { 9 } else { -3 }) + 2) / 5;
    let in_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year + i64::from(day) - 1;
    i32::try_from(era * 146_097 + in_era - MARCH_0_TO_2000).ok()
}

/// The date that lies so many days after 2000-01-01.
pub(super) fn date(days: i32) -> Option<(i32, u8, u8)> {
    let days = i64::from(days) + MARCH_0_TO_2000;
    let (era, in_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let of_era = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * of_era + of_era / 4 - of_era / 100);
    let month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + of_era + i64::from(month < 3);
    Some((i32::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?))
}

/// Microseconds since midnight, if there is such a time.
pub(super) fn micros(hour: u8, minute: u8, second: u8, nanosecond: u32) -> Option<i64> {
    if hour > 23 || minute > 59 || second > 59 || nanosecond > 999_999_999 {
        return None;
    }
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    Some(seconds * 1_000_000 + i64::from(nanosecond / 1000))
}

/// Hour, minute, second and nanosecond of microseconds since midnight.
pub(super) fn time(micros: i64) -> Option<(u8, u8, u8, u32)> {
    let seconds = micros / 1_000_000;
    let part = |value: i64| u8::try_from(value).ok();
    let nanosecond = u32::try_from(micros % 1_000_000 * 1000).ok()?;
    Some((part(seconds / 3600)?, part(seconds / 60 % 60)?, part(seconds % 60)?, nanosecond))
}

/// Microseconds since 2000-01-01.
pub(super) fn instant(parts: &Parts) -> Option<i64> {
    let &(year, month, day, hour, minute, second, nanosecond) = parts;
    let days = i64::from(days(year, month, day)?);
    days.checked_mul(MICROS_PER_DAY)?.checked_add(micros(hour, minute, second, nanosecond)?)
}

/// The parts of microseconds since 2000-01-01; `None` for the two infinities.
pub(super) fn parts(instant: i64) -> Option<Parts> {
    if instant == i64::MAX || instant == i64::MIN {
        return None;
    }
    let (year, month, day) = date(i32::try_from(instant.div_euclid(MICROS_PER_DAY)).ok()?)?;
    let (hour, minute, second, nanosecond) = time(instant.rem_euclid(MICROS_PER_DAY))?;
    Some((year, month, day, hour, minute, second, nanosecond))
}

/// Microseconds since 2000-01-01 of seconds since the Unix epoch.
pub(super) fn from_unix(seconds: i64) -> Option<i64> {
    seconds.checked_sub(UNIX_TO_2000)?.checked_mul(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_known_dates() {
        #[rustfmt::skip]
        let rows = [
            ((2000, 1, 1), 0), ((1999, 12, 31), -1), ((2000, 2, 29), 59), ((2000, 3, 1), 60),
            ((1970, 1, 1), -10_957), ((2024, 2, 29), 8825), ((1900, 3, 1), -36_465),
        ];
        for ((year, month, day), want) in rows {
            assert_eq!(days(year, month, day), Some(want));
        }
        assert_eq!(days(2023, 2, 29), None);
        assert_eq!(days(1900, 2, 29), None);
        assert_eq!(days(2023, 13, 1), None);
    }

    #[test]
    fn every_day_comes_back() {
        for day in (-800_000..800_000).step_by(7) {
            let (year, month, of_month) = date(day).unwrap();
            assert_eq!(days(year, month, of_month), Some(day));
        }
    }

    #[test]
    fn instants_come_back_and_infinities_do_not() {
        let before = (1969, 12, 31, 23, 59, 59, 999_999_000);
        assert_eq!(instant(&before).and_then(parts), Some(before));
        assert_eq!(from_unix(0).and_then(parts), Some((1970, 1, 1, 0, 0, 0, 0)));
        assert_eq!(parts(i64::MAX), None);
    }
}
