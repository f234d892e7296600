//! The peer's sample templates, both files of each, and its sample messages: what they become as FHIR.

use std::path::Path;

use anyhow::{Context as _, Result};
use auscult_model::Timestamp;
use auscult_tests::{Program, shared};
use serde_json::{Value, json};

use crate::pipeline::entries;

const SETS: [&str; 3] = ["basic", "sandbox", "healthkitOnFhir"];
/// System of the code and identifier that existing services add.
const SERVICE: &str = "https://azure.microsoft.com/en-us/services/iomt-fhir-connector/";

fn json_file(path: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(serde_json::from_str(text.trim_start_matches('\u{feff}'))?)
}

/// The template of a measurement type.
fn template<'a>(fhir: &'a Value, kind: &str) -> Option<&'a Value> {
    let mut templates = fhir["template"].as_array()?.iter().map(|it| &it["template"]);
    templates.find(|it| it["typeName"].as_str().is_some_and(|it| it.eq_ignore_ascii_case(kind)))
}

/// First and last millisecond of the window an instant belongs to.
fn window(at: Timestamp, period: &Value) -> (i64, i64) {
    let length = match period.as_i64() {
        Some(60) => 3_600_000,
        Some(1440) => 86_400_000,
        _ => return (at.unix_ms(), at.unix_ms()),
    };
    let start = at.unix_ms().div_euclid(length) * length;
    (start, start + length - 1)
}

fn instant(value: &Value) -> Result<Timestamp> {
    value.as_str().and_then(Timestamp::parse).context("a time")
}

/// What differs between a served holder of a value (an Observation, a component) and its template.
fn differences(
    served: &Value,
    want: &Value,
    measured: &Value,
    at: Timestamp,
    start: i64,
) -> Vec<String> {
    let name = want["valueName"].as_str().unwrap_or_default();
    let Some(value) = measured["properties"][name].as_str() else { return Vec::new() };
    let mut faults = Vec::new();
    let mut same = |what: &str, got: &Value, wanted: &Value| {
        if got != wanted {
            faults.push(format!("{what}: {got} instead of {wanted}"));
        }
    };
    match want["valueType"].as_str().unwrap_or_default() {
        "Quantity" => {
            let quantity = &served["valueQuantity"];
            for member in ["unit", "code", "system"] {
                same(member, &quantity[member], &want[member]);
            }
            same("value", &json!(quantity["value"].as_f64()), &json!(value.parse::<f64>().ok()));
        }
        "SampledData" => {
            let data = &served["valueSampledData"];
            same("unit", &data["origin"]["unit"], &want["unit"]);
            let period = want["defaultPeriod"].as_i64().unwrap_or(1);
            same("period", &data["period"], &json!(period));
            let place = usize::try_from((at.unix_ms() - start) / period).unwrap_or(usize::MAX);
            let sample = data["data"].as_str().and_then(|it| it.split(' ').nth(place));
            same("sample", &json!(sample), &json!(value));
        }
        "CodeableConcept" => {
            same("text", &served["valueCodeableConcept"]["text"], &want["text"]);
            let coding = &served["valueCodeableConcept"]["coding"][0];
            for member in ["code", "system", "display"] {
                same(member, &coding[member], &want["codes"][0][member]);
            }
        }
        _ => same("text", &served["valueString"], &json!(value)),
    }
    faults
}

