//! `fhir-sdk` types and the JSON text we write: whole numbers without `.0`, instants with milliseconds.

use std::io::{self, Write};

use auscult_model::Timestamp;
use fhir_sdk::r4b::types;
use fhir_sdk::{DateTime, Instant, time::OffsetDateTime};
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

/// How FHIR text differs from plain serde_json: `fhir-sdk` keeps decimals as floats and its instants
/// drop trailing zeros, but `72` is not `72.0` and our times always have milliseconds.
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

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if is_utc_instant(fragment)
            && let Some(at) = Timestamp::parse(fragment)
        {
            return write!(writer, "{at}");
        }
        writer.write_all(fragment.as_bytes())
    }
}

/// Whether the text looks like `2026-11-20T08:00:00.12Z`; cheap, as every string passes here.
fn is_utc_instant(text: &str) -> bool {
    matches!(
        text.as_bytes(),
        [_, _, _, _, b'-', _, _, b'-', _, _, b'T', _, _, b':', _, _, b':', .., b'Z']
    )
}

/// An instant.
pub(crate) fn instant(at: Timestamp) -> Result<Instant, FhirError> {
    let nanoseconds = i128::from(at.unix_ms()) * 1_000_000;
    let time = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds)
        .map_err(|_| FhirError::TimeOutOfRange)?;
    if (0..=9999).contains(&time.year()) {
        Ok(Instant(time))
    } else {
        Err(FhirError::TimeOutOfRange)
    }
}

/// A dateTime.
pub(crate) fn date_time(at: Timestamp) -> Result<DateTime, FhirError> {
    Ok(DateTime::DateTime(instant(at)?))
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
