//! Which Patient, Device and Encounter measurements belong to, by the rules of existing services.
//!
//! Pure: what the FHIR server holds is asked through [`Directory`]; what to create or change is
//! returned. One rule differs on purpose: a device that is linked to one patient never silently
//! receives data that name another.

use serde_json::{Value, json};

use crate::fhir::resource_id;

/// Finds resources by identifier.
pub trait Directory {
    /// Every resource of that type with an identifier of that value, and of that system when one
    /// is given.
    fn find(&self, resource_type: &str, system: Option<&str>, value: &str) -> Vec<Value>;
}

/// How identities are resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everything must exist already.
    Lookup,
    /// The same, and an encounter must be named.
    LookupWithEncounter,
    /// What is missing is created.
    Create,
}

/// What a group of measurements names.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// Identifier of the device.
    pub device: &'a str,
    /// Identifier of the patient, when the message names one.
    pub patient: Option<&'a str>,
    /// Identifier of the encounter, when the message names one.
    pub encounter: Option<&'a str>,
}

/// FHIR ids, and what must be stored for them to exist.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resolved {
    /// Id of the Device.
    pub device: String,
    /// Id of the Patient.
    pub patient: String,
    /// Id of the Encounter, when there is one.
    pub encounter: Option<String>,
    /// Resources to create, in order.
    pub created: Vec<Value>,
    /// Resources to store changed.
    pub updated: Vec<Value>,
}

/// Why identities could not be resolved. Holds no identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// A resource that must exist does not.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// More than one resource has the identifier.
    #[error("more than one {0} has this identifier")]
    Several(&'static str),
    /// The message lacks an identity that is needed.
    #[error("the message does not name a {0}")]
    NotDefined(&'static str),
    /// The device is linked to another patient.
    #[error("the device is linked to another patient than the message names")]
    PatientDeviceMismatch,
}

/// Resolves what a group of measurements names.
///
/// # Errors
/// See [`IdentityError`].
pub fn resolve(
    mode: Mode,
    device_system: Option<&str>,
    named: Named<'_>,
    directory: &dyn Directory,
) -> Result<Resolved, IdentityError> {
    let system = device_system.filter(|it| !it.trim().is_empty());
    let device = one(directory, "Device", system, named.device)?;
    let linked = device.as_ref().and_then(linked_patient);
    let encounter_named = named.encounter.filter(|it| !it.trim().is_empty());
    if mode == Mode::Create {
        let (Some(device), Some(patient)) = (&device, linked) else {
            return create(system, named, device, directory);
        };
        // Existing services file such data under the linked patient without a word.
        if let Some(claimed) = named.patient.filter(|it| !it.trim().is_empty()) {
            let claimed = one(directory, "Patient", None, claimed)?;
            if claimed.as_ref().and_then(id) != Some(patient) {
                return Err(IdentityError::PatientDeviceMismatch);
            }
        }
        return found(device, patient, encounter_named, directory);
    }
    let device = device.ok_or(IdentityError::NotFound("Device"))?;
    let patient = linked_patient(&device).ok_or(IdentityError::NotFound("Patient"))?;
    if mode == Mode::LookupWithEncounter && encounter_named.is_none() {
        return Err(IdentityError::NotDefined("Encounter"));
    }
    found(&device, patient, encounter_named, directory)
}

fn found(
    device: &Value,
    patient: &str,
    encounter: Option<&str>,
    directory: &dyn Directory,
) -> Result<Resolved, IdentityError> {
    let encounter = match encounter {
        None => None,
        Some(it) => {
            let found = one(directory, "Encounter", None, it)?;
            let found = found.ok_or(IdentityError::NotFound("Encounter"))?;
            id(&found).map(str::to_owned)
        }
    };
    Ok(Resolved {
        device: id(device).unwrap_or_default().to_owned(),
        patient: patient.to_owned(),
        encounter,
        ..Resolved::default()
    })
}

fn create(
    system: Option<&str>,
    named: Named<'_>,
    device: Option<Value>,
    directory: &dyn Directory,
) -> Result<Resolved, IdentityError> {
    let patient_named = named.patient.filter(|it| !it.trim().is_empty());
    let patient_named = patient_named.ok_or(IdentityError::NotDefined("Patient"))?;
    let mut resolved = Resolved::default();
    let patient = match one(directory, "Patient", None, patient_named)? {
        Some(patient) => patient,
        None => {
            let patient = new("Patient", None, patient_named);
            resolved.created.push(patient.clone());
            patient
        }
    };
    resolved.patient = id(&patient).unwrap_or_default().to_owned();
    let link = json!({ "reference": format!("Patient/{}", resolved.patient) });
    let device = match device {
        None => {
            let mut device = new("Device", system, named.device);
            set(&mut device, "patient", link);
            resolved.created.push(device.clone());
            device
        }
        // A link that cannot be read as this patient is a link to someone else.
        Some(device) if device.get("patient").is_some() => {
            if linked_patient(&device) != Some(&resolved.patient) {
                return Err(IdentityError::PatientDeviceMismatch);
            }
            device
        }
        Some(mut device) => {
            set(&mut device, "patient", link);
            resolved.updated.push(device.clone());
            device
        }
    };
    resolved.device = id(&device).unwrap_or_default().to_owned();
    Ok(resolved)
}

fn one(
    directory: &dyn Directory,
    resource_type: &'static str,
    system: Option<&str>,
    value: &str,
) -> Result<Option<Value>, IdentityError> {
    let mut found = directory.find(resource_type, system, value);
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => Err(IdentityError::Several(resource_type)),
    }
}

/// The text of the search for an identifier, with what is special in a search escaped.
#[must_use]
pub fn search(resource_type: &str, system: Option<&str>, value: &str) -> String {
    let escaped = |it: &str| {
        let mut text = String::with_capacity(it.len());
        for it in it.chars() {
            if matches!(it, '\\' | '|' | ',' | '$') {
                text.push('\\');
            }
            text.push(it);
        }
        text
    };
    match system {
        Some(system) => {
            format!("{resource_type}?identifier={}|{}", escaped(system), escaped(value))
        }
        None => format!("{resource_type}?identifier={}", escaped(value)),
    }
}

fn new(resource_type: &str, system: Option<&str>, value: &str) -> Value {
    let mut identifier = json!({ "value": value });
    if let Some(system) = system {
        set(&mut identifier, "system", Value::from(system));
    }
    json!({
        "resourceType": resource_type,
        "id": resource_id(system.unwrap_or_default(), value),
        "identifier": [identifier],
    })
}

fn set(resource: &mut Value, member: &str, value: Value) {
    if let Value::Object(members) = resource {
        members.insert(member.into(), value);
    }
}

fn id(resource: &Value) -> Option<&str> {
    resource.get("id").and_then(Value::as_str)
}

/// The patient a device is linked to, when the link is a relative reference.
fn linked_patient(device: &Value) -> Option<&str> {
    let reference = device.pointer("/patient/reference").and_then(Value::as_str)?;
    let id = reference.strip_prefix("Patient/")?;
    let plain = |it: char| it.is_ascii_alphanumeric() || "_.-~#".contains(it);
    (!id.is_empty() && id.chars().all(plain)).then_some(id)
}
