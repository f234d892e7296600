//! A new Observation from the values of one window.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value, json};

use super::{
    Code, CodeValue, ConvertError, ObservationGroup, SERVICE_SYSTEM, Series, ValueKind, ValueType,
};
use super::{sampled, text};
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
    let mut text = String::with_capacity(64);
    text::push_id(&mut text, &[system, "_", value]);
    text
}

/// An Observation before it is written: everything that can be is borrowed from the template.
pub(super) struct Draft<'a> {
    pub(super) template: &'a CodeValue,
    pub(super) type_name: &'a str,
    pub(super) window: &'a ObservationGroup,
    pub(super) references: References<'a>,
    pub(super) system: &'a str,
    pub(super) value: Option<DraftValue<'a>>,
    pub(super) components: Vec<DraftComponent<'a>>,
}

pub(super) struct DraftComponent<'a> {
    pub(super) codes: &'a [Code],
    pub(super) name: &'a str,
    pub(super) system: &'a str,
    pub(super) value: DraftValue<'a>,
}

/// A value, under the member name of its type.
pub(super) enum DraftValue<'a> {
    Quantity {
        value: Decimal,
        unit: Option<&'a str>,
        system: Option<&'a str>,
        code: Option<&'a str>,
    },
    Text(&'a str),
    Codeable {
        coding: &'a [Code],
        text: Option<&'a str>,
    },
    Sampled {
        unit: Option<&'a str>,
        period: Decimal,
        data: String,
    },
}

impl DraftValue<'_> {
    pub(super) const fn member(&self) -> &'static str {
        match self {
            Self::Quantity { .. } => "valueQuantity",
            Self::Text(_) => "valueString",
            Self::Codeable { .. } => "valueCodeableConcept",
            Self::Sampled { .. } => "valueSampledData",
        }
    }
}

pub(super) fn draft<'a>(
    template: &'a CodeValue,
    type_name: &'a str,
    window: &'a ObservationGroup,
    references: &References<'a>,
    convention: &Convention<'a>,
) -> Result<Draft<'a>, ConvertError> {
    let mut components = Vec::new();
    for it in &template.components {
        if let Some((value, series)) = found(it.value.as_ref(), window) {
            let made = fresh(value, series, window.start, window.end)?;
            components.push(draft_component(&it.codes, value, made, convention));
        }
    }
    let value = match found(template.value.as_ref(), window) {
        Some((value, series)) => Some(fresh(value, series, window.start, window.end)?),
        None => None,
    };
    let (references, system) = (*references, convention.system);
    Ok(Draft { template, type_name, window, references, system, value, components })
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
    DraftComponent { codes, name: &value.name, system: convention.system, value: made }
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
            Ok(DraftValue::Sampled { unit: unit.as_deref(), period, data })
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
