//! An Observation from a reading, after the core vital-signs profiles of FHIR R4.

use auscult_model::reading::Native;
use auscult_model::{Quality, ReadingValue, Timestamp};
use fhir_sdk::r4b::codes::{ObservationStatus, QuantityComparator};
use fhir_sdk::r4b::types;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::FhirError;
use crate::coding::{
    ACVPU, BP_COMPONENTS, BP_PANEL, CATEGORY, Coding, DATA_ABSENT, LOINC, PROFILES, PULSE_OXIMETRY,
    TokenKind, UCUM, VitalSign, push_token,
};
use crate::resource::{self, Measured, Meta};
use crate::wire;

/// System of [`ObservationParts::identifier`].
pub const OBSERVATION_IDENTIFIER: &str = "urn:auscult:observation";
/// Extension with the value and unit as the device sent them, on a value that was converted.
pub const NATIVE_EXTENSION: &str = "urn:auscult:extension:native";
/// System of the tag that tells why an Observation is not scored.
pub const QUALITY_TAG: &str = "urn:auscult:quality";
/// System of the tag that tells whether an Observation is filed to a patient.
pub const FILING_TAG: &str = "urn:auscult:filing";
/// US Core's pulse oximetry profile: wants both 2708-6 and 59408-5.
pub(crate) const US_CORE_OXIMETRY: &str =
    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-pulse-oximetry";

/// Why a value is missing, in FHIR's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// The device or the transmission failed, or the value cannot be of a living patient.
    Error,
    /// Nobody knows.
    Unknown,
    /// Not measured this time.
    NotPerformed,
}

impl Absent {
    const fn coding(self) -> Coding<'static> {
        let (code, display) = match self {
            Self::Error => ("error", "Error"),
            Self::Unknown => ("unknown", "Unknown"),
            Self::NotPerformed => ("not-performed", "Not Performed"),
        };
        Coding { system: DATA_ABSENT, code, display: Some(display) }
    }
}

/// One value of an Observation or of a component.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// A number in its UCUM unit.
    Quantity {
        /// As shown.
        number: Decimal,
        /// UCUM code.
        ucum: &'a str,
        /// `<`, `<=`, `>=` or `>`; anything else is left out.
        comparator: Option<&'a str>,
    },
    /// Free text.
    Text(&'a str),
    /// A code.
    Coded(Coding<'a>),
    /// No value, and why.
    Absent(Absent),
}

impl<'a> Value<'a> {
    /// The value of a reading: `code` is its canonical name, `ucum` its unit. A level of
    /// consciousness becomes a coded value, a value that may not be shown as one is absent.
    #[must_use]
    pub fn of_reading(
        code: &str,
        value: &'a ReadingValue,
        ucum: &'a str,
        comparator: Option<&'a str>,
        quality: Quality,
    ) -> Self {
        match (quality, value) {
            (Quality::OutOfPlausibleRange | Quality::DeviceInvalid, _) => {
                Self::Absent(Absent::Error)
            }
            (_, ReadingValue::Number(number)) => {
                Self::Quantity { number: *number, ucum, comparator }
            }
            (_, ReadingValue::Text(text)) if code == "consciousness_acvpu" => {
                Self::Coded(Coding { system: ACVPU, code: text, display: level(text) })
            }
            (_, ReadingValue::Text(text)) => Self::Text(text),
        }
    }
}

/// Words of the ACVPU scale, RCP 2017.
fn level(code: &str) -> Option<&'static str> {
    match code {
        "A" => Some("Alert"),
        "C" => Some("New confusion"),
        "V" => Some("Responds to voice"),
        "P" => Some("Responds to pain"),
        "U" => Some("Unresponsive"),
        _ => None,
    }
}

/// One component of a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Component<'a> {
    /// What it measures; see [`crate::codings`].
    pub codings: &'a [Coding<'a>],
    /// What was measured.
    pub value: Value<'a>,
    /// As sent, when converted.
    pub native: Option<&'a Native>,
}

