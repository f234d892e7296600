//! Receivers that fail, hang, answer 500 or 429, or are down: every alert arrives in the end, in
//! order, and the fall-back is told. Over HTTP, SMTP and MLLP, with real servers.

use std::time::Duration;

use anyhow::{Context as _, Result};
use auscult_tests::{Page, Program, Receiver, Sink};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::vitals::{ill, now, well};

const LONG: Duration = Duration::from_secs(30);

fn webhook(url: &str) -> Value {
    json!({ "url": url, "secret": format!("whsec_{}", STANDARD.encode([7; 32])) })
}

async fn start(data: &std::path::Path) -> Result<Program> {
    let variables =
        [("alert_sockets", "*://127.0.0.1:*"), ("public_url", "https://auscult.example")];
    Program::start_with(data, &variables).await
}

/// Puts receivers in force; all pages go to the first.
async fn policy(program: &Program, receivers: Value) -> Result<()> {
    let first = receivers[0]["name"].clone();
    let policy = json!({ "receivers": receivers, "route": { "receiver": first } });
    let answer = program.put("/policies", &policy).await?;
    assert!(answer.status < 300, "{answer:?}");
    Ok(())
}

fn about(pages: &[Page], patient: &str) -> Vec<String> {
    let mine = pages.iter().filter(|it| it.body["data"]["patient"] == patient);
    let mut events: Vec<String> =
        mine.map(|it| it.body["type"].as_str().unwrap_or_default().to_owned()).collect();
    events.dedup();
    events
}

#[tokio::test]
async fn every_alert_arrives_in_order_at_a_receiver_that_fails_and_the_fallback_is_told()
-> Result<()> {
    let data = tempfile::tempdir()?;
    let program = start(data.path()).await?;
    let (ward, doctor) = (Receiver::start().await?, Receiver::start().await?);
    // Down as a whole first: a port nobody listens on would be refused, a proxy answers 503.
    ward.answer_with(503);
    ward.answer_next_with(&[500, 429, 0]);
    policy(
        &program,
        json!([
            { "name": "ward", "webhook": webhook(&ward.url),
              "retry": { "first": "50ms", "most": "300ms", "tries": 1000 },
              "fallback": { "receiver": "doctor", "after_tries": 4, "after": "2s" } },
            { "name": "doctor", "webhook": webhook(&doctor.url) },
        ]),
    )
    .await?;
    let patients = ["ann", "bob", "cyd"];
    for patient in patients {
        let device = format!("mon-{patient}");
        let token = program.provision(patient, &[&device]).await?;
        let early = auscult_model::Timestamp::from_unix_ms(now().unix_ms() - 60_000);
        program.ingest(&token, "application/json", ill(&device, early).to_string()).await?;
        program.drained().await?;
        program.ingest(&token, "application/json", well(&device, now()).to_string()).await?;
    }
    program.drained().await?;
    doctor.wait(6, LONG).await.context("the fall-back hears of every beginning and end")?;
    assert_eq!(ward.taken().len(), 0, "the ward has taken nothing yet");
    let waiting = program.get("/deliveries?state=pending").await?;
    assert!(!waiting.items().is_empty(), "{waiting:?}");
    ward.answer_with(204);
    program.until("/deliveries?state=pending", |it| it.items().is_empty()).await?;
    for patient in patients {
        let want = ["alert.opened", "alert.resolved"];
        assert_eq!(about(&ward.taken(), patient), want, "ward {patient}");
        assert_eq!(about(&doctor.taken(), patient), want, "doctor {patient}");
    }
    let codes: Vec<u16> = ward.pages().iter().map(|it| it.answered).collect();
    for code in [0, 429, 500, 503, 204] {
        assert!(codes.contains(&code), "{code} never happened: {codes:?}");
    }
    let mut keys: Vec<String> = ward.pages().into_iter().map(|it| it.id).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 6, "six pages, six keys, however many tries");
    println!("{} tries for 6 pages at the ward, 6 at the fall-back", codes.len());
    Ok(())
}

