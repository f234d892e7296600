//! The payload shapes the catalogue knows, and the choice among them.

mod apple_health;
mod ble;
mod dexcom;
mod fhir;
mod fields;
mod fitbit;
mod garmin;
mod generic;
mod nightscout;
mod omron;
mod openmhealth;
mod withings;

use serde_json::Value;

use crate::collector::Collector;
use crate::decoded::{Context, DecodeError, Decoded, Refusal, UnitSystem};
use crate::device::device_of;
use crate::path::Path;
use crate::zone::Zone;

/// One payload shape.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Name of the catalogue entry: `fitbit`.
    pub name: &'static str,
    /// What it is, for people.
    pub title: &'static str,
    recognises: fn(&Value) -> bool,
    read: fn(&mut Collector<'_>, &Value, &Path<'_>),
}

/// A row of [`SHAPES`].
macro_rules! shape {
    ($module:ident, $title:literal) => {
        Shape {
            name: stringify!($module),
            title: $title,
            recognises: $module::recognises,
            read: $module::read,
        }
    };
}

/// Every shape, in the order in which they are tried; `generic` takes what no other does.
pub const SHAPES: &[Shape] = &[
    shape!(ble, "Bluetooth LE characteristics as hexadecimal bytes"),
    shape!(openmhealth, "Open mHealth and IEEE 1752.1 data points"),
    shape!(fhir, "FHIR R4 Observation, or a Bundle of them"),
    shape!(dexcom, "Dexcom API: continuous glucose, calibrations"),
    shape!(nightscout, "Nightscout entries"),
    shape!(withings, "Withings measures, sleep summaries and notifications"),
    shape!(omron, "Omron Connect measurement lists"),
    shape!(garmin, "Garmin Health API push summaries"),
    shape!(fitbit, "Fitbit Web API answers"),
    shape!(apple_health, "Apple Health export XML and HealthKit samples"),
    Shape {
        name: "generic",
        title: "plain JSON: measurements by any of their names",
        recognises: |_| true,
        read: generic::read,
    },
];

/// Whether a member called `device` does not name a device of this system: the uploader of a
/// Nightscout entry, the phone's description in a HealthKit sample.
pub(crate) fn device_is_vendors(message: &Value) -> bool {
    nightscout::recognises(message) || apple_health::recognises(message)
}

/// The members of an envelope around a vendor's payload that say what the payload does not.
struct Envelope<'a> {
    payload: &'a Value,
    source: Option<&'a str>,
    zone: Option<Zone>,
    units: Option<UnitSystem>,
}

/// `{"device": …, "source": …, "timezone": …, "unit_system": …, "payload": …}`
fn envelope(message: &Value) -> Option<Envelope<'_>> {
    let text = |names: [&str; 2]| names.iter().find_map(|it| fields::text(message, it));
    Some(Envelope {
        payload: message.get("payload")?,
        source: fields::text(message, "source"),
        zone: text(["timezone", "user_timezone"]).and_then(Zone::parse),
        units: text(["unit_system", "unitSystem"]).map(UnitSystem::of_language),
    })
}

/// The shape of a message: the named one, else the first that recognises it. A name that is no
/// shape counts as none: it may be that of a mapping set.
fn shape_of(message: &Value, source: Option<&str>) -> Option<&'static Shape> {
    let named = source.and_then(|name| SHAPES.iter().find(|it| it.name == name));
    named.or_else(|| SHAPES.iter().find(|it| (it.recognises)(message)))
}

/// Decodes one message. `source` names a shape; without it (or with a name that is none) the message
/// itself tells which shape it has. A vendor's payload may stand alone or in the `payload` member of
/// an object that names `device`, `source`, `timezone` and `unit_system`.
///
/// # Errors
/// [`DecodeError::UnknownShape`] when nothing in the message is known, with every place that was
/// passed over. Values that are known but cannot be taken are in [`Decoded::rejected`].
pub fn decode(
    message: &Value,
    source: Option<&str>,
    context: &Context,
) -> Result<Decoded, DecodeError> {
    if let Some(envelope) = envelope(message) {
        let shape = shape_of(envelope.payload, source.or(envelope.source));
        if let Some(shape) = shape.filter(|it| it.name != "generic") {
            let mut context = context.clone();
            context.zone = envelope.zone.or(context.zone);
            context.units = envelope.units.unwrap_or(context.units);
            let path = Path::Root;
            return read(shape, message, envelope.payload, &path.key("payload"), &context);
        }
    }
    match shape_of(message, source) {
        Some(shape) => read(shape, message, message, &Path::Root, context),
        None => Err(DecodeError::UnknownShape(generic::passed_over(message))),
    }
}

/// The members of a plain message that gave no reading because of their name, for people who ask
/// where a value went. Vendors' payloads are full of members that are none, so for them it is empty.
#[must_use]
pub fn unread(message: &Value, source: Option<&str>) -> Vec<Refusal> {
    let plain = shape_of(message, source).is_some_and(|it| it.name == "generic");
    let mut faults = if plain { generic::passed_over(message) } else { Vec::new() };
    faults.retain(|it| it.code == "unknown-code");
    faults
}

fn read(
    shape: &'static Shape,
    message: &Value,
    payload: &Value,
    path: &Path<'_>,
    context: &Context,
) -> Result<Decoded, DecodeError> {
    let mut collector = Collector::new(context);
    (shape.read)(&mut collector, payload, path);
    let nothing = collector.readings.is_empty()
        && collector.rejected.is_empty()
        && collector.actions.is_empty();
    // A vendor may well say nothing new (no record since the last one); a plain message may not,
    // nor one that was only called a vendor's.
    if nothing && (shape.name == "generic" || !(shape.recognises)(payload)) {
        return Err(DecodeError::UnknownShape(generic::passed_over(message)));
    }
    Ok(collector.finish(shape.name, device_of(message)))
}
