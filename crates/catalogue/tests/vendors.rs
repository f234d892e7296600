//! Vendor payloads: our own, and the reference cases where they are present.

#![expect(
    clippy::unwrap_used,
    reason = "tests stop at the first thing that is not as it should be"
)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use auscult_catalogue::{
    Context, Decoded, LocatedReading, UnitSystem, Zone, decode, parse_time, rule, unit,
};
use auscult_model::Timestamp;
use serde_json::{Value, json};

/// One case: a payload and what it should become.
struct Case<'a> {
    source: &'a str,
    payload: &'a Value,
    context: Context,
    expected: &'a [Value],
    rejected: &'a [Value],
    action: Option<&'a Value>,
}

impl<'a> Case<'a> {
    fn of(case: &'a Value) -> Self {
        let items = |name: &str| case[name].as_array().map_or(&[][..], Vec::as_slice);
        let told = &case["context"];
        let mut context = Context::new(Timestamp::parse("2026-11-22T00:00:00Z").unwrap());
        // The hub of the Bluetooth cases keeps UTC.
        let zone = told["user_timezone"].as_str().unwrap_or("UTC");
        context.zone = Some(Zone::parse(zone).unwrap());
        context.units = UnitSystem::of_language(told["unit_system"].as_str().unwrap_or_default());
        Self {
            source: case["source"].as_str().unwrap(),
            payload: &case["payload"],
            context,
            expected: items("expected"),
            rejected: items("rejected"),
            action: case.get("action"),
        }
    }

    /// What differs, empty when nothing does.
    fn differences(&self, decoded: &Decoded) -> Vec<String> {
        let mut faults = Vec::new();
        if decoded.shape != self.source {
            faults.push(format!("read as {}", decoded.shape));
        }
        // Day values sort at midnight UTC on both sides, whatever their zone.
        let start = |json: &Value| {
            let time = json["time"].as_str().unwrap().split('/').next().unwrap();
            let zone = if time.len() == 10 { Some(Zone::UTC) } else { self.context.zone };
            parse_time(time, zone).unwrap().start
        };
        let key = |json: &Value| {
            let code = json["canonical"].as_str().unwrap().to_owned();
            (start(json), code, json["sequence"].as_u64())
        };
        let mut want: Vec<&Value> = self.expected.iter().collect();
        want.sort_by_key(|it| key(it));
        let mut got: Vec<(&LocatedReading, Value)> =
            decoded.readings.iter().map(|it| (it, it.to_json())).collect();
        got.sort_by_key(|(_, json)| key(json));
        if want.len() != got.len() {
            faults.push(format!("{} readings instead of {}: {got:#?}", got.len(), want.len()));
            return faults;
        }
        let mut groups = HashMap::new();
        for (want, (located, got)) in want.into_iter().zip(&got) {
            for (field, value) in want.as_object().unwrap() {
                let same = match field.as_str() {
                    "value" | "native" => numbers_agree(located, field, value, &got[field]),
                    "time" => self.times_agree(value, &got["time"]),
                    "group" => {
                        let known =
                            groups.entry(value.to_string()).or_insert_with(|| got["group"].clone());
                        !got["group"].is_null() && *known == got["group"]
                    }
                    _ => *value == got[field],
                };
                if !same {
                    faults.push(format!("{field} of {want}: {}", got[field]));
                }
            }
        }
        let reasons: Vec<String> =
            decoded.rejected.iter().map(|it| it.code.replace('-', "_")).collect();
        let wanted: Vec<&str> =
            self.rejected.iter().map(|it| it["reason"].as_str().unwrap()).collect();
        if reasons != wanted {
            faults.push(format!("rejected {:?} instead of {wanted:?}", decoded.rejected));
        }
        for (want, got) in self.rejected.iter().zip(&decoded.rejected) {
            if want["source_id"].as_str() != got.source_id.as_deref() {
                faults.push(format!("source id of {got:?}"));
            }
        }
        let actions: Vec<Value> = decoded
            .actions
            .iter()
            .map(|it| json!([it.fetch, it.start.unix_ms() / 1000, it.end.unix_ms() / 1000]))
            .collect();
        let action = self.action.map(|it| json!([it["fetch"], it["startdate"], it["enddate"]]));
        if actions != action.into_iter().collect::<Vec<_>>() {
            faults.push(format!("actions {actions:?}"));
        }
        faults
    }