/// Everything an Observation of a device needs: one reading, or several of one act.
#[derive(Debug, Clone, PartialEq)]
pub struct ObservationParts<'a> {
    /// Logical id: 1 to 64 of `[A-Za-z0-9-.]`.
    pub id: &'a str,
    /// Logical id of the patient; `None` while the device was assigned to nobody.
    pub patient: Option<&'a str>,
    /// Logical id of the device.
    pub device: &'a str,
    /// Code of FHIR's observation categories: `vital-signs`, `activity`, `laboratory` …
    pub category: &'a str,
    /// What it measures, in order; see [`crate::codings`].
    pub codings: &'a [Coding<'a>],
    /// `None` when the values are in the components.
    pub value: Option<Value<'a>>,
    /// As sent, when `value` was converted.
    pub native: Option<&'a Native>,
    /// Values of one act beside or instead of `value`.
    pub components: &'a [Component<'a>],
    /// When it was measured, or when measuring began.
    pub effective: Timestamp,
    /// When measuring ended, if it took a while.
    pub end: Option<Timestamp>,
    /// Other than `accepted` becomes a tag. Values that may not be shown are [`Value::Absent`] already.
    pub quality: Quality,
    /// Words of the device about the value; become notes.
    pub flags: &'a [String],
    /// Business identifier: `<device>|<MDC code or canonical name>|<UTC time>`.
    pub identifier: &'a str,
    /// What made it: `catalogue@1`, `<mapping>@<version>`.
    pub mapping: &'a str,
    /// When its message was received; becomes `issued`.
    pub received: Timestamp,
}

/// The Observation as JSON, without version and time of change, which [`crate::stamped`] adds when it is
/// served. A blood pressure panel always has both components of its profile: one that
/// was not measured says so.
///
/// # Errors
/// [`FhirError::TimeOutOfRange`] when a time has no four-digit year.
pub fn observation(parts: &ObservationParts<'_>) -> Result<String, FhirError> {
    let times = [Some(parts.effective), parts.end, Some(parts.received)];
    if !times.into_iter().flatten().all(wire::writable) {
        return Err(FhirError::TimeOutOfRange);
    }
    let effective = Some(parts.effective).filter(|_| parts.end.is_none());
    let value = parts.value.as_ref();
    wire::to_json(&resource::Observation {
        resource_type: "Observation",
        id: parts.id,
        meta: meta(parts)?,
        extension: Vec::new(),
        identifier: vec![identifier(parts.identifier)?],
        status: ObservationStatus::Final,
        category: [wire::concept(&[category(parts.category)])?],
        code: wire::concept(parts.codings)?,
        subject: parts.patient.map(|id| wire::reference("Patient", id)).transpose()?,
        effective_date_time: effective,
        effective_period: parts.end.map(|end| resource::Period { start: parts.effective, end }),
        issued: Some(parts.received),
        measured: value.map_or_else(|| Ok(Measured::default()), |it| measured(it, parts.native))?,
        interpretation: Vec::new(),
        note: parts.flags.iter().map(|flag| note(flag)).collect::<Result<_, _>>()?,
        device: Some(wire::reference("Device", parts.device)?),
        derived_from: Vec::new(),
        component: components(parts)?,
    })
}

/// The tokens a search finds an Observation by: its codings, those of its components, and its category,
/// each as [`TokenKind`] says, with a blank before, between and after.
#[must_use]
pub fn search_tokens(
    codings: &[Coding<'_>],
    component_codings: &[Coding<'_>],
    category: Option<&str>,
) -> String {
    let mut tokens = String::with_capacity(192);
    for coding in codings {
        push_token(&mut tokens, TokenKind::Code, coding.system, coding.code);
    }
    for coding in component_codings {
        push_token(&mut tokens, TokenKind::Component, coding.system, coding.code);
    }
    if let Some(category) = category {
        push_token(&mut tokens, TokenKind::Category, CATEGORY, category);
    }
    tokens
}

fn meta(parts: &ObservationParts<'_>) -> Result<Meta, FhirError> {
    let mut tag = Vec::new();
    if parts.patient.is_none() {
        tag.push(wire::coding(&UNASSIGNED)?);
    }
    if parts.quality != Quality::Accepted {
        let code = parts.quality.as_str();
        tag.push(wire::coding(&Coding { system: QUALITY_TAG, code, display: None })?);
    }
    Ok(Meta {
        source: Some(format!("urn:auscult:mapping:{}", parts.mapping)),
        profile: parts.patient.map(|_| profiles(parts)).unwrap_or_default(),
        tag,
    })
}

/// Says that an Observation is filed to nobody yet.
const UNASSIGNED: Coding<'static> =
    Coding { system: FILING_TAG, code: "unassigned", display: None };

/// The profiles that an Observation satisfies once it has a subject.
fn profiles(parts: &ObservationParts<'_>) -> Vec<String> {
    let first = parts.codings.first().filter(|it| it.system == LOINC);
    let Some(sign) = first.and_then(|it| VitalSign::of_loinc(it.code)) else {
        return Vec::new();
    };
    let fits = match &parts.value {
        Some(Value::Quantity { ucum, .. }) => sign.ucum.contains(ucum),
        Some(Value::Absent(_)) => true,
        Some(Value::Text(_) | Value::Coded(_)) => false,
        None => sign.loinc == BP_PANEL,
    };
    if parts.category != "vital-signs" || !fits {
        return Vec::new();
    }
    let mut claimed = vec![format!("{PROFILES}{}", sign.name)];
    if sign.name == "oxygensat" && parts.codings.iter().any(|it| it.code == PULSE_OXIMETRY) {
        claimed.push(US_CORE_OXIMETRY.to_owned());
    }
    claimed
}

fn identifier(value: &str) -> Result<types::Identifier, FhirError> {
    let mut built = types::Identifier::builder().build()?;
    built.system = Some(OBSERVATION_IDENTIFIER.to_owned());
    built.value = Some(value.to_owned());
    Ok(built)
}

/// FHIR's category of that code.
pub(crate) fn category(code: &str) -> Coding<'_> {
    let display = match code {
        "vital-signs" => Some("Vital Signs"),
        "activity" => Some("Activity"),
        "laboratory" => Some("Laboratory"),
        "procedure" => Some("Procedure"),
        "survey" => Some("Survey"),
        "exam" => Some("Exam"),
        "therapy" => Some("Therapy"),
        "imaging" => Some("Imaging"),
        "social-history" => Some("Social History"),
        _ => None,
    };
    Coding { system: CATEGORY, code, display }
}

fn components<'a>(parts: &ObservationParts<'a>) -> Result<Vec<resource::Component<'a>>, FhirError> {
    let mut built = Vec::with_capacity(parts.components.len() + 1);
    for part in parts.components {
        built.push(resource::Component {
            code: wire::concept(part.codings)?,
            measured: measured(&part.value, part.native)?,
        });
    }
    if parts.codings.iter().any(|it| it.system == LOINC && it.code == BP_PANEL) {
        let is_there = |code: &str| {
            let mut codings = parts.components.iter().flat_map(|it| it.codings);
            codings.any(|it| it.system == LOINC && it.code == code)
        };
        for coding in BP_COMPONENTS.iter().filter(|it| !is_there(it.code)) {
            built.push(resource::Component {
                code: wire::concept(&[*coding])?,
                measured: measured(&Value::Absent(Absent::Unknown), None)?,
            });
        }
    }
    Ok(built)
}