#[tokio::test]
async fn mail_and_hl7_are_sent_again_until_they_are_taken() -> Result<()> {
    let data = tempfile::tempdir()?;
    let program = start(data.path()).await?;
    let relay = Sink::smtp(&["451 try later", "hang up"]).await?;
    let nurse_call = Sink::mllp(&["AE"]).await?;
    let retry = json!({ "first": "50ms", "most": "200ms" });
    policy(
        &program,
        json!([
            { "name": "mail", "retry": retry,
              "smtp": { "host": "127.0.0.1", "port": relay.address.port(),
                        "from": "auscult@hospital.example", "to": "ward@hospital.example" } },
        ]),
    )
    .await?;
    let token = program.provision("ann", &["mon-1"]).await?;
    let early = auscult_model::Timestamp::from_unix_ms(now().unix_ms() - 60_000);
    program.ingest(&token, "application/json", ill("mon-1", early).to_string()).await?;
    let mail = relay.wait(1, LONG).await?.remove(0);
    assert_eq!(relay.faults_left(), 0);
    assert!(mail.contains("Subject: EMERGENCY: NEWS2 14"), "{mail}");
    assert!(mail.contains("To: <ward@hospital.example>"), "{mail}");
    assert!(mail.contains("https://auscult.example/ward/alerts/"), "{mail}");
    assert!(!mail.contains("ann"), "no patient in a mail: {mail}");
    let sent = program.until("/deliveries?state=delivered", |it| it.items().len() == 1).await?;
    assert_eq!(sent.items()[0]["receipt"]["status"], "queued as 4711", "{sent:?}");
    policy(
        &program,
        json!([
            { "name": "nurse-call", "retry": retry,
              "hl7": { "host": "127.0.0.1", "port": nurse_call.address.port(), "facility": "HOSP" } },
        ]),
    )
    .await?;
    let token = program.provision("bob", &["mon-2"]).await?;
    program.ingest(&token, "application/json", ill("mon-2", now()).to_string()).await?;
    let message = nurse_call.wait(1, LONG).await?.remove(0);
    assert_eq!(nurse_call.faults_left(), 0);
    assert!(message.contains("|ORU^R40^ORU_R40|"), "{message}");
    assert!(message.contains("PID|||bob^^^HOSP^PI"), "{message}");
    let sent = program.until("/deliveries?state=delivered", |it| it.items().len() == 2).await?;
    assert_eq!(sent.items()[0]["receipt"]["status"], "AA", "{sent:?}");
    Ok(())
}

#[tokio::test]
async fn a_page_refused_for_good_is_a_dead_letter_until_somebody_replays_it() -> Result<()> {
    let data = tempfile::tempdir()?;
    let program = start(data.path()).await?;
    let provider = Receiver::start().await?;
    provider.answer_with(400);
    let base = provider.url.trim_end_matches("/alerts").to_owned();
    let sms =
        json!({ "url": base, "account": "AC1", "token": "very-secret", "from": "+1", "to": "+2" });
    policy(&program, json!([{ "name": "phone", "sms": sms }])).await?;
    let shown = program.get("/policies").await?.body;
    assert!(!shown.to_string().contains("very-secret"), "{shown}");
    assert_eq!(
        program.put("/policies", &shown).await?.status,
        200,
        "what was read can be put back"
    );
    let token = program.provision("ann", &["mon-1"]).await?;
    program.ingest(&token, "application/json", ill("mon-1", now()).to_string()).await?;
    let dead = program.until("/deliveries?state=failed", |it| it.items().len() == 1).await?;
    let dead = &dead.items()[0];
    assert_eq!(dead["last_error"], "status-400", "{dead}");
    assert_eq!(dead["attempts"], 1, "{dead}");
    provider.answer_with(201);
    let id = dead["id"].as_str().context("a delivery has an id")?;
    let answer = program.post(&format!("/deliveries/{id}/replay"), &json!({})).await?;
    assert_eq!(answer.status, 202, "{answer:?}");
    let sent =
        program.until(&format!("/deliveries/{id}"), |it| it.body["state"] == "delivered").await?;
    assert_eq!(sent.body["receipt"], json!({ "status": "201", "id": "SM-1" }));
    let page = provider.taken().remove(0);
    assert_eq!(page.path, "/2010-04-01/Accounts/AC1/Messages.json");
    assert_eq!(page.authorization, format!("Basic {}", STANDARD.encode("AC1:very-secret")));
    let form = String::from_utf8(page.bytes)?;
    assert!(form.starts_with("From=%2B1&To=%2B2&Body=EMERGENCY%3A+NEWS2+14"), "{form}");
    assert!(!form.contains("ann"), "no patient in an SMS: {form}");
    Ok(())
}
