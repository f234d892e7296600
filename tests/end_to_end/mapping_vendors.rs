//! Vendors' payloads, unchanged, with no mapping installed: every reading, whole, and every refusal.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use auscult_model::Timestamp;
use auscult_tests::{Program, shared};
use serde_json::{Value, json};

use crate::pipeline::entries;
use crate::real_input::json_files;

const LOINC: &str = "http://loinc.org";
const MDC: &str = "urn:iso:std:iso:11073:10101";

/// System and code of each measurement, by its name in the code table.
type Codes = HashMap<String, Vec<(&'static str, String)>>;

fn codes(path: &std::path::Path) -> Result<Codes> {
    let mut codes = Codes::new();
    for row in csv::Reader::from_path(path)?.deserialize() {
        let row: HashMap<String, String> = row?;
        let one = |system, member: &str| {
            row.get(member).filter(|it| !it.is_empty()).map(|it| (system, it.clone()))
        };
        let known = [one(LOINC, "loinc"), one(MDC, "mdc_code")].into_iter().flatten();
        codes.insert(row["canonical"].clone(), known.collect());
    }
    Ok(codes)
}

/// One served value: an Observation, or a component with what it has from its Observation.
struct Served<'a> {
    observation: &'a Value,
    holder: &'a Value,
}

impl<'a> Served<'a> {
    fn all(bundle: &'a Value) -> Vec<Self> {
        let mut served = Vec::new();
        for observation in entries(bundle) {
            match observation["component"].as_array() {
                None => served.push(Self { observation, holder: observation }),
                Some(components) => {
                    served.extend(components.iter().map(|holder| Self { observation, holder }))
                }
            }
        }
        served
    }

    fn has(&self, codings: &[(&str, String)]) -> bool {
        let mine = self.holder["code"]["coding"].as_array();
        codings.iter().all(|(system, code)| {
            let is = |it: &Value| it["system"] == *system && it["code"] == *code;
            mine.into_iter().flatten().any(is)
        })
    }

    /// Every member of the expected reading that is served otherwise.
    fn differs(&self, want: &Value) -> Vec<String> {
        let quantity = &self.holder["valueQuantity"];
        let notes: Vec<&str> = self.observation["note"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|it| it["text"].as_str())
            .collect();
        let noted = |it: &str| notes.contains(&it);
        let mut differs = Vec::new();
        for (member, value) in want.as_object().into_iter().flatten() {
            let text = value.as_str().unwrap_or_default();
            let same = match member.as_str() {
                // Asked for by `has`.
                "canonical" => true,
                // In no Observation: names the reading, and so its Observation, for good.
                "source_id" => true,
                "group" => true,
                "value" => match value.as_f64() {
                    Some(number) => quantity["value"].as_f64().is_some_and(|it| close(it, number)),
                    None => self.holder["valueCodeableConcept"]["coding"][0]["code"] == *value,
                },
                "unit" if text.is_empty() => quantity.is_null(),
                "unit" => quantity["code"] == text,
                "comparator" => quantity["comparator"] == text,
                "native" => {
                    let sent = &quantity["extension"][0]["valueQuantity"];
                    sent["value"].as_f64() == value["value"].as_f64()
                        && sent["unit"] == value["unit"]
                }
                "time" => self.at(text, &notes),
                "granularity" => notes.iter().any(|it| it.starts_with("day:")),
                "statistic" | "trend" => noted(&format!("{member}:{text}")),
                "sequence" => noted(&format!("sequence:{value}")),
                "flags" => {
                    value.as_array().into_iter().flatten().filter_map(Value::as_str).all(noted)
                }
                _ => false,
            };
            if !same {
                differs.push(format!("{member} {value}"));
            }
        }
        differs
    }

    /// The instant, the period `start/end`, or the day.
    fn at(&self, want: &str, notes: &[&str]) -> bool {
        if want.len() == "2026-11-20".len() {
            return notes.contains(&format!("day:{want}").as_str());
        }
        // A wall clock of the hub, which keeps UTC.
        let instant =
            |it: &str| Timestamp::parse(it).or_else(|| Timestamp::parse(&format!("{it}Z")));
        let mine = |it: &Value| it.as_str().and_then(Timestamp::parse);
        match want.split_once('/') {
            None => mine(&self.observation["effectiveDateTime"]) == instant(want),
            Some((start, end)) => {
                let period = &self.observation["effectivePeriod"];
                mine(&period["start"]) == instant(start) && mine(&period["end"]) == instant(end)
            }
        }
    }
}

