//! FHIR dates of any precision as the interval of time they cover, in UTC.

use auscult_model::Timestamp;
use chrono::{DateTime, Days, Months, NaiveDate, NaiveDateTime};

/// The interval that a date or dateTime covers: `2026-11` is a month, a time with seconds one second,
/// one with a fraction one millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateRange {
    /// First millisecond in it.
    pub start: Timestamp,
    /// First millisecond behind it.
    pub end: Timestamp,
}

impl DateRange {
    /// Reads `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, or a date and time to the minute or finer. A time without
    /// offset is taken as UTC: FHIR leaves that to the server.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if !text.is_ascii() {
            return None;
        }
        match text.len() {
            4 => {
                let start = NaiveDate::from_ymd_opt(digits(text)?, 1, 1)?;
                Self::days(start, start.checked_add_months(Months::new(12))?)
            }
            7 => {
                let (year, month) = text.split_once('-')?;
                let month = u32::try_from(digits(month)?).ok()?;
                let start = NaiveDate::from_ymd_opt(digits(year)?, month, 1)?;
                Self::days(start, start.checked_add_months(Months::new(1))?)
            }
            10 => {
                let start = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
                Self::days(start, start.checked_add_days(Days::new(1))?)
            }
            _ => Self::time(text),
        }
    }

    fn days(start: NaiveDate, end: NaiveDate) -> Option<Self> {
        let midnight = |it: NaiveDate| Some(unix(it.and_hms_opt(0, 0, 0)?));
        Some(Self { start: midnight(start)?, end: midnight(end)? })
    }

    fn time(text: &str) -> Option<Self> {
        let (day, clock) = text.split_once('T')?;
        let clock_end = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
        let (clock, offset) = clock.split_at_checked(clock_end)?;
        let (clock, covers_ms) = match clock.len() {
            5 => (format!("{clock}:00"), 60_000),
            8 => (clock.to_owned(), 1_000),
            _ => (clock.to_owned(), 1),
        };
        let start = if offset.is_empty() {
            unix(format!("{day}T{clock}").parse().ok()?)
        } else {
            let read = DateTime::parse_from_rfc3339(&format!("{day}T{clock}{offset}")).ok()?;
            Timestamp::from_unix_ms(read.timestamp_millis())
        };
        Some(Self { start, end: start.plus_ms(covers_ms) })
    }
}

fn digits(text: &str) -> Option<i32> {
    text.bytes().all(|it| it.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn unix(at: NaiveDateTime) -> Timestamp {
    Timestamp::from_unix_ms(at.and_utc().timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_covers_as_much_as_it_leaves_open() {
        #[rustfmt::skip]
        let rows = [
            ("2026", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("2026-02", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
            ("2026-12", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("2028-02-29", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z"),
            ("2026-11-20T08:00Z", "2026-11-20T08:00:00Z", "2026-11-20T08:01:00Z"),
            ("2026-11-20T08:00:00Z", "2026-11-20T08:00:00Z", "2026-11-20T08:00:01Z"),
            ("2026-11-20T08:00:00", "2026-11-20T08:00:00Z", "2026-11-20T08:00:01Z"),
            ("2026-11-20T08:00:00.250+02:00", "2026-11-20T06:00:00.250Z", "2026-11-20T06:00:00.251Z"),
            ("2026-11-20T08:00:00-05:00", "2026-11-20T13:00:00Z", "2026-11-20T13:00:01Z"),
        ];
        for (text, start, end) in rows {
            let range = DateRange::parse(text).unwrap();
            assert_eq!(Some(range.start), Timestamp::parse(start), "{text}");
            assert_eq!(Some(range.end), Timestamp::parse(end), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "26",
            "2026-13",
            "2026-02-30",
            "2026-11-20T",
            "2026-11-20T25:00Z",
            "+026",
            "2026-1-1",
        ] {
            assert_eq!(DateRange::parse(text), None, "{text}");
        }
    }
}
