//! A new Observation from the values of one window.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use serde::ser::{SerializeSeq, SerializeStruct, Serializer};
use serde_json::{Value, json};
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
    [references.patient, references.device, type_name, id_segment].join(".")
}

/// The id a resource with this identifier gets: the same each time, so that a repeated write
/// changes nothing.
#[must_use]
pub fn resource_id(system: &str, value: &str) -> String {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let mut hash = Sha256::new();
    for part in [system, "_", value] {
        hash.update(part.as_bytes());
    }
    let digit = |it: u8| DIGITS.get(usize::from(it & 15)).copied().unwrap_or(b'0');
    hash.finalize().iter().flat_map(|it| [digit(it >> 4), digit(*it)]).map(char::from).collect()
}

/// An Observation as it is written: everything that can be is borrowed from the template.
pub(super) struct Draft<'a> {
    id: String,
    identifier: [Identifier<'a>; 1],
    category: &'a [Category],
    code: Concept<'a>,
    references: References<'a>,
    period: Period,
    value: Option<DraftValue<'a>>,
    component: Vec<DraftComponent<'a>>,
}

// By hand: deriving this with a flattened value buffers every member on the heap.
impl Serialize for Draft<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut it = serializer.serialize_struct("Observation", 12)?;
        it.serialize_field("resourceType", "Observation")?;
        it.serialize_field("id", &self.id)?;
        it.serialize_field("identifier", &self.identifier)?;
        it.serialize_field("status", "final")?;
        if !self.category.is_empty() {
            it.serialize_field("category", self.category)?;
        }
        it.serialize_field("code", &self.code)?;
        it.serialize_field("subject", &Reference("Patient/", self.references.patient))?;
        it.serialize_field("device", &Reference("Device/", self.references.device))?;
        if let Some(encounter) = self.references.encounter {
            it.serialize_field("encounter", &Reference("Encounter/", encounter))?;
        }
        it.serialize_field("effectivePeriod", &self.period)?;
        if let Some(value) = &self.value {
            it.serialize_field(value.member(), value)?;
        }
        if !self.component.is_empty() {
            it.serialize_field("component", &self.component)?;
        }
        it.end()
    }
}

#[derive(Serialize)]
struct Identifier<'a> {
    system: &'a str,
    value: String,
}

#[derive(Serialize)]
struct Period {
    start: String,
    end: String,
}

/// The template's codes, then one that names the type within the service.
struct Concept<'a> {
    codes: &'a [Code],
    system: &'a str,
    name: &'a str,
}

impl Serialize for Concept<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut concept = serializer.serialize_struct("CodeableConcept", 2)?;
        concept.serialize_field("coding", &Codings(self))?;
        concept.serialize_field("text", self.name)?;
        concept.end()
    }
}

struct Codings<'a>(&'a Concept<'a>);

impl Serialize for Codings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Own<'a> {
            system: &'a str,
            code: &'a str,
            display: &'a str,
        }
        let Self(Concept { codes, system, name }) = self;
        let mut coding = serializer.serialize_seq(Some(codes.len() + 1))?;
        for code in *codes {
            coding.serialize_element(code)?;
        }
        coding.serialize_element(&Own { system, code: name, display: name })?;
        coding.end()
    }
}

struct Reference<'a>(&'static str, &'a str);

impl Serialize for Reference<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut reference = serializer.serialize_struct("Reference", 1)?;
        reference.serialize_field("reference", &[self.0, self.1].concat())?;
        reference.end()
    }
}

pub(super) struct DraftComponent<'a> {
    code: Concept<'a>,
    value: DraftValue<'a>,
}

impl Serialize for DraftComponent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut component = serializer.serialize_struct("Component", 2)?;
        component.serialize_field("code", &self.code)?;
        component.serialize_field(self.value.member(), &self.value)?;
        component.end()
    }
}

/// A value, without the member name of its type.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum DraftValue<'a> {
    Quantity {
        #[serde(serialize_with = "number")]
        value: Decimal,
        #[serde(skip_serializing_if = "Option::is_none")]
        unit: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        system: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<&'a str>,
    },
    Text(&'a str),
    Codeable {
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        coding: &'a [Code],
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<&'a str>,
    },
    Sampled {
        origin: Origin<'a>,
        #[serde(serialize_with = "number")]
        period: Decimal,
        dimensions: u8,
        data: String,
    },
}

impl DraftValue<'_> {
    const fn member(&self) -> &'static str {
        match self {
            Self::Quantity { .. } => "valueQuantity",
            Self::Text(_) => "valueString",
            Self::Codeable { .. } => "valueCodeableConcept",
            Self::Sampled { .. } => "valueSampledData",
        }
    }
}