    /// The same instants; a date alone is a day and stays one.
    fn times_agree(&self, want: &Value, got: &Value) -> bool {
        let (want, got) = (want.as_str().unwrap(), got.as_str().unwrap());
        if want.len() == 10 || got.len() == 10 {
            return want == got;
        }
        let parse = |it: &str| parse_time(it, self.context.zone).map(|it| it.start);
        want.split('/').map(parse).eq(got.split('/').map(parse))
    }
}

/// Numbers may differ by half a unit of the last decimal of the rule that made them.
fn numbers_agree(located: &LocatedReading, field: &str, want: &Value, got: &Value) -> bool {
    let (Some(wanted), Some(number)) = (want.as_f64(), got.as_f64()) else {
        let parts = |it: &Value| (it["value"].as_f64(), it["unit"].as_str().map(str::to_owned));
        return want == got || field == "native" && parts(want) == parts(got);
    };
    let native = located.reading.native.as_ref();
    let rule = native.and_then(|it| rule(unit(&it.unit)?.ucum, &located.reading.unit));
    let half = rule.map_or(1e-9, |it| 0.5 * 0.1_f64.powi(it.digits as i32));
    (wanted - number).abs() <= half
}

/// Decodes every case of the folder, with and without naming the shape.
fn check_folder(folder: &Path) -> usize {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    let (mut passed, mut faults) = (0, Vec::new());
    for file in files.iter().filter(|it| it.extension().is_some_and(|it| it == "json")) {
        let text = std::fs::read_to_string(file).unwrap();
        let cases: Value = serde_json::from_str(&text).unwrap();
        for value in cases.as_array().unwrap() {
            let case = Case::of(value);
            let wrapped = json!({"device": "d", "source": case.source, "payload": case.payload,
                "timezone": value["context"]["user_timezone"].as_str().unwrap_or("UTC"),
                "unit_system": value["context"]["unit_system"]});
            let plain = Context::new(case.context.received);
            let found = [
                decode(case.payload, Some(case.source), &case.context),
                decode(case.payload, None, &case.context),
                decode(&wrapped, None, &plain),
            ];
            let before = faults.len();
            for (way, decoded) in ["named", "recognised", "in an envelope"].iter().zip(found) {
                match decoded {
                    Ok(decoded) => {
                        let found = case.differences(&decoded);
                        faults
                            .extend(found.iter().map(|it| format!("{} {way}: {it}", value["id"])));
                    }
                    Err(error) => faults.push(format!("{} {way}: {error:?}", value["id"])),
                }
            }
            passed += usize::from(faults.len() == before);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    passed
}

#[test]
fn our_own_payloads_of_every_shape_become_their_readings() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    println!("{n} of {n} own cases", n = check_folder(&folder));
}

#[test]
fn the_reference_payloads_become_their_readings() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = root.join("../shared/reference/domain/payloads");
    if !folder.is_dir() {
        println!("not compared: the reference payloads are not present");
        return;
    }
    println!("{n} of {n} reference cases", n = check_folder(&folder));
}

#[test]
fn a_vendors_hardware_id_counts_only_when_nobody_names_the_device() {
    let record = |id: &str, tx: &str| {
        json!({"recordId": id, "systemTime": "2026-11-20T08:00:00Z",
        "value": 101, "unit": "mg/dL", "transmitterId": tx})
    };
    let message = |second: &str| {
        json!({"recordType": "egv",
        "records": [record("a", "tx-1"), record("b", second)]})
    };
    let device = |message: &Value| {
        let context = Context::new(Timestamp::parse("2026-11-20T08:00:00Z").unwrap());
        let decoded = decode(message, None, &context).unwrap();
        assert!(decoded.readings.iter().all(|it| it.device.is_none()));
        decoded.device
    };
    assert_eq!(device(&message("tx-1")).as_deref(), Some("tx-1"));
    assert_eq!(device(&message("tx-2")), None);
    let wrapped = json!({"device": "cgm-7", "payload": message("tx-1")});
    assert_eq!(device(&wrapped).as_deref(), Some("cgm-7"));
}
