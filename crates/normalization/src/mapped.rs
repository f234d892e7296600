//! Measurements of a FHIR mapping: each belongs to a window of time, and all of a window become one
//! Observation. It is a function of their set, so neither order nor repetition of messages matters.

use std::collections::BTreeMap;
use std::sync::Arc;

use auscult_fhir::{MappedParts, mapped_observation, resource_tokens};
use auscult_mapping::fhir::{Convention, Group, Reading, References, measurement_groups};
use auscult_mapping::set::Refined;
use auscult_mapping::{FhirMapping, Instant, MappingSet};
use auscult_model::digest::digest;
use auscult_model::events::{ObservedValue, ReceivedMessage};
use auscult_model::{Fault, Quality, ReadingValue, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Assignments;
use crate::by_mapping::claim;
use crate::observe::{Observation, patient_mismatch};

/// One measurement of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappedReading {
    /// Names the window: digest of mapping set, device, type and time.
    #[serde(skip)]
    pub made_of: String,
    /// 100 ns since 1970.
    #[serde(skip)]
    pub occurred: i64,
    /// Message id.
    #[serde(skip)]
    pub message: String,
    /// Order within the message.
    #[serde(skip)]
    pub place: i64,
    /// Device id.
    #[serde(skip)]
    pub device: String,
    /// `<name>@<version>` of the set that read it.
    pub mapping: String,
    /// Measurement type.
    pub type_name: String,
    /// When its message was received.
    pub received_ms: i64,
    /// Correlation id, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// Encounter, when it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encounter: Option<String>,
    /// The patient it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// Its time lies ahead of its receipt.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ahead: bool,
    /// Names and values, and whether a living patient can have that value.
    pub values: Vec<(String, String, bool)>,
}

/// Where measurements come from.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// Name of the mapping set.
    pub set: &'a str,
    /// `<name>@<version>`.
    pub version: &'a str,
    /// The message.
    pub message: &'a ReceivedMessage,
}

/// The measurements of one message with the windows they belong to. What could not become an
/// Observation by itself is a fault and is left out.
pub(crate) fn mapped(
    fhir: &FhirMapping,
    measured: Vec<(Refined, Timestamp, Quality)>,
    sender: Sender<'_>,
) -> (Vec<MappedReading>, Vec<Fault>) {
    let batch: Vec<_> = measured.iter().map(|(it, ..)| (it.measurement.clone(), None)).collect();
    let (mut mapped, mut faults) = (Vec::new(), Vec::new());
    for grouped in measurement_groups(&batch) {
        let group = &grouped.group;
        if let Err(error) = convertible(fhir, group) {
            faults.push(Fault {
                path: format!("/{}", group.type_name),
                code: error.code().to_owned(),
                detail: format!("FHIR template of {}: {error}", group.type_name),
            });
            continue;
        }
        for at in grouped.kept {
            let Some((refined, _, quality)) = measured.get(at) else { continue };
            faults.extend(implausible(refined));
            let place = i64::try_from(at).unwrap_or(i64::MAX);
            mapped.extend(reading(fhir, group, refined, *quality, place, sender));
        }
    }
    (mapped, faults)
}

/// The values that the set calls impossible: kept with the message, left out of the Observation.
fn implausible(refined: &Refined) -> impl Iterator<Item = Fault> {
    let properties = refined.measurement.properties.iter().zip(&refined.meanings);
    properties.filter(|(_, meaning)| meaning.implausible).map(|((name, _), _)| Fault {
        path: format!("/{}/{name}", refined.measurement.type_name),
        code: Quality::OutOfPlausibleRange.as_str().to_owned(),
        detail: "no living patient has this value; the Observation says so in its place".to_owned(),
    })
}

/// Whether the measurements of one message become Observations on their own.
fn convertible(
    fhir: &FhirMapping,
    group: &Group,
) -> Result<(), auscult_mapping::fhir::ConvertError> {
    let references = References { patient: "p", device: "d", encounter: None };
    for window in fhir.observation_groups(group)? {
        fhir.write(&group.type_name, &window, &references, &Convention::default())?;
    }
    Ok(())
}

