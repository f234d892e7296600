//! Rules over a window, worked out by hand.

use serde_json::json;

use super::*;
use crate::rules::check::parse;

/// Minutes and values of `spo2`; the band after each reading, as seen at it.
fn bands(
    rule: serde_json::Value,
    quality: serde_json::Value,
    readings: &[(i64, &str)],
) -> Vec<String> {
    let set = parse(&json!({ "rules": [rule], "signal_quality": quality })).unwrap();
    let read = |(minute, value): &(i64, &str)| {
        Reading::read("spo2", minute * 60_000, &minute.to_string(), value).unwrap()
    };
    let readings: Vec<Reading> = readings.iter().map(read).collect();
    let seen: Vec<&Reading> = readings.iter().collect();
    (0..seen.len())
        .map(|it| {
            let judged = window(&set, &set.rules[0], &seen[..=it], seen[it].at_ms);
            let band = judged.band.unwrap_or("none");
            if judged.missing.is_empty() { band.to_owned() } else { format!("{band}!") }
        })
        .collect()
}

#[test]
fn a_threshold_waits_and_does_not_flutter() {
    let rule = json!({ "name": "low", "kind": "threshold", "code": "spo2", "unit": "%", "below": 90,
        "clear": 93, "for": "10m" });
    let readings =
        [(0, "89"), (5, "90"), (9, "89"), (10, "88"), (11, "92"), (12, "93"), (13, "90")];
    let want = ["within", "within", "within", "low", "low", "within", "within"];
    assert_eq!(bands(rule, json!([]), &readings), want);
}

#[test]
fn a_gap_makes_no_run() {
    let rule = json!({ "name": "low", "kind": "threshold", "code": "spo2", "unit": "%", "below": 90,
        "for": "10m" });
    assert_eq!(
        bands(rule, json!([]), &[(0, "89"), (21, "89"), (31, "89")]),
        ["within", "within", "low"]
    );
}

#[test]
fn a_change_within_a_time_is_found_both_ways() {
    let rule = json!({ "name": "jump", "kind": "rate", "code": "spo2", "unit": "%", "over": "10m",
        "rise": 5, "fall": 4 });
    let readings = [(0, "95"), (2, "92"), (4, "91"), (6, "96")];
    assert_eq!(bands(rule, json!([]), &readings), ["none!", "steady", "falling", "rising"]);
}

#[test]
fn an_artefact_is_marked_and_a_confirmed_change_counts() {
    let rule =
        json!({ "name": "low", "kind": "threshold", "code": "spo2", "unit": "%", "below": 80 });
    let quality = json!([{ "code": "spo2", "max_change_per_min": 10 }]);
    let artefact = [(0, "97"), (1, "60"), (2, "97")];
    assert_eq!(bands(rule.clone(), quality.clone(), &artefact), ["within", "within!", "within!"]);
    let real = [(0, "97"), (1, "60"), (2, "62")];
    assert_eq!(bands(rule, quality, &real), ["within", "within!", "low"]);
}
