//! Which device a message names.

use serde_json::{Map, Value};

use crate::codes::{NAME_BYTES_MAX, fold};
use crate::shapes::device_is_vendors;

/// Members that name a device, folded, the best first.
const DEVICE_MEMBERS: [&str; 5] =
    ["device", "deviceid", "deviceidentifier", "serialnumber", "deviceserial"];
/// Members of a device object that name it.
const ID_MEMBERS: [&str; 4] = ["id", "identifier", "serialNumber", "reference"];
/// Envelope members that hold the message of the device.
const ENVELOPE_MEMBERS: [&str; 5] = ["body", "Body", "payload", "data", "message"];

/// The device a message names: `device`, `deviceId`, `device_id` …, as text or as an object with an
/// `id`; else the one named inside an envelope member (`body`, `payload`, `data`). `None` where that
/// member is the vendor's word for something else.
#[must_use]
pub fn device_of(message: &Value) -> Option<&str> {
    let map = message.as_object()?;
    if device_is_vendors(message) {
        return None;
    }
    named_in(map).or_else(|| {
        let inner =
            ENVELOPE_MEMBERS.iter().find_map(|it| map.get(*it).filter(|it| it.is_object()))?;
        named_in(inner.as_object()?).filter(|_| !device_is_vendors(inner))
    })
}

/// The device named by a member of this very object.
pub(crate) fn named_in(map: &Map<String, Value>) -> Option<&str> {
    let mut best: Option<(usize, &str)> = None;
    for (key, value) in map {
        let Some(rank) = rank(key) else { continue };
        if best.is_none_or(|(known, _)| rank < known)
            && let Some(name) = name_of(value)
        {
            best = Some((rank, name));
        }
    }
    best.map(|(_, name)| name)
}

/// How well a member of this name names the device.
fn rank(key: &str) -> Option<usize> {
    let mut room = [0; NAME_BYTES_MAX];
    let folded = fold(key, &mut room)?;
    DEVICE_MEMBERS.iter().position(|it| *it == folded)
}

fn name_of(value: &Value) -> Option<&str> {
    let text = match value {
        Value::String(text) => text,
        Value::Object(device) => ID_MEMBERS.iter().find_map(|it| match device.get(*it)? {
            Value::String(text) => Some(text),
            Value::Object(identifier) => match identifier.get("value")? {
                Value::String(text) => Some(text),
                _ => None,
            },
            _ => None,
        })?,
        _ => return None,
    };
    let text = text.trim();
    let text = text.strip_prefix("Device/").unwrap_or(text);
    (!text.is_empty()).then_some(text)
}
