//! Tells what becomes of one message and why: the same for the command line and the API.

use auscult_mapping::device::TemplateTrace;
use auscult_mapping::{MappingSet, Measurement};
use auscult_model::events::ReceivedMessage;
use auscult_model::{Fault, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::decode::{DeviceReading, decode};
use crate::mapped::MappedReading;
use crate::observe::{Origin, observe};
use crate::sets::{Compiled, MappingSets};
use crate::{Assignments, by_mapping, mapped};

/// What happened to one message.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Explanation {
    /// What the templates gave, before units and words.
    pub measurements: Vec<Value>,
    /// What would be stored, if nobody wore the device.
    pub observations: Vec<Value>,
    /// Readings by the code table, where no FHIR mapping makes the Observations.
    pub readings: Vec<Value>,
    /// What was tried, in order.
    pub steps: Vec<Value>,
    /// Why something did not arrive.
    pub errors: Vec<Fault>,
}

/// Who reads the message.
#[derive(Debug, Clone, Copy)]
pub enum Reader<'a> {
    /// A mapping set.
    Set(&'a str),
    /// The built-in catalogue; the shape of that name, or whichever fits.
    Catalogue(Option<&'a str>),
}

impl Explanation {
    /// Whether the same would be stored, whatever the version that makes it is called.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let plain = |it: &Value| {
            let mut it = it.clone();
            if let Some(members) = it.as_object_mut() {
                members.remove("meta");
                members.remove("id");
            }
            it
        };
        let same = |a: &[Value], b: &[Value]| a.iter().map(plain).eq(b.iter().map(plain));
        same(&self.observations, &other.observations) && self.errors == other.errors
    }

    /// Whether everything in the message arrived, and something did.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.errors.is_empty() && !self.observations.is_empty()
    }
}

/// Explains a message: its text as sent, and when it was received.
#[must_use]
pub fn explain(reader: Reader<'_>, text: &str, received: Timestamp) -> Explanation {
    let body = match RawValue::from_string(text.trim().to_owned()) {
        Ok(body) => body,
        Err(error) => {
            let detail = format!("line {} column {}", error.line(), error.column());
            return Explanation::of(Fault {
                path: String::new(),
                code: "malformed-json".to_owned(),
                detail,
            });
        }
    };
    let source = match reader {
        Reader::Catalogue(shape) => shape.map(str::to_owned),
        Reader::Set(_) => None,
    };
    let message = ReceivedMessage {
        id: "explained".to_owned(),
        device: None,
        allowed: vec!["*".to_owned()],
        source,
        received,
        body,
    };
    match reader {
        Reader::Set(document) => by_set(document, &message),
        Reader::Catalogue(_) => by_catalogue(&message),
    }
}

impl Explanation {
    fn of(fault: Fault) -> Self {
        Self { errors: vec![fault], ..Self::default() }
    }

    fn observed(&mut self, readings: &[DeviceReading], origin: Origin<'_>) {
        let (made, faults) = observe(readings, &Assignments::default(), origin);
        self.observations.extend(made.iter().filter_map(|it| parsed(&it.resource)));
        self.readings.extend(readings.iter().map(|it| it.located.to_json()));
        self.errors.extend(faults);
    }
}

fn parsed(resource: &str) -> Option<Value> {
    serde_json::from_str(resource).ok()
}

fn by_catalogue(message: &ReceivedMessage) -> Explanation {
    let mut explained = Explanation::default();
    // A message alone says who sent it; there is no token here that could.
    let alone = ReceivedMessage { device: Some("device".to_owned()), ..message.clone() };
    match decode(&alone, &MappingSets::default()) {
        Err(problem) => {
            explained.steps.push(json!({ "reader": "catalogue", "result": problem.title }));
            explained.errors = problem.errors.clone();
            if explained.errors.is_empty() {
                let code = problem.code().to_owned();
                let detail = format!("{}: {}", problem.title, problem.detail);
                explained.errors.push(Fault { path: String::new(), code, detail });
            }
        }
        Ok(decoded) => {
            let n_readings = decoded.readings.len();
            explained.steps.push(json!({ "reader": decoded.mapping, "readings": n_readings }));
            let origin = origin(message, &decoded.mapping);
            explained.observed(&decoded.readings, origin);
            explained.errors.extend(decoded.faults);
        }
    }
    explained
}

