//! The search parameters of each resource type, after FHIR R4.

use crate::ResourceType;

/// How a parameter's value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamKind {
    /// `code`, `system|code`, `|code`, `system|`.
    Token,
    /// A date with a prefix.
    Date,
    /// A logical id or `Type/id`.
    Reference,
    /// The beginning of a text.
    Text,
    /// A number with a prefix, maybe `|system|code`.
    Quantity,
    /// A token, `$` and a quantity.
    Composite,
    /// A URI as a whole.
    Uri,
}

impl ParamKind {
    /// FHIR's name of the kind.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Date => "date",
            Self::Reference => "reference",
            Self::Text => "string",
            Self::Quantity => "quantity",
            Self::Composite => "composite",
            Self::Uri => "uri",
        }
    }
}

/// What a parameter looks at. Paths are SQLite JSON paths into the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The logical id.
    Id,
    /// When it was last changed.
    LastUpdated,
    /// The patient an Observation is filed to.
    Subject,
    /// The device an Observation comes from.
    Device,
    /// When an Observation was made.
    Effective,
    /// `Observation.code`.
    Code,
    /// `Observation.component.code`.
    ComponentCode,
    /// Either of the two.
    ComboCode,
    /// `Observation.category`.
    Category,
    /// `Observation.status`.
    Status,
    /// `Observation.value` as a Quantity.
    Value,
    /// `Observation.component.value` as a Quantity.
    ComponentValue,
    /// `Observation.value` of that code.
    CodeValue,
    /// A code or boolean at this path.
    JsonCode(&'static str),
    /// A CodeableConcept, Coding or a list of either at this path.
    JsonConcept(&'static str),
    /// A list of Identifiers at this path.
    JsonIdentifier(&'static str),
    /// A list of ContactPoints at this path, of this system when one is named.
    JsonContact(&'static str, Option<&'static str>),
    /// A Reference or a list of them at this path.
    JsonReference(&'static str),
    /// Any text below these paths.
    JsonText(&'static [&'static str]),
    /// A date at this path.
    JsonDate(&'static str),
    /// A URI or list of URIs at this path.
    JsonUri(&'static str),
    /// Whether the patient has died, and the two elements that say so.
    Deceased,
}

/// One search parameter.
#[derive(Debug, PartialEq, Eq)]
pub struct Param {
    /// As written in a query.
    pub name: &'static str,
    /// How its value is written.
    pub kind: ParamKind,
    /// What it looks at.
    pub field: Field,
}

const fn param(name: &'static str, kind: ParamKind, field: Field) -> Param {
    Param { name, kind, field }
}

use Field as F;
use ParamKind::{Composite, Date, Quantity, Reference, Text, Token, Uri};

static COMMON: [Param; 4] = [
    param("_id", Token, F::Id),
    param("_lastUpdated", Date, F::LastUpdated),
    param("_profile", Uri, F::JsonUri("$.meta.profile")),
    param("_tag", Token, F::JsonConcept("$.meta.tag")),
];

static OBSERVATION: [Param; 20] = [
    param("patient", Reference, F::Subject),
    param("subject", Reference, F::Subject),
    param("encounter", Reference, F::JsonReference("$.encounter")),
    param("code", Token, F::Code),
    param("category", Token, F::Category),
    param("date", Date, F::Effective),
    param("status", Token, F::Status),
    param("device", Reference, F::Device),
    param("value-quantity", Quantity, F::Value),
    param("component-code", Token, F::ComponentCode),
    param("component-value-quantity", Quantity, F::ComponentValue),
    param("combo-code", Token, F::ComboCode),
    param("code-value-quantity", Composite, F::CodeValue),
    param("identifier", Token, F::JsonIdentifier("$.identifier")),
    param("has-member", Reference, F::JsonReference("$.hasMember")),
    param("derived-from", Reference, F::JsonReference("$.derivedFrom")),
    param("based-on", Reference, F::JsonReference("$.basedOn")),
    param("performer", Reference, F::JsonReference("$.performer")),
    param("data-absent-reason", Token, F::JsonConcept("$.dataAbsentReason")),
    param("value-concept", Token, F::JsonConcept("$.valueCodeableConcept")),
];

static PATIENT: [Param; 14] = [
    param("identifier", Token, F::JsonIdentifier("$.identifier")),
    param("name", Text, F::JsonText(&["$.name"])),
    param("family", Text, F::JsonText(&["$.name|family"])),
    param("given", Text, F::JsonText(&["$.name|given"])),
    param("birthdate", Date, F::JsonDate("$.birthDate")),
    param("gender", Token, F::JsonCode("$.gender")),
    param("phone", Token, F::JsonContact("$.telecom", Some("phone"))),
    param("email", Token, F::JsonContact("$.telecom", Some("email"))),
    param("telecom", Token, F::JsonContact("$.telecom", None)),
    param("active", Token, F::JsonCode("$.active")),
    param("deceased", Token, F::Deceased),
    param("general-practitioner", Reference, F::JsonReference("$.generalPractitioner")),
    param("organization", Reference, F::JsonReference("$.managingOrganization")),
    param("link", Reference, F::JsonReference("$.link")),
];

static DEVICE: [Param; 12] = [
    param("identifier", Token, F::JsonIdentifier("$.identifier")),
    param("type", Token, F::JsonConcept("$.type")),
    param("patient", Reference, F::JsonReference("$.patient")),
    param("status", Token, F::JsonCode("$.status")),
    param("manufacturer", Text, F::JsonText(&["$.manufacturer"])),
    param("model", Text, F::JsonText(&["$.modelNumber"])),
    param("location", Reference, F::JsonReference("$.location")),
    param("organization", Reference, F::JsonReference("$.owner")),
    param("udi-carrier", Text, F::JsonText(&["$.udiCarrier|carrierHRF"])),
    param("udi-di", Text, F::JsonText(&["$.udiCarrier|deviceIdentifier"])),
    param(
        "device-name",
        Text,
        F::JsonText(&["$.deviceName|name", "$.type|display", "$.type|text"]),
    ),
    param("url", Uri, F::JsonUri("$.url")),
];

static DEVICE_USE_STATEMENT: [Param; 5] = [
    param("identifier", Token, F::JsonIdentifier("$.identifier")),
    param("patient", Reference, F::JsonReference("$.subject")),
    param("subject", Reference, F::JsonReference("$.subject")),
    param("device", Reference, F::JsonReference("$.device")),
    param("status", Token, F::JsonCode("$.status")),
];

/// Every search parameter of a type.
pub fn params(kind: ResourceType) -> impl Iterator<Item = &'static Param> {
    let own: &'static [Param] = match kind {
        ResourceType::Observation => &OBSERVATION,
        ResourceType::Patient => &PATIENT,
        ResourceType::Device => &DEVICE,
        ResourceType::DeviceUseStatement => &DEVICE_USE_STATEMENT,
    };
    COMMON.iter().chain(own)
}

/// The parameter of that name.
#[must_use]
pub fn param_named(kind: ResourceType, name: &str) -> Option<&'static Param> {
    params(kind).find(|it| it.name == name)
}
