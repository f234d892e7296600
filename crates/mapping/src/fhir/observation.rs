//! A new Observation from the values of one window.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::sampled;
use super::{
    Category, Code, CodeValue, ConvertError, ObservationGroup, SERVICE_SYSTEM, Series, ValueKind,
    ValueType,
};
use crate::moment::Instant;

/// 100-nanosecond steps in a millisecond.
const TICKS_PER_MS: i64 = 10_000;

/// What decides whether an Observation already stored is found again.
#[derive(Debug, Clone, Copy)]
pub struct Convention<'a> {
    /// System of the identifier and of the code added to the template's.
    pub system: &'a str,
}

impl Default for Convention<'_> {
    fn default() -> Self {
        Self { system: SERVICE_SYSTEM }
    }
}

/// FHIR ids of what an Observation refers to.
#[derive(Debug, Clone, Copy)]
pub struct References<'a> {
    /// Of the Patient.
    pub patient: &'a str,
    /// Of the Device.
    pub device: &'a str,
    /// Of the Encounter, when there is one.
    pub encounter: Option<&'a str>,
}

/// The value of the identifier of a window's Observation.
#[must_use]
pub fn identifier_value(references: &References<'_>, type_name: &str, id_segment: &str) -> String {
    format!("{}.{}.{type_name}.{id_segment}", references.patient, references.device)
}

/// The id a resource with this identifier gets: the same each time, so that a repeated write
/// changes nothing.
#[must_use]
pub fn resource_id(system: &str, value: &str) -> String {
    let hash = Sha256::digest(format!("{system}_{value}").as_bytes());
    hash.iter().map(|it| format!("{it:02x}")).collect()
}

pub(super) fn create(
    template: &CodeValue,
    type_name: &str,
    window: &ObservationGroup,
    references: &References<'_>,
    convention: &Convention<'_>,
) -> Result<Value, ConvertError> {
    let identifier = identifier_value(references, type_name, &window.id_segment);
    let mut observation = json!({
        "resourceType": "Observation",
        "id": resource_id(convention.system, &identifier),
        "identifier": [{ "system": convention.system, "value": identifier }],
        "status": "final",
        "code": concept(&template.codes, type_name, convention),
        "subject": reference("Patient", references.patient),
        "device": reference("Device", references.device),
        "effectivePeriod": period(window.start, window.end),
    });
    let Value::Object(members) = &mut observation else { return Ok(observation) };
    if let Some(encounter) = references.encounter {
        members.insert("encounter".into(), reference("Encounter", encounter));
    }
    if !template.categories.is_empty() {
        members.insert("category".into(), categories(&template.categories));
    }
    if let Some((value, series)) = found(template.value.as_ref(), window) {
        members.insert(value.kind.member().into(), fresh(value, series, window.start, window.end)?);
    }
    let mut components = Vec::new();
    for it in &template.components {
        if let Some((value, series)) = found(it.value.as_ref(), window) {
            let made = fresh(value, series, window.start, window.end)?;
            components.push(component(&it.codes, value, made, convention));
        }
    }
    if !components.is_empty() {
        members.insert("component".into(), Value::Array(components));
    }
    Ok(observation)
}

/// A value of the template together with what the window has for it.
pub(super) fn found<'a>(
    value: Option<&'a ValueType>,
    window: &'a ObservationGroup,
) -> Option<(&'a ValueType, &'a Series)> {
    value.and_then(|value| window.series(&value.name).map(|series| (value, series)))
}

pub(super) fn component(
    codes: &[Code],
    value: &ValueType,
    made: Value,
    convention: &Convention<'_>,
) -> Value {
    let mut members = Map::new();
    members.insert("code".into(), concept(codes, &value.name, convention));
    members.insert(value.kind.member().into(), made);
    Value::Object(members)
}

fn reference(kind: &str, id: &str) -> Value {
    json!({ "reference": format!("{kind}/{id}") })
}

pub(super) fn period(start: Instant, end: Instant) -> Value {
    json!({ "start": start.to_string(), "end": end.to_string() })
}

/// The template's codes, then one that names the type within the service.
fn concept(codes: &[Code], name: &str, convention: &Convention<'_>) -> Value {
    let own = json!({ "system": convention.system, "code": name, "display": name });
    let coding: Vec<Value> = codes.iter().map(coding).chain([own]).collect();
    json!({ "coding": coding, "text": name })
}

fn coding(code: &Code) -> Value {
    members([("system", &code.system), ("code", &code.code), ("display", &code.display)])
}

