//! Apple Health: the XML of a HealthKit export, and samples as JSON with the same members.
//!
//! Percent quantities are fractions 0 to 1 although their unit says `%`. The pressures inside a
//! `Correlation` stand a second time at the top level, so equal readings count once. The export is
//! text, not JSON: paths count its records, `/Record/3`.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;

use super::fields::text;
use crate::codes::{Code, code, synonym};
use crate::collector::{Collector, Detail};
use crate::decoded::LocatedReading;
use crate::number::{decimal_of, decimal_of_text};
use crate::path::Path;
use crate::units::unit;
use crate::zone::{Moment, NO_TIME, When, parse_time, span};

/// What one sample states.
#[derive(Default)]
struct Sample<'a> {
    kind: Cow<'a, str>,
    unit: Cow<'a, str>,
    start: Option<Cow<'a, str>>,
    end: Option<Cow<'a, str>>,
    value: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
}

pub(super) fn recognises(message: &Value) -> bool {
    match message {
        Value::String(xml) => {
            let xml = xml.trim_start();
            xml.starts_with('<') && (xml.contains("<HealthData") || xml.contains("<Record"))
        }
        Value::Array(samples) => samples.first().is_some_and(is_sample),
        _ => is_sample(message),
    }
}

fn is_sample(it: &Value) -> bool {
    let ours =
        |kind: &str| kind.starts_with("HKQuantityType") || kind.starts_with("HKCategoryType");
    text(it, "type").is_some_and(ours) && it.get("startDate").is_some()
}

pub(super) fn read(collector: &mut Collector<'_>, message: &Value, path: &Path<'_>) {
    match message {
        Value::String(xml) => export(collector, xml, path),
        Value::Array(samples) => {
            for (index, it) in samples.iter().enumerate() {
                json_sample(collector, it, &path.index(index));
            }
        }
        _ => json_sample(collector, message, path),
    }
    for it in &mut collector.readings {
        let reading = &mut it.reading;
        if matches!(reading.code.as_str(), "systolic_bp" | "diastolic_bp") {
            reading.group = Some(format!("bp@{}", reading.effective.unix_ms()));
        }
    }
}

fn export(collector: &mut Collector<'_>, xml: &str, path: &Path<'_>) {
    let records = path.key("Record");
    let mut reader = Reader::from_str(xml);
    let mut index = 0;
    loop {
        let record = match reader.read_event() {
            Ok(Event::Start(it) | Event::Empty(it)) if it.name().as_ref() == b"Record" => it,
            Ok(Event::Eof) => return,
            Ok(_) => continue,
            Err(_) => {
                collector.refuse(&records.index(index), "malformed", "the XML is broken here");
                return;
            }
        };
        let path = records.index(index);
        index += 1;
        match attributes(&record) {
            Some(sample) => take(collector, &sample, &path),
            None => collector.refuse(&path, "malformed", "the attributes are not well-formed XML"),
        }
    }
}

fn attributes<'a>(record: &'a BytesStart<'_>) -> Option<Sample<'a>> {
    let mut sample = Sample::default();
    for attribute in record.attributes() {
        let attribute = attribute.ok()?;
        let place = match attribute.key.as_ref() {
            b"type" => &mut sample.kind,
            b"unit" => &mut sample.unit,
            b"startDate" => sample.start.insert(Cow::Borrowed("")),
            b"endDate" => sample.end.insert(Cow::Borrowed("")),
            b"value" => sample.value.insert(Cow::Borrowed("")),
            _ => continue,
        };
        *place = attribute.unescape_value().ok()?;
    }
    Some(sample)
}

