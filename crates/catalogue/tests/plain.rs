//! The plain shape: what a member means, and why one is refused.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests stop at the first thing that is not as it should be"
)]

use auscult_catalogue::{Context, DecodeError, Zone, decode, device_of, unread};
use auscult_model::{ReadingValue, Timestamp};
use serde_json::{Value, json};

fn context() -> Context {
    Context::new(Timestamp::parse("2026-11-20T08:00:30Z").unwrap())
}

/// `code value unit` of each reading, with quality and comparator when they say something, and
/// `path code` of each refusal.
fn check(message: &str, want: &[&str]) {
    check_in(&context(), message, want);
}

fn check_in(context: &Context, message: &str, want: &[&str]) {
    let message: Value = serde_json::from_str(message).unwrap();
    let decoded = match decode(&message, None, context) {
        Ok(decoded) => decoded,
        Err(error) => panic!("{message}: {error}: {:?}", error.faults()),
    };
    let mut got: Vec<String> = Vec::new();
    for it in &decoded.readings {
        let reading = &it.reading;
        let value = match &reading.value {
            ReadingValue::Number(number) => number.to_string(),
            ReadingValue::Text(text) => text.clone(),
        };
        let mut line = format!("{} {value} {}", reading.code, reading.unit);
        if reading.quality.as_str() != "accepted" {
            line.push_str(&format!(" {}", reading.quality.as_str()));
        }
        if let Some(sign) = &reading.comparator {
            line.push_str(&format!(" {sign}"));
        }
        got.push(line.trim().to_owned());
    }
    got.extend(decoded.rejected.iter().map(|it| format!("{} {}", it.path, it.code)));
    got.sort();
    let mut want: Vec<String> = want.iter().map(|it| (*it).to_owned()).collect();
    want.sort();
    assert_eq!(got, want, "{message}");
}

const T: &str = r#""ts":"2026-11-20T08:00:00Z""#;

