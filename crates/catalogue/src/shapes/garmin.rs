//! Garmin Health API: push notifications with summaries by type.
//!
//! Times are seconds since 1970 in UTC; the offset beside them gives the user's wall clock. Maps
//! named `timeOffset…` count seconds from the start of the summary. A summary with the id of an
//! earlier one replaces it, so every reading carries that id.

use chrono::{FixedOffset, NaiveDate};
use serde_json::Value;

use super::fields::{has_list, id, items, seconds, text, whole};
use crate::collector::{Collector, Detail};
use crate::path::Path;
use crate::zone::{NO_TIME, When, Zone, at, day, span};

/// Which time a field of a summary has.
#[derive(Clone, Copy)]
enum Time {
    /// The whole period of the summary.
    Period,
    /// The calendar day.
    Day,
    /// The instant of a measurement.
    Instant,
}

/// A field of a summary: member, code, unit, time.
type Field = (&'static str, &'static str, &'static str, Time);

/// Summary types with their fields.
const SUMMARIES: &[(&str, &[Field])] = &[
    (
        "dailies",
        &[
            ("steps", "step_count", "{steps}", Time::Period),
            ("distanceInMeters", "walking_distance", "m", Time::Period),
            ("activeKilocalories", "active_energy", "kcal", Time::Period),
            ("floorsClimbed", "flights_climbed", "{flights}", Time::Period),
            ("restingHeartRateInBeatsPerMinute", "resting_heart_rate", "/min", Time::Day),
        ],
    ),
    (
        "epochs",
        &[
            ("steps", "step_count", "{steps}", Time::Period),
            ("distanceInMeters", "walking_distance", "m", Time::Period),
            ("activeKilocalories", "active_energy", "kcal", Time::Period),
        ],
    ),
    (
        "sleeps",
        &[
            ("durationInSeconds", "sleep_duration", "s", Time::Period),
            ("lightSleepDurationInSeconds", "light_sleep_duration", "s", Time::Period),
            ("deepSleepDurationInSeconds", "deep_sleep_duration", "s", Time::Period),
            ("remSleepInSeconds", "rem_sleep_duration", "s", Time::Period),
        ],
    ),
    (
        "bodyComps",
        &[
            ("weightInGrams", "body_weight", "g", Time::Instant),
            ("bodyMassIndex", "bmi", "kg/m2", Time::Instant),
            ("bodyFatInPercent", "body_fat_percent", "%", Time::Instant),
        ],
    ),
    (
        "bloodPressures",
        &[
            ("systolic", "systolic_bp", "mm[Hg]", Time::Instant),
            ("diastolic", "diastolic_bp", "mm[Hg]", Time::Instant),
            ("pulse", "pulse_rate_nibp", "/min", Time::Instant),
        ],
    ),
    ("userMetrics", &[("vo2Max", "vo2max", "mL/kg/min", Time::Day)]),
    ("pulseox", &[]),
    ("allDayRespiration", &[]),
];

/// Maps from seconds after the start to a value: member, code, unit.
const SAMPLES: [(&str, &str, &str); 5] = [
    ("timeOffsetHeartRateSamples", "heart_rate", "/min"),
    ("timeOffsetSpo2Values", "spo2", "%"),
    ("timeOffsetSleepSpo2", "spo2", "%"),
    ("timeOffsetEpochToBreaths", "respiratory_rate", "/min"),
    ("timeOffsetSleepRespiration", "respiratory_rate", "/min"),
];

pub(super) fn recognises(message: &Value) -> bool {
    let summary = |it: &Value| it.get("summaryId").is_some() || it.get("userAccessToken").is_some();
    has_list(message) && SUMMARIES.iter().any(|(kind, _)| items(message, kind).iter().any(summary))
}

pub(super) fn read(collector: &mut Collector<'_>, message: &Value, path: &Path<'_>) {
    for (kind, fields) in SUMMARIES {
        let path = path.key(kind);
        for (index, summary) in items(message, kind).iter().enumerate() {
            read_summary(collector, summary, fields, &path.index(index));
        }
    }
}

fn read_summary(collector: &mut Collector<'_>, summary: &Value, fields: &[Field], path: &Path<'_>) {
    let own = id(summary, "summaryId");
    for (member, name, unit, time) in fields {
        let when = when(summary, *time, collector.context.zone);
        let reading =
            collector.member(name, summary, member, unit, when, path).source_id(own.as_deref());
        if let (Some(own), true) = (own.as_deref(), name.ends_with("_bp") || *member == "pulse") {
            reading.group(own);
        }
    }
    for (member, name, unit) in SAMPLES {
        let Some(samples) = summary.get(member).and_then(Value::as_object) else { continue };
        let path = path.key(member);
        let first = collector.readings.len();
        for (offset, value) in samples {
            let when = after_start(summary, offset);
            collector.named(name, value, unit, when, &path.key(offset)).source_id(own.as_deref());
        }
        // The names of the members sort as text, the samples belong in time order.
        if let Some(new) = collector.readings.get_mut(first..) {
            new.sort_by_key(|it| it.reading.effective);
        }
    }
}

fn when(summary: &Value, time: Time, zone: Option<Zone>) -> When {
    let start = || seconds(summary, "startTimeInSeconds").ok_or(NO_TIME);
    match time {
        Time::Period => {
            let length = whole(summary, "durationInSeconds").unwrap_or(0);
            let start = start()?;
            Ok(span(start, start.plus_ms(length.saturating_mul(1000))))
        }
        Time::Instant => match seconds(summary, "measurementTimeInSeconds") {
            Some(instant) => Ok(at(instant)),
            None => start().map(at),
        },
        Time::Day => {
            let date = text(summary, "calendarDate").ok_or(NO_TIME)?;
            let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").map_err(|_| NO_TIME)?;
            day(date, offset(summary).or(zone))
        }
    }
}

/// The user's wall clock against UTC.
fn offset(summary: &Value) -> Option<Zone> {
    let seconds = whole(summary, "startTimeOffsetInSeconds")?;
    FixedOffset::east_opt(i32::try_from(seconds).ok()?).map(Zone::Offset)
}

fn after_start(summary: &Value, offset: &str) -> When {
    let start = seconds(summary, "startTimeInSeconds").ok_or(NO_TIME)?;
    let offset: i64 = offset.parse().map_err(|_| NO_TIME)?;
    Ok(at(start.plus_ms(offset.saturating_mul(1000))))
}