fn json_sample(collector: &mut Collector<'_>, it: &Value, path: &Path<'_>) {
    if !is_sample(it) {
        collector.refuse(path, "unknown-shape", "not a HealthKit sample");
        return;
    }
    let member = |name| text(it, name).map(Cow::Borrowed);
    let value = match it.get("value") {
        Some(Value::String(text)) => Some(Cow::Borrowed(text.as_str())),
        Some(value @ Value::Number(_)) => decimal_of(value)
            .map_or_else(|_| Some(value.to_string().into()), |it| Some(it.to_string().into())),
        _ => None,
    };
    let sample = Sample {
        kind: member("type").unwrap_or_default(),
        unit: member("unit").unwrap_or_default(),
        start: member("startDate"),
        end: member("endDate"),
        value,
        id: member("uuid"),
    };
    take(collector, &sample, path);
}

fn take(collector: &mut Collector<'_>, sample: &Sample<'_>, path: &Path<'_>) {
    let when = when(collector, sample);
    if sample.kind == "HKCategoryTypeIdentifierSleepAnalysis" {
        sleep(collector, sample, when, path);
        return;
    }
    let Some(code) = synonym(&sample.kind, None).filter(|it| !it.is_coded()) else {
        collector.refuse(path, "unknown-code", "the catalogue knows no measurement of this type");
        return;
    };
    let number = match sample.value.as_deref().map(decimal_of_text) {
        Some(Ok(number)) => number,
        Some(Err(fault)) => {
            collector.refuse(path, fault.code(), fault.to_string());
            return;
        }
        None => {
            collector.refuse(path, "no-value", "the sample has no value");
            return;
        }
    };
    let fraction = code.ucum == "%" && unit(&sample.unit).is_some_and(|it| it.ucum == "%");
    let unit = if fraction { "1" } else { sample.unit.as_ref() };
    let mut reading =
        collector.decimal(code, number, unit, when, path).source_id(sample.id.as_deref());
    if fraction && let Some(native) = reading.as_mut().and_then(|it| it.reading.native.as_mut()) {
        native.unit = sample.unit.clone().into_owned();
    }
    drop_repeat(collector);
}

/// Takes the last reading back when it stands there already.
fn drop_repeat(collector: &mut Collector<'_>) {
    let Some((last, earlier)) = collector.readings.split_last() else { return };
    let same = |it: &LocatedReading| it.reading == last.reading;
    // Repeats stand in the same correlation, near each other; the whole export is never compared.
    if earlier.iter().rev().take(REPEAT_DISTANCE_MAX).any(same) {
        collector.readings.pop();
    }
}

/// How many readings lie at most between a record and its repeat inside a correlation. What slips
/// through has the same key as the first and is stored once.
const REPEAT_DISTANCE_MAX: usize = 64;

fn when(collector: &Collector<'_>, sample: &Sample<'_>) -> When {
    let zone = collector.context.zone;
    let start = parse_time(sample.start.as_deref().ok_or(NO_TIME)?, zone);
    let end = sample.end.as_deref().map(|it| parse_time(it, zone));
    start.map(|it: Moment| match end {
        Some(Ok(end)) => span(it.start, end.start),
        _ => it,
    })
}

/// A stage of sleep: its length is its value.
fn sleep(collector: &mut Collector<'_>, sample: &Sample<'_>, when: When, path: &Path<'_>) {
    let stage = sample.value.as_deref().unwrap_or_default();
    let name = match stage.strip_prefix("HKCategoryValueSleepAnalysis") {
        Some("Asleep" | "AsleepUnspecified") => "sleep_duration",
        Some("AsleepCore") => "light_sleep_duration",
        Some("AsleepDeep") => "deep_sleep_duration",
        Some("AsleepREM") => "rem_sleep_duration",
        // In bed or awake: no sleep.
        Some(_) => return,
        None => {
            collector.refuse(path, "unknown-value", "not a stage of sleep");
            return;
        }
    };
    let code: Option<&'static Code> = code(name);
    let (Some(code), Ok(Moment { start, end: Some(end), .. })) = (code, when) else {
        collector.refuse(path, "missing-time", "a stage of sleep needs its start and its end");
        return;
    };
    collector.decimal(code, end.since_ms(start).into(), "ms", when, path);
}
