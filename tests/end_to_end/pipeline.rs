//! One message, from `curl` to FHIR and a score.

use std::time::Instant;

use anyhow::Result;
use auscult_tests::Program;
use serde_json::{Value, json};

use crate::vitals::{now, well};

#[tokio::test]
async fn a_message_is_an_observation_and_a_score_within_a_second() -> Result<()> {
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    // The middle one of five, so that another test beside this one does not decide.
    let mut took = Vec::new();
    for place in 0..5 {
        let (patient, device) = (format!("p{place}"), format!("mon-{place}"));
        let token = program.provision(&patient, &[&device]).await?;
        let sent = Instant::now();
        let body = well(&device, now()).to_string();
        let answer = program.ingest(&token, "application/json", body).await?;
        assert_eq!((answer.status, answer.lines()), (202, vec!["accepted".to_owned()]));
        let path = format!("/fhir/Observation?patient={patient}&category=vital-signs");
        let bundle = program.until(&path, |it| entries(&it.body).len() >= 6).await?;
        took.push(sent.elapsed());
        let rates: Vec<&Value> = entries(&bundle.body)
            .into_iter()
            .filter(|it| it.pointer("/code/coding/0/code") == Some(&json!("8867-4")))
            .collect();
        assert_eq!(rates.len(), 1);
        assert_eq!(rates[0].pointer("/valueQuantity/value"), Some(&json!(70)));
        let path = format!("/patients/{patient}/assessments?rule=news2");
        let scores = program.until(&path, |it| it.items().len() == 1).await?;
        let score = &scores.items()[0];
        assert_eq!(score["status"], "complete", "{score}");
        assert_eq!(score["value"], 0);
    }
    took.sort();
    println!("from ingest to FHIR: {took:?}");
    assert!(took[2].as_millis() < 1_000, "took {took:?}");
    Ok(())
}

#[tokio::test]
async fn a_message_is_followed_through_every_stage_by_its_id() -> Result<()> {
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    let token = program.provision("ann", &["mon-1"]).await?;
    let answer =
        program.ingest(&token, "application/json", well("mon-1", now()).to_string()).await?;
    let id = answer.body["results"][0]["id"].as_str().unwrap_or_default().to_owned();
    program.drained().await?;
    let trace = program.get(&format!("/trace/{id}")).await?;
    let stages: Vec<&str> = trace.body["steps"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|it| it["stage"].as_str())
        .collect();
    for stage in ["ingest", "normalization", "scoring"] {
        assert!(stages.contains(&stage), "{stage} is missing: {}", trace.body);
    }
    assert_eq!(program.get("/trace/unknown").await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn a_reading_before_its_assignment_is_kept_and_filed_when_it_comes() -> Result<()> {
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    let token = program.token("mon-1", &["mon-1"]).await?;
    let answer =
        program.ingest(&token, "application/json", well("mon-1", now()).to_string()).await?;
    assert_eq!(answer.status, 202);
    program.drained().await?;
    program.patient("ann").await?;
    assert_eq!(entries(&program.get("/fhir/Observation?patient=ann").await?.body).len(), 0);
    program.assign("ann", "mon-1").await?;
    program.until("/fhir/Observation?patient=ann", |it| entries(&it.body).len() >= 7).await?;
    program.until("/patients/ann/assessments", |it| it.items().len() == 1).await?;
    Ok(())
}

#[tokio::test]
async fn sigterm_finishes_what_is_in_flight_and_exits_with_zero() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut program = Program::start(data.path()).await?;
    let token = program.provision("ann", &["mon-1"]).await?;
    program.ingest(&token, "application/json", well("mon-1", now()).to_string()).await?;
    assert_eq!(program.stop().await?, Some(0));
    Ok(())
}

/// The resources of a searchset.
pub fn entries(bundle: &Value) -> Vec<&Value> {
    let entries = bundle["entry"].as_array().into_iter().flatten();
    entries.filter_map(|it| it.get("resource")).collect()
}
