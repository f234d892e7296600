//! Mapping sets that senders name by `?source=`: compiled for use, checked and versioned when changed.

use std::collections::HashMap;

use auscult_catalogue::{Code, LocatedReading};
use auscult_mapping::{DeviceMapping, Measurement, parse_token};
use auscult_model::events::ReceivedMessage;
use auscult_model::ids::DeviceId;
use auscult_model::{Fault, Problem, Quality, Reading, ReadingValue, Timestamp};
use auscult_store::{Database, StoreError, transaction};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;

use crate::Decoded;
use crate::decode::DeviceReading;

/// The compiled mapping sets of one batch.
#[derive(Debug, Default)]
pub struct MappingSets(HashMap<String, MappingSet>);

/// One compiled mapping set.
#[derive(Debug)]
pub struct MappingSet {
    /// `<name>@<version>`.
    version: String,
    mapping: DeviceMapping,
}

impl MappingSets {
    /// Compiles a set; templates that do not load were told when it was put here, and are left out.
    pub fn add(&mut self, name: &str, version: i64, document: &str) {
        let mapping = DeviceMapping::compile(document).mapping;
        let set = MappingSet { version: format!("{name}@{version}"), mapping };
        self.0.insert(name.to_owned(), set);
    }

    /// The set of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&MappingSet> {
        self.0.get(name)
    }
}

impl MappingSet {
    /// What the templates make of a message.
    ///
    /// # Errors
    /// The problem when the message cannot be read at all.
    pub fn decode(&self, message: &ReceivedMessage, body: &Value) -> Result<Decoded, Problem> {
        let enveloped = if body.get("Body").is_some() {
            parse_token(message.body.get())
        } else {
            let text = message.body.get();
            parse_token(&format!(r#"{{"Body":{text},"Properties":{{}},"SystemProperties":{{}}}}"#))
        };
        let token = enveloped.map_err(|it| {
            Problem::new(400, "malformed-json", "The message cannot be read").detail(it.to_string())
        })?;
        let measured = self.mapping.measure(&token);
        let mut faults: Vec<Fault> = measured
            .errors
            .into_iter()
            .map(|it| Fault {
                path: it.path,
                code: it.code.as_str().to_owned(),
                detail: format!(
                    "template {} ({}), {}: {}",
                    it.template, it.type_name, it.field, it.detail
                ),
            })
            .collect();
        let mut readings = Vec::new();
        for measurement in &measured.measurements {
            match measured_at(measurement, message.received) {
                Ok((at, quality)) => {
                    readings.extend(self::readings(measurement, at, quality));
                }
                Err(code) => faults.push(Fault {
                    path: format!("/template/{}", measurement.template),
                    code: code.to_owned(),
                    detail: "the time of the measurement cannot be".to_owned(),
                }),
            }
        }
        Ok(Decoded { readings, faults, mapping: self.version.clone() })
    }
}

/// Medical devices with a clock did not send JSON before.
const EARLIEST: Timestamp = Timestamp::from_unix_ms(631_152_000_000);

/// How far ahead a device's clock may be.
const AHEAD_MAX_MS: i64 = 5 * 60_000;

fn measured_at(
    measurement: &Measurement,
    received: Timestamp,
) -> Result<(Timestamp, Quality), &'static str> {
    let at = Timestamp::from_unix_ms(measurement.occurred.unix_ms());
    if DeviceId::parse(&measurement.device_id).is_none() {
        return Err("device-id");
    }
    if at < EARLIEST {
        return Err("implausible-time");
    }
    let ahead = at.since_ms(received) > AHEAD_MAX_MS;
    Ok((at, if ahead { Quality::FutureTime } else { Quality::Accepted }))
}

/// One reading a property. A property the code table knows becomes that code; others keep their name.
fn readings(
    measurement: &Measurement,
    at: Timestamp,
    timely: Quality,
) -> impl Iterator<Item = DeviceReading> {
    let sole = measurement.properties.len() == 1;
    measurement.properties.iter().map(move |(name, text)| {
        let code = auscult_catalogue::synonym(name, None).or_else(|| {
            sole.then(|| auscult_catalogue::synonym(&measurement.type_name, None)).flatten()
        });
        let located = located(code, &measurement.type_name, name, text, at, timely);
        DeviceReading { device: measurement.device_id.clone(), located }
    })
}

fn located(
    code: Option<&'static Code>,
    kind: &str,
    name: &str,
    text: &str,
    at: Timestamp,
    timely: Quality,
) -> LocatedReading {
    let number = text.trim().parse::<Decimal>().ok();
    let code = code.filter(|it| number.is_none_or(|number| unit_is_certain(it, number)));
    let (value, exact) = match (number, code) {
        (Some(number), Some(code)) if !code.is_coded() => {
            (ReadingValue::Number(number), Some(number))
        }
        (Some(number), None) => (ReadingValue::Number(number), Some(number)),
        _ => (ReadingValue::Text(text.to_owned()), None),
    };
    let reading = Reading {
        code: code.map_or_else(|| format!("{kind}.{name}"), |it| it.name.to_owned()),
        value,
        unit: code.map_or("", |it| it.ucum).to_owned(),
        effective: at,
        end: None,
        native: None,
        group: Some(kind.to_owned()),
        source_id: None,
        comparator: None,
        flags: Vec::new(),
        quality: timely,
    };
    LocatedReading { reading, path: format!("/{kind}/{name}"), exact, device: None }
}

/// A device mapping tells no units. A number takes a code's meaning only when it is plausible in the
/// code's own unit and in no other the code may come in: 120 is a glucose in mg/dL, 20 could be either,
/// and a wrong guess would be an alert about nothing, or none about something.
fn unit_is_certain(code: &Code, number: Decimal) -> bool {
    let in_own = auscult_catalogue::plausible(code, number);
    let in_other = code.accepted.iter().filter(|it| **it != code.ucum).any(|unit| {
        auscult_catalogue::convert(code, number, unit)
            .is_ok_and(|it| it.exact != number && auscult_catalogue::plausible(code, it.exact))
    });
    in_own && !in_other
}

/// One version of a mapping set as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Version {
    /// Name of the set.
    pub name: String,
    /// 1, 2, 3 …
    pub version: i64,
    /// Who put it here.
    pub author: String,
    /// When.
    pub created: Timestamp,
    /// The mapping file as it was sent.
    pub document: String,
}

