//! Real input, unchanged: sample messages with their mapping files.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};
use auscult_model::Timestamp;
use auscult_tests::{Program, shared};
use serde_json::Value;

use crate::pipeline::entries;

/// The JSON files of a folder by name.
pub fn json_files(folder: &Path) -> Result<Vec<(String, Value)>> {
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