#[derive(Serialize)]
pub(super) struct Origin<'a> {
    value: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
}

fn number<S: Serializer>(number: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    if number.scale() == 0
        && let Ok(whole) = i64::try_from(number.mantissa())
    {
        return serializer.serialize_i64(whole);
    }
    match (number.is_integer(), number.to_i64(), number.to_f64()) {
        (true, Some(whole), _) => serializer.serialize_i64(whole),
        (_, _, Some(float)) => serializer.serialize_f64(float),
        _ => Err(serde::ser::Error::custom("number out of range")),
    }
}

pub(super) fn draft<'a>(
    template: &'a CodeValue,
    type_name: &'a str,
    window: &'a ObservationGroup,
    references: &References<'a>,
    convention: &Convention<'a>,
) -> Result<Draft<'a>, ConvertError> {
    let identifier = identifier_value(references, type_name, &window.id_segment);
    let mut component = Vec::new();
    for it in &template.components {
        if let Some((value, series)) = found(it.value.as_ref(), window) {
            let made = fresh(value, series, window.start, window.end)?;
            component.push(draft_component(&it.codes, value, made, convention));
        }
    }
    let value = match found(template.value.as_ref(), window) {
        Some((value, series)) => Some(fresh(value, series, window.start, window.end)?),
        None => None,
    };
    let start = window.start.iso();
    let end = if window.end == window.start { start.clone() } else { window.end.iso() };
    Ok(Draft {
        id: resource_id(convention.system, &identifier),
        identifier: [Identifier { system: convention.system, value: identifier }],
        category: &template.categories,
        code: Concept { codes: &template.codes, system: convention.system, name: type_name },
        references: *references,
        period: Period { start, end },
        value,
        component,
    })
}

/// A value of the template together with what the window has for it.
pub(super) fn found<'a>(
    value: Option<&'a ValueType>,
    window: &'a ObservationGroup,
) -> Option<(&'a ValueType, &'a Series)> {
    value.and_then(|value| window.series(&value.name).map(|series| (value, series)))
}

pub(super) fn draft_component<'a>(
    codes: &'a [Code],
    value: &'a ValueType,
    made: DraftValue<'a>,
    convention: &Convention<'a>,
) -> DraftComponent<'a> {
    let code = Concept { codes, system: convention.system, name: &value.name };
    DraftComponent { code, value: made }
}

pub(super) fn period(start: Instant, end: Instant) -> Value {
    json!({ "start": start.to_string(), "end": end.to_string() })
}

/// A value of the template's type, made of the values of one window.
pub(super) fn fresh<'a>(
    value: &'a ValueType,
    series: &'a Series,
    start: Instant,
    end: Instant,
) -> Result<DraftValue<'a>, ConvertError> {
    match &value.kind {
        ValueKind::Quantity { unit, code, system } => {
            let [(_, text)] = series.as_slice() else { return Err(ConvertError::QuantityInvalid) };
            Ok(DraftValue::Quantity {
                value: decimal(text).ok_or(ConvertError::QuantityInvalid)?,
                unit: unit.as_deref(),
                system: system.as_deref(),
                code: code.as_deref(),
            })
        }
        ValueKind::Text => match series.as_slice() {
            [(_, text)] => Ok(DraftValue::Text(text)),
            _ => Err(ConvertError::SeveralTexts),
        },
        ValueKind::CodeableConcept { text, codes } => {
            Ok(DraftValue::Codeable { coding: codes, text: text.as_deref() })
        }
        ValueKind::SampledData { period_ms, unit } => {
            let period = period_ms.ok_or(ConvertError::NoDefaultPeriod)?;
            let data = sampled::build(series, start, end, period_ticks(period))?;
            let origin = Origin { value: 0, unit: unit.as_deref() };
            Ok(DraftValue::Sampled { origin, period, dimensions: 1, data })
        }
    }
}

pub(super) fn period_ticks(period_ms: Decimal) -> i64 {
    (period_ms * Decimal::from(TICKS_PER_MS)).round().to_i64().unwrap_or(i64::MAX / 4)
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
    let ascii =
        |it: &str, comma: bool| it.bytes().all(|it| it.is_ascii_digit() || (comma && it == b','));
    let any = digits.bytes().any(|it| it.is_ascii_digit());
    if !any || !ascii(whole, true) || !ascii(fraction, false) || whole.starts_with(',') {
        return None;
    }
    if !whole.contains(',') && !whole.is_empty() && !digits.ends_with('.') {
        let number: Decimal = digits.parse().ok()?;
        return Some(if negative { -number } else { number });
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
