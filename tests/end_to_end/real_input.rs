//! Real input, unchanged: sample messages with their mapping files, and vendors' payloads.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};
use auscult_model::Timestamp;
use auscult_tests::{Program, shared};
use serde_json::{Value, json};

use crate::pipeline::entries;

fn json_files(folder: &Path) -> Result<Vec<(String, Value)>> {
    let mut files = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_some_and(|it| it == "json") {
            files.push((name, serde_json::from_str(&std::fs::read_to_string(&path)?)?));
        }
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(files)
}

/// Every value a device's Observations hold, as `time value`.
async fn served(program: &Program, device: &str) -> Result<BTreeSet<String>> {
    let bundle = program.get(&format!("/fhir/Observation?device={device}&_count=200")).await?.body;
    let mut values = BTreeSet::new();
    for resource in entries(&bundle) {
        let at = resource["effectiveDateTime"]
            .as_str()
            .or(resource["effectivePeriod"]["start"].as_str());
        let at = at.and_then(Timestamp::parse).context("an Observation has a time")?;
        let components = resource["component"].as_array().into_iter().flatten();
        for it in std::iter::once(resource).chain(components) {
            if let Some(number) = it["valueQuantity"]["value"].as_f64() {
                values.insert(format!("{at} {number:.2}"));
            }
            for text in [&it["valueString"], &it["valueCodeableConcept"]["coding"][0]["code"]] {
                if let Some(text) = text.as_str() {
                    values.insert(format!("{at} {text}"));
                }
            }
        }
    }
    Ok(values)
}

#[tokio::test(flavor = "multi_thread")]
async fn sample_messages_run_through_their_mapping_files() -> Result<()> {
    let Some(folder) = shared("corpus/iomt-fhir/normalize") else { return Ok(()) };
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    let mut checked = 0;
    for (name, case) in json_files(&folder)? {
        let expected = case["expected"].as_array().cloned().unwrap_or_default();
        let sample = name.contains("-sample-") && case.get("message").is_some();
        if !sample || expected.is_empty() || case.get("expectedError").is_some() {
            continue;
        }
        let mapping = case["id"].as_str().context("a case has an id")?;
        let put = program.put(&format!("/mappings/{mapping}"), &case["deviceMapping"]).await?;
        assert_eq!(put.status, 200, "{name}: {put:?}");
        let devices: BTreeSet<&str> =
            expected.iter().filter_map(|it| it["deviceId"].as_str()).collect();
        let devices: Vec<&str> = devices.into_iter().collect();
        let token = program.token(&format!("gateway-{mapping}"), &devices).await?;
        let path = format!("/ingest?source={mapping}");
        let answer = program
            .ingest_at(&path, &token, "application/json", case["message"].to_string())
            .await?;
        assert_eq!(answer.status, 202, "{name}: {answer:?}");
        program.drained().await?;
        for measurement in &expected {
            let device = measurement["deviceId"].as_str().unwrap_or_default();
            let at = measurement["occurrenceTimeUtc"].as_str().and_then(Timestamp::parse);
            let at = at.context("a measurement has a time")?;
            let served = served(&program, device).await?;
            for (property, value) in measurement["properties"].as_object().into_iter().flatten() {
                let value = value.as_str().unwrap_or_default();
                let want = match value.parse::<f64>() {
                    Ok(number) => format!("{at} {number:.2}"),
                    Err(_) => format!("{at} {value}"),
                };
                assert!(served.contains(&want), "{name}: {property} {want} is not in {served:?}");
            }
        }
        checked += 1;
    }
    println!("sample messages: {checked} of {checked} served as FHIR");
    assert!(checked >= 10, "only {checked} samples found");
    Ok(())
}

const PLAIN_VITALS: [&str; 9] = [
    "heart_rate",
    "pulse_rate",
    "pulse_rate_nibp",
    "respiratory_rate",
    "spo2",
    "systolic_bp",
    "diastolic_bp",
    "body_temperature",
    "body_weight",
];

#[tokio::test(flavor = "multi_thread")]
async fn vendors_payloads_with_vital_signs_need_no_mapping() -> Result<()> {
    let Some(folder) = shared("reference/domain/payloads") else { return Ok(()) };
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    let (mut checked, mut left_out) = (0, Vec::new());
    for (_, cases) in json_files(&folder)? {
        for case in cases.as_array().into_iter().flatten() {
            let name = case["id"].as_str().context("a case has an id")?;
            let expected = case["expected"].as_array().cloned().unwrap_or_default();
            let vital =
                |it: &&Value| it["canonical"].as_str().is_some_and(|it| PLAIN_VITALS.contains(&it));
            let vitals: Vec<&Value> = expected.iter().filter(vital).collect();
            // A time without a zone needs the zone of its sender, which a message alone does not carry.
            if vitals.is_empty() {
                left_out.push(name.to_owned());
                continue;
            }
            let payload = &case["payload"];
            let device = payload["device"].as_str().unwrap_or(name).to_owned();
            let token = program.token(&device, &[&device]).await?;
            // Local times and texts travel in an envelope that says whose they are; the payload is as it came.
            let local = ["fitbit", "ble"].contains(&case["source"].as_str().unwrap_or_default());
            let message = if local || !payload.is_object() {
                let context = &case["context"];
                json!({
                    "device": device, "source": case["source"], "payload": payload,
                    "timezone": context["user_timezone"].as_str().unwrap_or("UTC"),
                    "unit_system": context["unit_system"],
                })
            } else {
                payload.clone()
            };
            let answer = program.ingest(&token, "application/json", message.to_string()).await?;
            assert_eq!(answer.status, 202, "{name}: {answer:?}");
            program.drained().await?;
            let token_device = device;
            let served = served(&program, &token_device).await?;
            for reading in vitals {
                let at = reading["time"].as_str().context("a time")?;
                let at = Timestamp::parse(at).or_else(|| Timestamp::parse(&format!("{at}Z")));
                // A date alone is a day's value, a `/` an interval, `+35min` relative to a session.
                let Some(at) = at else { continue };
                let Some(value) = reading["value"].as_f64() else { continue };
                let close = served.iter().any(|it| {
                    let (time, number) = it.split_once(' ').unwrap_or_default();
                    time == at.to_string()
                        && number.parse::<f64>().is_ok_and(|it| (it - value).abs() <= 0.051)
                });
                assert!(close, "{name}: {reading} is not in {served:?}");
            }
            checked += 1;
        }
    }
    println!("vendor payloads: {checked} served as FHIR; without plain vital signs: {left_out:?}");
    assert!(checked >= 12, "only {checked} payloads checked");
    Ok(())
}
