//! Checks a pair of mappings against each other and against sample messages.

use serde::Serialize;
use serde_json::Value;

use crate::device::{DeviceMapping, Measurement};
use crate::fhir::{Convention, FhirMapping, References, measurement_groups};
use crate::load::MappingFault;
use crate::token::Token;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Something is lost or fails.
    Error,
    /// Something may be lost.
    Warn,
}

/// Which half of the way a finding belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// From a message to measurements.
    Normalization,
    /// From measurements to Observations.
    FhirTransformation,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad.
    pub level: Level,
    /// Where on the way.
    pub stage: Stage,
    /// Stable code, kebab-case.
    pub code: &'static str,
    /// What it is about, in a sentence.
    pub detail: String,
    /// Line of the mapping file, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// What one message gave.
#[derive(Debug, Clone, Default)]
pub struct MessageResult {
    /// Its measurements.
    pub measurements: Vec<Measurement>,
    /// The Observations they become, for a patient, device and encounter named `sample`.
    pub observations: Vec<Value>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Validation {
    /// About the mappings.
    pub mappings: Vec<Finding>,
    /// About each message; empty when a mapping does not load.
    pub messages: Vec<MessageResult>,
}

/// There was neither a device mapping nor a FHIR mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a device mapping or a FHIR mapping is needed")]
pub struct NothingToValidate;

/// Checks mappings and what they make of messages.
///
/// # Errors
/// When neither mapping is given.
pub fn validate(
    device: Option<&str>,
    fhir: Option<&str>,
    messages: &[Token],
) -> Result<Validation, NothingToValidate> {
    if device.is_none() && fhir.is_none() {
        return Err(NothingToValidate);
    }
    let device = device.map(DeviceMapping::compile);
    let fhir = fhir.map(FhirMapping::compile);
    let mut validation = Validation::default();
    let findings = &mut validation.mappings;
    if let Some(loaded) = &device {
        findings.extend(loaded.faults.iter().map(|it| loading(it, Stage::Normalization)));
    }
    if let Some(loaded) = &fhir {
        findings.extend(loaded.faults.iter().map(|it| loading(it, Stage::FhirTransformation)));
    }
    if findings.iter().any(|it| it.level == Level::Error) {
        return Ok(validation);
    }
    let Some(device) = device.map(|it| it.mapping) else { return Ok(validation) };
    let fhir = fhir.map(|it| it.mapping);
    if let Some(fhir) = &fhir {
        unused(&device, fhir, &mut validation.mappings);
    }
    validation.messages = messages.iter().map(|it| message(&device, fhir.as_ref(), it)).collect();
    Ok(validation)
}

fn loading(fault: &MappingFault, stage: Stage) -> Finding {
    Finding {
        level: if fault.fatal { Level::Error } else { Level::Warn },
        stage,
        code: fault.code.as_str(),
        detail: fault.detail.clone(),
        line: Some(fault.line),
    }
}

/// Types and values of the device mapping that no FHIR template uses.
fn unused(device: &DeviceMapping, fhir: &FhirMapping, findings: &mut Vec<Finding>) {
    for (type_name, values) in device.produces() {
        let mut warn = |code, detail| {
            let stage = Stage::FhirTransformation;
            findings.push(Finding { level: Level::Warn, stage, code, detail, line: None });
        };
        let Some(used) = fhir.value_names(type_name) else {
            warn("no-fhir-template", format!("no FHIR template has the type {type_name}"));
            continue;
        };
        for name in values.into_iter().filter(|it| !used.contains(it)) {
            let detail = format!("the FHIR template of {type_name} does not use the value {name}");
            warn("value-not-used-by-fhir-template", detail);
        }
    }
}

fn message(device: &DeviceMapping, fhir: Option<&FhirMapping>, message: &Token) -> MessageResult {
    let measured = device.measure(message);
    let mut result = MessageResult::default();
    result.findings.extend(measured.errors.iter().map(|it| Finding {
        level: Level::Error,
        stage: Stage::Normalization,
        code: "evaluation-error",
        detail: format!("{} of {}: {}", it.field, it.type_name, it.detail),
        line: (it.line > 0).then_some(it.line),
    }));
    if measured.measurements.is_empty() && measured.errors.is_empty() {
        result.findings.push(Finding {
            level: Level::Warn,
            stage: Stage::Normalization,
            code: "no-measurement",
            detail: "no template matches the message".into(),
            line: None,
        });
    }
    if let Some(fhir) = fhir {
        observations(&measured.measurements, fhir, &mut result);
    }
    result.measurements = measured.measurements;
    result
}

fn observations(measurements: &[Measurement], fhir: &FhirMapping, result: &mut MessageResult) {
    let batch: Vec<_> = measurements.iter().map(|it| (it.clone(), None)).collect();
    let references = References { patient: "sample", device: "sample", encounter: None };
    for grouped in measurement_groups(&batch) {
        let type_name = &grouped.group.type_name;
        let made = fhir.observation_groups(&grouped.group).and_then(|windows| {
            let convention = Convention::default();
            let one = |it| fhir.create(type_name, it, &references, &convention);
            windows.iter().map(one).collect::<Result<Vec<_>, _>>()
        });
        match made {
            Ok(made) => result.observations.extend(made),
            Err(error) => result.findings.push(Finding {
                level: Level::Error,
                stage: Stage::FhirTransformation,
                code: error.code(),
                detail: format!("{type_name}: {error}"),
                line: None,
            }),
        }
    }
}
