//! The elements of the resources and data types we take, as FHIR R4 (4.0.1) defines them.
//!
//! Written from the published definitions at <http://hl7.org/fhir/R4/>. R4B changed none of them.
//! Extensions and contained resources may hold anything.

use Kind::{Anything, Code, Complex, Primitive};
use Primitive as P;

/// A primitive data type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Base64,
    Boolean,
    Date,
    DateTime,
    Decimal,
    Id,
    Instant,
    Integer,
    PositiveInt,
    Text,
    Time,
    Uri,
}

/// What an element holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Primitive(Type),
    /// One of these codes (a required binding); any code when empty.
    Code(&'static [&'static str]),
    Complex(&'static [Element]),
    Anything,
}

/// One element of a resource or data type.
pub(super) struct Element {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
    pub list: bool,
    /// Elements of one choice (`value[x]`) carry its name: at most one may be there.
    pub choice: Option<&'static str>,
}

const fn one(name: &'static str, kind: Kind) -> Element {
    Element { name, kind, required: false, list: false, choice: None }
}
const fn must(name: &'static str, kind: Kind) -> Element {
    Element { name, kind, required: true, list: false, choice: None }
}
const fn many(name: &'static str, kind: Kind) -> Element {
    Element { name, kind, required: false, list: true, choice: None }
}
const fn choice(name: &'static str, kind: Kind, of: &'static str) -> Element {
    Element { name, kind, required: false, list: false, choice: Some(of) }
}

const STRING: Kind = P(Type::Text);
const CONCEPT: Kind = Complex(&CODEABLE_CONCEPT);
const REF: Kind = Complex(&REFERENCE);
const QTY: Kind = Complex(&QUANTITY);
const PER: Kind = Complex(&PERIOD);
const ANY_CODE: Kind = Code(&[]);
const GENDER: Kind = Code(&["male", "female", "other", "unknown"]);

/// What every resource may hold beside its own elements.
pub(super) static RESOURCE: [Element; 9] = [
    must("resourceType", ANY_CODE),
    one("id", P(Type::Id)),
    one("meta", Complex(&META)),
    one("implicitRules", P(Type::Uri)),
    one("language", ANY_CODE),
    one("text", Complex(&NARRATIVE)),
    many("contained", Anything),
    many("extension", Anything),
    many("modifierExtension", Anything),
];

/// What every data type and backbone element may hold beside its own elements.
pub(super) static ELEMENT: [Element; 3] =
    [one("id", STRING), many("extension", Anything), many("modifierExtension", Anything)];

static META: [Element; 6] = [
    one("versionId", P(Type::Id)),
    one("lastUpdated", P(Type::Instant)),
    one("source", P(Type::Uri)),
    many("profile", P(Type::Uri)),
    many("security", Complex(&CODING)),
    many("tag", Complex(&CODING)),
];
static NARRATIVE: [Element; 2] = [
    must("status", Code(&["generated", "extensions", "additional", "empty"])),
    must("div", STRING),
];
static CODING: [Element; 5] = [
    one("system", P(Type::Uri)),
    one("version", STRING),
    one("code", ANY_CODE),
    one("display", STRING),
    one("userSelected", P(Type::Boolean)),
];
static CODEABLE_CONCEPT: [Element; 2] = [many("coding", Complex(&CODING)), one("text", STRING)];
static REFERENCE: [Element; 4] = [
    one("reference", STRING),
    one("type", P(Type::Uri)),
    one("identifier", Complex(&IDENTIFIER)),
    one("display", STRING),
];
static IDENTIFIER: [Element; 6] = [
    one("use", Code(&["usual", "official", "temp", "secondary", "old"])),
    one("type", CONCEPT),
    one("system", P(Type::Uri)),
    one("value", STRING),
    one("period", PER),
    one("assigner", Complex(&REFERENCE)),
];
static PERIOD: [Element; 2] = [one("start", P(Type::DateTime)), one("end", P(Type::DateTime))];
static QUANTITY: [Element; 5] = [
    one("value", P(Type::Decimal)),
    one("comparator", Code(&["<", "<=", ">=", ">"])),
    one("unit", STRING),
    one("system", P(Type::Uri)),
    one("code", ANY_CODE),
];
static RANGE: [Element; 2] = [one("low", QTY), one("high", QTY)];
static RATIO: [Element; 2] = [one("numerator", QTY), one("denominator", QTY)];
static SAMPLED_DATA: [Element; 7] = [
    must("origin", QTY),
    must("period", P(Type::Decimal)),
    one("factor", P(Type::Decimal)),
    one("lowerLimit", P(Type::Decimal)),
    one("upperLimit", P(Type::Decimal)),
    must("dimensions", P(Type::PositiveInt)),
    one("data", STRING),
];
static ANNOTATION: [Element; 4] = [
    choice("authorReference", REF, "author[x]"),
    choice("authorString", STRING, "author[x]"),
    one("time", P(Type::DateTime)),
    must("text", STRING),
];
static ATTACHMENT: [Element; 8] = [
    one("contentType", ANY_CODE),
    one("language", ANY_CODE),
    one("data", P(Type::Base64)),
    one("url", P(Type::Uri)),
    one("size", P(Type::Integer)),
    one("hash", P(Type::Base64)),
    one("title", STRING),
    one("creation", P(Type::DateTime)),
];
static HUMAN_NAME: [Element; 7] = [
    one("use", Code(&["usual", "official", "temp", "nickname", "anonymous", "old", "maiden"])),
    one("text", STRING),
    one("family", STRING),
    many("given", STRING),
    many("prefix", STRING),
    many("suffix", STRING),
    one("period", PER),
];
static CONTACT_POINT: [Element; 5] = [
    one("system", Code(&["phone", "fax", "email", "pager", "url", "sms", "other"])),
    one("value", STRING),
    one("use", Code(&["home", "work", "temp", "old", "mobile"])),
    one("rank", P(Type::PositiveInt)),
    one("period", PER),
];
static ADDRESS: [Element; 10] = [
    one("use", Code(&["home", "work", "temp", "old", "billing"])),
    one("type", Code(&["postal", "physical", "both"])),
    one("text", STRING),
    many("line", STRING),
    one("city", STRING),
    one("district", STRING),
    one("state", STRING),
    one("postalCode", STRING),
    one("country", STRING),
    one("period", PER),
];