fn origin<'a>(message: &'a ReceivedMessage, mapping: &'a str) -> Origin<'a> {
    Origin { message: &message.id, mapping, received: message.received }
}

fn by_set(document: &str, message: &ReceivedMessage) -> Explanation {
    let mut explained = Explanation::default();
    let loaded = MappingSet::compile(document);
    explained.errors.extend(loaded.faults.iter().filter(|it| it.fatal).map(|it| Fault {
        path: it.path.clone(),
        code: it.code.as_str().to_owned(),
        detail: format!("mapping, line {} column {}: {}", it.line, it.column, it.detail),
    }));
    let compiled =
        Compiled { name: "set".to_owned(), version: "set@0".to_owned(), set: loaded.mapping };
    let envelope = match by_mapping::envelope(message.body.get()) {
        Ok(envelope) => envelope,
        Err(problem) => {
            let (code, detail) = (problem.code().to_owned(), problem.detail);
            explained.errors.push(Fault { path: String::new(), code, detail });
            return explained;
        }
    };
    for (at, element) in compiled.set.elements(envelope).iter().enumerate() {
        let tried = compiled.set.device.explain(element);
        explained.measurements.extend(tried.measured.measurements.iter().map(measurement));
        explained.steps.extend(tried.templates.iter().map(|it| step(at, it)));
    }
    match by_mapping::decode(&compiled, message) {
        Err(problem) => explained.errors.extend(problem.errors),
        Ok(decoded) => {
            explained.errors.extend(decoded.faults);
            explained.observed(&decoded.readings, origin(message, &decoded.mapping));
            windows(&compiled, decoded.mapped, &mut explained);
        }
    }
    if explained.observations.is_empty() && explained.errors.is_empty() {
        explained.errors.push(Fault {
            path: String::new(),
            code: "no-reading".to_owned(),
            detail: "no template matches the message; the steps say what each looked for"
                .to_owned(),
        });
    }
    explained
}

fn windows(compiled: &Compiled, mapped: Vec<MappedReading>, explained: &mut Explanation) {
    let mut by_window: Vec<Vec<MappedReading>> = Vec::new();
    for it in mapped {
        let same = |window: &&mut Vec<MappedReading>| {
            window.first().is_some_and(|first| first.made_of == it.made_of)
        };
        match by_window.iter_mut().find(same) {
            Some(window) => window.push(it),
            None => by_window.push(vec![it]),
        }
    }
    for readings in &by_window {
        match mapped::observations(&compiled.set, readings, &Assignments::default()) {
            Ok(made) => {
                explained.observations.extend(made.iter().filter_map(|it| parsed(&it.resource)));
                let kind = readings.first().map(|it| it.type_name.as_str());
                let step = json!({ "observation": kind, "readings": readings.len() });
                explained.steps.push(step);
            }
            Err(fault) => explained.errors.push(fault),
        }
    }
}

fn step(element: usize, trace: &TemplateTrace) -> Value {
    let mut step = json!(trace);
    if element > 0
        && let Some(members) = step.as_object_mut()
    {
        members.insert("element".to_owned(), Value::from(element));
    }
    step
}

/// A measurement in the shape existing services publish.
#[must_use]
pub fn measurement(it: &Measurement) -> Value {
    let properties: Map<String, Value> = it
        .properties
        .iter()
        .map(|(name, text)| (name.to_string(), Value::from(text.as_str())))
        .collect();
    json!({
        "type": *it.type_name,
        "deviceId": it.device_id,
        "patientId": it.patient_id,
        "encounterId": it.encounter_id,
        "correlationId": it.correlation_id,
        "occurrenceTimeUtc": it.occurred.to_string(),
        "properties": properties,
    })
}
