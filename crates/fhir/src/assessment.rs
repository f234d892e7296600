//! A score as a survey Observation: the total as value, the points of each input as components, the
//! readings it rests on in `derivedFrom`.

use auscult_model::{Assessment, AssessmentStatus};
use fhir_sdk::r4b::codes::ObservationStatus;
use fhir_sdk::r4b::types;

use crate::coding::{Coding, DATA_ABSENT, OWN_CODES};
use crate::observation::category;
use crate::resource::{self, Measured, Meta};
use crate::{FhirError, wire};

const INTERPRETATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";
const BANDS: &str = "urn:auscult:band";
const SNOMED: &str = "http://snomed.info/sct";

/// An assessment as an Observation. An incomplete one is `preliminary`: its value is a lower bound and
/// each missing input says so. One without a value says why.
///
/// # Errors
/// [`FhirError::TimeOutOfRange`] when its time has no four-digit year.
pub fn assessment_observation(assessment: &Assessment) -> Result<String, FhirError> {
    if !wire::writable(assessment.effective) {
        return Err(FhirError::TimeOutOfRange);
    }
    let rule = assessment.rule.as_str();
    let total = format!("{rule}-total");
    let incomplete = assessment.status == AssessmentStatus::Incomplete;
    let inputs = assessment.inputs.iter().map(|it| {
        let value = Some(i64::from(it.points));
        component(rule, &it.code, Measured { value_integer: value, ..Measured::default() })
    });
    let missing = assessment.missing.iter().map(|it| {
        let mut reason = wire::concept(&[absent(AssessmentStatus::Incomplete)])?;
        reason.text = Some(it.reason.clone());
        component(
            rule,
            &it.code,
            Measured { data_absent_reason: Some(reason), ..Measured::default() },
        )
    });
    let mut measured = Measured { value_integer: assessment.value, ..Measured::default() };
    if assessment.value.is_none() {
        measured.data_absent_reason = Some(wire::concept(&[absent(assessment.status)])?);
    }
    let mut derived: Vec<&str> =
        assessment.inputs.iter().filter_map(|it| it.observation.as_deref()).collect();
    derived.sort_unstable();
    derived.dedup();
    wire::to_json(&resource::Observation {
        resource_type: "Observation",
        id: &assessment.id,
        meta: Meta {
            source: Some(format!("urn:auscult:rule:{rule}@{}", assessment.version)),
            profile: Vec::new(),
            tag: Vec::new(),
        },
        extension: Vec::new(),
        identifier: Vec::new(),
        status: if incomplete { ObservationStatus::Preliminary } else { ObservationStatus::Final },
        category: [wire::concept(&[category("survey")])?],
        code: wire::concept(&total_codings(rule, &total))?,
        subject: Some(wire::reference("Patient", assessment.patient.reveal())?),
        effective_date_time: Some(assessment.effective),
        effective_period: None,
        issued: None,
        measured,
        interpretation: interpretation(assessment)?,
        note: notes(assessment)?,
        device: None,
        derived_from: derived
            .into_iter()
            .map(|it| wire::reference("Observation", it))
            .collect::<Result<_, _>>()?,
        component: inputs.chain(missing).collect::<Result<_, _>>()?,
    })
}

/// The codings of a rule's total; `total` is `<rule>-total`.
pub(crate) fn total_codings<'a>(rule: &str, total: &'a str) -> Vec<Coding<'a>> {
    let mut codings = vec![Coding { system: OWN_CODES, code: total, display: None }];
    if rule == "news2" {
        codings = vec![
            Coding { system: OWN_CODES, code: total, display: Some("NEWS2 aggregate score") },
            Coding {
                system: SNOMED,
                code: "1104051000000101",
                display: Some(
                    "Royal College of Physicians NEWS2 (National Early Warning Score 2) total score",
                ),
            },
        ];
    }
    codings
}

/// The search tokens of the Observation that a rule's assessment becomes.
#[must_use]
pub fn assessment_tokens(rule: &str) -> String {
    let total = format!("{rule}-total");
    crate::search_tokens(&total_codings(rule, &total), &[], Some("survey"))
}

fn component<'a>(
    rule: &str,
    input: &str,
    measured: Measured<'a>,
) -> Result<resource::Component<'a>, FhirError> {
    let code = format!("{rule}-{}", short(input));
    let coding = Coding { system: OWN_CODES, code: &code, display: None };
    Ok(resource::Component { code: wire::concept(&[coding])?, measured })
}

/// The parts of a score are named as on its chart.
fn short(input: &str) -> &str {
    match input {
        "respiratory_rate" => "rr",
        "systolic_bp" => "sbp",
        "heart_rate" | "pulse_rate" | "pulse_rate_nibp" => "pulse",
        "consciousness_acvpu" => "consciousness",
        "body_temperature" => "temperature",
        other => other,
    }
}

fn absent(status: AssessmentStatus) -> Coding<'static> {
    let (code, display) = match status {
        AssessmentStatus::NotApplicable => ("not-applicable", "Not Applicable"),
        AssessmentStatus::Failed => ("error", "Error"),
        AssessmentStatus::Complete | AssessmentStatus::Incomplete => ("unknown", "Unknown"),
    };
    Coding { system: DATA_ABSENT, code, display: Some(display) }
}

fn interpretation(assessment: &Assessment) -> Result<Vec<types::CodeableConcept>, FhirError> {
    let Some(band) = assessment.band.as_deref() else {
        return Ok(Vec::new());
    };
    let mut codings = Vec::with_capacity(2);
    let flag = match band {
        "high" => Some(("HH", "Critical high")),
        "medium" | "low-medium" => Some(("H", "High")),
        "low" => Some(("N", "Normal")),
        _ => None,
    };
    // A lower bound does not show that a score is normal.
    if let Some((code, display)) = flag
        && (code != "N" || assessment.status == AssessmentStatus::Complete)
    {
        codings.push(Coding { system: INTERPRETATION, code, display: Some(display) });
    }
    codings.push(Coding { system: BANDS, code: band, display: None });
    Ok(vec![wire::concept(&codings)?])
}

fn notes(assessment: &Assessment) -> Result<Vec<types::Annotation>, FhirError> {
    if assessment.status != AssessmentStatus::Incomplete || assessment.value.is_none() {
        return Ok(Vec::new());
    }
    let text = "Lower bound: not every input was there.".to_owned();
    Ok(vec![types::Annotation::builder().text(text).build()?])
}
