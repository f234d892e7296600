//! Messages of plain shape, as bedside devices send them.

use auscult_model::Timestamp;
use serde_json::{Value, json};

/// Now, in whole milliseconds.
#[expect(clippy::disallowed_methods, reason = "tests send readings of now")]
pub fn now() -> Timestamp {
    Timestamp::from_unix_ms(chrono::Utc::now().timestamp_millis())
}

/// NEWS2 0: everything in the middle of its band.
pub fn well(device: &str, at: Timestamp) -> Value {
    json!({
        "device": device, "ts": at.to_string(), "hr": 70, "spo2": 98, "rr": 16, "sys": 120, "dia": 80,
        "temp": 37.0, "acvpu": "A", "o2_flow": 0,
    })
}

/// NEWS2 14: respiratory rate 3, saturation 3, oxygen 2, pressure 3, pulse 2, temperature 1.
pub fn ill(device: &str, at: Timestamp) -> Value {
    json!({
        "device": device, "ts": at.to_string(), "hr": 118, "spo2": 90, "rr": 26, "sys": 88, "dia": 50,
        "temp": 38.4, "acvpu": "A", "o2_flow": 4,
    })
}