/// Checks a mapping file: every fault that keeps a template from loading.
///
/// # Errors
/// 400 with the place, code and reason of each fault.
pub fn check(document: &str) -> Result<(), Problem> {
    let loaded = DeviceMapping::compile(document);
    if loaded.is_sound() {
        return Ok(());
    }
    let problem = Problem::new(400, "mapping-faulty", "The mapping does not load whole");
    Err(loaded.faults.iter().filter(|it| it.fatal).fold(problem, |problem, it| {
        let detail = format!("line {} column {}: {}", it.line, it.column, it.detail);
        problem.fault(&it.path, it.code.as_str(), detail)
    }))
}

/// Stores a new version; an identical one changes nothing. Returns the version in force.
///
/// # Errors
/// [`StoreError`] when the database cannot be written.
pub fn put(
    db: &dyn Database,
    name: &str,
    document: &str,
    author: &str,
    now: Timestamp,
) -> Result<Version, StoreError> {
    transaction(db, |db| {
        let current = current(db, name)?;
        if let Some(same) = current.as_ref().filter(|it| it.document == document) {
            return Ok(same.clone());
        }
        let version = current.map_or(1, |it| it.version.saturating_add(1));
        db.query(
            "INSERT INTO mapping (name, version, document, author, created_ms, active)
             VALUES (?1, ?2, ?3, ?4, ?5, 1)",
            &[name.into(), version.into(), document.into(), author.into(), now.into()],
        )?;
        let (name, author) = (name.to_owned(), author.to_owned());
        Ok(Version { name, version, author, created: now, document: document.to_owned() })
    })
}

/// The version in force.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn current(db: &dyn Database, name: &str) -> Result<Option<Version>, StoreError> {
    let rows = db.query(
        "SELECT name, version, document, author, created_ms FROM mapping
         WHERE name = ?1 AND active = 1 ORDER BY version DESC LIMIT 1",
        &[name.into()],
    )?;
    rows.first().map(version).transpose()
}

/// The version in force of every set.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn list(db: &dyn Database) -> Result<Vec<Version>, StoreError> {
    let rows = db.query(
        "SELECT name, max(version) AS version, document, author, created_ms FROM mapping
         WHERE active = 1 GROUP BY name ORDER BY name LIMIT 200",
        &[],
    )?;
    rows.iter().map(version).collect()
}

fn version(row: auscult_store::Row<'_>) -> Result<Version, StoreError> {
    Ok(Version {
        name: row.text("name")?.to_owned(),
        version: row.integer("version")?,
        author: row.text("author")?.to_owned(),
        created: Timestamp::from_unix_ms(row.integer("created_ms")?),
        document: row.text("document")?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_without_unit_takes_a_code_only_when_no_other_unit_fits() {
        #[rustfmt::skip]
        let rows = [
            ("hr", 72, "heart_rate"),
            ("temp", 37, "body_temperature"),
            ("temp", 98, "kind.temp"),
            ("sys", 120, "systolic_bp"),
            ("spo2", 97, "spo2"),
            ("weight", 80, "kind.weight"),
            ("nobody", 1, "kind.nobody"),
        ];
        let at = Timestamp::from_unix_ms(0);
        for (name, value, want) in rows {
            let code = auscult_catalogue::synonym(name, None);
            let it = located(code, "kind", name, &value.to_string(), at, Quality::Accepted);
            assert_eq!(it.reading.code, want, "{name} {value}");
        }
    }
}
