//! What we write is read back by `fhir-sdk`'s own R4B Observation, an independent model.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use auscult_fhir::{Absent, Component, ObservationParts, Value, codings, observation};
use auscult_model::{Quality, Timestamp};
use fhir_sdk::r4b::resources::{Observation, ObservationComponentValue, ObservationEffective};

#[test]
fn an_independent_model_reads_a_blood_pressure_panel() {
    let panel = codings("blood_pressure", Some(("85354-9", "Blood pressure panel")), None, None);
    let systolic = codings("systolic_bp", Some(("8480-6", "Systolic")), None, None);
    let diastolic = codings("diastolic_bp", Some(("8462-4", "Diastolic")), None, None);
    let value =
        Value::Quantity { number: "128.5".parse().unwrap(), ucum: "mm[Hg]", comparator: None };
    let components = [
        Component { codings: &systolic, value, native: None },
        Component { codings: &diastolic, value: Value::Absent(Absent::Error), native: None },
    ];
    let at = Timestamp::parse("2026-11-20T08:00:00.250Z").unwrap();
    let flags = ["irregular_pulse".to_owned()];
    let text = observation(&ObservationParts {
        id: "o1",
        patient: Some("p1"),
        device: "d1",
        category: "vital-signs",
        codings: &panel,
        value: None,
        native: None,
        components: &components,
        effective: at,
        end: None,
        quality: Quality::FutureTime,
        flags: &flags,
        identifier: "d1|150020|2026-11-20T08:00:00.250Z",
        mapping: "catalogue@1",
        received: at,
    })
    .unwrap();
    let read: Observation = serde_json::from_str(&text).unwrap();
    let Some(ObservationEffective::DateTime(fhir_sdk::DateTime::DateTime(instant))) =
        &read.effective
    else {
        panic!("{text}")
    };
    assert_eq!(instant.0.unix_timestamp_nanos(), i128::from(at.unix_ms()) * 1_000_000);
    let first = read.component.first().and_then(Option::as_ref).unwrap();
    let Some(ObservationComponentValue::Quantity(quantity)) = &first.value else {
        panic!("{text}")
    };
    assert_eq!(quantity.value, Some(128.5));
    assert_eq!(read.component.len(), 2);
    assert_eq!(read.note.len(), 1);
}
