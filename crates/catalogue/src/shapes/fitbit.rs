//! Fitbit Web API: heart rate, SpO2, weight, sleep, breathing, variability, temperature, activity.
//!
//! Times are wall-clock times of the user's profile without offset, units follow the language of
//! the request; both are in the [`Context`](crate::Context). Values of a whole day are summaries.

use chrono::NaiveDate;
use serde_json::Value;

use super::fields::{has_list, id, items, text};
use crate::collector::{Collector, Detail};
use crate::decoded::UnitSystem;
use crate::path::Path;
use crate::zone::{Moment, NO_TIME, When, day, parse_time, span};

/// Lists of days: the list, the member of each day's `value` (empty: the value itself), the code.
const DAYS: [(&str, &str, &str, &str); 10] = [
    ("activities-heart", "restingHeartRate", "resting_heart_rate", "/min"),
    ("activities-steps", "", "steps_24h", "{steps}/(24.h)"),
    ("activities-floors", "", "flights_climbed", "{flights}"),
    ("activities-calories", "", "active_energy", "kcal"),
    ("br", "breathingRate", "respiratory_rate", "/min"),
    ("hrv", "dailyRmssd", "hrv_rmssd", "ms"),
    ("tempCore", "", "body_temperature", TEMPERATURE),
    ("spo2", "avg", "spo2", "%"),
    ("cardioScore", "vo2Max", "vo2max", "mL/kg/min"),
    ("activities-minutesFairlyActive", "", "exercise_duration", "min"),
];

/// Lists within a day: the list, the list of days that says which, the code.
const INTRADAY: [(&str, &str, &str, &str); 2] = [
    ("activities-heart-intraday", "activities-heart", "heart_rate", "/min"),
    ("activities-steps-intraday", "activities-steps", "step_count", "{steps}"),
];

/// Stands for the unit the account is set to.
const TEMPERATURE: &str = "account temperature";

pub(super) fn recognises(message: &Value) -> bool {
    let day = |it: &Value| it.get("dateTime").is_some() && it.get("value").is_some();
    let logged = |it: &Value| it.get("logId").is_some();
    is_oxygen_day(message)
        || message.as_array().is_some_and(|it| it.iter().any(is_oxygen_day))
        || has_list(message)
            && (DAYS.iter().any(|(list, ..)| items(message, list).iter().any(day))
                || ["weight", "sleep"].iter().any(|it| items(message, it).iter().any(logged)))
}

/// `{dateTime, value: {avg, min, max}}`, an answer of its own.
fn is_oxygen_day(it: &Value) -> bool {
    it.get("dateTime").is_some() && it.get("value").is_some_and(|it| it.get("avg").is_some())
}

pub(super) fn read(collector: &mut Collector<'_>, message: &Value, path: &Path<'_>) {
    if let Some(days) = message.as_array() {
        for (index, it) in days.iter().enumerate() {
            read_oxygen_day(collector, it, &path.index(index));
        }
        return;
    }
    if is_oxygen_day(message) {
        read_oxygen_day(collector, message, path);
    }
    for (list, member, name, unit) in DAYS {
        let path = path.key(list);
        for (index, it) in items(message, list).iter().enumerate() {
            read_day(collector, it, (member, name, unit), &path.index(index));
        }
    }
    for (list, days, name, unit) in INTRADAY {
        let date = items(message, days).first().and_then(|it| text(it, "dateTime"));
        let Some(intraday) = message.get(list) else { continue };
        let path = path.key(list);
        let path = path.key("dataset");
        for (index, it) in items(intraday, "dataset").iter().enumerate() {
            let when = clock(collector, date, text(it, "time"));
            collector.member(name, it, "value", unit, when, &path.index(index));
        }
    }
    let list = path.key("weight");
    for (index, it) in items(message, "weight").iter().enumerate() {
        read_weight(collector, it, &list.index(index));
    }
    let list = path.key("sleep");
    for (index, it) in items(message, "sleep").iter().enumerate() {
        read_sleep(collector, it, &list.index(index));
    }
}

fn read_oxygen_day(collector: &mut Collector<'_>, it: &Value, path: &Path<'_>) {
    read_day(collector, it, ("avg", "spo2", "%"), path);
}

fn read_day(
    collector: &mut Collector<'_>,
    it: &Value,
    (member, name, unit): (&str, &str, &str),
    path: &Path<'_>,
) {
    let Some(value) = it.get("value") else { return };
    let unit = if unit == TEMPERATURE { temperature(collector) } else { unit };
    let when = of_day(collector, text(it, "dateTime"));
    if member.is_empty() {
        collector.named(name, value, unit, when, &path.key("value"));
        return;
    }
    let path = path.key("value");
    let reading = collector.member(name, value, member, unit, when, &path);
    if member == "avg" {
        reading.statistic("average");
    }
}

/// The day of a date; of a date with a clock time, that instant.
fn of_day(collector: &Collector<'_>, stated: Option<&str>) -> When {
    let stated = stated.ok_or(NO_TIME)?;
    match NaiveDate::parse_from_str(stated, "%Y-%m-%d") {
        Ok(date) => day(date, collector.context.zone),
        Err(_) => parse_time(stated, collector.context.zone),
    }
}

/// A clock time of a date.
fn clock(collector: &Collector<'_>, date: Option<&str>, time: Option<&str>) -> When {
    let (Some(date), Some(time)) = (date, time) else { return Err(NO_TIME) };
    parse_time(&format!("{date}T{time}"), collector.context.zone)
}

const fn mass(units: UnitSystem) -> &'static str {
    match units {
        UnitSystem::Metric => "kg",
        UnitSystem::UnitedStates => "lb",
        UnitSystem::UnitedKingdom => "[stone_av]",
    }
}

fn temperature(collector: &Collector<'_>) -> &'static str {
    match collector.context.units {
        UnitSystem::UnitedStates => "[degF]",
        UnitSystem::Metric | UnitSystem::UnitedKingdom => "Cel",
    }
}

fn read_weight(collector: &mut Collector<'_>, log: &Value, path: &Path<'_>) {
    let when = clock(collector, text(log, "date"), text(log, "time"));
    let log_id = id(log, "logId");
    for (name, member, unit) in [
        ("body_weight", "weight", mass(collector.context.units)),
        ("bmi", "bmi", "kg/m2"),
        ("body_fat_percent", "fat", "%"),
    ] {
        collector.member(name, log, member, unit, when, path).source_id(log_id.as_deref());
    }
}

fn read_sleep(collector: &mut Collector<'_>, log: &Value, path: &Path<'_>) {
    let zone = collector.context.zone;
    let time = |member| parse_time(text(log, member).ok_or(NO_TIME)?, zone);
    let when: When = time("startTime").map(|start: Moment| match time("endTime") {
        Ok(end) => span(start.start, end.start),
        Err(_) => start,
    });
    let log_id = id(log, "logId");
    collector
        .member("sleep_duration", log, "minutesAsleep", "min", when, path)
        .source_id(log_id.as_deref());
    let Some(summary) = log.get("levels").and_then(|it| it.get("summary")) else { return };
    let path = path.key("levels");
    let path = path.key("summary");
    for (stage, name) in [
        ("light", "light_sleep_duration"),
        ("deep", "deep_sleep_duration"),
        ("rem", "rem_sleep_duration"),
    ] {
        let Some(level) = summary.get(stage) else { continue };
        collector
            .member(name, level, "minutes", "min", when, &path.key(stage))
            .source_id(log_id.as_deref());
    }
}
