//! Zones of wall-clock times, and the texts and numbers in which messages write times.

use std::str::FromStr;

use auscult_model::Timestamp;
use chrono::{
    DateTime, Datelike, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset,
    TimeDelta, TimeZone,
};

/// Where a clock hangs that shows no offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// The same all year.
    Offset(FixedOffset),
    /// A name of the tz database, with its summer times.
    Named(chrono_tz::Tz),
}

/// Why a text or number is no instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeFault {
    /// Stable code: `missing-time`, `missing-zone`, `implausible-time`.
    pub code: &'static str,
    /// For people.
    pub detail: &'static str,
}

/// There is no time at all.
pub(crate) const NO_TIME: TimeFault =
    TimeFault { code: "missing-time", detail: "the reading has no time" };
/// There is something in the place of the time, but it is none.
const NOT_A_TIME: TimeFault =
    TimeFault { code: "missing-time", detail: "this is not an RFC 3339 time" };
const NO_ZONE: TimeFault = TimeFault {
    code: "missing-zone",
    detail: "the time has no offset and the zone of the sender is not known",
};
/// The clock was put forward over this time, so it never was.
const SKIPPED: TimeFault =
    TimeFault { code: "implausible-time", detail: "the clocks of the zone skipped this time" };
pub(crate) const IMPLAUSIBLE: TimeFault =
    TimeFault { code: "implausible-time", detail: "the time lies before 1990" };

/// 1990-01-01T00:00:00Z: a device that says less has lost its clock.
pub const EARLIEST: Timestamp = Timestamp::from_unix_ms(631_152_000_000);

/// Years in which zones are asked for: beyond them calendar arithmetic nears its ends.
const YEARS: std::ops::RangeInclusive<i32> = 1..=9998;

/// Numbers from here on count milliseconds, smaller ones seconds: as seconds it is the year 5138,
/// as milliseconds 1973, and neither is when a patient was measured.
const MILLISECONDS_FROM: f64 = 1e11;
/// Beyond this a number counts something finer than milliseconds: as such it is the year 5138.
const MILLISECONDS_TO: f64 = 1e14;

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self::Named(chrono_tz::UTC);

    /// A tz database name (`Europe/Paris`), `Z`, or an offset (`+02:00`).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text == "Z" {
            return Some(Self::UTC);
        }
        if text.starts_with(['+', '-']) {
            return FixedOffset::from_str(text).ok().map(Self::Offset);
        }
        chrono_tz::Tz::from_str(text).ok().map(Self::Named)
    }

    /// The instant at which clocks there show this. Of two (clocks put back) the earlier.
    ///
    /// # Errors
    /// When clocks never showed it.
    pub fn instant(self, local: NaiveDateTime) -> Result<Timestamp, TimeFault> {
        if !YEARS.contains(&local.year()) {
            return Err(NOT_A_TIME);
        }
        let result = match self {
            Self::Offset(offset) => {
                offset.from_local_datetime(&local).map(|it| it.timestamp_millis())
            }
            Self::Named(zone) => zone.from_local_datetime(&local).map(|it| it.timestamp_millis()),
        };
        match result {
            LocalResult::Single(ms) | LocalResult::Ambiguous(ms, _) => {
                Ok(Timestamp::from_unix_ms(ms))
            }
            LocalResult::None => Err(SKIPPED),
        }
    }

    /// The offset from UTC in force at an instant, in seconds east.
    #[must_use]
    pub fn offset_at(self, instant: Timestamp) -> i32 {
        let (Self::Named(zone), Some(utc)) = (self, instant.to_utc()) else {
            return match self {
                Self::Offset(offset) => offset.local_minus_utc(),
                Self::Named(_) => 0,
            };
        };
        zone.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc()
    }
}

/// When something was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The instant, or the beginning.
    pub start: Timestamp,
    /// The end of a period.
    pub end: Option<Timestamp>,
    /// The calendar day, of what holds for a whole one: its value is a summary.
    pub day: Option<NaiveDate>,
}

/// A moment, or why there is none.
pub type When = Result<Moment, TimeFault>;

/// An instant as a moment.
#[must_use]
pub fn at(start: Timestamp) -> Moment {
    Moment { start, end: None, day: None }
}

/// A period as a moment; one without length is an instant.
#[must_use]
pub fn span(start: Timestamp, end: Timestamp) -> Moment {
    Moment { start, end: (end > start).then_some(end), day: None }
}

/// Reads a time text: RFC 3339, the same with a space, without colon in the offset, without
/// seconds; without offset in `zone`; a date alone is the day in `zone`, or in UTC.
///
/// # Errors
/// When it is no time, or has no offset and no zone is known.
pub fn parse_time(text: &str, zone: Option<Zone>) -> When {
    let text = text.trim();
    if let Some(instant) = Timestamp::parse(text) {
        return Ok(at(instant));
    }
    for format in ["%Y-%m-%d %H:%M:%S%.f %z", "%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%dT%H:%M%:z"] {
        if let Ok(time) = DateTime::parse_from_str(text, format) {
            return Ok(at(Timestamp::from_unix_ms(time.timestamp_millis())));
        }
    }
    if let Some(utc) = text.strip_suffix('Z').and_then(local) {
        return Zone::UTC.instant(utc).map(at);
    }
    if let Some(local) = local(text) {
        return zone.ok_or(NO_ZONE)?.instant(local).map(at);
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| NOT_A_TIME)?;
    day(date, zone)
}

/// A wall-clock date and time.
fn local(text: &str) -> Option<NaiveDateTime> {
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}

/// The whole of a calendar day.
///
/// # Errors
/// When the day lies outside the calendar.
pub fn day(date: NaiveDate, zone: Option<Zone>) -> When {
    let zone = zone.unwrap_or(Zone::UTC);
    let next = date.checked_add_signed(TimeDelta::days(1)).ok_or(NOT_A_TIME)?;
    let (start, end) = (midnight(date, zone)?, midnight(next, zone)?);
    Ok(Moment { start, end: Some(end), day: Some(date) })
}

/// The first instant of a day; where clocks skip midnight, the day begins an hour later.
fn midnight(date: NaiveDate, zone: Zone) -> Result<Timestamp, TimeFault> {
    let midnight = date.and_time(NaiveTime::MIN);
    zone.instant(midnight).or_else(|_| zone.instant(midnight + TimeDelta::hours(1)))
}

/// Reads a number as time: from 10¹¹ on milliseconds since 1970, below seconds since 1970.
///
/// # Errors
/// When it is too large for milliseconds.
pub fn epoch(number: f64) -> When {
    if !number.is_finite() || number.abs() >= MILLISECONDS_TO {
        return Err(TimeFault {
            code: "implausible-time",
            detail: "the number is neither seconds nor milliseconds since 1970",
        });
    }
    let ms = if number.abs() >= MILLISECONDS_FROM { number } else { number * 1000.0 };
    Ok(at(Timestamp::from_unix_ms(ms.round() as i64)))
}
