//! Reads a mapping set, and says of every member what is wrong with it and where.

use rust_decimal::Decimal;

use super::refine::converted;
use super::{Applies, MappingSet, ValueRule};
use crate::convert;
use crate::json::pointer;
use crate::jsonpath::JsonPath;
use crate::load::{FaultCode, Loaded, Loader, Members, find, open};
use crate::token::{Object, Token};

pub(super) const MEMBERS: [&str; 8] =
    ["$schema", "description", "applies", "each", "device", "fhir", "system", "values"];
pub(super) const RULE_MEMBERS: [&str; 7] =
    ["type", "name", "code", "unit", "to", "synonyms", "plausible"];

pub(super) fn compile(text: &str) -> Loaded<MappingSet> {
    let mut loader = match open(text) {
        Ok(loader) => loader,
        Err(fault) => return Loaded { mapping: MappingSet::default(), faults: vec![*fault] },
    };
    let root = std::mem::replace(&mut loader.document.root, Token::Null);
    let mapping = match &root {
        Token::Object(object) if find(object, "device").is_some() => set(object, &mut loader),
        Token::Object(object) if is_fhir(object) => {
            let detail = "this is a FHIR mapping; a set needs a device mapping beside it";
            loader.fault("", FaultCode::WrongTemplateType, detail);
            loader.suggest("{ \"device\": { … }, \"fhir\": { … } }");
            MappingSet::default()
        }
        Token::Object(object)
            if find(object, "templateType").is_none() && find(object, "template").is_none() =>
        {
            let known = object.iter().any(|(name, _)| MEMBERS.contains(&name));
            if known {
                loader.fault("", FaultCode::MissingRequiredProperty, "device is missing");
                MappingSet::default()
            } else {
                bare(&root, &mut loader)
            }
        }
        _ => bare(&root, &mut loader),
    };
    Loaded { mapping, faults: loader.faults }
}

/// A device mapping without anything around it.
fn bare(root: &Token, loader: &mut Loader) -> MappingSet {
    let device = crate::device::load::read(root, "", loader);
    MappingSet { device, ..MappingSet::default() }
}

/// Whether a file is a FHIR mapping alone, by what it calls itself.
#[must_use]
pub fn is_fhir_mapping(text: &str) -> bool {
    let document = crate::json::parse_document(text);
    matches!(document, Ok(Some(it)) if matches!(&it.root, Token::Object(root) if is_fhir(root)))
}

fn is_fhir(root: &Object) -> bool {
    let kind = find(root, "templateType").and_then(|(_, it)| convert::text(it));
    kind.is_some_and(|it| it.to_ascii_lowercase().starts_with("collectionfhir"))
}

fn set(root: &Object, loader: &mut Loader) -> MappingSet {
    let mut members = Members::read(root, "", &MEMBERS, loader);
    let system = members.optional_text("system").filter(|it| !it.trim().is_empty());
    members.optional_text("description");
    let applies = applies(&mut members);
    let each = each(&mut members);
    let values = values(&mut members);
    let (device_at, fhir_at) = (members.path_to("device"), members.path_to("fhir"));
    let device = members.get("device").unwrap_or(&Token::Null);
    let fhir = members.get("fhir").filter(|it| **it != Token::Null);
    let device = crate::device::load::read(device, &device_at, members.loader);
    let fhir = fhir.map(|it| crate::fhir::load::read(it, &fhir_at, members.loader));
    for rule in &values {
        known(rule, &device, members.loader);
    }
    let values = values.into_iter().map(|it| it.rule).collect();
    MappingSet { applies, device, fhir, system, each, values }
}

fn applies(members: &mut Members<'_, '_>) -> Applies {
    let path = members.path_to("applies");
    let object = match members.get("applies") {
        None | Some(Token::Null) => return Applies::default(),
        Some(Token::Object(object)) => object,
        Some(_) => {
            members.bad("applies", "an object");
            return Applies::default();
        }
    };
    let mut inner = Members::read(object, &path, &["deviceTypes", "senders"], members.loader);
    Applies {
        device_types: texts(&mut inner, "deviceTypes"),
        senders: texts(&mut inner, "senders"),
    }
}

/// An array of texts that may be there.
fn texts(members: &mut Members<'_, '_>, name: &'static str) -> Vec<String> {
    let path = members.path_to(name);
    let Some(items) = members.optional_array(name) else { return Vec::new() };
    let mut read = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        match convert::text(item).filter(|it| !it.trim().is_empty()) {
            Some(text) => read.push(text.into_owned()),
            None => {
                let detail = format!("an item of {name} must be a text that is not blank");
                members.loader.fault(&pointer(&path, at), FaultCode::BadValueType, detail);
            }
        }
    }
    read
}

/// One path or several, within the body of a message.
fn each(members: &mut Members<'_, '_>) -> Vec<JsonPath> {
    let path = members.path_to("each");
    let written: Vec<(String, String)> = match members.get("each") {
        Some(Token::Text(text)) => vec![(path, text.to_string())],
        Some(Token::Array(_)) => {
            let all = texts(members, "each");
            all.into_iter().enumerate().map(|(at, it)| (pointer(&path, at), it)).collect()
        }
        None | Some(Token::Null) => Vec::new(),
        Some(_) => {
            members.bad("each", "a JSONPath or an array of them");
            Vec::new()
        }
    };
    let mut paths = Vec::with_capacity(written.len());
    for (place, text) in written {
        match JsonPath::parse(&text) {
            Ok(path) => paths.push(path),
            Err(error) => {
                members.loader.fault(&place, FaultCode::ExpressionSyntax, error.to_string());
            }
        }
    }
    paths
}

