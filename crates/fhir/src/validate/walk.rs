//! Walks a resource beside the table of its elements.

use auscult_model::Fault;
use serde_json::{Map, Value};

use super::elements::{ELEMENT, Element, Kind, RESOURCE, Type};
use super::{ResourceType, fault, primitive};

/// More faults than this help nobody, and a hostile body could make a million.
const FAULTS_MAX: usize = 50;

/// Checks a resource's own elements and all below them.
pub(super) fn resource(
    kind: ResourceType,
    elements: &'static [Element],
    value: &Value,
    faults: &mut Vec<Fault>,
) {
    let Some(object) = value.as_object() else {
        faults.push(fault("", "structure", "a resource is a JSON object"));
        return;
    };
    if object.get("resourceType").and_then(Value::as_str) != Some(kind.as_str()) {
        faults.push(fault(
            "/resourceType",
            "resource-type",
            &format!("resourceType must be {}", kind.as_str()),
        ));
    }
    members(object, elements, &RESOURCE, "", faults);
}

fn members(
    object: &Map<String, Value>,
    own: &'static [Element],
    base: &'static [Element],
    path: &str,
    faults: &mut Vec<Fault>,
) {
    if object.is_empty() {
        faults.push(fault(path, "empty", "an object in FHIR is never empty"));
    }
    for (name, value) in object {
        if faults.len() >= FAULTS_MAX {
            return;
        }
        let place = format!("{path}/{}", pointer_part(name));
        let plain = name.strip_prefix('_').unwrap_or(name);
        let Some(element) = own.iter().chain(base).find(|it| it.name == plain) else {
            faults.push(fault(&place, "unknown-element", "FHIR R4 has no such element here"));
            continue;
        };
        if plain.len() < name.len() {
            extended(element, value, &place, faults);
        } else {
            self::element(element, value, &place, faults);
        }
    }
    for element in own.iter().chain(base).filter(|it| it.required) {
        // A primitive may be absent when an extension says why.
        let extended = object.contains_key(&format!("_{}", element.name));
        if !object.contains_key(element.name) && !extended && element.name != "resourceType" {
            faults.push(fault(
                &format!("{path}/{}", element.name),
                "required",
                &format!("{} is required", element.name),
            ));
        }
    }
    choices(object, own, path, faults);
}

/// At most one element of each choice.
fn choices(
    object: &Map<String, Value>,
    own: &'static [Element],
    path: &str,
    faults: &mut Vec<Fault>,
) {
    let there = |it: &&Element| object.contains_key(it.name);
    for element in own.iter().filter(there) {
        let first = own.iter().find(|it| there(it) && it.choice == element.choice);
        if let (Some(choice), Some(first)) = (element.choice, first)
            && first.name != element.name
        {
            faults.push(fault(
                &format!("{path}/{}", element.name),
                "choice",
                &format!("{choice} may be there only once"),
            ));
        }
    }
}

fn element(element: &'static Element, value: &Value, path: &str, faults: &mut Vec<Fault>) {
    if !element.list {
        one(element.kind, value, path, faults);
        return;
    }
    match value.as_array() {
        None => faults.push(fault(path, "structure", "this element is a list")),
        Some(items) if items.is_empty() => {
            faults.push(fault(path, "empty", "a list in FHIR is never empty"));
        }
        Some(items) => {
            for (place, item) in items.iter().enumerate().take(ITEMS_MAX) {
                one(element.kind, item, &format!("{path}/{place}"), faults);
            }
        }
    }
}

/// Items of one list that are looked at; a list of ours has a handful.
const ITEMS_MAX: usize = 1_000;

/// `_name` holds the id and extensions of the primitive `name`.
fn extended(element: &'static Element, value: &Value, path: &str, faults: &mut Vec<Fault>) {
    let primitive = matches!(element.kind, Kind::Primitive(_) | Kind::Code(_));
    let shaped = if element.list { value.is_array() } else { value.is_object() };
    if !primitive || !shaped {
        faults.push(fault(path, "structure", "only primitives have an extension of this form"));
    }
}

fn one(kind: Kind, value: &Value, path: &str, faults: &mut Vec<Fault>) {
    if faults.len() >= FAULTS_MAX {
        return;
    }
    match kind {
        Kind::Anything => {
            if !value.is_object() {
                faults.push(fault(path, "structure", "this element is an object"));
            }
        }
        Kind::Complex(elements) => match value.as_object() {
            Some(object) => members(object, elements, &ELEMENT, path, faults),
            None => faults.push(fault(path, "structure", "this element is an object")),
        },
        Kind::Primitive(kind) => {
            if let Some(want) = primitive::fault(kind, value) {
                let code = if kind == Type::Id { "id" } else { "value" };
                faults.push(fault(path, code, &format!("must be {want}")));
            }
        }
        Kind::Code(codes) => match value.as_str().filter(|it| primitive::is_code(it)) {
            None => faults.push(fault(path, "value", "must be a code")),
            Some(code) if !codes.is_empty() && !codes.contains(&code) => {
                faults.push(fault(
                    path,
                    "code-invalid",
                    &format!("must be one of {}", codes.join(", ")),
                ));
            }
            Some(_) => {}
        },
    }
}

/// Longest part of a path that is shown: an unknown member name comes from outside.
const NAME_CHARS_MAX: usize = 64;

fn pointer_part(name: &str) -> String {
    let short: String = name.chars().take(NAME_CHARS_MAX).collect();
    short.replace('~', "~0").replace('/', "~1")
}
