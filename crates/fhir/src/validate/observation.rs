//! What FHIR demands of an Observation beyond its elements: invariants and the vital-signs profiles.

use auscult_model::Fault;
use serde_json::Value;

use super::fault;
use crate::coding::{BP_COMPONENTS, BP_PANEL, CATEGORY, LOINC, UCUM, VitalSign};
use crate::date::DateRange;

pub(super) fn check(observation: &Value, faults: &mut Vec<Fault>) {
    if observation.get("dataAbsentReason").is_some() && has_value(observation) {
        faults.push(fault(
            "/dataAbsentReason",
            "invariant",
            "obs-6: dataAbsentReason is only there when value[x] is not",
        ));
    }
    let own: Vec<(&str, &str)> = codings(observation.get("code")).collect();
    for (place, component) in list(observation, "component").enumerate() {
        if has_value(observation) && codings(component.get("code")).any(|it| own.contains(&it)) {
            faults.push(fault(
                &format!("/component/{place}/code"),
                "invariant",
                "obs-7: a component with the code of the Observation takes its value",
            ));
        }
    }
    let claimed = list(observation, "meta/profile").filter_map(Value::as_str);
    let mut signs: Vec<&VitalSign> = claimed.filter_map(VitalSign::of_profile).collect();
    let vital = is_vital_sign(observation);
    // R4: an Observation in the category vital-signs with the code of a profile shall conform to it.
    if vital
        && let Some(sign) = own
            .iter()
            .find_map(|(system, code)| VitalSign::of_loinc(code).filter(|_| *system == LOINC))
        && !signs.contains(&sign)
    {
        signs.push(sign);
    }
    for sign in signs {
        vital_sign(sign, observation, vital, &own, faults);
    }
}

fn vital_sign(
    sign: &VitalSign,
    observation: &Value,
    vital: bool,
    own: &[(&str, &str)],
    faults: &mut Vec<Fault>,
) {
    let mut tell = |path: &str, code: &str, detail: String| faults.push(fault(path, code, &detail));
    let profile = sign.name;
    if !vital {
        tell("/category", "required", format!("{profile}: category vital-signs is required"));
    }
    if !own.contains(&(LOINC, sign.loinc)) {
        tell("/code", "fixed-value", format!("{profile}: code must hold LOINC {}", sign.loinc));
    }
    if observation.get("subject").is_none() {
        tell("/subject", "required", format!("{profile}: subject is required"));
    }
    let date = observation.get("effectiveDateTime").and_then(Value::as_str);
    if date.is_none() && observation.get("effectivePeriod").is_none() {
        tell(
            "/effectiveDateTime",
            "required",
            format!("{profile}: effectiveDateTime or effectivePeriod is required"),
        );
    }
    if date.is_some_and(|it| DateRange::parse(it).is_some() && it.len() < "2026-11-20".len()) {
        tell(
            "/effectiveDateTime",
            "invariant",
            "vs-1: effectiveDateTime must name at least the day".to_owned(),
        );
    }
    let says_why = observation.get("dataAbsentReason").is_some();
    let members = ["component", "hasMember"].iter().any(|it| observation.get(it).is_some());
    if !members && !says_why && !has_value(observation) {
        tell(
            "/valueQuantity",
            "invariant",
            "vs-2: without component or hasMember there is a value or a dataAbsentReason"
                .to_owned(),
        );
    }
    for (place, component) in list(observation, "component").enumerate() {
        if !has_value(component) && component.get("dataAbsentReason").is_none() {
            tell(
                &format!("/component/{place}"),
                "invariant",
                "vs-3: a component has a value or a dataAbsentReason".to_owned(),
            );
        }
    }
    if sign.loinc == BP_PANEL {
        blood_pressure(observation, faults);
    } else if has_value(observation) {
        let quantity = observation.get("valueQuantity");
        unit(profile, quantity, sign.ucum, "/valueQuantity", faults);
    }
}

fn blood_pressure(observation: &Value, faults: &mut Vec<Fault>) {
    if has_value(observation) {
        faults.push(fault(
            value_path(observation),
            "cardinality",
            "bp: a panel has no value of its own, its components have",
        ));
    }
    for wanted in BP_COMPONENTS {
        let found: Vec<(usize, &Value)> = list(observation, "component")
            .enumerate()
            .filter(|(_, it)| codings(it.get("code")).any(|it| it == (LOINC, wanted.code)))
            .collect();
        if found.len() != 1 {
            faults.push(fault(
                "/component",
                "cardinality",
                &format!("bp: component {} must be there exactly once", wanted.code),
            ));
        }
        for (place, component) in found.into_iter().filter(|(_, it)| has_value(it)) {
            let path = format!("/component/{place}/valueQuantity");
            unit("bp", component.get("valueQuantity"), &["mm[Hg]"], &path, faults);
        }
    }
}

/// A quantity with a number, and in UCUM one of these units.
fn unit(
    profile: &str,
    quantity: Option<&Value>,
    units: &[&str],
    path: &str,
    faults: &mut Vec<Fault>,
) {
    let Some(quantity) = quantity else {
        faults.push(fault(path, "required", &format!("{profile}: the value is a Quantity")));
        return;
    };
    for name in ["value", "unit"] {
        if quantity.get(name).is_none() {
            let place = format!("{path}/{name}");
            faults.push(fault(&place, "required", &format!("{profile}: {name} is required")));
        }
    }
    if quantity.get("system").and_then(Value::as_str) != Some(UCUM) {
        let place = format!("{path}/system");
        faults.push(fault(&place, "fixed-value", &format!("{profile}: system must be {UCUM}")));
    }
    let code = quantity.get("code").and_then(Value::as_str);
    if !code.is_some_and(|it| units.contains(&it)) {
        faults.push(fault(
            &format!("{path}/code"),
            "fixed-value",
            &format!("{profile}: unit code must be {}", units.join(" or ")),
        ));
    }
}

fn has_value(element: &Value) -> bool {
    element.as_object().is_some_and(|it| it.keys().any(|it| it.starts_with("value")))
}

fn value_path(observation: &Value) -> &'static str {
    if observation.get("valueQuantity").is_some() { "/valueQuantity" } else { "" }
}

fn is_vital_sign(observation: &Value) -> bool {
    let concepts = list(observation, "category");
    concepts.into_iter().any(|it| codings(Some(it)).any(|it| it == (CATEGORY, "vital-signs")))
}

/// The items of a list below `path`, nothing when there is none.
fn list<'a>(value: &'a Value, path: &str) -> impl Iterator<Item = &'a Value> {
    let found = value.pointer(&format!("/{path}")).and_then(Value::as_array);
    found.into_iter().flatten()
}

/// System and code of each coding of a concept.
fn codings(concept: Option<&Value>) -> impl Iterator<Item = (&str, &str)> {
    let codings = concept.and_then(|it| it.get("coding")).and_then(Value::as_array);
    codings
        .into_iter()
        .flatten()
        .filter_map(|it| Some((it.get("system")?.as_str()?, it.get("code")?.as_str()?)))
}