/// The Observation of a type whose window holds that instant.
fn found<'a>(bundle: &'a Value, kind: &str, window: (i64, i64)) -> Option<&'a Value> {
    let mine = |it: &&&Value| {
        let mut coding = it["code"]["coding"].as_array().into_iter().flatten();
        let typed = coding.any(|it| it["system"] == SERVICE && it["code"] == kind);
        let start = instant(&it["effectivePeriod"]["start"]).map(Timestamp::unix_ms).ok();
        let end = instant(&it["effectivePeriod"]["end"]).map(Timestamp::unix_ms).ok();
        typed && (start, end) == (Some(window.0), Some(window.1))
    };
    entries(bundle).iter().find(mine).copied()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_templates_make_the_expected_observations() -> Result<()> {
    let Some(corpus) = shared("corpus/iomt-fhir") else { return Ok(()) };
    let (mut n_messages, mut n_observations) = (0, 0);
    for set in SETS {
        let data = tempfile::tempdir()?;
        let program = Program::start(data.path()).await?;
        let folder = corpus.join("samples/sample/templates").join(set);
        let device = json_file(&folder.join("devicecontent.json"))?;
        let fhir = json_file(&folder.join("fhirmapping.json"))?;
        assert_eq!(program.put(&format!("/mappings/{set}"), &device).await?.status, 200, "{set}");
        let put = program.put(&format!("/mappings/{set}/fhir"), &fhir).await?;
        assert_eq!((put.status, &put.body["version"]), (200, &json!(2)), "{put:?}");
        let mut files: Vec<_> =
            std::fs::read_dir(corpus.join("normalize"))?.collect::<Result<_, _>>()?;
        files.sort_by_key(std::fs::DirEntry::file_name);
        for file in files {
            let case = json_file(&file.path())?;
            let expected = case["expected"].as_array().cloned().unwrap_or_default();
            if case["deviceMapping"] != device
                || case.get("message").is_none()
                || expected.is_empty()
            {
                continue;
            }
            let name = case["id"].as_str().unwrap_or_default().to_owned();
            for it in &expected {
                let device = it["deviceId"].as_str().context("a device")?;
                let patient = it["patientId"].as_str().unwrap_or(device);
                program.patient(patient).await?;
                program.assign(patient, device).await?;
            }
            let devices: std::collections::BTreeSet<&str> =
                expected.iter().filter_map(|it| it["deviceId"].as_str()).collect();
            let devices: Vec<&str> = devices.into_iter().collect();
            let token = program.token(&format!("gateway-{name}"), &devices).await?;
            let path = format!("/ingest?source={set}");
            let answer = program
                .ingest_at(&path, &token, "application/json", case["message"].to_string())
                .await?;
            assert_eq!(answer.status, 202, "{name}: {answer:?}");
            program.drained().await?;
            n_messages += 1;
            for measured in &expected {
                let kind = measured["type"].as_str().unwrap_or_default();
                let device = measured["deviceId"].as_str().unwrap_or_default();
                let at = instant(&measured["occurrenceTimeUtc"])?;
                let Some(template) = template(&fhir, kind) else { continue };
                let window = window(at, &template["periodInterval"]);
                let bundle = program
                    .get(&format!("/fhir/Observation?device={device}&_count=200"))
                    .await?
                    .body;
                let served = found(&bundle, kind, window);
                let served = served.with_context(|| format!("{name}: no {kind} in {bundle}"))?;
                let patient = measured["patientId"].as_str().unwrap_or(device);
                assert_eq!(served["subject"]["reference"], format!("Patient/{patient}"), "{name}");
                assert_eq!(served["code"]["text"], kind, "{name}");
                let codes = template["codes"].as_array().cloned().unwrap_or_default();
                for (got, want) in
                    served["code"]["coding"].as_array().into_iter().flatten().zip(&codes)
                {
                    assert_eq!(
                        (&got["code"], &got["system"]),
                        (&want["code"], &want["system"]),
                        "{name}"
                    );
                }
                let mut faults = differences(served, &template["value"], measured, at, window.0);
                for component in template["components"].as_array().into_iter().flatten() {
                    let value = &component["value"];
                    let mut all = served["component"].as_array().into_iter().flatten();
                    let holder = all.find(|it| it["code"]["text"] == value["valueName"]);
                    let Some(holder) = holder else {
                        faults.push(format!("no component {}", value["valueName"]));
                        continue;
                    };
                    faults.extend(differences(holder, value, measured, at, window.0));
                }
                assert!(faults.is_empty(), "{name} {kind}: {faults:?} in {served}");
                n_observations += 1;
            }
        }
    }
    println!(
        "sample templates: {n_messages} messages, {n_observations} of {n_observations} Observations as expected"
    );
    assert!(n_messages >= 9 && n_observations >= 14, "{n_messages} {n_observations}");
    Ok(())
}

