//! Reads the templates of a FHIR mapping.

use std::collections::HashMap;

use rust_decimal::Decimal;

use super::{Category, Code, CodeValue, Component, FhirMapping, ValueKind, ValueType, text};
use crate::convert;
use crate::json::pointer;
use crate::load::{Container, FaultCode, Loaded, Loader, Members, containers, find, nearest, open};
use crate::token::Token;

/// What the root of a FHIR mapping may call itself.
const ROOT_TYPES: [&str; 2] = ["CollectionFhir", "CollectionFhirTemplate"];
const MEMBERS: [&str; 6] =
    ["typeName", "codes", "periodInterval", "category", "value", "components"];
const VALUE_TYPES: [&str; 4] = ["SampledData", "Quantity", "CodeableConcept", "String"];
/// The periods that convert: one instant, an hour, a day, and by correlation id.
pub(super) const PERIODS: [i64; 4] = [0, 60, 1440, -1];

pub(super) fn compile(text: &str) -> Loaded<FhirMapping> {
    let mut loader = match open(text) {
        Ok(loader) => loader,
        Err(fault) => return Loaded { mapping: FhirMapping::default(), faults: vec![*fault] },
    };
    let root = std::mem::replace(&mut loader.document.root, Token::Null);
    let mapping = read(&root, "", &mut loader);
    Loaded { mapping, faults: loader.faults }
}

/// Reads the FHIR mapping that stands at `base` of a file.
pub(crate) fn read(root: &Token, base: &str, loader: &mut Loader) -> FhirMapping {
    let mut mapping = FhirMapping { templates: Vec::new(), by_type: HashMap::default() };
    for container in containers(root, base, loader, &ROOT_TYPES) {
        let before = loader.fatal();
        let Some((type_name, template)) = template(&container, loader) else { continue };
        if loader.fatal() > before {
            continue;
        }
        let key = type_name.to_lowercase();
        if mapping.by_type.contains_key(&key) {
            let detail = format!("there already is a template for the type {type_name}");
            let path = type_name_path(&container);
            loader.member_fault(&path, FaultCode::DuplicateTypeName, detail);
            continue;
        }
        mapping.by_type.insert(key, mapping.templates.len());
        mapping.templates.push(template);
    }
    mapping
}

fn type_name_path(container: &Container<'_>) -> String {
    let written = find(container.body, "typeName").map_or("typeName", |(name, _)| name);
    pointer(&container.path, written)
}

fn template(container: &Container<'_>, loader: &mut Loader) -> Option<(String, CodeValue)> {
    let kind = container.kind.to_ascii_lowercase();
    if kind != "codevaluefhir" && kind != "codevaluefhirtemplate" {
        let detail = "there is no FHIR template of this type";
        loader.fault(&container.kind_path, FaultCode::UnknownTemplateType, detail);
        loader.suggest("\"templateType\": \"CodeValueFhir\"");
        return None;
    }
    let mut members = Members::read(container.body, &container.path, &MEMBERS, loader);
    let type_name = members.required_text("typeName");
    if type_name.as_ref().is_some_and(|it| it.trim().is_empty()) {
        let detail = "typeName must not be blank";
        let path = type_name_path(container);
        members.loader.member_fault(&path, FaultCode::EmptyTypeName, detail);
    }
    let codes = match members.get("codes") {
        None => {
            members.missing("codes");
            None
        }
        Some(Token::Null) => {
            members.is_null("codes");
            None
        }
        Some(_) => Some(codes(&mut members)),
    };
    let period_interval = period_interval(&mut members);
    let categories = items(&mut members, "category", &["text", "codes"], |inner| Category {
        text: inner.optional_text("text"),
        codes: self::codes(inner),
    });
    let components = items(&mut members, "components", &["codes", "value"], |inner| Component {
        codes: self::codes(inner),
        value: value(inner),
    });
    let value = value(&mut members);
    let template = CodeValue {
        codes: codes?,
        categories,
        period_interval: period_interval?,
        value,
        components,
    };
    Some((type_name?, template))
}

