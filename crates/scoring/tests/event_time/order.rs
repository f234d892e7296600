//! Event time decides: any order and any repetition of the same readings ends in the same state.

use auscult_model::events::RecordedObservation;

use proptest::prelude::*;

use crate::common::{Ward, minute, reading};

const CODES: [(&str, [&str; 4]); 9] = [
    ("respiratory_rate", ["16", "22", "26", "8"]),
    ("spo2", ["97", "94", "91", "88"]),
    ("inhaled_oxygen_flow", ["0", "2", "0", "4"]),
    ("inhaled_oxygen_concentration", ["21", "21", "28", "40"]),
    ("systolic_bp", ["120", "105", "95", "85"]),
    ("heart_rate", ["70", "95", "115", "135"]),
    ("pulse_rate", ["72", "97", "117", "137"]),
    ("consciousness_acvpu", ["A", "A", "C", "V"]),
    ("body_temperature", ["37.0", "38.2", "39.4", "34.8"]),
];

/// Readings of `n_patients` patients over `days` days; several share an instant, some an instant
/// and a code.
fn readings(
    n: usize,
    n_patients: usize,
    days: i64,
) -> impl Strategy<Value = Vec<RecordedObservation>> {
    let one = (0..n_patients, 0..CODES.len(), 0..4_usize, 0..days * 144);
    prop::collection::vec(one, n).prop_map(|rows| {
        let row = |(place, (patient, code, value, tens)): (usize, (usize, usize, usize, i64))| {
            let (code, values) = CODES[code];
            let id = format!("o{:03}", (place * 7_919) % 1_000);
            reading(&id, &format!("p{patient}"), code, values[value], minute(tens * 10))
        };
        rows.into_iter().enumerate().map(row).collect()
    })
}

fn state(events: &[Vec<RecordedObservation>]) -> Vec<String> {
    let ward = Ward::new();
    for event in events {
        ward.record(event);
    }
    ward.standing()
}

fn check(readings: &[RecordedObservation], shuffled: &[RecordedObservation], size: usize) {
    let whole = state(&[readings.to_vec()]);
    let mut sorted = readings.to_vec();
    sorted.sort_by_key(|it| it.effective);
    let in_order: Vec<_> = sorted.chunks(10).map(<[_]>::to_vec).collect();
    let mixed: Vec<_> = shuffled.chunks(size).map(<[_]>::to_vec).collect();
    assert!(!whole.is_empty());
    assert_eq!(state(&in_order), whole, "in order");
    assert_eq!(state(&mixed), whole, "shuffled");
}

proptest! {
    // Each case opens three databases on disk; the large case below is the one the promise names.
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn small_sets_in_any_order_and_repetition_end_alike(
        (readings, shuffled, size) in readings(40, 3, 2).prop_flat_map(|it| {
            let twice: Vec<_> = it.iter().chain(it.iter().step_by(3)).cloned().collect();
            (Just(it), Just(twice).prop_shuffle(), 1..9_usize)
        })
    ) {
        check(&readings, &shuffled, size);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, failure_persistence: None, ..Default::default() })]

    #[test]
    fn five_hundred_readings_of_five_patients_over_three_days_end_alike(
        (readings, shuffled, size) in readings(500, 5, 3).prop_flat_map(|it| {
            let twice: Vec<_> = it.iter().chain(it.iter().step_by(2)).cloned().collect();
            (Just(it), Just(twice).prop_shuffle(), 1..40_usize)
        })
    ) {
        check(&readings, &shuffled, size);
    }
}
