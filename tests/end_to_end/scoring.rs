//! The rule set in the running system: absence without traffic and over a kill, a backfill that wakes
//! nobody, versions and faults.

use std::time::Duration;

use anyhow::Result;
use auscult_tests::{Program, Receiver};
use serde_json::{Value, json};

use crate::vitals::{ill, now};

async fn policy(program: &Program, receiver: &Receiver) -> Result<()> {
    let policy = json!({
        "receivers": [{ "name": "ward", "webhook": {
            "url": receiver.url, "secret": "whsec_YSBzZWNyZXQgb2YgZXhhY3RseSAzMiBieXRlcywgb2s=",
        } }],
        "route": { "receiver": "ward", "repeat_interval": "1h" },
    });
    let answer = program.put("/policies", &policy).await?;
    assert!(answer.status < 300, "{answer:?}");
    Ok(())
}

fn silence(after: &str) -> Value {
    json!({ "rules": [
        { "name": "news2", "kind": "news2" },
        { "name": "silent", "kind": "absence", "codes": ["spo2", "heart_rate", "pulse_rate"],
          "after": after, "severity": "technical" }
    ] })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absence_is_paged_on_time_without_traffic_once_over_a_kill() -> Result<()> {
    let data = tempfile::tempdir()?;
    let receiver = Receiver::start().await?;
    let mut program = Program::start(data.path()).await?;
    policy(&program, &receiver).await?;
    let token = program.provision("ann", &["mon-1"]).await?;
    let answer = program.put("/rules", &silence("8s")).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    let last = now();
    let message = json!({ "device": "mon-1", "ts": last.to_string(), "spo2": 98 }).to_string();
    program.ingest(&token, "application/json", message).await?;
    program.drained().await?;
    // The host dies before the reading is due and comes back with nothing else to do.
    program.kill();
    let port = program.port();
    let mut program = Program::start_on(data.path(), port).await?;
    let pages = receiver.wait(1, Duration::from_secs(60)).await?;
    assert_eq!(pages[0].body["data"]["cause"], "silent", "{}", pages[0].body);
    let path = "/patients/ann/assessments?rule=silent&history=true";
    let found = program.get(path).await?.items();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["effective"], last.plus_ms(8_000).to_string());
    assert_eq!(found[0]["band"], "absent");
    // Another life and an outside clock tell it to nobody again.
    program.kill();
    let program = Program::start_on(data.path(), port).await?;
    assert_eq!(program.post("/tick", &json!({})).await?.status, 202);
    assert_eq!(program.post("/tick", &json!({})).await?.status, 202);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(receiver.pages().len(), 1, "{:?}", receiver.pages());
    assert_eq!(program.get(path).await?.items().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_of_seven_days_changes_history_and_pages_nobody() -> Result<()> {
    let data = tempfile::tempdir()?;
    let receiver = Receiver::start().await?;
    let program = Program::start(data.path()).await?;
    policy(&program, &receiver).await?;
    let token = program.provision("ann", &["mon-1"]).await?;
    let answer = program.put("/rules", &silence("3h")).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    // Seven days, an hour apart, the newest so old that even the silence after it began over seven days ago.
    let newest = now().plus_ms(-7 * 86_400_000 - 3 * 3_600_000 - 60_000);
    let messages: Vec<Value> =
        (0..7 * 24).map(|it| ill("mon-1", newest.plus_ms(-it * 3_600_000))).collect();
    for some in messages.chunks(50) {
        program.ingest(&token, "application/json", json!(some).to_string()).await?;
    }
    program.drained().await?;
    let history = program.get("/patients/ann/assessments?rule=news2&limit=200").await?.items();
    assert_eq!(history.len(), 7 * 24);
    assert!(history.iter().any(|it| it["severity"] == "emergency"));
    program.post("/tick", &json!({})).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(receiver.pages().is_empty(), "{:?}", receiver.pages());
    Ok(())
}

#[tokio::test]
async fn a_rule_set_has_versions_and_every_fault_is_told() -> Result<()> {
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    let built_in = program.get("/rules").await?;
    assert_eq!(built_in.body["rules"][0]["name"], "news2", "{built_in:?}");
    let wrong = json!({ "rules": [{ "name": "x", "kind": "absence", "after": "soon" }], "y": 1 });
    let refused = program.put("/rules", &wrong).await?;
    assert_eq!((refused.status, refused.code()), (400, "rules-invalid"));
    let places: Vec<&str> = refused.body["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|it| it["path"].as_str())
        .collect();
    for place in ["/y", "/rules/0/after", "/rules/0/code"] {
        assert!(places.contains(&place), "{places:?}");
    }
    assert_eq!(program.put("/rules", &silence("1h")).await?.status, 200);
    assert_eq!(program.put("/rules", &silence("2h")).await?.status, 200);
    let back = program.post("/rules/rollback", &json!({ "version": 1 })).await?;
    assert_eq!(back.body, silence("1h"));
    let versions = program.get("/rules/versions").await?.items();
    let numbers: Vec<&Value> = versions.iter().map(|it| &it["version"]).collect();
    assert_eq!(numbers, [3, 2, 1]);
    assert_eq!(program.get("/rules/versions/2").await?.body, silence("2h"));
    assert_eq!(program.get("/rules/schema").await?.body["type"], "object");
    Ok(())
}
