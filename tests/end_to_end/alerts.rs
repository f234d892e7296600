//! The right alert at a real receiver: signed, in time, once; quiet after an answer; resolved at last.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use auscult_tests::{Page, Program, Receiver};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use serde_json::json;
use sha2::Sha256;

use crate::vitals::{ill, now, well};

const SECRET: &[u8; 32] = b"a secret of exactly 32 bytes, ok";

async fn ward(program: &Program, receiver: &Receiver, repeat: &str) -> Result<String> {
    let policy = json!({
        "receivers": [{ "name": "ward", "webhook": {
            "url": receiver.url, "secret": format!("whsec_{}", STANDARD.encode(SECRET)),
        } }],
        "route": { "receiver": "ward", "repeat_interval": repeat },
    });
    let answer = program.put("/policies", &policy).await?;
    assert!(answer.status < 300, "{answer:?}");
    program.provision("ann", &["mon-1"]).await
}

fn signed(page: &Page) -> Result<bool> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET)?;
    mac.update(format!("{}.{}.", page.id, page.timestamp).as_bytes());
    mac.update(&page.bytes);
    let want = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    Ok(page.signature.split(' ').any(|it| it == want))
}

#[tokio::test]
async fn an_emergency_reaches_the_receiver_signed_in_under_a_second() -> Result<()> {
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    let receiver = Receiver::start().await?;
    ward(&program, &receiver, "15m").await?;
    // The middle one of five, so that another test beside this one does not decide.
    let mut took = Vec::new();
    for place in 0..5 {
        let (patient, device) = (format!("p{place}"), format!("mon-p{place}"));
        let token = program.provision(&patient, &[&device]).await?;
        let message = ill(&device, now()).to_string();
        let sent = Instant::now();
        program.ingest(&token, "application/json", message.clone()).await?;
        let page = receiver.wait(place + 1, Duration::from_secs(10)).await?.remove(place);
        took.push(page.at.duration_since(sent));
        assert!(signed(&page)?, "the signature does not fit");
        assert_eq!(page.body["data"]["severity"], "emergency", "{}", page.body);
        assert_eq!(page.body["data"]["patient"], patient.as_str(), "{}", page.body);
        // The same message again opens nothing and pages nobody.
        program.ingest(&token, "application/json", message).await?;
    }
    program.drained().await?;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(receiver.pages().len(), 5);
    took.sort();
    println!("from ingest to receiver: {took:?}");
    assert!(took[2] < Duration::from_secs(1), "took {took:?}");
    Ok(())
}

#[tokio::test]
async fn acknowledging_stops_repeats_and_recovery_resolves() -> Result<()> {
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    let receiver = Receiver::start().await?;
    let token = ward(&program, &receiver, "1s").await?;
    program.ingest(&token, "application/json", ill("mon-1", now()).to_string()).await?;
    receiver.wait(2, Duration::from_secs(10)).await.context("an open alert is repeated")?;
    let alerts = program.get("/alerts?patient=ann").await?.items();
    let id = alerts[0]["id"].as_str().context("an alert has an id")?.to_owned();
    let answer =
        program.post(&format!("/alerts/{id}/acknowledge"), &json!({ "by": "nurse" })).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let quiet = receiver.pages().len();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(receiver.pages().len(), quiet, "no repeat after the acknowledgement");
    program.ingest(&token, "application/json", well("mon-1", now()).to_string()).await?;
    program
        .until(&format!("/alerts/{id}"), |it| it.body["status"] == "resolved")
        .await
        .context("recovery resolves")?;
    Ok(())
}

#[tokio::test]
async fn a_receiver_that_fails_gets_the_same_page_again() -> Result<()> {
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    let receiver = Receiver::start().await?;
    receiver.answer_with(500);
    let token = ward(&program, &receiver, "15m").await?;
    program.ingest(&token, "application/json", ill("mon-1", now()).to_string()).await?;
    receiver.wait(2, Duration::from_secs(20)).await?;
    receiver.answer_with(204);
    let alert = program
        .until("/alerts?patient=ann", |it| {
            it.body["items"][0]["deliveries"][0]["state"] == "delivered"
                || it.items().first().is_some_and(|alert| alert["deliveries"].is_null())
        })
        .await?;
    assert!(!alert.items().is_empty());
    let pages = receiver.pages();
    assert!(pages.iter().all(|it| it.id == pages[0].id), "one page, one idempotency key");
    Ok(())
}
