//! `fhir-sdk` types and the JSON text we write: whole numbers without `.0`.

use std::io::{self, Write};

use auscult_model::Timestamp;
use chrono::Datelike as _;
use fhir_sdk::r4b::types;
use serde::Serialize;
use serde_json::ser::Formatter;

use crate::FhirError;
use crate::coding::Coding;

/// Most Observations take less than this many bytes of JSON; saves growing the text in steps.
const TEXT_BYTES_USUAL: usize = 1536;

/// A resource as compact JSON.
pub(crate) fn to_json(resource: &impl Serialize) -> Result<String, FhirError> {
    let mut bytes = Vec::with_capacity(TEXT_BYTES_USUAL);
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, FhirText);
    resource.serialize(&mut serializer)?;
    // serde_json writes UTF-8 only.
    String::from_utf8(bytes).map_err(|_| FhirError::Malformed { line: 1, column: 1 })
}

/// How FHIR text differs from plain `serde_json`: `fhir-sdk` keeps decimals as floats, but a reading of
/// `72` is not one of `72.0`.
struct FhirText;

impl Formatter for FhirText {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        /// Whole floats are exact up to 2^53.
        const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
        if value.fract() == 0.0 && value.abs() <= WHOLE_MAX {
            return write!(writer, "{value:.0}");
        }
        write!(writer, "{value}")
    }
}

/// Whether FHIR can write the time: its years have four digits.
pub(crate) fn writable(at: Timestamp) -> bool {
    at.to_utc().is_some_and(|it| (0..=9999).contains(&it.year()))
}

/// A Coding.
pub(crate) fn coding(coding: &Coding<'_>) -> Result<types::Coding, FhirError> {
    let mut built = types::Coding::builder().build()?;
    built.system = Some(coding.system.to_owned());
    built.code = Some(coding.code.to_owned());
    built.display = coding.display.map(str::to_owned);
    Ok(built)
}

/// A CodeableConcept of these codings.
pub(crate) fn concept(codings: &[Coding<'_>]) -> Result<types::CodeableConcept, FhirError> {
    let mut built = types::CodeableConcept::builder().build()?;
    built.coding = codings.iter().map(|it| coding(it).map(Some)).collect::<Result<_, _>>()?;
    Ok(built)
}

/// A literal reference.
pub(crate) fn reference(kind: &str, id: &str) -> Result<types::Reference, FhirError> {
    let mut built = types::Reference::builder().build()?;
    built.reference = Some(format!("{kind}/{id}"));
    Ok(built)
}
