//! Hours in which a patient is not woken.

use auscult_model::Timestamp;
use chrono::{Days, NaiveTime, TimeZone as _};
use chrono_tz::Tz;

/// Hours of the day in a time zone; they may span midnight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quiet {
    /// First minute.
    pub from: NaiveTime,
    /// First minute after.
    pub to: NaiveTime,
    /// Whose clock.
    pub zone: Tz,
}

impl Quiet {
    /// When the quiet hours that `now` falls into end; `None` outside them.
    #[must_use]
    pub fn until(&self, now: Timestamp) -> Option<Timestamp> {
        let local = now.to_utc()?.with_timezone(&self.zone);
        let (time, today) = (local.time(), local.date_naive());
        let (inside, end) = if self.from <= self.to {
            ((self.from..self.to).contains(&time), today)
        } else if time >= self.from {
            (true, today.checked_add_days(Days::new(1))?)
        } else {
            (time < self.to, today)
        };
        if !inside {
            return None;
        }
        // Where clocks jump over that minute, the hour after it exists.
        let end = end.and_time(self.to);
        let found = self.zone.from_local_datetime(&end).earliest();
        let found = found.or_else(|| {
            self.zone.from_local_datetime(&(end + chrono::TimeDelta::hours(1))).earliest()
        })?;
        Some(Timestamp::from_unix_ms(found.timestamp_millis()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patient_is_left_alone_from_evening_to_morning_on_their_own_clock() {
        let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        let quiet = Quiet { from: time(22), to: time(7), zone: chrono_tz::Europe::Berlin };
        let rows = [
            ("2026-11-20T20:59:00Z", None),
            ("2026-11-20T21:00:00Z", Some("2026-11-21T06:00:00Z")),
            ("2026-11-21T05:59:00Z", Some("2026-11-21T06:00:00Z")),
            ("2026-11-21T06:00:00Z", None),
            // The night the clocks go forward.
            ("2026-03-28T22:00:00Z", Some("2026-03-29T05:00:00Z")),
        ];
        for (now, want) in rows {
            let want = want.map(|it| Timestamp::parse(it).unwrap());
            assert_eq!(quiet.until(Timestamp::parse(now).unwrap()), want, "{now}");
        }
    }
}
