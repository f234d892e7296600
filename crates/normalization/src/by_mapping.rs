//! One message read by a mapping set: measurements, and what they are the values of.

use std::sync::Arc;

use auscult_catalogue::{Code, LocatedReading};
use auscult_mapping::device::MessageFault;
use auscult_mapping::set::{Meaning, Refined};
use auscult_mapping::{Measurement, Object, Token, parse_token};
use auscult_model::events::ReceivedMessage;
use auscult_model::ids::DeviceId;
use auscult_model::reading::Native;
use auscult_model::{Fault, Problem, Quality, Reading, ReadingValue, Timestamp};
use rust_decimal::Decimal;

use crate::Decoded;
use crate::decode::DeviceReading;
use crate::mapped::{self, Sender};
use crate::sets::Compiled;

/// What the templates of a set make of a message.
///
/// # Errors
/// The problem when the message cannot be read at all.
pub fn decode(compiled: &Compiled, message: &ReceivedMessage) -> Result<Decoded, Problem> {
    let envelope = envelope(message.body.get())?;
    let measured = compiled.set.measure(envelope);
    let mut faults: Vec<Fault> = measured.errors.iter().map(fault).collect();
    let mut timely = Vec::with_capacity(measured.measurements.len());
    for refined in measured.measurements {
        match measured_at(&refined.measurement, message.received) {
            Ok((at, quality)) => timely.push((refined, at, quality)),
            Err((code, detail)) => faults.push(Fault {
                path: format!("/template/{}", refined.measurement.template),
                code: code.to_owned(),
                detail: detail.to_owned(),
            }),
        }
    }
    let mut decoded = Decoded { mapping: compiled.version.clone(), faults, ..Decoded::default() };
    match &compiled.set.fhir {
        Some(fhir) => {
            let sender = Sender { set: &compiled.name, version: &compiled.version, message };
            let (mapped, faults) = mapped::mapped(fhir, timely, sender);
            decoded.mapped = mapped;
            decoded.faults.extend(faults);
        }
        None => {
            for (refined, at, quality) in &timely {
                decoded.readings.extend(readings(refined, *at, *quality));
            }
        }
    }
    Ok(decoded)
}

/// The message as mappings see it: in its envelope, or with one around it.
///
/// # Errors
/// The problem when it is not JSON that mappings can read.
pub fn envelope(body: &str) -> Result<Token, Problem> {
    let token = parse_token(body).map_err(|it| {
        Problem::new(400, "malformed-json", "The message cannot be read").detail(it.to_string())
    })?;
    if token.member("Body").is_some() {
        return Ok(token);
    }
    let mut envelope = Object::default();
    envelope.set("Body", token);
    envelope.set("Properties", Token::Object(Object::default()));
    envelope.set("SystemProperties", Token::Object(Object::default()));
    Ok(Token::Object(envelope))
}

/// A fault of the mapping language as every stage tells it.
#[must_use]
pub fn fault(it: &MessageFault) -> Fault {
    Fault {
        path: it.path.clone(),
        code: it.code.as_str().to_owned(),
        detail: format!("template {} ({}), {}: {}", it.template, it.type_name, it.field, it.detail),
    }
}

fn measured_at(
    measurement: &Measurement,
    received: Timestamp,
) -> Result<(Timestamp, Quality), (&'static str, &'static str)> {
    let at = Timestamp::from_unix_ms(measurement.occurred.unix_ms());
    if DeviceId::parse(&measurement.device_id).is_none() {
        return Err(("device-id", "the device id of the measurement is not one"));
    }
    if at < auscult_catalogue::EARLIEST {
        return Err(("implausible-time", "the time of the measurement lies before 1990"));
    }
    let ahead = at.since_ms(received) > auscult_catalogue::AHEAD_MS_MAX;
    Ok((at, if ahead { Quality::FutureTime } else { Quality::Accepted }))
}

/// One reading a property. A property the code table knows becomes that code; others keep their name.
fn readings(
    refined: &Refined,
    at: Timestamp,
    timely: Quality,
) -> impl Iterator<Item = DeviceReading> {
    let measurement = &refined.measurement;
    let sole = measurement.properties.len() == 1;
    let claim = claim(measurement);
    measurement.properties.iter().zip(&refined.meanings).map(move |((name, text), meaning)| {
        let told = meaning.code.as_deref().and_then(auscult_catalogue::code);
        let code = told.or_else(|| auscult_catalogue::synonym(name, None)).or_else(|| {
            sole.then(|| auscult_catalogue::synonym(&measurement.type_name, None)).flatten()
        });
        let value = Value { kind: &measurement.type_name, name, text, meaning };
        DeviceReading {
            device: measurement.device_id.clone(),
            claim: claim.clone(),
            located: value.located(code, told.is_some(), at, timely),
        }
    })
}