fn reading(
    fhir: &FhirMapping,
    group: &Group,
    refined: &Refined,
    quality: Quality,
    place: i64,
    sender: Sender<'_>,
) -> Option<MappedReading> {
    let it = &refined.measurement;
    let alone = Group {
        readings: vec![Reading { occurred: it.occurred, properties: Vec::new() }],
        ..group.clone()
    };
    let window = fhir.observation_groups(&alone).ok()?.into_iter().next()?;
    let correlation = it.correlation_id.clone();
    let named = correlation.as_deref().unwrap_or_default();
    let parts = ["mapped", sender.set, &it.device_id, &it.type_name, &window.id_segment, named];
    let values = it.properties.iter().zip(&refined.meanings);
    Some(MappedReading {
        made_of: digest(&parts),
        occurred: it.occurred.ticks(),
        message: sender.message.id.clone(),
        place,
        device: it.device_id.clone(),
        mapping: sender.version.to_owned(),
        type_name: it.type_name.to_string(),
        received_ms: sender.message.received.unix_ms(),
        correlation,
        encounter: it.encounter_id.clone().filter(|it| auscult_fhir::is_resource_id(it)),
        claim: claim(it),
        ahead: quality == Quality::FutureTime,
        values: values
            .map(|((name, text), meaning)| (name.to_string(), text.clone(), !meaning.implausible))
            .collect(),
    })
}

/// The Observations of one window: one, or one for each patient who wore the device within it.
/// `readings` are all of the window, in any order.
///
/// # Errors
/// Why the version of the mapping that read the last of them no longer makes an Observation of them.
pub fn observations(
    set: &MappingSet,
    readings: &[MappedReading],
    assignments: &Assignments,
) -> Result<Vec<Observation>, Fault> {
    let mut sorted: Vec<&MappedReading> = readings.iter().collect();
    sorted.sort_by(|a, b| key(a).cmp(&key(b)));
    let mut by_patient: BTreeMap<Option<&str>, Vec<&MappedReading>> = BTreeMap::new();
    for it in sorted {
        let at = Timestamp::from_unix_ms(unix_ms(it.occurred));
        let patient = assignments.filed_to(&it.device, at, it.claim.as_deref()).ok().flatten();
        let mine = by_patient.entry(patient).or_default();
        // Of two at one instant the one received last counts whole.
        mine.retain(|earlier| earlier.occurred != it.occurred);
        mine.push(it);
    }
    let mut parts: Vec<_> = by_patient.into_iter().collect();
    parts.sort_by_key(|(_, mine)| mine.first().map(|it| it.occurred));
    parts
        .iter()
        .enumerate()
        .map(|(at, (patient, mine))| observation(set, at == 0, *patient, mine))
        .collect()
}

fn key(it: &MappedReading) -> (i64, i64, &str, std::cmp::Reverse<i64>) {
    (it.occurred, it.received_ms, &it.message, std::cmp::Reverse(it.place))
}

fn unix_ms(ticks: i64) -> i64 {
    Instant::from_ticks(ticks).map_or(0, Instant::unix_ms)
}

fn observation(
    set: &MappingSet,
    first: bool,
    patient: Option<&str>,
    readings: &[&MappedReading],
) -> Result<Observation, Fault> {
    let newest = readings.iter().max_by_key(|it| (it.received_ms, &it.message));
    let newest = newest.ok_or_else(|| not_mapped("the window is empty"))?;
    let fhir = set.fhir.as_ref().ok_or_else(|| not_mapped("the set has no FHIR mapping"))?;
    let group = Group {
        type_name: newest.type_name.as_str().into(),
        device_id: newest.device.clone(),
        patient_id: None,
        encounter_id: None,
        correlation_id: newest.correlation.clone(),
        readings: readings.iter().map(|it| it.plausible()).collect(),
    };
    let failed = |error: auscult_mapping::fhir::ConvertError| Fault {
        path: format!("/{}", newest.type_name),
        code: error.code().to_owned(),
        detail: format!("FHIR template of {}: {error}", newest.type_name),
    };
    let window = fhir.observation_groups(&group).map_err(failed)?.into_iter().next();
    let mut window = window.ok_or_else(|| not_mapped("the readings share no window"))?;
    fhir.keep_latest(&newest.type_name, &mut window);
    let references = References {
        patient: patient.unwrap_or("unassigned"),
        device: &newest.device,
        encounter: newest.encounter.as_deref(),
    };
    let convention = Convention { system: set.system() };
    let made = fhir.write(&newest.type_name, &window, &references, &convention).map_err(failed)?;
    let mut read: Value =
        serde_json::from_str(&made).map_err(|_| not_mapped("the Observation is not JSON"))?;
    let impossible = refuse_impossible(&mut read);
    let values = values(&read);
    let given = || readings.iter().flat_map(|it| &it.values);
    let quality = if readings.iter().any(|it| it.ahead) {
        Quality::FutureTime
    } else if given().all(|(.., plausible)| !plausible) || (impossible && values.is_empty()) {
        Quality::OutOfPlausibleRange
    } else {
        Quality::Accepted
    };
    let id = if first {
        newest.made_of.clone()
    } else {
        digest(&["mapped-of", &newest.made_of, patient.unwrap_or_default()])
    };
    let parts = MappedParts {
        id: &id,
        filed: patient.is_some(),
        quality,
        mapping: &newest.mapping,
        received: Timestamp::from_unix_ms(newest.received_ms),
        amended: readings.iter().any(|it| it.message != newest.message),
    };
    let made = if impossible { read.to_string() } else { made };
    let resource = mapped_observation(&made, &parts).map_err(|it| not_mapped(&it.to_string()))?;
    let moment = window.start == window.end;
    Ok(Observation {
        message: newest.message.clone(),
        device: newest.device.clone(),
        patient: patient.map(str::to_owned),
        claim: None,
        made_of: Some(newest.made_of.clone()),
        code: code(&read["code"]).map_or_else(|| newest.type_name.clone(), |it| it.name.to_owned()),
        codes: resource_tokens(&read),
        effective_ms: window.start.unix_ms(),
        end_ms: (!moment).then(|| window.end.unix_ms()),
        // An hour's value says nothing about the patient at one moment.
        inputs: if moment { values } else { Vec::new() },
        quality: quality.as_str(),
        mapping: newest.mapping.clone(),
        received_ms: newest.received_ms,
        resource,
        id,
    })
}