fn measured<'a>(value: &Value<'a>, native: Option<&Native>) -> Result<Measured<'a>, FhirError> {
    let mut measured = Measured::default();
    match value {
        Value::Quantity { number, ucum, comparator } => {
            measured.value_quantity = Some(quantity(*number, ucum, *comparator, native)?);
        }
        Value::Text(text) => measured.value_string = Some(text),
        Value::Coded(coding) => {
            measured.value_codeable_concept = Some(wire::concept(&[*coding])?);
        }
        Value::Absent(reason) => {
            measured.data_absent_reason = Some(wire::concept(&[reason.coding()])?);
        }
    }
    Ok(measured)
}

fn quantity(
    number: Decimal,
    ucum: &str,
    comparator: Option<&str>,
    native: Option<&Native>,
) -> Result<types::Quantity, FhirError> {
    let mut built = types::Quantity::builder().build()?;
    built.value = number.to_f64();
    built.comparator = comparator.and_then(|it| match it {
        "<" => Some(QuantityComparator::Less),
        "<=" => Some(QuantityComparator::LessOrEqual),
        ">=" => Some(QuantityComparator::GreaterOrEqual),
        ">" => Some(QuantityComparator::Greater),
        _ => None,
    });
    if !ucum.is_empty() {
        built.unit = Some(shown(ucum).to_owned());
        built.system = Some(UCUM.to_owned());
        built.code = Some(ucum.to_owned());
    }
    if let Some(native) = native {
        built.extension = vec![native_extension(native)?];
    }
    Ok(built)
}

/// A unit as people write it; UCUM's own spelling where that is plain enough.
fn shown(ucum: &str) -> &str {
    match ucum {
        "mm[Hg]" => "mmHg",
        "cm[H2O]" => "cmH2O",
        "Cel" => "°C",
        "[degF]" => "°F",
        "[lb_av]" => "lb",
        "[in_i]" => "in",
        other => match other.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
            Some(annotation) => annotation,
            None => other,
        },
    }
}

fn native_extension(native: &Native) -> Result<types::Extension, FhirError> {
    let mut built = types::Extension::builder().url(NATIVE_EXTENSION.to_owned()).build()?;
    built.value = Some(match &native.value {
        ReadingValue::Number(number) => {
            let mut quantity = types::Quantity::builder().build()?;
            quantity.value = number.to_f64();
            quantity.unit = Some(native.unit.clone());
            types::ExtensionValue::Quantity(quantity)
        }
        ReadingValue::Text(text) => types::ExtensionValue::String(text.clone()),
    });
    Ok(built)
}

fn note(text: &str) -> Result<types::Annotation, FhirError> {
    Ok(types::Annotation::builder().text(text.to_owned()).build()?)
}