/// Patient.
pub(super) static PATIENT: [Element; 18] = [
    many("identifier", Complex(&IDENTIFIER)),
    one("active", P(Type::Boolean)),
    many("name", Complex(&HUMAN_NAME)),
    many("telecom", Complex(&CONTACT_POINT)),
    one("gender", GENDER),
    one("birthDate", P(Type::Date)),
    choice("deceasedBoolean", P(Type::Boolean), "deceased[x]"),
    choice("deceasedDateTime", P(Type::DateTime), "deceased[x]"),
    many("address", Complex(&ADDRESS)),
    one("maritalStatus", CONCEPT),
    choice("multipleBirthBoolean", P(Type::Boolean), "multipleBirth[x]"),
    choice("multipleBirthInteger", P(Type::Integer), "multipleBirth[x]"),
    many("photo", Complex(&ATTACHMENT)),
    many("contact", Complex(&PATIENT_CONTACT)),
    many("communication", Complex(&PATIENT_COMMUNICATION)),
    many("generalPractitioner", REF),
    one("managingOrganization", REF),
    many("link", Complex(&PATIENT_LINK)),
];
static PATIENT_CONTACT: [Element; 7] = [
    many("relationship", CONCEPT),
    one("name", Complex(&HUMAN_NAME)),
    many("telecom", Complex(&CONTACT_POINT)),
    one("address", Complex(&ADDRESS)),
    one("gender", GENDER),
    one("organization", REF),
    one("period", PER),
];
static PATIENT_COMMUNICATION: [Element; 2] =
    [must("language", CONCEPT), one("preferred", P(Type::Boolean))];
static PATIENT_LINK: [Element; 2] =
    [must("other", REF), must("type", Code(&["replaced-by", "replaces", "refer", "seealso"]))];

/// Device.
pub(super) static DEVICE: [Element; 26] = [
    many("identifier", Complex(&IDENTIFIER)),
    one("definition", REF),
    many("udiCarrier", Complex(&DEVICE_UDI)),
    one("status", Code(&["active", "inactive", "entered-in-error", "unknown"])),
    many("statusReason", CONCEPT),
    one("distinctIdentifier", STRING),
    one("manufacturer", STRING),
    one("manufactureDate", P(Type::DateTime)),
    one("expirationDate", P(Type::DateTime)),
    one("lotNumber", STRING),
    one("serialNumber", STRING),
    many("deviceName", Complex(&DEVICE_NAME)),
    one("modelNumber", STRING),
    one("partNumber", STRING),
    one("type", CONCEPT),
    many("specialization", Complex(&DEVICE_SPECIALIZATION)),
    many("version", Complex(&DEVICE_VERSION)),
    many("property", Complex(&DEVICE_PROPERTY)),
    one("patient", REF),
    one("owner", REF),
    many("contact", Complex(&CONTACT_POINT)),
    one("location", REF),
    one("url", P(Type::Uri)),
    many("note", Complex(&ANNOTATION)),
    many("safety", CONCEPT),
    one("parent", REF),
];
static DEVICE_UDI: [Element; 6] = [
    one("deviceIdentifier", STRING),
    one("issuer", P(Type::Uri)),
    one("jurisdiction", P(Type::Uri)),
    one("carrierAIDC", P(Type::Base64)),
    one("carrierHRF", STRING),
    one("entryType", Code(&["barcode", "rfid", "manual", "card", "self-reported", "unknown"])),
];
static DEVICE_NAME: [Element; 2] = [
    must("name", STRING),
    must(
        "type",
        Code(&[
            "udi-label-name",
            "user-friendly-name",
            "patient-reported-name",
            "manufacturer-name",
            "model-name",
            "other",
        ]),
    ),
];
static DEVICE_SPECIALIZATION: [Element; 2] = [must("systemType", CONCEPT), one("version", STRING)];
static DEVICE_VERSION: [Element; 3] =
    [one("type", CONCEPT), one("component", Complex(&IDENTIFIER)), must("value", STRING)];
