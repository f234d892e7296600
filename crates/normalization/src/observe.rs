//! Readings become Observations: one each, or one panel for the values of one act.

use std::borrow::Cow;

use auscult_catalogue::{Code, LocatedReading};
use auscult_fhir::{Coding, Component, FhirError, ObservationParts, Value};
use auscult_model::digest::digest;
use auscult_model::events::{ObservedValue, RecordedObservation};
use auscult_model::{Fault, Quality, Reading, ReadingValue, Timestamp};
use serde::Serialize;

use crate::Assignments;
use crate::assign::PatientMismatch;
use crate::decode::DeviceReading;

/// One Observation to store; the columns of table `observation`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Observation {
    /// Digest of device, code, time and value: the same measurement never makes two.
    pub id: String,
    /// Message id.
    pub message: String,
    /// Device id.
    pub device: String,
    /// Whose, when somebody wore the device then.
    pub patient: Option<String>,
    /// The patient the message names.
    pub claim: Option<String>,
    /// The window of mapped readings it is made of.
    pub made_of: Option<String>,
    /// Canonical code.
    pub code: String,
    /// Every coding, for search.
    pub codes: String,
    /// When it was measured.
    pub effective_ms: i64,
    /// When measuring ended.
    pub end_ms: Option<i64>,
    /// Exact values for scoring.
    pub inputs: Vec<ObservedValue>,
    /// Whether it may be scored.
    pub quality: &'static str,
    /// What made it.
    pub mapping: String,
    /// When its message was received.
    pub received_ms: i64,
    /// The FHIR resource.
    pub resource: String,
}

impl Observation {
    /// As scoring hears of it; `None` while it is nobody's.
    #[must_use]
    pub fn recorded(&self) -> Option<RecordedObservation> {
        Some(RecordedObservation {
            id: self.id.clone(),
            patient: self.patient.clone()?,
            code: self.code.clone(),
            effective: Timestamp::from_unix_ms(self.effective_ms),
            quality: Quality::parse(self.quality)?,
            received: Timestamp::from_unix_ms(self.received_ms),
            inputs: self.inputs.clone(),
        })
    }
}

/// What every Observation of one message shares.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// Message id.
    pub message: &'a str,
    /// What decoded it.
    pub mapping: &'a str,
    /// When it was received.
    pub received: Timestamp,
}

/// Builds the Observations of one message. A reading whose time FHIR cannot write is a fault.
#[must_use]
pub fn observe(
    readings: &[DeviceReading],
    assignments: &Assignments,
    origin: Origin<'_>,
) -> (Vec<Observation>, Vec<Fault>) {
    let (mut observations, mut faults) = (Vec::new(), Vec::new());
    for act in acts(readings) {
        if act.filed_to(assignments).is_err() {
            faults.push(patient_mismatch(act.first.located.path.clone()));
        }
        match observation(&act, assignments, origin) {
            Ok(it) => observations.push(it),
            Err(error) => faults.push(Fault {
                path: act.first.located.path.clone(),
                code: "not-fhir".to_owned(),
                detail: error.to_string(),
            }),
        }
    }
    (observations, faults)
}

/// The reading is kept and filed to nobody.
pub(crate) fn patient_mismatch(path: String) -> Fault {
    Fault {
        path,
        code: "patient-mismatch".to_owned(),
        detail: "the message names another patient than the one who wore the device then"
            .to_owned(),
    }
}

/// The readings of one act of measuring: one, or the parts of a panel.
struct Act<'a> {
    panel: Option<&'static Code>,
    first: &'a DeviceReading,
    rest: Vec<&'a DeviceReading>,
}

impl<'a> Act<'a> {
    /// Systolic before diastolic, however the message has them: the id must not depend on it.
    fn order(&mut self) {
        let code = |it: &DeviceReading| it.located.reading.code.clone();
        self.rest.push(self.first);
        self.rest.sort_by_key(|it| std::cmp::Reverse(code(it)));
        self.first = self.rest.remove(0);
    }

    fn filed_to<'b>(
        &self,
        assignments: &'b Assignments,
    ) -> Result<Option<&'b str>, PatientMismatch> {
        let DeviceReading { device, claim, located } = self.first;
        assignments.filed_to(device, located.reading.effective, claim.as_deref())
    }

    fn parts(&self) -> impl Iterator<Item = &'a LocatedReading> {
        std::iter::once(self.first).chain(self.rest.iter().copied()).map(|it| &it.located)
    }
}

/// Parts of a panel belong together when device, time and group agree and no part comes twice.
fn acts(readings: &[DeviceReading]) -> Vec<Act<'_>> {
    let mut acts: Vec<Act<'_>> = Vec::with_capacity(readings.len());
    for it in readings {
        let reading = &it.located.reading;
        let panel = auscult_catalogue::code(&reading.code)
            .and_then(|code| code.panel)
            .filter(|panel| *panel == BLOOD_PRESSURE)
            .and_then(auscult_catalogue::code);
        let same = |act: &&mut Act<'_>| {
            let first = &act.first.located.reading;
            act.panel.is_some()
                && act.panel == panel
                && act.first.device == it.device
                && act.first.claim == it.claim
                && first.effective == reading.effective
                && first.group == reading.group
                && act.parts().all(|part| part.reading.code != reading.code)
        };
        match acts.iter_mut().find(same) {
            Some(act) => act.rest.push(it),
            None => acts.push(Act { panel, first: it, rest: Vec::new() }),
        }
    }
    acts.iter_mut().for_each(Act::order);
    acts
}

/// The only panel whose parts FHIR wants in one Observation.
const BLOOD_PRESSURE: &str = "blood_pressure";

