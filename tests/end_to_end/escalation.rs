//! Timers that outlive the host, and what people may ask of alerts over HTTP.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use auscult_tests::{Page, Program, Receiver};
use serde_json::{Value, json};

use crate::vitals::{ill, now};

const SECRET: &str = "whsec_YSBzZWNyZXQgb2YgZXhhY3RseSAzMiBieXRlcywgb2s=";

async fn put_policy(program: &Program, ward: &Receiver, doctor: &Receiver) -> Result<()> {
    let policy = json!({
        "receivers": [
            { "name": "ward", "webhook": { "url": ward.url, "secret": SECRET } },
            { "name": "doctor", "webhook": { "url": doctor.url, "secret": SECRET } },
        ],
        "route": { "receiver": "ward", "repeat_interval": "1h",
                   "escalate": [{ "after": "4s", "receiver": "doctor" }] },
    });
    let answer = program.put("/policies", &policy).await?;
    assert!(answer.status < 300, "{answer:?}");
    Ok(())
}

fn types(pages: &[Page]) -> Vec<&str> {
    pages.iter().filter_map(|it| it.body["type"].as_str()).collect()
}

#[tokio::test]
async fn an_unanswered_alert_escalates_on_time_and_once_across_a_kill() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut program = Program::start(data.path()).await?;
    let port = program.port();
    let (ward, doctor) = (Receiver::start().await?, Receiver::start().await?);
    put_policy(&program, &ward, &doctor).await?;
    let token = program.provision("ann", &["mon-1"]).await?;
    program.ingest(&token, "application/json", ill("mon-1", now()).to_string()).await?;
    let first = ward.wait(1, Duration::from_secs(10)).await?[0].at;
    program.kill();
    let program = Program::start_on(data.path(), port).await?;
    assert!(doctor.pages().is_empty(), "before its time");
    // Nothing is sent to the program from here on: its own clock has to wake it.
    let call = doctor.wait(1, Duration::from_secs(20)).await?.remove(0);
    let after = call.at.duration_since(first);
    println!("escalated {after:?} after the first page");
    assert!(after >= Duration::from_millis(3_500), "too early: {after:?}");
    // On time, or as soon as the restarted program could.
    assert!(after < Duration::from_secs(8), "too late: {after:?}");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(types(&doctor.pages()), ["alert.escalated"], "once");
    assert_eq!(types(&ward.pages()), ["alert.opened"], "once");
    let alert = program.get("/alerts?patient=ann").await?.items().remove(0);
    assert_eq!(alert["escalated"], 1, "{alert}");
    let reasons: Vec<&str> = alert["pages"]
        .as_array()
        .context("pages")?
        .iter()
        .filter_map(|it| it["reason"].as_str())
        .collect();
    assert_eq!(reasons, ["first", "escalated"]);
    Ok(())
}

#[tokio::test]
async fn a_silence_holds_a_page_visibly_until_somebody_ends_it() -> Result<()> {
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    let (ward, doctor) = (Receiver::start().await?, Receiver::start().await?);
    put_policy(&program, &ward, &doctor).await?;
    let token = program.provision("ann", &["mon-1"]).await?;
    let wanted = json!({ "patient": "ann", "match": { "severity": ["urgent", "emergency"] }, "for": "1h", "by": "nurse" });
    let silence = program.post("/silences", &wanted).await?;
    assert_eq!(silence.status, 201, "{silence:?}");
    program.ingest(&token, "application/json", ill("mon-1", now()).to_string()).await?;
    let held = program
        .until("/alerts/held?reason=silenced", |it| !it.items().is_empty())
        .await?
        .items()
        .remove(0);
    assert_eq!((&held["held_now"], &held["patient"]), (&json!(true), &json!("ann")), "{held}");
    assert!(ward.pages().is_empty());
    let id = silence.body["id"].as_str().context("an id")?.to_owned();
    let started = Instant::now();
    assert_eq!(program.delete(&format!("/silences/{id}")).await?.status, 204);
    ward.wait(1, Duration::from_secs(10)).await?;
    println!("paged {:?} after the silence ended", started.elapsed());
    assert_eq!(program.get("/silences").await?.items(), Vec::<Value>::new());
    for (body, code) in [
        (json!({ "for": "1h" }), "empty"),
        (json!({ "patient": "ann" }), "missing"),
        (json!({ "patient": "ann", "for": "8d" }), "bad-end"),
    ] {
        let refused = program.post("/silences", &body).await?;
        assert_eq!(refused.status, 400, "{refused:?}");
        assert_eq!(refused.body["errors"][0]["code"], code, "{refused:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_policy_is_versioned_rolled_back_and_beats() -> Result<()> {
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    let (ward, doctor) = (Receiver::start().await?, Receiver::start().await?);
    put_policy(&program, &ward, &doctor).await?;
    let mut policy = program.get("/policies").await?.body;
    policy["heartbeat"] = json!({ "receiver": "ward", "interval": "1s" });
    assert_eq!(program.put("/policies", &policy).await?.status, 200);
    let beats = ward.wait(3, Duration::from_secs(20)).await?;
    assert_eq!(types(&beats)[..3], ["heartbeat"; 3]);
    program
        .until("/alerts/heartbeat", |it| it.status == 200 && !it.body["delivered"].is_null())
        .await?;
    let back = program.post("/policies/rollback", &json!({ "version": 1 })).await?;
    assert_eq!((back.status, back.body.get("heartbeat")), (200, None), "{back:?}");
    let versions = program.get("/policies/versions").await?.items();
    assert_eq!(versions.len(), 3, "{versions:?}");
    assert_eq!(program.get("/alerts/heartbeat").await?.status, 404);
    assert_eq!(program.get("/policies/schema").await?.status, 200);
    Ok(())
}

#[test]
fn the_command_line_names_every_fault_of_a_policy_with_its_place() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("policy.json");
    let check = |document: &Value| -> Result<(Option<i32>, String)> {
        std::fs::write(&file, document.to_string())?;
        let mut command = std::process::Command::new(auscult_tests::program());
        let done = command.args(["policy", "check"]).arg(&file).output()?;
        Ok((done.status.code(), String::from_utf8_lossy(&done.stdout).into_owned()))
    };
    let printed = std::process::Command::new(auscult_tests::program())
        .args(["policy", "default"])
        .output()?;
    let mut policy: Value = serde_json::from_slice(&printed.stdout)?;
    assert_eq!(check(&policy)?.0, Some(0));
    policy["budgets"][0]["time_zone"] = json!("Mars/Olympus");
    policy["route"]["routes"][3]["escalate"][0]["receiver"] = json!("nobody");
    policy["quiet_hours"][0]["match"]["severity"] = json!("emergency");
    let (code, text) = check(&policy)?;
    assert_eq!(code, Some(1), "{text}");
    for place in [
        "/budgets/0/time_zone unknown-zone",
        "/route/routes/3/escalate/0/receiver unknown-receiver",
        "/quiet_hours/0/match/severity cannot-wait",
    ] {
        assert!(text.contains(place), "{place}: {text}");
    }
    assert_eq!(text.lines().count(), 3, "{text}");
    Ok(())
}