#[test]
fn a_member_is_known_by_any_of_its_names() {
    let rows = [
        (r#""HR":104"#, "heart_rate 104 /min"),
        (r#""heart-rate":104"#, "heart_rate 104 /min"),
        (r#""heartRate":"104""#, "heart_rate 104 /min"),
        (r#""SpO2":93"#, "spo2 93 %"),
        (r#""o2_sat":93"#, "spo2 93 %"),
        (r#""Resp_Rate":22"#, "respiratory_rate 22 /min"),
        (r#""SBP":98"#, "systolic_bp 98 mm[Hg]"),
        (r#""mean arterial pressure":70"#, "mean_bp 70 mm[Hg]"),
        (r#""o2_flow":2"#, "inhaled_oxygen_flow 2 L/min"),
        (r#""o2_flow":0"#, "inhaled_oxygen_flow 0 L/min"),
        (r#""supplemental_o2":false"#, "inhaled_oxygen_flow 0 L/min"),
        (r#""supplemental_o2":"room air""#, "inhaled_oxygen_flow 0 L/min"),
        (r#""fio2":28"#, "inhaled_oxygen_concentration 28 %"),
        (r#""acvpu":"V""#, "consciousness_acvpu V"),
        (r#""AVPU":"alert""#, "consciousness_acvpu A"),
        (r#""consciousness":"new confusion""#, "consciousness_acvpu C"),
        (r#""weight":80.5"#, "body_weight 80.5 kg"),
        (r#""fall_detected":true"#, "fall_event true"),
        (r#""cgm":118"#, "glucose_isf_mass 118 mg/dL"),
    ];
    for (member, want) in rows {
        check(&format!("{{{T},{member}}}"), &[want]);
    }
}

#[test]
fn a_unit_may_stand_beside_the_value_behind_the_name_or_in_the_text() {
    let rows = [
        (r#""temp":{"value":101.3,"unit":"F"}"#, "body_temperature 38.5 Cel"),
        (r#""temp":101.3,"temp_unit":"F""#, "body_temperature 38.5 Cel"),
        (r#""temp":101.3,"tempUnit":"°F""#, "body_temperature 38.5 Cel"),
        (r#""temp":101.3,"unit":"F""#, "body_temperature 38.5 Cel"),
        (r#""temp_f":101.3"#, "body_temperature 38.5 Cel"),
        (r#""tempF":101.3"#, "body_temperature 38.5 Cel"),
        (r#""temp":"101.3 F""#, "body_temperature 38.5 Cel"),
        (r#""code":"temp","value":101.3,"unit":"F""#, "body_temperature 38.5 Cel"),
        (r#""sys":{"value":16,"unit":"kPa"}"#, "systolic_bp 120 mm[Hg]"),
        (r#""weight_lb":165.3"#, "body_weight 74.98 kg"),
        (r#""glucose":{"value":5.5,"unit":"mmol/L"}"#, "glucose_blood_mass 99 mg/dL"),
        (r#""glucose":{"value":"<40","unit":"mg/dL"}"#, "glucose_blood_mass 40 mg/dL <"),
        (r#""spo2":{"value":0.97,"unit":"1"}"#, "spo2 97 %"),
        (r#""fio2":{"value":0.21,"unit":"1"}"#, "inhaled_oxygen_concentration 21 %"),
        (r#""hr":{"value":72,"unit":"bpm"}"#, "heart_rate 72 /min"),
        (r#""steps":{"value":900,"unit":"count"}"#, "step_count 900 {steps}"),
    ];
    for (member, want) in rows {
        check(&format!("{{{T},{member}}}"), &[want]);
    }
}

#[test]
fn an_implausible_value_is_kept_and_never_read_as_another_unit() {
    let rows = [
        (r#""temp":98.6"#, "body_temperature 98.6 Cel out-of-plausible-range"),
        (r#""temp":45"#, "body_temperature 45 Cel"),
        (r#""temp":45.01"#, "body_temperature 45.01 Cel out-of-plausible-range"),
        (r#""hr":19"#, "heart_rate 19 /min out-of-plausible-range"),
        (r#""hr":300"#, "heart_rate 300 /min"),
        (r#""spo2":0.97"#, "spo2 0.97 % out-of-plausible-range"),
        (r#""hr":{"value":72,"valid":false}"#, "heart_rate 72 /min device-invalid"),
    ];
    for (member, want) in rows {
        check(&format!("{{{T},{member}}}"), &[want]);
    }
}

#[test]
fn a_refusal_names_the_place_and_the_rule() {
    let rows = [
        (r#""HR":1e308"#, "/HR number-out-of-range"),
        (r#""HR":"fast""#, "/HR not-a-number"),
        (r#""HR":"NaN""#, "/HR not-a-number"),
        (r#""HR":null"#, "/HR no-value"),
        (r#""HR":"""#, "/HR no-value"),
        (r#""HR":true"#, "/HR not-a-number"),
        (r#""HR":[72,73]"#, "/HR missing-time"),
        (r#""HR":{}"#, "/HR no-value"),
        (r#""temp":{"value":38,"unit":"Rankine"}"#, "/temp/value unknown-unit"),
        (r#""temp":{"value":38,"unit":"kg"}"#, "/temp/value unknown-unit"),
        (r#""spo2":{"value":97,"unit":"1"}"#, "/spo2/value number-out-of-range"),
        (r#""acvpu":"X""#, "/acvpu unknown-value"),
        (r#""acvpu":{"value":"sleepy"}"#, "/acvpu/value unknown-value"),
        (r#""bp":"high""#, "/bp not-a-number"),
        (r#""bp":120"#, "/bp not-a-number"),
        (r#""code":"aura","value":3"#, "/code unknown-code"),
        (r#""supplemental_o2":true"#, "/supplemental_o2 not-a-number"),
    ];
    for (member, want) in rows {
        check(&format!("{{{T},{member}}}"), &[want]);
    }
}

#[test]
fn times_are_instants_or_refused() {
    let rows = [
        (r#""ts":"2026-11-20T08:00:00Z""#, "heart_rate 72 /min"),
        (r#""timestamp":"2026-11-20T09:00:00+01:00""#, "heart_rate 72 /min"),
        (r#""time":"2026-11-20 09:00:00 +0100""#, "heart_rate 72 /min"),
        (r#""measured_at":1795161600"#, "heart_rate 72 /min"),
        (r#""dateTime":1795161600000"#, "heart_rate 72 /min"),
        (r#""date":"2026-11-20","time":"08:00:00","timezone":"UTC""#, "heart_rate 72 /min"),
        (r#""date":"2026-11-20""#, "heart_rate 72 /min summary"),
        (r#""ts":"2026-11-20T08:05:30Z""#, "heart_rate 72 /min"),
        (r#""ts":"2026-11-20T08:05:31Z""#, "heart_rate 72 /min future-time"),
        (r#""device":"m""#, "/hr missing-time"),
        (r#""ts":null"#, "/hr missing-time"),
        (r#""ts":"yesterday""#, "/hr missing-time"),
        (r#""ts":"2026-11-20T08:00:00""#, "/hr missing-zone"),
        (r#""ts":"1989-12-31T23:59:59Z""#, "/hr implausible-time"),
        (r#""ts":"1970-01-01T00:00:00Z""#, "/hr implausible-time"),
        (r#""ts":0"#, "/hr implausible-time"),
        (r#""ts":1e300"#, "/hr implausible-time"),
    ];
    for (member, want) in rows {
        check(&format!("{{{member},\"hr\":72}}"), &[want]);
    }
}

#[test]
fn a_known_zone_makes_a_wall_clock_time_an_instant() {
    let rows = [
        ("+01:00", "2026-11-20T09:00:00", "2026-11-20T08:00:00.000Z"),
        ("Europe/Paris", "2026-11-20T09:00:00", "2026-11-20T08:00:00.000Z"),
        ("Europe/Paris", "2026-07-20T09:00", "2026-07-20T07:00:00.000Z"),
        // Clocks are put back at 03:00; of the two the earlier.
        ("Europe/Paris", "2026-10-25T02:30:00", "2026-10-25T00:30:00.000Z"),
    ];
    for (zone, time, want) in rows {
        let context = Context { zone: Zone::parse(zone), ..context() };
        let decoded = decode(&json!({"ts": time, "hr": 72}), None, &context).unwrap();
        assert_eq!(decoded.readings[0].reading.effective.to_string(), want, "{zone} {time}");
    }
    let context = Context { zone: Zone::parse("Europe/Paris"), ..context() };
    check_in(&context, r#"{"ts":"2026-03-29T02:30:00","hr":72}"#, &["/hr implausible-time"]);
}

#[test]
fn readings_may_be_nested_and_have_times_of_their_own() {
    check(
        r#"{"device":"m","readings":[
            {"ts":"2026-11-20T08:00:00Z","HR":70},
            {"ts":"2026-11-20T08:00:10Z","vitals":{"HR":71,"bp":{"sys":120,"dia":80}}},
            {"code":"8867-4","value":72,"time":"2026-11-20T08:00:20Z"},
            {"type":"MDC_PULS_OXIM_SAT_O2","value":97,"time":"2026-11-20T08:00:20Z"},
            {"measurement":"rr","value":16}
        ]}"#,
        &[
            "heart_rate 70 /min",
            "heart_rate 71 /min",
            "heart_rate 72 /min",
            "spo2 97 %",
            "systolic_bp 120 mm[Hg]",
            "diastolic_bp 80 mm[Hg]",
            "/readings/4/value missing-time",
        ],
    );
    check(
        r#"{"HR":[{"value":70,"ts":"2026-11-20T08:00:00Z"},{"value":71,"ts":"2026-11-20T08:00:01Z"}]}"#,
        &["heart_rate 70 /min", "heart_rate 71 /min"],
    );
    check(
        r#"[{"ts":"2026-11-20T08:00:00Z","HR":70},{"ts":"2026-11-20T08:00:01Z","HR":71}]"#,
        &["heart_rate 70 /min", "heart_rate 71 /min"],
    );
}

#[test]
fn limits_and_settings_are_not_readings() {
    check(
        &format!(r#"{{{T},"hr":72,"alarmLimits":{{"hr":130}},"previous":{{"hr":71}}}}"#),
        &["heart_rate 72 /min"],
    );
}

#[test]
fn a_short_name_counts_only_in_its_device_class() {
    check(&format!(r#"{{{T},"hr":72,"rate":5,"t":38}}"#), &["heart_rate 72 /min"]);
    check(&format!(r#"{{{T},"deviceClass":"infusion_pump","rate":5}}"#), &["infusion_rate 5 mL/h"]);
    let context = Context { device_class: Some("thermometer".into()), ..context() };
    check_in(&context, &format!(r#"{{{T},"t":38}}"#), &["body_temperature 38 Cel"]);
}

#[test]
fn pressures_of_one_time_share_a_group_however_they_are_written() {
    let group = |message: Value| {
        let decoded = decode(&message, None, &context()).unwrap();
        let groups: Vec<_> =
            decoded.readings.iter().filter_map(|it| it.reading.group.clone()).collect();
        assert_eq!(groups.len(), 2, "{message}");
        assert_eq!(groups[0], groups[1], "{message}");
        groups[0].clone()
    };
    let flat = group(json!({"ts": "2026-11-20T08:00:00Z", "sys": 120, "dia": 80, "hr": 72}));
    let text = group(json!({"ts": "2026-11-20T08:00:00Z", "bp": "120/80"}));
    let nested = group(json!({"readings": [{"ts": "2026-11-20T08:00:00Z",
        "bloodPressure": {"Systolic": 120, "Diastolic": 80}}]}));
    assert!(flat == text && text == nested);
}

#[test]
fn a_converted_value_keeps_what_was_sent_and_the_exact_result() {
    let message = json!({"ts": "2026-11-20T08:00:00Z", "sys": {"value": 10.7, "unit": "kPa"}});
    let decoded = decode(&message, None, &context()).unwrap();
    let it = &decoded.readings[0];
    assert_eq!(it.path, "/sys/value");
    assert_eq!(it.exact.unwrap().round_dp(9).to_string(), "80.256588615");
    let native = it.reading.native.as_ref().unwrap();
    assert_eq!(serde_json::to_string(native).unwrap(), r#"{"value":10.7,"unit":"kPa"}"#);
    let plain = decode(&json!({"ts": "2026-11-20T08:00:00Z", "hr": 72.4}), None, &context());
    assert_eq!(plain.unwrap().readings[0].reading.native, None);
}

#[test]
fn a_message_in_which_nothing_is_known_is_an_error_that_names_every_member() {
    let message = json!({"device": "m", "ts": "2026-11-20T08:00:00Z", "hart": 72, "a/b": [1],
        "data": {"x": 1}});
    let DecodeError::UnknownShape(faults) = decode(&message, None, &context()).unwrap_err();
    let places: Vec<_> = faults.iter().map(|it| (it.path.as_str(), it.code)).collect();
    assert_eq!(
        places,
        [
            ("/a~1b", "unknown-code"),
            ("/data/x", "unknown-code"),
            ("/device", "not-a-measurement"),
            ("/hart", "unknown-code"),
            ("/ts", "not-a-measurement"),
        ]
    );
    for message in [json!(null), json!(7), json!("text"), json!([]), json!({}), json!([[]])] {
        let error = decode(&message, None, &context()).unwrap_err();
        assert!(!error.faults().is_empty(), "{message}");
    }
}

#[test]
fn a_member_that_gave_nothing_because_of_its_name_can_be_asked_for() {
    let message = json!({"device": "m", "ts": "2026-11-20T08:00:00Z", "hr": 72, "hart_rate": 72,
        "t": 38, "vitals": {"spo3": 97}});
    let faults = unread(&message, None);
    let places: Vec<_> = faults.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(places, ["/hart_rate", "/t", "/vitals/spo3"]);
    assert!(faults[1].detail.contains("device class"));
}

#[test]
fn a_message_names_its_device() {
    let rows = [
        (json!({"device": "a"}), Some("a")),
        (json!({"deviceId": "a"}), Some("a")),
        (json!({"device_id": " a "}), Some("a")),
        (json!({"serialNumber": "b", "device": "a"}), Some("a")),
        (json!({"device": {"id": "a", "type": "monitor"}}), Some("a")),
        (json!({"device": {"reference": "Device/a"}}), Some("a")),
        (json!({"device": {"identifier": {"value": "a"}}}), Some("a")),
        (json!({"Body": {"deviceId": "a"}, "Properties": {}}), Some("a")),
        (
            json!({"device": "xDrip", "type": "sgv", "sgv": 104, "date": 1_795_161_600_000_i64}),
            None,
        ),
        (json!({"device": ""}), None),
        (json!({"device": 7}), None),
        (json!([{"device": "a"}]), None),
    ];
    for (message, want) in rows {
        assert_eq!(device_of(&message), want, "{message}");
    }
}

#[test]
fn readings_of_several_devices_in_one_message_keep_theirs() {
    let message = json!({"device": "hub", "ts": "2026-11-20T08:00:00Z", "hr": 72,
        "readings": [{"device": "cuff", "sys": 120, "dia": 80}]});
    let decoded = decode(&message, None, &context()).unwrap();
    assert_eq!(decoded.device.as_deref(), Some("hub"));
    let devices: Vec<_> = decoded
        .readings
        .iter()
        .map(|it| (it.reading.code.as_str(), it.device.as_deref()))
        .collect();
    assert_eq!(
        devices,
        [("heart_rate", None), ("diastolic_bp", Some("cuff")), ("systolic_bp", Some("cuff"))]
    );
}
