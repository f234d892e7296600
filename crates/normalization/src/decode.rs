//! One message becomes readings: by the mapping set its sender names, else by the built-in catalogue.

use auscult_catalogue::{Context, DecodeError, LocatedReading};
use auscult_model::events::ReceivedMessage;
use auscult_model::ids::{DeviceId, covers};
use auscult_model::{Fault, Problem};

use crate::mapped::MappedReading;
use crate::{MappingSets, by_mapping};

/// Version of the built-in catalogue, named by every observation it makes.
pub const CATALOGUE: &str = "catalogue@1";

/// What one message holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decoded {
    /// Readings by device: a message of a gateway may speak of several.
    pub readings: Vec<DeviceReading>,
    /// Measurements that a FHIR mapping makes Observations of.
    pub mapped: Vec<MappedReading>,
    /// Values that were refused, each with place, code and reason.
    pub faults: Vec<Fault>,
    /// What decoded it: `catalogue@1`, `<mapping>@<version>`.
    pub mapping: String,
}

/// One reading and the device it is of.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceReading {
    /// The device's id.
    pub device: String,
    /// The patient the message names for it.
    pub claim: Option<String>,
    /// The reading, where it stood, and its exact value.
    pub located: LocatedReading,
}

/// Decodes a message. Readings of devices its sender may not speak for are refused.
///
/// # Errors
/// The problem when nothing in it can be read.
pub fn decode(message: &ReceivedMessage, mappings: &MappingSets) -> Result<Decoded, Problem> {
    let mut decoded = match mappings.of(message) {
        Some(set) => by_mapping::decode(set, message)?,
        None => by_catalogue(message)?,
    };
    let refused = |path: String| Fault {
        path,
        code: "device-mismatch".to_owned(),
        detail: "the sender's token may not speak for the device of this reading".to_owned(),
    };
    let (mine, others): (Vec<_>, Vec<_>) =
        decoded.readings.into_iter().partition(|it| may_speak(message, &it.device));
    decoded.readings = mine;
    decoded.faults.extend(others.into_iter().map(|it| refused(it.located.path)));
    let (mine, others): (Vec<_>, Vec<_>) =
        decoded.mapped.into_iter().partition(|it| may_speak(message, &it.device));
    decoded.mapped = mine;
    decoded.faults.extend(others.into_iter().map(|it| refused(format!("/{}", it.type_name))));
    let nothing = decoded.readings.is_empty() && decoded.mapped.is_empty();
    if nothing && decoded.faults.is_empty() {
        decoded.faults.push(Fault {
            path: String::new(),
            code: "no-reading".to_owned(),
            detail: format!("{} found no reading in the message", decoded.mapping),
        });
    }
    Ok(decoded)
}

fn may_speak(message: &ReceivedMessage, device: &str) -> bool {
    message.device.as_deref() == Some(device) || covers(&message.allowed, device)
}

fn by_catalogue(message: &ReceivedMessage) -> Result<Decoded, Problem> {
    if let Some(source) = &message.source
        && !auscult_catalogue::SHAPES.iter().any(|it| it.name == source)
    {
        return Err(Problem::new(
            400,
            "unknown-source",
            "No mapping set and no shape has that name",
        ));
    }
    let body: serde_json::Value = serde_json::from_str(message.body.get()).map_err(|it| {
        Problem::new(400, "malformed-json", "The message holds something that cannot be read")
            .detail(format!("line {} column {}", it.line(), it.column()))
    })?;
    let context = Context::new(message.received);
    let found = auscult_catalogue::decode(&body, message.source.as_deref(), &context)
        .map_err(|it| unreadable(&it))?;
    let device = message.device.clone().or(found.device);
    let mut faults: Vec<Fault> = found
        .rejected
        .into_iter()
        .map(|it| Fault { path: it.path, code: it.code.to_owned(), detail: it.detail })
        .collect();
    let mut readings = Vec::with_capacity(found.readings.len());
    for located in found.readings {
        let named = located.device.as_deref().or(device.as_deref());
        match named.filter(|it| DeviceId::parse(it).is_some()).map(str::to_owned) {
            Some(device) => readings.push(DeviceReading { device, claim: None, located }),
            None => faults.push(Fault {
                path: located.path,
                code: "device-missing".to_owned(),
                detail: "neither the message nor its token says which device it is of".to_owned(),
            }),
        }
    }
    Ok(Decoded { readings, faults, mapping: CATALOGUE.to_owned(), ..Decoded::default() })
}

fn unreadable(error: &DecodeError) -> Problem {
    let problem = Problem::new(400, error.code(), "Nothing in the message is known");
    error.faults().iter().fold(problem.detail(error.to_string()), |problem, it| {
        problem.fault(&it.path, it.code, it.detail.clone())
    })
}

/// The problem of a message whose values were refused in part or in whole.
#[must_use]
pub fn problem(faults: &[Fault], all: bool) -> Option<Problem> {
    let title = match (faults.is_empty(), all) {
        (true, _) => return None,
        (false, true) => "No value of the message could be taken",
        (false, false) => "Some values of the message could not be taken",
    };
    let code = match faults {
        [only] => only.code.as_str(),
        _ => "values-refused",
    };
    Some(Problem { errors: faults.to_vec(), ..Problem::new(400, code, title) })
}
