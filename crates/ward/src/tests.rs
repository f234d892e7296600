//! What a simulated ward promises.

use std::collections::BTreeSet;

use super::*;

const START: Timestamp = Timestamp::from_unix_ms(1_795_158_000_000);
const HOUR_MS: i64 = 3_600_000;

fn ward(scenario: Scenario, patients: u32, seed: u64) -> Ward {
    Ward::new(Options { patients, scenario, seed, start: START })
}

fn hours(ward: Ward, hours: i64) -> Vec<Step> {
    ward.take_while(|it| it.at < START.plus_ms(hours * HOUR_MS)).collect()
}

fn text(steps: &[Step]) -> String {
    steps.iter().map(|it| format!("{}\n", it.message)).collect()
}

fn numbers(steps: &[Step], device: &str, key: &str) -> Vec<i64> {
    let of_device = steps.iter().filter(|it| it.device == device);
    of_device.filter_map(|it| it.message.get(key)?.as_i64()).collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    for scenario in Scenario::ALL {
        let once = text(&hours(ward(scenario, 8, 7), 3));
        assert_eq!(once, text(&hours(ward(scenario, 8, 7), 3)), "{scenario}");
        assert_ne!(once, text(&hours(ward(scenario, 8, 8), 3)), "{scenario}");
    }
}

#[test]
fn one_more_bed_changes_nothing_in_the_others() {
    let small = hours(ward(Scenario::Mixed, 3, 1), 2);
    let mut large = hours(ward(Scenario::Mixed, 9, 1), 2);
    let known: BTreeSet<String> = ward(Scenario::Mixed, 3, 1).devices().into_iter().collect();
    large.retain(|it| known.contains(&it.device));
    assert_eq!(text(&small), text(&large));
}

#[test]
fn steps_come_in_order_of_time_and_carry_it_inside() {
    let steps = hours(ward(Scenario::Mixed, 8, 3), 4);
    assert!(steps.is_sorted_by_key(|it| it.at));
    for step in &steps {
        let inside = step.message.get("ts").and_then(Value::as_str).and_then(Timestamp::parse);
        assert_eq!(inside, Some(step.at));
        assert_eq!(step.message.get("device").and_then(Value::as_str), Some(step.device.as_str()));
    }
}

#[test]
fn speed_presses_the_same_readings_into_less_time() {
    let slow = hours(ward(Scenario::Deteriorating, 2, 5), 4);
    let end = START.plus_ms(4 * HOUR_MS / 60);
    let fast: Vec<Step> =
        ward(Scenario::Deteriorating, 2, 5).at_speed(60).take_while(|it| it.at < end).collect();
    assert_eq!(numbers(&slow, "mon-1", "HR"), numbers(&fast, "mon-1", "HR"));
}

#[test]
fn every_scenario_does_what_its_name_says() {
    let quarter = |all: Vec<i64>, last: bool| {
        let n = all.len() / 4;
        let part = if last { all.get(all.len() - n..) } else { all.get(..n) };
        part.unwrap_or_default().iter().sum::<i64>() / i64::try_from(n).unwrap()
    };
    // scenario, rise of the heart rate from the first to the last quarter of five hours
    let rows = [
        (Scenario::Steady, -6..6),
        (Scenario::Deteriorating, 20..80),
        (Scenario::Recovering, -80..-20),
        (Scenario::Gaps, -6..6),
    ];
    for (scenario, rise) in rows {
        let all = numbers(&hours(ward(scenario, 1, 11), 5), "mon-1", "HR");
        let got = quarter(all.clone(), true) - quarter(all, false);
        assert!(rise.contains(&got), "{scenario}: {got}");
    }
}

#[test]
fn only_the_noisy_sensor_reports_what_nobody_can_have() {
    for scenario in Scenario::ALL {
        let steps = hours(ward(scenario, 3, 2), 6);
        let odd = numbers(&steps, "mon-1", "SpO2").iter().filter(|it| **it < 50).count();
        assert_eq!(odd > 0, scenario == Scenario::NoisySensor, "{scenario}: {odd}");
    }
}

