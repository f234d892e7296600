//! Bad input gets a clear answer, harms nothing else, and leaves a trace.

use anyhow::Result;
use auscult_tests::{Answer, Program};
use serde_json::{Value, json};

use crate::vitals::{now, well};

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_request_is_told_by_status_and_code_and_costs_no_other() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut program = Program::start(data.path()).await?;
    let token = program.provision("ann", &["mon-1"]).await?;
    let pattern = program.token("gateway", &["icu-*"]).await?;
    let at = now().to_string();
    let json = "application/json";
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let rows: Vec<(&str, &str, String, u16, &str)> = vec![
        (&token, json, r#"{"device":"mon-1","hr":"#.to_owned(), 400, "malformed-json"),
        (&token, json, deep, 400, "too-deep"),
        (&token, json, "x".repeat(50 * 1024 * 1024), 413, "body-too-large"),
        (&token, json, String::new(), 400, "malformed-json"),
        (&token, "text/plain", "hello".to_owned(), 415, "media-type"),
        (&token, json, well("mon-2", now()).to_string(), 403, "device-mismatch"),
        (&pattern, json, well("icu-9", now()).to_string(), 400, "unknown-device"),
        ("wrong", json, well("mon-1", now()).to_string(), 403, "token-refused"),
    ];
    for (token, media_type, body, status, code) in rows {
        let answer = program.ingest(token, media_type, body).await?;
        assert_eq!((answer.status, answer.code()), (status, code), "{answer:?}");
    }
    // Accepted at the door, refused with place and reason behind it.
    let refused = [
        (format!(r#"{{"device":"mon-1","ts":"{at}","hr":1e308}}"#), "/hr", "number-out-of-range"),
        (
            r#"{"device":"mon-1","ts":"1970-01-01T00:00:00Z","hr":80}"#.to_owned(),
            "/hr",
            "implausible-time",
        ),
        (r#"{"device":"mon-1","hr":80}"#.to_owned(), "/hr", "missing-time"),
    ];
    for (body, path, code) in refused {
        let answer = program.ingest(&token, json, body).await?;
        assert_eq!(answer.status, 202, "{answer:?}");
        let id = answer.body["results"][0]["id"].as_str().unwrap_or_default().to_owned();
        program.drained().await?;
        let letter = program.get(&format!("/dead-letters/{id}")).await?;
        let fault = &letter.body["problem"]["errors"][0];
        assert_eq!(
            (fault["path"].as_str(), fault["code"].as_str()),
            (Some(path), Some(code)),
            "{letter:?}"
        );
    }
    assert!(program.running());
    let good = program.ingest(&token, json, well("mon-1", now()).to_string()).await?;
    assert_eq!(good.lines(), ["accepted"]);
    Ok(())
}

#[tokio::test]
async fn a_bad_line_costs_no_other_line() -> Result<()> {
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    let token = program.provision("ann", &["mon-1"]).await?;
    let body = format!("{}\nnot json\n{}", well("mon-1", now()), well("mon-9", now()));
    let answer = program.ingest(&token, "application/x-ndjson", body).await?;
    assert_eq!(answer.status, 202);
    assert_eq!(
        answer.lines(),
        ["accepted", "rejected: malformed-json", "rejected: device-mismatch"]
    );
    let letters: Vec<Value> = program.get("/dead-letters").await?.items();
    assert_eq!(letters.len(), 2, "{letters:?}");
    Ok(())
}

#[tokio::test]
async fn a_device_registered_later_gets_its_dead_letter_replayed() -> Result<()> {
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    let token = program.token("gateway", &["icu-*"]).await?;
    let answer =
        program.ingest(&token, "application/json", well("icu-1", now()).to_string()).await?;
    assert_eq!(answer.code(), "unknown-device");
    let id = answer.body["results"][0]["id"].as_str().unwrap_or_default().to_owned();
    program.patient("ann").await?;
    program.assign("ann", "icu-1").await?;
    let replayed: Answer = program.post(&format!("/dead-letters/{id}/replay"), &json!({})).await?;
    assert_eq!(replayed.status, 202, "{replayed:?}");
    program.until("/patients/ann/assessments", |it| it.items().len() == 1).await?;
    Ok(())
}

#[tokio::test]
async fn operators_and_devices_have_different_doors() -> Result<()> {
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    let token = program.provision("ann", &["mon-1"]).await?;
    let message = well("mon-1", now()).to_string();
    let as_operator = program.ingest(&program.operator, "application/json", message).await?;
    assert_eq!(as_operator.status, 403);
    let http = reqwest::Client::new();
    for path in [
        "/fhir/Observation?patient=ann",
        "/alerts",
        "/dead-letters",
        "/patients/ann/assessments",
        "/mappings",
    ] {
        let without = http.get(format!("{}{path}", program.url)).send().await?;
        assert_eq!(without.status(), 401, "{path}");
        let device = http.get(format!("{}{path}", program.url)).bearer_auth(&token).send().await?;
        assert_eq!(device.status(), 403, "{path}");
    }
    for path in ["/healthz", "/readyz", "/metrics", "/fhir/metadata"] {
        assert_eq!(
            http.get(format!("{}{path}", program.url)).send().await?.status(),
            200,
            "{path}"
        );
    }
    for path in ["/events", "/internal/tick"] {
        assert_eq!(
            http.post(format!("{}{path}", program.url)).send().await?.status(),
            404,
            "{path}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn no_patient_value_stands_in_the_log() -> Result<()> {
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    let token = program.provision("canary-patient", &["mon-1"]).await?;
    let mut message = well("mon-1", now());
    message["hr"] = json!(73.731_373);
    message["note"] = json!("canary-note");
    program.ingest(&token, "application/json", message.to_string()).await?;
    program.ingest(&token, "application/json", r#"{"device":"mon-1","canary-note":"#).await?;
    program.drained().await?;
    program.get("/fhir/Observation?patient=canary-patient").await?;
    program.get("/fhir/Patient/canary-patient").await?;
    let metrics = reqwest::get(format!("{}/metrics", program.url)).await?.text().await?;
    for canary in ["canary-patient", "canary-note", "73.731", &token, &program.operator] {
        assert!(!program.log().contains(canary), "the log tells {canary}");
        assert!(!metrics.contains(canary), "the metrics tell {canary}");
    }
    Ok(())
}
