//! Whether a resource that somebody sends is what FHIR R4 says it should be.
//!
//! Every fault is told, each with its place and without the value.

mod elements;
mod observation;
mod primitive;
mod walk;

use auscult_model::Fault;
use serde_json::Value;

pub(crate) use primitive::is_id;

/// A type of resource that we keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResourceType {
    /// A person.
    Patient,
    /// A device.
    Device,
    /// Who wore which device when.
    DeviceUseStatement,
    /// A reading or a score.
    Observation,
}

impl ResourceType {
    /// Every type we keep.
    pub const ALL: [Self; 4] =
        [Self::Patient, Self::Device, Self::DeviceUseStatement, Self::Observation];

    /// The name in `resourceType` and in URLs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Patient => "Patient",
            Self::Device => "Device",
            Self::DeviceUseStatement => "DeviceUseStatement",
            Self::Observation => "Observation",
        }
    }

    /// The type of that name, which is case-sensitive.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }
}

/// Checks a resource against FHIR R4: elements, data types, cardinalities, required bindings,
/// invariants, and for Observations the core vital-signs profiles they claim.
///
/// # Errors
/// Every fault, each with its JSON Pointer, a stable code and the reason; never a value.
pub fn validate(kind: ResourceType, resource: &Value) -> Result<(), Vec<Fault>> {
    let mut faults = Vec::new();
    let elements: &[elements::Element] = match kind {
        ResourceType::Patient => &elements::PATIENT,
        ResourceType::Device => &elements::DEVICE,
        ResourceType::DeviceUseStatement => &elements::DEVICE_USE_STATEMENT,
        ResourceType::Observation => &elements::OBSERVATION,
    };
    walk::resource(kind, elements, resource, &mut faults);
    match kind {
        ResourceType::Observation => observation::check(resource, &mut faults),
        ResourceType::Patient => patient_contacts(resource, &mut faults),
        ResourceType::Device | ResourceType::DeviceUseStatement => {}
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Whether the text may be the logical id of a resource: 1 to 64 of `A-Z a-z 0-9 - .`.
#[must_use]
pub fn is_resource_id(text: &str) -> bool {
    is_id(text)
}

/// pat-1: a contact shall have a name, a telecom, an address or an organization.
fn patient_contacts(resource: &Value, faults: &mut Vec<Fault>) {
    let contacts = resource.get("contact").and_then(Value::as_array);
    for (place, contact) in contacts.into_iter().flatten().enumerate() {
        let says = ["name", "telecom", "address", "organization"];
        if !says.iter().any(|it| contact.get(it).is_some()) {
            faults.push(fault(
                &format!("/contact/{place}"),
                "invariant",
                "pat-1: a contact needs a name, telecom, address or organization",
            ));
        }
    }
}

pub(super) fn fault(path: &str, code: &str, detail: &str) -> Fault {
    Fault { path: path.to_owned(), code: code.to_owned(), detail: detail.to_owned() }
}
