//! The ward of the benchmark: monitors that all speak the plain shape of the catalogue.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use auscult_model::Timestamp;
use serde_json::{Value, json};

/// Monitors under load, one a patient: each message of 100 is another patient's.
pub const MONITORS: u64 = 200;
/// Patients who fall ill while the load runs, and are well again after it.
pub const SICK: u64 = 200;
/// Time between two messages of one monitor, in milliseconds.
const STEP_MS: i64 = 1_000;
/// Devices are worn since this long before the first reading, in milliseconds.
const WORN_BEFORE_MS: i64 = 86_400_000;
/// People in one provisioning Bundle, three resources each.
const PEOPLE_A_BUNDLE: usize = 50;

/// Numbers the messages: no two of one run have the same device and time.
#[derive(Debug)]
pub struct Ward {
    start: Timestamp,
    next: AtomicU64,
}

impl Ward {
    /// Readings begin then.
    pub const fn new(start: Timestamp) -> Self {
        Self { start, next: AtomicU64::new(0) }
    }

    /// Everybody, in transaction Bundles.
    pub fn bundles(&self) -> Vec<Value> {
        let people: Vec<String> = people().collect();
        let since = self.start.plus_ms(-WORN_BEFORE_MS);
        people
            .chunks(PEOPLE_A_BUNDLE)
            .map(|it| {
                let entries: Vec<Value> = it.iter().flat_map(|it| resources(it, since)).collect();
                json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries })
            })
            .collect()
    }

    /// What nurses charted at the start and monitors do not know: consciousness and air or oxygen.
    pub fn charted(&self) -> String {
        let at = self.start.plus_ms(-STEP_MS);
        let all: Vec<Value> = (0..MONITORS)
            .map(|it| json!({ "device": monitor(it), "ts": at.to_string(), "acvpu": "A", "o2_flow": 0 }))
            .collect();
        Value::Array(all).to_string()
    }

    /// The next messages as the body of one request: a single message alone, more as an array.
    pub fn body(&self, messages: u64) -> String {
        let first = self.next.fetch_add(messages, Ordering::Relaxed);
        let mut body = String::with_capacity(140 * usize::try_from(messages).unwrap_or_default());
        if messages == 1 {
            self.write(&mut body, first);
            return body;
        }
        for number in first..first + messages {
            body.push(if number == first { '[' } else { ',' });
            self.write(&mut body, number);
        }
        body.push(']');
        body
    }

    /// Five Observations: pulse, saturation, respiration, blood pressure, temperature. Nobody is ill.
    fn write(&self, body: &mut String, number: u64) {
        let turn = number / MONITORS;
        let at = self.start.plus_ms(i64::try_from(turn).unwrap_or(i64::MAX / STEP_MS) * STEP_MS);
        let by = (number.wrapping_mul(2_654_435_761) >> 8) % 10;
        let device = monitor(number % MONITORS);
        body.push_str(&format!(
            r#"{{"device":"{device}","ts":"{at}","hr":{},"spo2":{},"rr":{},"sys":{},"dia":{},"temp":36.{}}}"#,
            66 + by, 96 + by % 4, 13 + by % 6, 118 + by, 72 + by % 7, 5 + by % 5,
        ));
    }
}

/// A full set of a patient who is dying (NEWS2 14) or well (NEWS2 0).
pub fn full_set(sick: u64, at: Timestamp, is_ill: bool) -> String {
    let device = format!("bench-s{sick}");
    let set = if is_ill {
        json!({ "device": device, "ts": at.to_string(), "hr": 118, "spo2": 90, "rr": 26, "sys": 88,
                "dia": 50, "temp": 38.4, "acvpu": "A", "o2_flow": 4 })
    } else {
        json!({ "device": device, "ts": at.to_string(), "hr": 70, "spo2": 98, "rr": 16, "sys": 120,
                "dia": 80, "temp": 37.0, "acvpu": "A", "o2_flow": 0 })
    };
    set.to_string()
}

/// Every body, ready to send: `next` of a load.
pub fn bodies(ward: &Arc<Ward>, messages: u64) -> impl Fn() -> String + Send + Sync + use<> {
    let ward = ward.clone();
    move || ward.body(messages)
}

/// The patient of a webhook, as a number; `None` for anybody else.
pub fn sick_number(patient: &str) -> Option<u64> {
    patient.strip_prefix("p-bench-s")?.parse().ok()
}

fn monitor(number: u64) -> String {
    format!("bench-m{number}")
}

/// Device ids of everybody.
pub fn people() -> impl Iterator<Item = String> {
    (0..MONITORS).map(monitor).chain((0..SICK).map(|it| format!("bench-s{it}")))
}

fn resources(device: &str, since: Timestamp) -> [Value; 3] {
    let entry = |kind: &str, id: String, mut resource: Value| {
        let url = format!("{kind}/{id}");
        if let Some(fields) = resource.as_object_mut() {
            fields.insert("resourceType".to_owned(), kind.into());
            fields.insert("id".to_owned(), id.into());
        }
        json!({ "resource": resource, "request": { "method": "PUT", "url": url } })
    };
    let person = format!("p-{device}");
    [
        entry("Patient", person.clone(), json!({ "birthDate": "1950-01-01" })),
        entry("Device", device.to_owned(), json!({ "status": "active" })),
        entry(
            "DeviceUseStatement",
            format!("use-{device}"),
            json!({
                "status": "active",
                "subject": { "reference": format!("Patient/{person}") },
                "device": { "reference": format!("Device/{device}") },
                "timingPeriod": { "start": since.to_string() },
            }),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_messages_are_of_one_device_and_time() {
        let ward = Ward::new(Timestamp::from_unix_ms(1_760_000_000_000));
        let mut seen = BTreeSet::new();
        for messages in [1, 100, 1, 100, 300] {
            let body: Value = serde_json::from_str(&ward.body(messages)).unwrap();
            let list = if body.is_array() { body.as_array().unwrap().clone() } else { vec![body] };
            for it in list {
                assert!(seen.insert((it["device"].to_string(), it["ts"].to_string())), "{it}");
            }
        }
        assert_eq!(seen.len(), 502);
        assert_eq!(sick_number("p-bench-s17"), Some(17));
        assert_eq!(sick_number("p-bench-m17"), None);
    }
}