/// The last decimal of a rounded conversion may differ by one half.
fn close(served: f64, want: f64) -> bool {
    (served - want).abs() <= 1e-9
}

/// A payload that says neither whose wall clock nor which account it is of travels in an envelope that does.
fn message(case: &Value, device: &str) -> Value {
    let (payload, context) = (&case["payload"], &case["context"]);
    let local = ["fitbit", "ble"].contains(&case["source"].as_str().unwrap_or_default());
    if payload.is_object() && !local {
        return payload.clone();
    }
    json!({
        "device": device, "source": case["source"], "payload": payload,
        "timezone": context["user_timezone"].as_str().unwrap_or("UTC"),
        "unit_system": context["unit_system"],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_vendors_payload_is_served_whole_without_a_mapping() -> Result<()> {
    let (Some(folder), Some(table)) =
        (shared("reference/domain/payloads"), shared("reference/domain/codes/measurements.csv"))
    else {
        return Ok(());
    };
    let codes = codes(&table)?;
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    let mut sent = Vec::new();
    for (_, cases) in json_files(&folder)? {
        for case in cases.as_array().into_iter().flatten() {
            let name = case["id"].as_str().context("a case has an id")?.to_owned();
            let device = case["payload"]["device"].as_str().unwrap_or(&name).to_owned();
            let token = program.token(&device, &[&device]).await?;
            let body = message(case, &device).to_string();
            let answer = program.ingest(&token, "application/json", body).await?;
            assert_eq!(answer.lines(), ["accepted"], "{name}: {answer:?}");
            let id = answer.body["results"][0]["id"].as_str().unwrap_or_default().to_owned();
            sent.push((name, device, id, case.clone()));
        }
    }
    program.drained().await?;
    let mut faults = Vec::new();
    for (name, device, id, case) in &sent {
        let path = format!("/fhir/Observation?device={device}&_count=200");
        let bundle = program.get(&path).await?.body;
        let mut served = Served::all(&bundle);
        for want in case["expected"].as_array().into_iter().flatten() {
            let code = want["canonical"].as_str().context("a reading has a name")?;
            let codings = codes.get(code).with_context(|| format!("{code} is in the table"))?;
            let mut near = Vec::new();
            let found = served.iter().position(|it| {
                let differs = it.differs(want);
                let found = it.has(codings);
                if found {
                    near.push(differs.join(", "));
                }
                found && near.last().is_some_and(String::is_empty)
            });
            match found {
                Some(at) => drop(served.swap_remove(at)),
                None => faults.push(format!("{name}: {code} differs in {near:?}")),
            }
        }
        faults.extend(served.iter().map(|it| format!("{name}: too much: {}", it.holder)));
        faults.extend(parted(&name, case, &bundle, &codes));
        let trace = program.get(&format!("/trace/{id}")).await?.body;
        let refused: Vec<&str> = trace["steps"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|it| it["detail"]["problem"]["errors"].as_array())
            .flatten()
            .filter_map(|it| it["code"].as_str())
            .collect();
        let want = case["rejected"].as_array().into_iter().flatten();
        let mut want: Vec<String> =
            want.filter_map(|it| it["reason"].as_str()).map(|it| it.replace('_', "-")).collect();
        if case.get("action").is_some() {
            // It carries no value, only the advice to fetch some, and says so.
            want.push("no-reading".to_owned());
        }
        if refused != want {
            faults.push(format!("{name}: refused {refused:?} instead of {want:?}"));
        }
    }
    let whole = |name: &String| !faults.iter().any(|it| it.starts_with(&format!("{name}:")));
    let count = sent.iter().filter(|(name, ..)| whole(name)).count();
    println!("vendor payloads: {count} of {} served whole", sent.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(sent.len(), 25);
    Ok(())
}

/// Systolic and diastolic pressure of one act are served as one Observation.
fn parted(name: &str, case: &Value, bundle: &Value, codes: &Codes) -> Option<String> {
    let expected = case["expected"].as_array().cloned().unwrap_or_default();
    let group = |code: &str| expected.iter().find(|it| it["canonical"] == code)?.get("group");
    let (Some(upper), Some(lower)) = (group("systolic_bp"), group("diastolic_bp")) else {
        return None;
    };
    let together = entries(bundle).into_iter().any(|observation| {
        let components = observation["component"].as_array();
        let has = |code: &str| {
            components.into_iter().flatten().any(|holder| {
                codes.get(code).is_some_and(|it| Served { observation, holder }.has(it))
            })
        };
        has("systolic_bp") && has("diastolic_bp")
    });
    (upper == lower && !together).then(|| format!("{name}: a blood pressure in two parts"))
}