#[test]
fn gaps_are_longer_than_a_continuous_vital_stays_fresh() {
    let steps = hours(ward(Scenario::Gaps, 1, 4), 12);
    let times: Vec<Timestamp> =
        steps.iter().filter(|it| it.device == "mon-1").map(|it| it.at).collect();
    let longest =
        times.windows(2).filter_map(|it| Some(it.get(1)?.since_ms(*it.first()?))).max().unwrap();
    assert!(longest > HOUR_MS, "{longest}");
}

#[test]
fn the_first_bed_of_the_mixed_ward_falls_ill_and_gets_well_in_one_round() {
    let steps = hours(ward(Scenario::Mixed, 8, 1), 3);
    let of = |key: &str, device: &str| numbers(&steps, device, key);
    // At the height: HR, RR and SpO2 in their 2 and 3 point bands, and oxygen given.
    assert!(of("HR", "mon-1").iter().any(|it| *it >= 111));
    assert!(of("rr", "mon-1").iter().any(|it| *it >= 25));
    assert!(of("SpO2", "mon-1").iter().any(|it| *it <= 93));
    assert!(of("o2_flow", "tab-1").iter().any(|it| *it > 0));
    // And back.
    let last = *of("HR", "mon-1").last().unwrap();
    assert!((51..=90).contains(&last), "{last}");
    assert_eq!(of("o2_flow", "tab-1").last(), Some(&0));
}

#[test]
fn messages_have_the_plain_shapes_of_real_devices() {
    let steps = hours(ward(Scenario::Steady, 2, 1), 1);
    let keys = |device: &str| -> Vec<String> {
        let step = steps.iter().find(|it| it.device == device).unwrap();
        let mut keys: Vec<String> = step.message.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    assert_eq!(keys("mon-1"), ["HR", "SpO2", "device", "rr", "ts"]);
    assert_eq!(keys("cuff-1"), ["device", "dia", "sys", "ts"]);
    assert_eq!(keys("tab-1"), ["acvpu", "device", "o2_flow", "ts"]);
    assert_eq!(keys("therm-1"), ["device", "temp", "ts"]);
    let temp = steps.iter().find(|it| it.device == "therm-2").unwrap();
    assert_eq!(temp.message.pointer("/temp/unit"), Some(&Value::from("F")));
}

#[test]
fn provisioning_names_every_patient_device_and_assignment_once() {
    let ward = ward(Scenario::Steady, 20, 1);
    let bundle = ward.provisioning(START);
    let entries = bundle.get("entry").and_then(Value::as_array).unwrap();
    let urls: BTreeSet<&str> =
        entries.iter().filter_map(|it| it.pointer("/request/url")?.as_str()).collect();
    assert_eq!(urls.len(), 20 + 80 + 80);
    assert_eq!(entries.len(), urls.len());
    assert!(urls.contains("Patient/patient-20") && urls.contains("DeviceUseStatement/use-therm-3"));
    assert_eq!(ward.provisioning(START), bundle);
}

#[test]
fn bundles_by_beds_hold_together_what_the_whole_one_holds() {
    let ward = ward(Scenario::Steady, 20, 1);
    let urls = |bundle: &Value| -> Vec<String> {
        let entries = bundle.get("entry").and_then(Value::as_array).unwrap();
        entries.iter().map(|it| it.pointer("/request/url").unwrap().to_string()).collect()
    };
    let parts: Vec<Value> = ward.provisioning_by_beds(8, START).collect();
    assert_eq!(parts.len(), 3);
    let mut of_parts: Vec<String> = parts.iter().flat_map(urls).collect();
    let mut of_whole = urls(&ward.provisioning(START));
    of_parts.sort();
    of_whole.sort();
    assert_eq!(of_parts, of_whole);
}