/// The patient a measurement names.
pub(crate) fn claim(measurement: &Measurement) -> Option<String> {
    measurement.patient_id.clone().filter(|it| !it.trim().is_empty())
}

/// One value of a measurement.
struct Value<'a> {
    kind: &'a Arc<str>,
    name: &'a Arc<str>,
    text: &'a str,
    meaning: &'a Meaning,
}

impl Value<'_> {
    fn located(
        &self,
        code: Option<&'static Code>,
        told: bool,
        at: Timestamp,
        timely: Quality,
    ) -> LocatedReading {
        let Self { kind, name, text, meaning } = self;
        let number = text.trim().parse::<Decimal>().ok();
        let unit = meaning.unit.as_deref();
        let mut native = meaning.native.as_ref().map(|(text, unit)| Native {
            value: text
                .trim()
                .parse()
                .map_or_else(|_| ReadingValue::Text(text.clone()), ReadingValue::Number),
            unit: unit.to_string(),
        });
        let mut implausible = meaning.implausible;
        let as_code = code.filter(|it| !it.is_coded()).zip(number).and_then(|(code, number)| {
            let certain = told || unit.is_some() || unit_is_certain(code, number);
            let converted = auscult_catalogue::convert(code, number, unit.unwrap_or_default());
            converted.ok().filter(|_| certain).map(|it| (code, it))
        });
        let (name, value, exact, unit) = match (as_code, number, code) {
            (Some((code, it)), Some(sent), _) => {
                implausible |= !auscult_catalogue::plausible(code, it.exact);
                if it.converted && native.is_none() {
                    let unit = unit.unwrap_or_default().to_owned();
                    native = Some(Native { value: ReadingValue::Number(sent), unit });
                }
                (code.name.to_owned(), ReadingValue::Number(it.shown), Some(it.exact), it.unit)
            }
            (_, Some(number), _) => {
                let value = ReadingValue::Number(number);
                (format!("{kind}.{name}"), value, Some(number), unit.unwrap_or_default())
            }
            (_, None, Some(code)) if code.is_coded() => {
                (code.name.to_owned(), ReadingValue::Text((*text).to_owned()), None, "")
            }
            (_, None, _) => {
                let value = ReadingValue::Text((*text).to_owned());
                (format!("{kind}.{name}"), value, None, unit.unwrap_or_default())
            }
        };
        let quality = match (timely, implausible) {
            (Quality::Accepted, true) => Quality::OutOfPlausibleRange,
            (timely, _) => timely,
        };
        let path = format!("/{kind}/{}", self.name);
        let reading = Reading {
            code: name,
            value,
            unit: unit.to_owned(),
            effective: at,
            end: None,
            native,
            group: Some(kind.to_string()),
            source_id: None,
            comparator: None,
            flags: Vec::new(),
            quality,
        };
        LocatedReading { reading, path, exact, device: None }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_without_unit_takes_a_code_only_when_no_other_unit_fits() {
        let (none, celsius, pounds) = (None, Some("Cel"), Some("[lb_av]"));
        #[rustfmt::skip]
        let rows = [
            ("hr", "72", none, "heart_rate 72 /min accepted"),
            ("temp", "37", none, "body_temperature 37 Cel accepted"),
            ("temp", "98", none, "kind.temp 98  accepted"),
            ("temp", "98", celsius, "body_temperature 98 Cel out-of-plausible-range"),
            ("temp", "98.6", Some("[degF]"), "body_temperature 37 Cel accepted"),
            ("sys", "120", none, "systolic_bp 120 mm[Hg] accepted"),
            ("spo2", "97", none, "spo2 97 % accepted"),
            ("weight", "80", none, "kind.weight 80  accepted"),
            ("weight", "80", pounds, "body_weight 36.29 kg accepted"),
            ("nobody", "1", none, "kind.nobody 1  accepted"),
        ];
        let at = Timestamp::from_unix_ms(0);
        for (name, text, unit, want) in rows {
            let code = auscult_catalogue::synonym(name, None);
            let meaning = Meaning { unit: unit.map(Into::into), ..Meaning::default() };
            let (kind, name) = ("kind".into(), name.into());
            let value = Value { kind: &kind, name: &name, text, meaning: &meaning };
            let it = value.located(code, false, at, Quality::Accepted).reading;
            let shown = match &it.value {
                ReadingValue::Number(number) => number.to_string(),
                ReadingValue::Text(text) => text.clone(),
            };
            let got = format!("{} {shown} {} {}", it.code, it.unit, it.quality.as_str());
            assert_eq!(got, want, "{name} {text}");
        }
    }
}
