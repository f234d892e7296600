//! Changes to a stored resource that leave the rest of its text alone.

use auscult_model::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::coding::{LOINC, PROFILES, PULSE_OXIMETRY, VitalSign};
use crate::observation::{FILING_TAG, US_CORE_OXIMETRY};
use crate::{FhirError, Members, wire};

/// The same Observation filed to another patient, or to nobody.
///
/// # Errors
/// [`FhirError::Malformed`] when the text is not an Observation of ours.
pub fn with_subject(observation: &str, patient: Option<&str>) -> Result<String, FhirError> {
    let mut members = Members::parse(observation)?;
    match patient {
        Some(id) => {
            members.set("subject", &wire::reference("Patient", id)?, &["category", "code"])?
        }
        None => members.remove("subject"),
    }
    let mut meta = meta(&members)?;
    let mut tags: Vec<Value> =
        meta.get("tag").map(serde_json::from_str).transpose()?.unwrap_or_default();
    tags.retain(|it| it.get("system").and_then(Value::as_str) != Some(FILING_TAG));
    let mut profiles = Vec::new();
    if patient.is_some() {
        profiles = claims(&members)?;
    } else {
        tags.push(serde_json::json!({ "system": FILING_TAG, "code": "unassigned" }));
    }
    set_or_remove(&mut meta, "profile", &profiles)?;
    set_or_remove(&mut meta, "tag", &tags)?;
    members.set("meta", &meta, &["resourceType", "id"])?;
    members.to_text()
}

/// The same Observation withdrawn: it was never of anybody.
///
/// # Errors
/// [`FhirError::Malformed`] when the text is not a JSON object.
pub fn entered_in_error(observation: &str) -> Result<String, FhirError> {
    let mut members = Members::parse(&with_subject(observation, None)?)?;
    members.set("status", &"entered-in-error", &["identifier"])?;
    members.to_text()
}

/// The same resource with this id, version and time of change in it.
///
/// # Errors
/// [`FhirError::Malformed`] when the text is not a JSON object.
pub fn stamped(
    resource: &str,
    id: &str,
    version: i64,
    updated: Timestamp,
) -> Result<String, FhirError> {
    let mut members = Members::parse(resource)?;
    members.set("id", &id, &["resourceType"])?;
    let mut meta = meta(&members)?;
    meta.set("versionId", &version.to_string(), &[])?;
    meta.set("lastUpdated", &updated, &["versionId"])?;
    members.set("meta", &meta, &["resourceType", "id"])?;
    members.to_text()
}

/// A resource as it is kept: resource type, id and meta first, the rest by name, nothing between. The
/// same content always gives the same text but for version and time.
///
/// # Errors
/// [`FhirError::Malformed`] when it is not a JSON object.
pub fn kept(
    resource: &Value,
    id: &str,
    version: i64,
    updated: Timestamp,
) -> Result<String, FhirError> {
    let mut first = Members::default();
    first.set("resourceType", resource.get("resourceType").unwrap_or(&Value::Null), &[])?;
    first.set("id", &id, &[])?;
    let mut meta = match resource.get("meta") {
        Some(meta) => Members::parse(&meta.to_string())?,
        None => Members::default(),
    };
    meta.set("versionId", &version.to_string(), &[])?;
    meta.set("lastUpdated", &updated, &["versionId"])?;
    first.set("meta", &meta, &[])?;
    for (name, value) in resource.as_object().into_iter().flatten() {
        if first.get(name).is_none() {
            first.set(name, value, &[])?;
        }
    }
    first.to_text()
}

/// Whether two resources say the same, whatever their versions and times of change.
#[must_use]
pub fn same_content(one: &Value, other: &Value) -> bool {
    content(one) == content(other)
}

fn content(resource: &Value) -> Value {
    let mut content = resource.clone();
    if let Some(object) = content.as_object_mut() {
        object.remove("id");
        if let Some(meta) = object.get_mut("meta").and_then(Value::as_object_mut) {
            meta.remove("versionId");
            meta.remove("lastUpdated");
            if meta.is_empty() {
                object.remove("meta");
            }
        }
    }
    content
}

fn meta(members: &Members) -> Result<Members, FhirError> {
    members.get("meta").map_or_else(|| Ok(Members::default()), Members::parse)
}

fn set_or_remove<T: serde::Serialize>(
    members: &mut Members,
    name: &str,
    list: &[T],
) -> Result<(), FhirError> {
    if list.is_empty() {
        members.remove(name);
        return Ok(());
    }
    members.set(name, &list, &[])
}

/// The vital-signs profiles that one of our Observations satisfies once it has a subject.
pub(crate) fn claims(members: &Members) -> Result<Vec<String>, FhirError> {
    #[derive(Deserialize)]
    struct Concept {
        #[serde(default)]
        coding: Vec<Code>,
    }
    #[derive(Deserialize)]
    struct Code {
        system: Option<String>,
        code: Option<String>,
    }
    #[derive(Deserialize)]
    struct Quantity {
        code: Option<String>,
    }
    let read = |name| members.get(name).unwrap_or("null");
    let categories: Option<Vec<Concept>> = serde_json::from_str(read("category"))?;
    let code: Option<Concept> = serde_json::from_str(read("code"))?;
    let quantity: Option<Quantity> = serde_json::from_str(read("valueQuantity"))?;
    let vital = categories
        .iter()
        .flatten()
        .flat_map(|it| &it.coding)
        .any(|it| it.code.as_deref() == Some("vital-signs"));
    let codings = code.map(|it| it.coding).unwrap_or_default();
    let first = codings.first().filter(|it| it.system.as_deref() == Some(LOINC));
    let Some(sign) = first.and_then(|it| VitalSign::of_loinc(it.code.as_deref()?)) else {
        return Ok(Vec::new());
    };
    let other_value =
        ["valueString", "valueCodeableConcept"].iter().any(|it| members.get(it).is_some());
    let fits = match quantity {
        Some(quantity) => quantity.code.is_some_and(|it| sign.ucum.contains(&it.as_str())),
        None => !other_value,
    };
    if !vital || !fits {
        return Ok(Vec::new());
    }
    let mut claimed = vec![format!("{PROFILES}{}", sign.name)];
    if sign.name == "oxygensat"
        && codings.iter().any(|it| it.code.as_deref() == Some(PULSE_OXIMETRY))
    {
        claimed.push(US_CORE_OXIMETRY.to_owned());
    }
    Ok(claimed)
}
