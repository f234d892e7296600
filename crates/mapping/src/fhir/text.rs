//! Observations as JSON text. Written by hand because it is done for every window of every message: what
//! a template fixes is text already, and nothing else is copied on the way.

use std::fmt::Write as _;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use sha2::{Digest, Sha256};

use super::observation::{Draft, DraftComponent, DraftValue};
use super::{Category, Code, ConvertError};

type Written = Result<(), ConvertError>;

pub(super) fn observation(text: &mut String, draft: &Draft<'_>) -> Written {
    let Draft { template, type_name, window, references, system, value, components } = draft;
    let named =
        [references.patient, ".", references.device, ".", type_name, ".", &window.id_segment];
    text.push_str("{\"resourceType\":\"Observation\",\"id\":\"");
    let [patient, dot, device, _, name, _, segment] = named;
    push_id(text, &[system, "_", patient, dot, device, dot, name, dot, segment]);
    text.push_str("\",\"identifier\":[{\"system\":");
    push_string(text, &[system]);
    text.push_str(",\"value\":");
    push_string(text, &named);
    text.push_str("}],\"status\":\"final\"");
    if !template.categories.is_empty() {
        text.push_str(",\"category\":");
        categories(text, &template.categories);
    }
    text.push_str(",\"code\":");
    concept(text, &template.codes, system, type_name);
    for (member, kind, id) in [
        ("subject", "Patient/", Some(references.patient)),
        ("device", "Device/", Some(references.device)),
        ("encounter", "Encounter/", references.encounter),
    ] {
        let Some(id) = id else { continue };
        push_member(text, member);
        text.push_str("{\"reference\":");
        push_string(text, &[kind, id]);
        text.push('}');
    }
    text.push_str(",\"effectivePeriod\":{\"start\":\"");
    window.start.push_iso(text);
    text.push_str("\",\"end\":\"");
    window.end.push_iso(text);
    text.push_str("\"}");
    if let Some(value) = value {
        push_member(text, value.member());
        self::value(text, value)?;
    }
    if !components.is_empty() {
        text.push_str(",\"component\":[");
        for (at, it) in components.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            component(text, it)?;
        }
        text.push(']');
    }
    text.push('}');
    Ok(())
}

pub(super) fn component(text: &mut String, it: &DraftComponent<'_>) -> Written {
    text.push_str("{\"code\":");
    concept(text, it.codes, it.system, it.name);
    push_member(text, it.value.member());
    value(text, &it.value)?;
    text.push('}');
    Ok(())
}

pub(super) fn categories(text: &mut String, categories: &[Category]) {
    text.push('[');
    for (at, it) in categories.iter().enumerate() {
        text.push_str(if at > 0 { ",{" } else { "{" });
        let mut between = Between::new();
        if !it.codes.is_empty() {
            between.member(text, "coding");
            codes(text, &it.codes);
        }
        between.optional(text, "text", it.text.as_deref());
        text.push('}');
    }
    text.push(']');
}

/// The template's codes, then one that names the type within the service.
fn concept(text: &mut String, codes: &[Code], system: &str, name: &str) {
    text.push_str("{\"coding\":[");
    for code in codes {
        text.push_str(&code.0);
        text.push(',');
    }
    text.push_str("{\"system\":");
    push_string(text, &[system]);
    text.push_str(",\"code\":");
    push_string(text, &[name]);
    text.push_str(",\"display\":");
    push_string(text, &[name]);
    text.push_str("}],\"text\":");
    push_string(text, &[name]);
    text.push('}');
}

fn codes(text: &mut String, codes: &[Code]) {
    text.push('[');
    for (at, code) in codes.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&code.0);
    }
    text.push(']');
}

pub(super) fn value(text: &mut String, value: &DraftValue<'_>) -> Written {
    let mut between = Between::new();
    match value {
        DraftValue::Text(it) => push_string(text, &[it]),
        DraftValue::Quantity { value, unit, system, code } => {
            text.push_str("{\"value\":");
            push_number(text, value)?;
            between.next();
            between.optional(text, "unit", *unit);
            between.optional(text, "system", *system);
            between.optional(text, "code", *code);
            text.push('}');
        }
        DraftValue::Codeable { coding, text: words } => {
            text.push('{');
            if !coding.is_empty() {
                between.member(text, "coding");
                codes(text, coding);
            }
            between.optional(text, "text", *words);
            text.push('}');
        }
        DraftValue::Sampled { unit, period, data } => {
            text.push_str("{\"origin\":{\"value\":0");
            between.next();
            between.optional(text, "unit", *unit);
            text.push_str("},\"period\":");
            push_number(text, period)?;
            text.push_str(",\"dimensions\":1,\"data\":");
            push_string(text, &[data]);
            text.push('}');
        }
    }
    Ok(())
}

/// A coding of a template.
pub(super) fn code(system: Option<&str>, code: Option<&str>, display: Option<&str>) -> Code {
    let mut text = String::from("{");
    let mut between = Between::new();
    between.optional(&mut text, "system", system);
    between.optional(&mut text, "code", code);
    between.optional(&mut text, "display", display);
    text.push('}');
    Code(text.into())
}

/// Whether a comma goes before the next member of an object.
struct Between(bool);

impl Between {
    const fn new() -> Self {
        Self(false)
    }

    fn next(&mut self) -> bool {
        std::mem::replace(&mut self.0, true)
    }

    fn member(&mut self, text: &mut String, name: &str) {
        if self.next() {
            text.push(',');
        }
        text.push('"');
        text.push_str(name);
        text.push_str("\":");
    }

    fn optional(&mut self, text: &mut String, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.member(text, name);
            push_string(text, &[value]);
        }
    }
}

/// A member after another.
fn push_member(text: &mut String, name: &str) {
    text.push_str(",\"");
    text.push_str(name);
    text.push_str("\":");
}

/// The parts as one JSON string.
fn push_string(text: &mut String, parts: &[&str]) {
    let plain = |it: u8| it >= b' ' && it != b'"' && it != b'\\';
    text.push('"');
    for part in parts {
        if part.bytes().all(plain) {
            text.push_str(part);
        } else {
            let escaped = serde_json::Value::from(*part).to_string();
            let inner = escaped.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
            text.push_str(inner.unwrap_or_default());
        }
    }
    text.push('"');
}

fn push_number(text: &mut String, number: &Decimal) -> Written {
    let whole = || number.is_integer().then(|| number.to_i64()).flatten();
    let direct = (number.scale() == 0).then(|| i64::try_from(number.mantissa()).ok()).flatten();
    let written = match direct.or_else(whole) {
        Some(whole) => write!(text, "{whole}"),
        None => write!(text, "{}", number.to_f64().ok_or(ConvertError::QuantityInvalid)?),
    };
    written.map_err(|_| ConvertError::QuantityInvalid)
}

/// SHA-256 of the parts, as hexadecimal digits.
pub(super) fn push_id(text: &mut String, parts: &[&str]) {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
    }
    for byte in hash.finalize() {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(if digit < 10 { b'0' + digit } else { b'a' - 10 + digit }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_where_they_must_be() {
        for parts in [["a", "b"], ["\"", "\\\""], ["\"\"", "\n\u{0}é"], ["", "\t\""]] {
            let mut text = String::new();
            push_string(&mut text, &parts);
            assert_eq!(serde_json::from_str::<String>(&text).unwrap(), parts.concat(), "{text}");
        }
    }
}