/// Messages whose measurements are the groups of the peer's own FHIR cases, and what it makes of them.
#[tokio::test(flavor = "multi_thread")]
async fn whole_observations_are_those_of_the_peer() -> Result<()> {
    let Some(corpus) = shared("corpus/iomt-fhir") else { return Ok(()) };
    type Message = fn(&str, &Value) -> Value;
    let basic: Message = |at, properties| {
        let mut message =
            json!({ "deviceid": "device-1", "patientid": "patient-1", "measurementdatetime": at });
        for (name, value) in properties.as_object().into_iter().flatten() {
            message[name] = value.clone();
        }
        message
    };
    let central: Message = |at, properties| {
        let number = |name: &str| properties[name].as_str().and_then(|it| it.parse::<i64>().ok());
        let telemetry = match number("hr") {
            Some(rate) => json!({ "HeartRate": rate }),
            None => {
                json!({ "BloodPressure": { "Systolic": number("systolic"), "Diastolic": number("diastolic") } })
            }
        };
        json!({ "deviceId": "device-1", "enqueuedTime": at, "telemetry": telemetry })
    };
    let rows = [
        ("basic", "fhir-080-sample-basic-device-worn", basic),
        ("sandbox", "fhir-081-sample-sandbox-heart-rate-hour", central),
        ("sandbox", "fhir-082-sample-sandbox-blood-pressure-hour", central),
    ];
    for (set, file, message) in rows {
        let case = json_file(&corpus.join("fhir").join(format!("{file}.json")))?;
        let data = tempfile::tempdir()?;
        let program = Program::start(data.path()).await?;
        let folder = corpus.join("samples/sample/templates").join(set);
        let both = json!({ "device": json_file(&folder.join("devicecontent.json"))?, "fhir": case["fhirMapping"] });
        assert_eq!(program.put(&format!("/mappings/{set}"), &both).await?.status, 200);
        // The sandbox takes the device's id for the patient's: here it is an identifier of hers.
        let patient = json!({ "resourceType": "Patient", "id": "patient-1", "identifier": [{ "value": "device-1" }] });
        assert!(program.put("/fhir/Patient/patient-1", &patient).await?.status < 300);
        program.assign("patient-1", "device-1").await?;
        let token = program.token("device-1", &["device-1"]).await?;
        for it in case["group"]["data"].as_array().into_iter().flatten() {
            let at = it["occurrenceTimeUtc"].as_str().unwrap_or_default();
            let body = message(at, &it["properties"]).to_string();
            let path = format!("/ingest?source={set}");
            let answer = program.ingest_at(&path, &token, "application/json", body).await?;
            assert_eq!(answer.status, 202, "{file}: {answer:?}");
        }
        program.drained().await?;
        let bundle = program.get("/fhir/Observation?device=device-1&_count=200").await?.body;
        let plain = |it: &Value| {
            let mut it = it.clone();
            if let Some(members) = it.as_object_mut() {
                // Ids are ours, and a second message amends what the peer gets at once.
                for member in ["id", "meta", "issued", "status"] {
                    members.remove(member);
                }
            }
            it
        };
        let kind = case["group"]["measureType"].as_str().unwrap_or_default();
        let served = entries(&bundle).into_iter().find(|it| it["code"]["text"] == kind);
        let served = served.with_context(|| format!("{file}: {bundle}"))?;
        assert_eq!(plain(served), plain(&case["expectedObservation"]), "{file}");
    }
    Ok(())
}