static DEVICE_PROPERTY: [Element; 3] =
    [must("type", CONCEPT), many("valueQuantity", QTY), many("valueCode", CONCEPT)];

/// DeviceUseStatement.
pub(super) static DEVICE_USE_STATEMENT: [Element; 15] = [
    many("identifier", Complex(&IDENTIFIER)),
    many("basedOn", REF),
    must(
        "status",
        Code(&["active", "completed", "entered-in-error", "intended", "stopped", "on-hold"]),
    ),
    must("subject", REF),
    many("derivedFrom", REF),
    choice("timingTiming", Anything, "timing[x]"),
    choice("timingPeriod", PER, "timing[x]"),
    choice("timingDateTime", P(Type::DateTime), "timing[x]"),
    one("recordedOn", P(Type::DateTime)),
    one("source", REF),
    must("device", REF),
    many("reasonCode", CONCEPT),
    many("reasonReference", REF),
    one("bodySite", CONCEPT),
    many("note", Complex(&ANNOTATION)),
];

/// Observation.
pub(super) static OBSERVATION: [Element; 37] = [
    many("identifier", Complex(&IDENTIFIER)),
    many("basedOn", REF),
    many("partOf", REF),
    must(
        "status",
        Code(&[
            "registered",
            "preliminary",
            "final",
            "amended",
            "corrected",
            "cancelled",
            "entered-in-error",
            "unknown",
        ]),
    ),
    many("category", CONCEPT),
    must("code", CONCEPT),
    one("subject", REF),
    many("focus", REF),
    one("encounter", REF),
    choice("effectiveDateTime", P(Type::DateTime), "effective[x]"),
    choice("effectivePeriod", PER, "effective[x]"),
    choice("effectiveTiming", Anything, "effective[x]"),
    choice("effectiveInstant", P(Type::Instant), "effective[x]"),
    one("issued", P(Type::Instant)),
    many("performer", REF),
    one("dataAbsentReason", CONCEPT),
    many("interpretation", CONCEPT),
    many("note", Complex(&ANNOTATION)),
    one("bodySite", CONCEPT),
    one("method", CONCEPT),
    one("specimen", REF),
    one("device", REF),
    many("referenceRange", Complex(&REFERENCE_RANGE)),
    many("hasMember", REF),
    many("derivedFrom", REF),
    many("component", Complex(&COMPONENT)),
    choice("valueQuantity", QTY, "value[x]"),
    choice("valueCodeableConcept", CONCEPT, "value[x]"),
    choice("valueString", STRING, "value[x]"),
    choice("valueBoolean", P(Type::Boolean), "value[x]"),
    choice("valueInteger", P(Type::Integer), "value[x]"),
    choice("valueRange", Complex(&RANGE), "value[x]"),
    choice("valueRatio", Complex(&RATIO), "value[x]"),
    choice("valueSampledData", Complex(&SAMPLED_DATA), "value[x]"),
    choice("valueTime", P(Type::Time), "value[x]"),
    choice("valueDateTime", P(Type::DateTime), "value[x]"),
    choice("valuePeriod", PER, "value[x]"),
];
static COMPONENT: [Element; 15] = [
    must("code", CONCEPT),
    one("dataAbsentReason", CONCEPT),
    many("interpretation", CONCEPT),
    many("referenceRange", Complex(&REFERENCE_RANGE)),
    choice("valueQuantity", QTY, "value[x]"),
    choice("valueCodeableConcept", CONCEPT, "value[x]"),
    choice("valueString", STRING, "value[x]"),
    choice("valueBoolean", P(Type::Boolean), "value[x]"),
    choice("valueInteger", P(Type::Integer), "value[x]"),
    choice("valueRange", Complex(&RANGE), "value[x]"),
    choice("valueRatio", Complex(&RATIO), "value[x]"),
    choice("valueSampledData", Complex(&SAMPLED_DATA), "value[x]"),
    choice("valueTime", P(Type::Time), "value[x]"),
    choice("valueDateTime", P(Type::DateTime), "value[x]"),
    choice("valuePeriod", PER, "value[x]"),
];
static REFERENCE_RANGE: [Element; 6] = [
    one("low", QTY),
    one("high", QTY),
    one("type", CONCEPT),
    many("appliesTo", CONCEPT),
    one("age", Complex(&RANGE)),
    one("text", STRING),
];
