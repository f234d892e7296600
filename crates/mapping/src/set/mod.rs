//! A mapping set: device mapping, FHIR mapping and what they need to know together, in one file.
//!
//! A bare device mapping is a set, too. The members beside `device` and `fhir` are ours: which
//! messages a set is for, the elements of an array that are messages of their own, and what the
//! values mean: words, units, plausible ranges.

mod load;
mod refine;

use std::sync::Arc;

use rust_decimal::Decimal;

use crate::device::{DeviceMapping, Measured, Measurement, MessageFault};
use crate::fhir::{FhirMapping, SERVICE_SYSTEM};
use crate::jsonpath::{Hit, JsonPath};
use crate::load::Loaded;
use crate::token::{Object, Token};

pub use load::is_fhir_mapping;

/// Most elements of one message that become messages of their own; a day of one value a second
/// is 86,400, and no message is that large.
pub const ELEMENTS_MAX: usize = 10_000;

/// The JSON Schema of the file, for editors.
pub const SCHEMA: &str = include_str!("mapping-set.schema.json");

/// A mapping set, compiled once per version.
#[derive(Debug, Clone, Default)]
pub struct MappingSet {
    /// Which messages it is for, when their sender names no set.
    pub applies: Applies,
    /// From a message to measurements.
    pub device: DeviceMapping,
    /// From measurements to Observations; without it the code table decides.
    pub fhir: Option<FhirMapping>,
    system: Option<String>,
    each: Vec<JsonPath>,
    values: Vec<ValueRule>,
}

/// Which messages a set is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applies {
    /// Codes of `Device.type`: `code` or `system|code`.
    pub device_types: Vec<String>,
    /// Device ids, or their beginning and a star.
    pub senders: Vec<String>,
}

/// What a value means, beyond what the device mapping can say.
#[derive(Debug, Clone, Default)]
struct ValueRule {
    /// Measurement type it is about; any when absent.
    type_name: Option<String>,
    /// Value name it is about.
    name: String,
    /// Canonical name in the code table.
    code: Option<Arc<str>>,
    /// UCUM unit it comes in.
    unit: Option<Arc<str>>,
    /// UCUM unit it is stored in; `unit` when absent.
    to: Option<Arc<str>>,
    /// Words of the device and what they stand for.
    synonyms: Vec<(String, String)>,
    /// Lowest and highest value a living patient can have, in the stored unit.
    low: Option<Decimal>,
    /// See `low`.
    high: Option<Decimal>,
    line: u32,
}

/// What is known of one value of a measurement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meaning {
    /// Canonical name in the code table.
    pub code: Option<Arc<str>>,
    /// UCUM unit of the value as it is now.
    pub unit: Option<Arc<str>>,
    /// Value and unit as the device sent them, when they were converted.
    pub native: Option<(String, Arc<str>)>,
    /// No living patient has this value.
    pub implausible: bool,
}

/// A measurement and what its values mean, in the order of its properties.
#[derive(Debug, Clone, PartialEq)]
pub struct Refined {
    /// The measurement, its values in the words and units they are stored in.
    pub measurement: Measurement,
    /// One for each property.
    pub meanings: Vec<Meaning>,
}

/// What a message gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SetMeasured {
    /// In the order of elements, templates and matches.
    pub measurements: Vec<Refined>,
    /// What went wrong, in the same order.
    pub errors: Vec<MessageFault>,
}

impl MappingSet {
    /// Reads a file: a set, or a device mapping alone. Every fault is collected; what loaded can
    /// be used.
    #[must_use]
    pub fn compile(text: &str) -> Loaded<Self> {
        load::compile(text)
    }

    /// The system of codes and identifiers that Observations of the FHIR mapping carry.
    #[must_use]
    pub fn system(&self) -> &str {
        self.system.as_deref().unwrap_or(SERVICE_SYSTEM)
    }

    /// The messages in a message: its elements, or itself. An element that is an object inherits
    /// the plain members around it.
    #[must_use]
    pub fn elements(&self, envelope: Token) -> Vec<Token> {
        if self.each.is_empty() {
            return vec![envelope];
        }
        let Some(body) = envelope.member("Body") else { return vec![envelope] };
        let mut found = Vec::new();
        for path in &self.each {
            // A path that cannot be evaluated finds nothing; the message then stays as it is.
            let hits = path.select(Hit::Value(body)).unwrap_or_default();
            for hit in hits {
                if let Hit::Value(Token::Object(element)) = hit
                    && found.len() < ELEMENTS_MAX
                {
                    found.push(around(&envelope, body, element));
                }
            }
        }
        if found.is_empty() { vec![envelope] } else { found }
    }

    /// Every measurement of a message in its envelope.
    #[must_use]
    pub fn measure(&self, envelope: Token) -> SetMeasured {
        let mut all = SetMeasured::default();
        for element in self.elements(envelope) {
            let Measured { measurements, errors } = self.device.measure(&element);
            let before = all.measurements.len();
            all.errors.extend(
                errors.into_iter().map(|it| MessageFault { after: before + it.after, ..it }),
            );
            for measurement in measurements {
                let refined = refine::refine(&self.values, measurement, &mut all.errors);
                all.measurements.push(refined);
            }
        }
        all
    }
}

/// The envelope with an element as its body, laid over the plain members of the whole body.
fn around(envelope: &Token, body: &Token, element: &Object) -> Token {
    let mut laid = Object::default();
    if let Token::Object(body) = body {
        for (name, value) in body.iter() {
            if !matches!(value, Token::Array(_) | Token::Object(_)) {
                laid.set(name, value.clone());
            }
        }
    }
    for (name, value) in element.iter() {
        laid.set(name, value.clone());
    }
    let mut whole = Object::default();
    if let Token::Object(members) = envelope {
        for (name, value) in members.iter().filter(|(name, _)| *name != "Body") {
            whole.set(name, value.clone());
        }
    }
    whole.set("Body", Token::Object(laid));
    Token::Object(whole)
}

impl Applies {
    /// Whether the set chooses messages by itself.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.device_types.is_empty() && self.senders.is_empty()
    }

    /// Whether a message of this device, whose types are `types` as (system, code), is for the set.
    #[must_use]
    pub fn covers(&self, device: &str, types: &[(String, String)]) -> bool {
        let typed = self.device_types.iter().any(|wanted| match wanted.rsplit_once('|') {
            Some((system, code)) => types.iter().any(|it| it.0 == system && it.1 == code),
            None => types.iter().any(|it| it.1 == *wanted),
        });
        typed
            || self.senders.iter().any(|it| match it.strip_suffix('*') {
                Some(start) => device.starts_with(start),
                None => it == device,
            })
    }
}

#[cfg(test)]
mod tests;
