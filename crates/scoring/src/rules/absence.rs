//! Absence: what stands where a reading did not come in time, and when the next one is due.

use super::judge::Judged;
use super::series::Reading;
use super::{Due, Zone};

/// When the reading after one at `at_ms` is due.
#[must_use]
pub const fn due_ms(due: Due, zone: Zone, at_ms: i64) -> i64 {
    match due {
        Due::After(after) => at_ms.saturating_add(after),
        Due::By(minute) => zone.start(zone.day(at_ms) + 1).saturating_add(minute * 60_000),
    }
}

/// The instants at which something stands between the first and the last of `readings`, which are in
/// order, and after the last up to `now_ms`: every due time that passed, and the reading that came
/// after it.
#[must_use]
pub fn instants(due: Due, zone: Zone, readings: &[Reading], now_ms: i64) -> Vec<(i64, Judged)> {
    let mut found = Vec::new();
    for (place, reading) in readings.iter().enumerate() {
        let due = due_ms(due, zone, reading.at_ms);
        let next = readings.get(place + 1);
        if due > now_ms || next.is_some_and(|it| it.at_ms <= due) {
            continue;
        }
        found.push((due, Judged::complete("absent", true, vec![reading.input(due)])));
        if let Some(next) = next {
            let inputs = vec![next.input(next.at_ms), reading.input(next.at_ms)];
            found.push((next.at_ms, Judged::complete("present", false, inputs)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn at(hours: &[i64]) -> Vec<Reading> {
        let one = |it: &i64| Reading::read("spo2", it * HOUR, &it.to_string(), "97").unwrap();
        hours.iter().map(one).collect()
    }

    fn bands(due: Due, hours: &[i64], now: i64) -> Vec<(i64, &'static str)> {
        let found = instants(due, Zone::default(), &at(hours), now * HOUR);
        found.into_iter().map(|(at, it)| (at / HOUR, it.band.unwrap())).collect()
    }

    #[test]
    fn an_absence_stands_at_its_due_time_and_ends_with_the_next_reading() {
        let after = Due::After(2 * HOUR);
        assert_eq!(bands(after, &[0, 2, 4], 6), [(6, "absent")]);
        assert_eq!(bands(after, &[0, 2, 4], 5), []);
        assert_eq!(bands(after, &[0, 5, 6], 7), [(2, "absent"), (5, "present")]);
        assert_eq!(bands(after, &[], 7), []);
    }

    #[test]
    fn a_daily_reading_is_due_at_its_hour_of_the_next_day() {
        let by = Due::By(10 * 60);
        assert_eq!(bands(by, &[8, 33], 57), []);
        assert_eq!(bands(by, &[8, 33], 58), [(58, "absent")]);
        assert_eq!(bands(by, &[8, 35], 36), [(34, "absent"), (35, "present")]);
    }
}