fn observation(
    act: &Act<'_>,
    assignments: &Assignments,
    origin: Origin<'_>,
) -> Result<Observation, FhirError> {
    let reading = &act.first.located.reading;
    let device = act.first.device.as_str();
    let code = act.panel.map_or(reading.code.as_str(), |it| it.name);
    let patient = act.filed_to(assignments).ok().flatten();
    let id = id(device, code, act);
    let known = act.panel.or_else(|| auscult_catalogue::code(code));
    let mdc = known.and_then(|it| it.mdc).map(|(number, _)| number.to_string());
    let codings = codings(code, known, mdc.as_deref());
    let parts_mdc: Vec<Option<String>> = act.parts().map(|it| mdc_text(&it.reading)).collect();
    let parts_codings: Vec<Vec<Coding<'_>>> = act
        .parts()
        .zip(&parts_mdc)
        .map(|(it, mdc)| {
            let name = it.reading.code.as_str();
            self::codings(name, auscult_catalogue::code(name), mdc.as_deref())
        })
        .collect();
    let components: Vec<Component<'_>> = match act.panel {
        Some(_) => act
            .parts()
            .zip(&parts_codings)
            .map(|(it, codings)| Component {
                codings,
                value: value(&it.reading),
                native: it.reading.native.as_ref(),
            })
            .collect(),
        None => Vec::new(),
    };
    let identifier_code = mdc.as_deref().unwrap_or(code);
    let parts = ObservationParts {
        id: &id,
        patient,
        device,
        category: known
            .map_or("exam", |it| if it.category.is_empty() { "exam" } else { it.category }),
        codings: &codings,
        value: act.panel.is_none().then(|| value(reading)),
        native: if act.panel.is_none() { reading.native.as_ref() } else { None },
        components: &components,
        effective: reading.effective,
        end: reading.end,
        quality: quality(act),
        flags: &reading.flags,
        identifier: &format!("{device}|{identifier_code}|{}", reading.effective),
        mapping: origin.mapping,
        received: origin.received,
    };
    let component_codings: Vec<Coding<'_>> =
        components.iter().flat_map(|it| it.codings).copied().collect();
    Ok(Observation {
        codes: auscult_fhir::search_tokens(&codings, &component_codings, Some(parts.category)),
        message: origin.message.to_owned(),
        device: device.to_owned(),
        patient: patient.map(str::to_owned),
        claim: act.first.claim.clone(),
        made_of: None,
        code: code.to_owned(),
        effective_ms: reading.effective.unix_ms(),
        end_ms: reading.end.map(Timestamp::unix_ms),
        inputs: inputs(act),
        quality: quality(act).as_str(),
        mapping: origin.mapping.to_owned(),
        received_ms: origin.received.unix_ms(),
        resource: auscult_fhir::observation(&parts)?,
        id: id.clone(),
    })
}

/// Named by what was measured: device, code, time, and the sender's own id or else the value as sent.
fn id(device: &str, code: &str, act: &Act<'_>) -> String {
    let at = act.first.located.reading.effective.unix_ms().to_string();
    let mut parts: Vec<Cow<'_, str>> =
        vec!["observation".into(), device.into(), code.into(), at.into()];
    for it in act.parts() {
        let reading = &it.reading;
        parts.push(reading.code.as_str().into());
        match (&reading.source_id, &reading.native) {
            (Some(id), _) => parts.push(id.as_str().into()),
            (None, Some(native)) => {
                parts.push(text(&native.value));
                parts.push(native.unit.as_str().into());
            }
            (None, None) => parts.push(text(&reading.value)),
        }
    }
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    digest(&parts)
}

fn text(value: &ReadingValue) -> Cow<'_, str> {
    match value {
        // `38` and `38.0` are the same measurement.
        ReadingValue::Number(number) => number.normalize().to_string().into(),
        ReadingValue::Text(text) => text.as_str().into(),
    }
}

fn mdc_text(reading: &Reading) -> Option<String> {
    let (number, _) = auscult_catalogue::code(&reading.code)?.mdc?;
    Some(number.to_string())
}

fn codings<'a>(
    name: &'a str,
    code: Option<&'static Code>,
    mdc: Option<&'a str>,
) -> Vec<Coding<'a>> {
    let reference_id = code.and_then(|it| it.mdc).map_or("", |(_, refid)| refid);
    auscult_fhir::codings(
        name,
        code.and_then(|it| it.loinc),
        mdc.map(|it| (it, reference_id)),
        code.and_then(|it| it.profile),
    )
}

fn value(reading: &Reading) -> Value<'_> {
    Value::of_reading(
        &reading.code,
        &reading.value,
        &reading.unit,
        reading.comparator.as_deref(),
        reading.quality,
    )
}

/// A panel may be scored when any of its parts may.
fn quality(act: &Act<'_>) -> Quality {
    let mut parts = act.parts().map(|it| it.reading.quality);
    let first = act.first.located.reading.quality;
    parts.find(|it| *it == Quality::Accepted).unwrap_or(first)
}

/// A day's value or an average says nothing about the patient at one moment.
fn not_a_moment(flag: &str) -> bool {
    flag == "granularity:day" || flag.starts_with("statistic:")
}

fn inputs(act: &Act<'_>) -> Vec<ObservedValue> {
    let single = act.panel.is_none();
    act.parts()
        .filter(|it| single || it.reading.quality == Quality::Accepted)
        .filter(|it| !it.reading.flags.iter().any(|flag| not_a_moment(flag)))
        .map(|it| ObservedValue {
            code: it.reading.code.clone(),
            value: it.exact.map_or_else(|| it.reading.value.clone(), ReadingValue::Number),
            unit: it.reading.unit.clone(),
        })
        .collect()
}
