//! Bluetooth LE: one characteristic value as hex, with the time at which the hub received it.
//!
//! `{"characteristic": "0x2A37", "hex": "0048", "received_at": "…", "device": "…"}`. Times inside a
//! frame have no zone: the hub's applies (`timezone` in the message, or the context's). A frame that
//! is cut short or has bytes left over is refused whole as `malformed`.
//! Source: Bluetooth GATT Specification Supplement; Personal Health Devices Transcoding.

mod frame;
mod glucose;
mod oximetry;
mod vitals;

use auscult_model::Timestamp;
use serde_json::Value;

use super::fields::text;
use crate::collector::Collector;
use crate::path::Path;
use crate::zone::{NO_TIME, TimeFault, When, Zone, at, parse_time};

use frame::{Cut, Frame};

/// Longest value of a characteristic (Bluetooth Core, attribute value length).
const FRAME_BYTES_MAX: usize = 512;

/// What the readers of the characteristics need besides the frame.
struct Hub<'a> {
    received: When,
    zone: Option<Zone>,
    session_start: Option<When>,
    path: Path<'a>,
}

/// Reads one characteristic; nothing is taken before the frame was read to its end.
type Reader = fn(&mut Frame<'_>, &Hub<'_>, &mut Collector<'_>) -> Result<(), Cut>;

const CHARACTERISTICS: [(u16, Reader); 8] = [
    (0x2A37, vitals::heart_rate),
    (0x2A35, vitals::blood_pressure),
    (0x2A9D, vitals::weight),
    (0x2A1C, vitals::temperature),
    (0x2A18, glucose::measurement),
    (0x2AA7, glucose::continuous),
    (0x2A5E, oximetry::spot_check),
    (0x2A5F, oximetry::continuous),
];

pub(super) fn recognises(message: &Value) -> bool {
    text(message, "characteristic").is_some() && message.get("hex").is_some()
}

pub(super) fn read(collector: &mut Collector<'_>, message: &Value, path: &Path<'_>) {
    let stated = text(message, "characteristic").and_then(assigned_number);
    let Some((_, reader)) = CHARACTERISTICS.iter().find(|it| Some(it.0) == stated) else {
        let detail = "the catalogue knows no such characteristic";
        collector.refuse(&path.key("characteristic"), "unknown-code", detail);
        return;
    };
    let zone = text(message, "timezone").and_then(Zone::parse).or(collector.context.zone);
    let time = |names: &[&str]| {
        names.iter().find_map(|it| text(message, it)).map(|it| parse_time(it, zone))
    };
    let received = ["received_at", "receivedAt", "ts", "timestamp", "time"];
    let hub = Hub {
        received: time(&received).unwrap_or(Err(NO_TIME)),
        zone,
        session_start: time(&["session_start", "sessionStart"]),
        path: path.key("hex"),
    };
    let Some(bytes) = text(message, "hex").and_then(bytes) else {
        collector.refuse(&hub.path, "malformed", "not bytes in hexadecimal");
        return;
    };
    if reader(&mut Frame::new(&bytes), &hub, collector).is_err() {
        collector.refuse(&hub.path, "malformed", "the frame has too few or too many bytes");
    }
}

/// `0x2A37`, `2a37` or the full UUID.
fn assigned_number(text: &str) -> Option<u16> {
    let text = text.trim();
    let short = match text.len() {
        36 if text.get(8..)?.eq_ignore_ascii_case("-0000-1000-8000-00805f9b34fb") => {
            text.get(..8)?.strip_prefix("0000")?
        }
        _ => text.trim_start_matches("0x").trim_start_matches("0X"),
    };
    (short.len() == 4).then(|| u16::from_str_radix(short, 16).ok())?
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|it| !matches!(it, ' ' | ':' | '-'))
        .take(2 * FRAME_BYTES_MAX + 1)
        .map(|it| it.to_digit(16))
        .collect::<Option<_>>()?;
    if digits.is_empty() || digits.len() % 2 == 1 || digits.len() > 2 * FRAME_BYTES_MAX {
        return None;
    }
    let byte = |pair: &[u32]| pair.iter().fold(0, |high, low| high * 16 + low);
    digits.chunks(2).map(|pair| u8::try_from(byte(pair)).ok()).collect()
}

impl Hub<'_> {
    /// The time a frame states, else the time of receipt.
    fn time(&self, stated: Option<frame::Clock>) -> When {
        let Some(clock) = stated else { return self.received };
        let Some(local) = clock.local() else {
            // The year 0 says "not known", and an impossible date says as much.
            return self.received;
        };
        let zone = self.zone.ok_or(TimeFault {
            code: "missing-zone",
            detail: "the device's clock has no offset and the zone of the hub is not known",
        })?;
        zone.instant(local).map(at)
    }
}

/// A name for readings of one act at one time.
fn group(when: When) -> String {
    let start = when.map_or(Timestamp::from_unix_ms(0), |it| it.start);
    format!("bp@{}", start.unix_ms())
}
