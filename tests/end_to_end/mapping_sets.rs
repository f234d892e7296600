//! Mapping sets over HTTP: two files put here, tried, explained, changed and rolled back.

use anyhow::Result;
use auscult_tests::Program;
use serde_json::{Value, json};

use crate::pipeline::entries;

fn device(expression: &str) -> Value {
    json!({ "templateType": "CollectionContent", "template": [ { "templateType": "JsonPathContent", "template": {
        "typeName": "heartrate", "typeMatchExpression": "$..[?(@bpm)]", "deviceIdExpression": "$.id",
        "timestampExpression": "$.time",
        "values": [ { "valueName": "hr", "valueExpression": expression, "required": true } ] } } ] })
}

fn fhir() -> Value {
    json!({ "templateType": "CollectionFhir", "template": [ { "templateType": "CodeValueFhir", "template": {
        "typeName": "heartrate", "periodInterval": 0,
        "codes": [ { "code": "8867-4", "system": "http://loinc.org", "display": "Heart rate" } ],
        "category": [ { "codes": [ { "code": "vital-signs", "system": "http://terminology.hl7.org/CodeSystem/observation-category" } ] } ],
        "value": { "valueType": "Quantity", "valueName": "hr", "unit": "beats/min", "code": "/min",
            "system": "http://unitsofmeasure.org" } } } ] })
}

fn message(minute: u32, bpm: u32) -> Value {
    let time = format!("2026-11-20T08:{minute:02}:00Z");
    json!({ "id": "watch-1", "time": time, "bpm": bpm })
}

/// `value set@version` of every vital sign of the patient, oldest first; what was scored stands beside them.
async fn served(program: &Program) -> Result<Vec<String>> {
    let bundle =
        program.get("/fhir/Observation?patient=ada&category=vital-signs&_sort=date").await?.body;
    let line = |it: &&Value| {
        let source = it["meta"]["source"].as_str().unwrap_or_default();
        let made_by = source.rsplit(':').next().unwrap_or_default().to_owned();
        format!("{} {made_by}", it["valueQuantity"]["value"])
    };
    Ok(entries(&bundle).iter().map(line).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_mapping_files_run_and_every_observation_names_its_version() -> Result<()> {
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    let token = program.provision("ada", &["watch-1"]).await?;
    let put = program.put("/mappings/watch", &device("$.bpm")).await?;
    assert_eq!((put.status, &put.body["version"]), (200, &json!(1)), "{put:?}");
    let put = program.put("/mappings/watch/fhir", &fhir()).await?;
    assert_eq!((put.status, &put.body["version"]), (200, &json!(2)), "{put:?}");

    let send = async |minute, bpm| -> Result<()> {
        let body = message(minute, bpm).to_string();
        let answer =
            program.ingest_at("/ingest?source=watch", &token, "application/json", body).await?;
        assert_eq!(answer.status, 202, "{answer:?}");
        program.drained().await
    };
    send(0, 61).await?;
    assert_eq!(served(&program).await?, ["61 watch@2"]);

    // A slip in the next version: what would change is told before it happens.
    let slip = json!({ "device": device("$.bmp"), "fhir": fhir() });
    let tried = program.put("/mappings/watch?dry-run=10", &slip).await?.body;
    assert_eq!((&tried["messages"], &tried["same"]), (&json!(1), &json!(0)), "{tried}");
    let after = &tried["changed"][0]["after"]["errors"][0];
    assert_eq!(after["code"], "required-value-missing", "{tried}");

    // Installed all the same: nothing arrives, and the message says why.
    assert_eq!(program.put("/mappings/watch", &slip).await?.body["version"], 3);
    send(1, 62).await?;
    assert_eq!(served(&program).await?, ["61 watch@2"]);
    let asked = json!({ "name": "watch", "message": message(1, 62) });
    let explained = program.post("/mappings/explain", &asked).await?;
    assert_eq!(explained.status, 422, "{explained:?}");
    let matched = &explained.body["steps"][0]["matches"][0];
    let tried = matched["expressions"].as_array().cloned().unwrap_or_default();
    let hint = tried.iter().find(|it| it["field"] == "hr").map(|it| &it["hint"]);
    assert_eq!(hint, Some(&json!("there is no 'bmp' in $, there is 'bpm'")), "{explained:?}");

    // Back again, as a new version.
    let back = program.post("/mappings/watch/rollback", &json!({ "to": 2 })).await?;
    assert_eq!((back.status, &back.body["version"]), (200, &json!(4)), "{back:?}");
    assert_eq!(back.body["note"], "rollback to 2");
    send(2, 63).await?;
    assert_eq!(served(&program).await?, ["61 watch@2", "63 watch@4"]);
    let versions = program.get("/mappings/watch/versions").await?.body;
    assert_eq!(versions["items"].as_array().map(Vec::len), Some(4), "{versions}");
    let explained = program.post("/mappings/explain", &asked).await?;
    assert_eq!(explained.status, 200, "{explained:?}");
    assert_eq!(explained.body["observations"][0]["valueQuantity"]["value"], 62);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_faulty_set_is_refused_with_every_place() -> Result<()> {
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    let faulty = json!({ "device": device("$..[?("), "fhir": fhir(), "values": [{ "name": "hr", "unit": "bps!" }] });
    let put = program.put("/mappings/watch", &faulty).await?;
    assert_eq!(put.status, 400, "{put:?}");
    assert_eq!(put.body["type"], "urn:auscult:problem:mapping-faulty");
    let places: Vec<&str> = put.body["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|it| it["path"].as_str())
        .collect();
    assert!(places.contains(&"/values/0/unit"), "{put:?}");
    assert_eq!(program.get("/mappings/watch").await?.status, 404);
    let reserved = program.put("/mappings/explain", &device("$.bpm")).await?;
    assert_eq!(reserved.status, 400, "{reserved:?}");
    let schema = program.get("/mappings/schema").await?;
    assert_eq!(schema.body["$id"], "urn:auscult:schema:mapping-set");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_applies_reads_messages_that_name_none() -> Result<()> {
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    let token = program.provision("ada", &["watch-1"]).await?;
    let set = json!({ "applies": { "senders": ["watch-*"] }, "each": "$.samples[*]",
        "device": device("$.bpm"), "fhir": fhir(),
        "values": [{ "name": "hr", "unit": "/s", "to": "/min" }] });
    assert_eq!(program.put("/mappings/watch", &set).await?.status, 200);
    let body = json!({ "id": "watch-1", "samples": [
        { "time": "2026-11-20T08:00:00Z", "bpm": 1 }, { "time": "2026-11-20T08:05:00Z", "bpm": 1.5 } ] });
    let answer = program.ingest(&token, "application/json", body.to_string()).await?;
    assert_eq!(answer.status, 202, "{answer:?}");
    program.drained().await?;
    assert_eq!(served(&program).await?, ["60 watch@1", "90 watch@1"]);
    Ok(())
}