/// A rule and where it stands.
struct Placed {
    rule: ValueRule,
    path: String,
}

fn values(members: &mut Members<'_, '_>) -> Vec<Placed> {
    let path = members.path_to("values");
    let Some(items) = members.optional_array("values") else { return Vec::new() };
    let mut rules = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let path = pointer(&path, at);
        let Token::Object(object) = item else {
            let detail = format!("an item of values must be an object, it is {}", item.kind());
            members.loader.fault(&path, FaultCode::BadValueType, detail);
            continue;
        };
        let line = members.loader.document.place(&path).line;
        let mut inner = Members::read(object, &path, &RULE_MEMBERS, members.loader);
        let type_name = inner.optional_text("type");
        let name = inner.required_text("name");
        let code = inner.optional_text("code").map(Into::into);
        let unit = unit(&mut inner, "unit");
        let to = unit_to(&mut inner, unit.as_deref());
        let synonyms = synonyms(&mut inner);
        let (low, high) = plausible(&mut inner);
        let Some(name) = name else { continue };
        let unit = unit.map(Into::into);
        let rule = ValueRule { type_name, name, code, unit, to, synonyms, low, high, line };
        rules.push(Placed { rule, path });
    }
    rules
}

/// A UCUM unit that may be there.
fn unit(members: &mut Members<'_, '_>, name: &'static str) -> Option<String> {
    let text = members.optional_text(name)?;
    if let Err(error) = octofhir_ucum::validate(&text) {
        let path = members.path_to(name);
        let detail = format!("{name} is not a UCUM unit: {error}");
        members.loader.fault(&path, FaultCode::BadValueType, detail);
        return None;
    }
    Some(text)
}

fn unit_to(members: &mut Members<'_, '_>, from: Option<&str>) -> Option<std::sync::Arc<str>> {
    let to = unit(members, "to")?;
    let path = members.path_to("to");
    match from {
        None => {
            let detail = "to says which unit is stored, but unit does not say which one comes";
            members.loader.fault(&path, FaultCode::MissingRequiredProperty, detail);
            None
        }
        Some(from) if converted(Decimal::ONE, from, &to).is_none() => {
            let detail = format!("{from} and {to} do not measure the same thing");
            members.loader.fault(&path, FaultCode::OutOfRange, detail);
            None
        }
        Some(_) => Some(to.into()),
    }
}

fn synonyms(members: &mut Members<'_, '_>) -> Vec<(String, String)> {
    let path = members.path_to("synonyms");
    let object = match members.get("synonyms") {
        None | Some(Token::Null) => return Vec::new(),
        Some(Token::Object(object)) => object,
        Some(_) => {
            members.bad("synonyms", "an object of words and what they stand for");
            return Vec::new();
        }
    };
    let mut read = Vec::new();
    for (word, means) in object.iter() {
        match convert::text(means) {
            Some(means) => read.push((word.to_owned(), means.into_owned())),
            None => {
                let detail = "a word must stand for a text or a number";
                members.loader.fault(&pointer(&path, word), FaultCode::BadValueType, detail);
            }
        }
    }
    read
}

fn plausible(members: &mut Members<'_, '_>) -> (Option<Decimal>, Option<Decimal>) {
    let path = members.path_to("plausible");
    let object = match members.get("plausible") {
        None | Some(Token::Null) => return (None, None),
        Some(Token::Object(object)) => object,
        Some(_) => {
            members.bad("plausible", "an object with low, high or both");
            return (None, None);
        }
    };
    let mut inner = Members::read(object, &path, &["low", "high"], members.loader);
    let mut number = |name: &'static str| {
        let text = inner.optional_text(name)?;
        let number = text.trim().parse::<Decimal>().ok();
        if number.is_none() {
            inner.bad(name, "a number");
        }
        number
    };
    let (low, high) = (number("low"), number("high"));
    if let (Some(low), Some(high)) = (low, high)
        && low > high
    {
        let detail = "low must not be above high";
        members.loader.fault(&path, FaultCode::OutOfRange, detail);
    }
    (low, high)
}

/// A rule about a value that no template gives is a slip of the pen.
fn known(placed: &Placed, device: &crate::DeviceMapping, loader: &mut Loader) {
    let Placed { rule, path } = placed;
    let produced = device.produces();
    let typed = |type_name: &str| {
        rule.type_name.as_deref().is_none_or(|it| it.eq_ignore_ascii_case(type_name))
    };
    let names: Vec<&str> =
        produced.iter().filter(|(it, _)| typed(it)).flat_map(|(_, names)| names.clone()).collect();
    if names.contains(&rule.name.as_str()) {
        return;
    }
    let detail = format!("no template of the set gives a value named '{}'", rule.name);
    loader.fault(&pointer(path, "name"), FaultCode::UnknownMember, detail);
    if let Some(near) = crate::load::nearest(&rule.name, &names) {
        loader.suggest(format!("did you mean {near}?"));
    }
    loader.only_warn();
}