/// An object of the members that have a value.
fn members<const N: usize>(members: [(&str, &Option<String>); N]) -> Value {
    let present = members.into_iter().filter_map(|(name, value)| {
        value.as_ref().map(|value| (name.to_owned(), Value::from(value.as_str())))
    });
    Value::Object(present.collect())
}

pub(super) fn categories(categories: &[Category]) -> Value {
    categories.iter().map(|it| codeable(it.text.as_ref(), &it.codes)).collect()
}

fn codeable(text: Option<&String>, codes: &[Code]) -> Value {
    let mut members = Map::new();
    if !codes.is_empty() {
        members.insert("coding".into(), codes.iter().map(coding).collect());
    }
    if let Some(text) = text {
        members.insert("text".into(), Value::from(text.as_str()));
    }
    Value::Object(members)
}

/// A value of the template's type, made of the values of one window.
pub(super) fn fresh(
    value: &ValueType,
    series: &Series,
    start: Instant,
    end: Instant,
) -> Result<Value, ConvertError> {
    match &value.kind {
        ValueKind::Quantity { unit, code, system } => {
            let [(_, text)] = series.as_slice() else { return Err(ConvertError::QuantityInvalid) };
            let number = decimal(text).ok_or(ConvertError::QuantityInvalid)?;
            let mut quantity = members([("unit", unit), ("code", code), ("system", system)]);
            if let Value::Object(members) = &mut quantity {
                members.insert("value".into(), number_value(number));
            }
            Ok(quantity)
        }
        ValueKind::Text => match series.as_slice() {
            [(_, text)] => Ok(Value::from(text.as_str())),
            _ => Err(ConvertError::SeveralTexts),
        },
        ValueKind::CodeableConcept { text, codes } => Ok(codeable(text.as_ref(), codes)),
        ValueKind::SampledData { period_ms, unit } => {
            let period_ms = period_ms.ok_or(ConvertError::NoDefaultPeriod)?;
            let data = sampled::build(series, start, end, period_ticks(period_ms))?;
            let mut origin = members([("unit", unit)]);
            if let Value::Object(members) = &mut origin {
                members.insert("value".into(), Value::from(0));
            }
            Ok(json!({
                "origin": origin, "period": number_value(period_ms), "dimensions": 1, "data": data,
            }))
        }
    }
}

pub(super) fn period_ticks(period_ms: Decimal) -> i64 {
    (period_ms * Decimal::from(TICKS_PER_MS)).round().to_i64().unwrap_or(i64::MAX / 4)
}

fn number_value(number: Decimal) -> Value {
    match (number.is_integer(), number.to_i64(), number.to_f64()) {
        (true, Some(whole), _) => Value::from(whole),
        (_, _, float) => float.map_or(Value::Null, Value::from),
    }
}

/// A decimal from text: one sign before or after, digits with commas between them, one point,
/// spaces around. No exponent, brackets or currency.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let sign = |it: char| it == '-' || it == '+';
    let (negative, digits) = match (text.strip_prefix(sign), text.strip_suffix(sign)) {
        (Some(_), Some(_)) => return None,
        (Some(rest), None) => (text.starts_with('-'), rest),
        (None, Some(rest)) => (text.ends_with('-'), rest.trim_end()),
        (None, None) => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let ascii = |it: &str, comma: bool| {
        it.bytes().all(|it| it.is_ascii_digit() || (comma && it == b','))
    };
    let any = digits.bytes().any(|it| it.is_ascii_digit());
    if !any || !ascii(whole, true) || !ascii(fraction, false) || whole.starts_with(',') {
        return None;
    }
    let plain = format!("{}.{fraction}", whole.replace(',', ""));
    let plain = plain.trim_end_matches('.');
    let padded = if plain.starts_with('.') { format!("0{plain}") } else { plain.to_owned() };
    let number: Decimal = padded.parse().ok()?;
    Some(if negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_a_quantity_can_be_made_of() {
        #[rustfmt::skip]
        let rows = [
            ("22.4", Some("22.4")), ("1,234.5", Some("1234.5")), ("1,2,3", Some("123")),
            ("+5", Some("5")), ("5-", Some("-5")), ("-5", Some("-5")), (".5", Some("0.5")),
            ("1.", Some("1")), (" 5 ", Some("5")), ("60.50", Some("60.50")),
            ("1E-05", None), ("abc", None), ("", None), (".", None), ("-", None), ("-5-", None),
            ("0x1F", None), ("\u{663}", None), ("True", None), ("NaN", None), ("(5)", None),
            ("1.2.3", None), (",5", None), ("79228162514264337593543950336", None),
        ];
        for (text, want) in rows {
            assert_eq!(decimal(text).map(|it| it.to_string()).as_deref(), want, "{text}");
        }
    }
}