impl MappedReading {
    /// The fault when the message names another patient than the one who wore the device.
    pub(crate) fn mismatch(&self, assignments: &Assignments) -> Option<Fault> {
        let at = Timestamp::from_unix_ms(unix_ms(self.occurred));
        let filed = assignments.filed_to(&self.device, at, self.claim.as_deref());
        filed.err().map(|_| patient_mismatch(format!("/{}", self.type_name)))
    }

    /// When it was measured, cut to the millisecond.
    pub(crate) fn occurred_ms(&self) -> i64 {
        unix_ms(self.occurred)
    }

    /// Its values but the impossible ones.
    fn plausible(&self) -> Reading {
        let values = self.values.iter().filter(|(.., plausible)| *plausible);
        Reading {
            occurred: Instant::from_ticks(self.occurred).unwrap_or_default(),
            properties: values
                .map(|(name, text, _)| (Arc::from(name.as_str()), text.clone()))
                .collect(),
        }
    }
}

fn not_mapped(detail: &str) -> Fault {
    Fault { path: String::new(), code: "not-mapped".to_owned(), detail: detail.to_owned() }
}

/// The code of the code table that a concept names.
fn code(concept: &Value) -> Option<&'static auscult_catalogue::Code> {
    concept["coding"].as_array()?.iter().find_map(|it| {
        let code = it["code"].as_str()?;
        match it["system"].as_str()? {
            auscult_fhir::LOINC => auscult_catalogue::by_loinc(code),
            auscult_fhir::MDC => auscult_catalogue::by_mdc(code.parse().ok()?),
            _ => None,
        }
    })
}

/// Takes out what the code table calls impossible for a living patient and says so in its place.
fn refuse_impossible(resource: &mut Value) -> bool {
    let refuse = |holder: &mut Map<String, Value>| {
        let scored = scored(holder);
        let impossible =
            scored.is_some_and(|(code, number)| !auscult_catalogue::plausible(code, number));
        if impossible {
            holder.remove("valueQuantity");
            holder.insert("dataAbsentReason".to_owned(), auscult_fhir::absent_error());
        }
        impossible
    };
    let Value::Object(root) = resource else { return false };
    let mut any = refuse(root);
    if let Some(Value::Array(components)) = root.get_mut("component") {
        for component in components.iter_mut().filter_map(Value::as_object_mut) {
            any |= refuse(component);
        }
    }
    any
}

/// What the code table makes of a quantity, in the unit of its code.
fn scored(holder: &Map<String, Value>) -> Option<(&'static auscult_catalogue::Code, Decimal)> {
    let code = code(holder.get("code")?).filter(|it| !it.is_coded())?;
    let quantity = holder.get("valueQuantity")?;
    let number = quantity["value"].as_number()?.to_string().parse().ok()?;
    let unit = quantity["code"].as_str().or_else(|| quantity["unit"].as_str())?;
    let converted = auscult_catalogue::convert(code, number, unit).ok()?;
    Some((code, converted.exact))
}

/// The values of a resource that scores can use: what the code table knows, in its own unit.
fn values(resource: &Value) -> Vec<ObservedValue> {
    let components = resource["component"].as_array().into_iter().flatten();
    std::iter::once(resource)
        .chain(components)
        .filter_map(|it| {
            let (code, number) = scored(it.as_object()?)?;
            let value = ReadingValue::Number(number);
            Some(ObservedValue { code: code.name.to_owned(), value, unit: code.ucum.to_owned() })
        })
        .collect()
}