/// The objects of an array that may be there, each read by `one`.
fn items<'a, T>(
    members: &mut Members<'a, '_>,
    name: &'static str,
    known: &[&'static str],
    one: impl Fn(&mut Members<'a, '_>) -> T,
) -> Vec<T> {
    let path = members.path_to(name);
    let Some(items) = members.optional_array(name) else { return Vec::new() };
    let mut read = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let path = pointer(&path, at);
        let Token::Object(object) = item else {
            let detail = format!("an item of {name} must be an object, it is {}", item.kind());
            members.loader.fault(&path, FaultCode::BadValueType, detail);
            continue;
        };
        let mut inner = Members::read(object, &path, known, members.loader);
        read.push(one(&mut inner));
    }
    read
}

fn codes(members: &mut Members<'_, '_>) -> Vec<Code> {
    items(members, "codes", &["code", "system", "display"], |inner| {
        let (system, code) = (inner.optional_text("system"), inner.optional_text("code"));
        let display = inner.optional_text("display");
        text::code(system.as_deref(), code.as_deref(), display.as_deref())
    })
}

fn period_interval(members: &mut Members<'_, '_>) -> Option<i64> {
    let named = |text: &str| match text.trim().to_ascii_lowercase().as_str() {
        "single" => Some(0),
        "hourly" => Some(60),
        "daily" => Some(1440),
        "correlationid" => Some(-1),
        number => number.parse().ok(),
    };
    let period = match members.get("periodInterval") {
        None => return Some(0),
        Some(Token::Int(it)) => Some(*it),
        Some(Token::Text(text)) => named(text),
        Some(_) => None,
    };
    match period {
        None => members.bad("periodInterval", "0, 60, 1440 or -1"),
        Some(it) if !PERIODS.contains(&it) => {
            let path = members.path_to("periodInterval");
            let detail = "no Observation can be made with this periodInterval";
            members.loader.fault(&path, FaultCode::OutOfRange, detail);
            members.loader.suggest("0 single, 60 hourly, 1440 daily, -1 by correlation id");
            members.loader.only_warn();
        }
        Some(_) => {}
    }
    period
}

fn value(members: &mut Members<'_, '_>) -> Option<ValueType> {
    let path = members.path_to("value");
    let object = match members.get("value")? {
        Token::Null => return None,
        Token::Object(object) => object,
        _ => {
            members.bad("value", "an object");
            return None;
        }
    };
    let mut inner = Members::lenient(object, &path, members.loader);
    let named = inner.get("valueType").and_then(convert::text).unwrap_or_default();
    if named.trim().is_empty() {
        inner.loader.fault(&path, FaultCode::ValueTypeMissing, "valueType is missing");
        inner.loader.suggest("\"valueType\": \"Quantity\"");
        return None;
    }
    let kind = match named.to_ascii_lowercase().as_str() {
        "sampleddata" => ValueKind::SampledData {
            period_ms: period_ms(&mut inner),
            unit: inner.optional_text("unit"),
        },
        "quantity" => ValueKind::Quantity {
            unit: inner.optional_text("unit"),
            code: inner.optional_text("code"),
            system: inner.optional_text("system"),
        },
        "codeableconcept" => ValueKind::CodeableConcept {
            text: inner.optional_text("text"),
            codes: codes(&mut inner),
        },
        "string" => ValueKind::Text,
        other => {
            let path = inner.path_to("valueType");
            let detail = "valueType must be SampledData, Quantity, CodeableConcept or String";
            inner.loader.fault(&path, FaultCode::ValueTypeUnsupported, detail);
            if let Some(near) = nearest(other, &VALUE_TYPES) {
                inner.loader.suggest(format!("\"valueType\": \"{near}\""));
            }
            return None;
        }
    };
    inner.required_text("valueName").map(|name| ValueType { name, kind })
}

/// Milliseconds between samples. Zero or less would never reach the end of a window.
fn period_ms(members: &mut Members<'_, '_>) -> Option<Decimal> {
    let path = members.path_to("defaultPeriod");
    let Some(token) = members.get("defaultPeriod").filter(|it| **it != Token::Null) else {
        members.loader.fault(&path, FaultCode::OutOfRange, "SampledData needs a defaultPeriod");
        members.loader.only_warn();
        return None;
    };
    let number = convert::text(token)
        .and_then(|it| Decimal::from_scientific(it.trim()).or_else(|_| it.trim().parse()).ok());
    match number {
        None => members.bad("defaultPeriod", "a number of milliseconds"),
        Some(it) if it <= Decimal::ZERO => {
            let detail = "defaultPeriod must be more than 0 ms";
            members.loader.fault(&path, FaultCode::OutOfRange, detail);
        }
        Some(_) => {}
    }
    number
}
