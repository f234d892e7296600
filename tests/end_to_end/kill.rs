//! kill -9 at random instants: what was acknowledged is there, once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use auscult_tests::Program;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;

use crate::vitals::now;

const ROUNDS: i64 = 100;
const SENDERS: i64 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_kills_lose_nothing_acknowledged_and_double_nothing() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut rng = ChaCha8Rng::seed_from_u64(20_261_121);
    let mut program = Program::start(data.path()).await?;
    let port = program.port();
    let token = Arc::new(program.provision("ann", &["mon-1"]).await?);
    let start = now().plus_ms(-86_400_000);
    let mut acknowledged: BTreeSet<String> = BTreeSet::new();
    let mut sent = 0_usize;
    for round in 0..ROUNDS {
        let stop = Arc::new(AtomicBool::new(false));
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let (url, token, stop) = (program.url.clone(), token.clone(), stop.clone());
                tokio::spawn(async move {
                    let (mut taken, mut tried) = (Vec::new(), 0_usize);
                    let Ok(http) = reqwest::Client::builder().timeout(Duration::from_secs(5)).build() else {
                        return (taken, tried);
                    };
                    for step in 0.. {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        // Every message has an instant of its own; each third request repeats the one before.
                        let step = step - i64::from(step % 3 == 2);
                        let at = start.plus_ms(((round * SENDERS + sender) * 1_000 + step) * 10);
                        let message = json!({ "device": "mon-1", "ts": at.to_string(), "hr": 60 + step % 50 });
                        let request = http.post(format!("{url}/ingest")).bearer_auth(&*token);
                        tried += 1;
                        let Ok(answer) = request.json(&message).send().await else { break };
                        if answer.status().as_u16() != 202 {
                            continue;
                        }
                        // The status line is the acknowledgement, even when the body breaks off.
                        if let Ok(body) = answer.json::<Value>().await {
                            if let Some(id) = body["results"][0]["id"].as_str() {
                                taken.push(id.to_owned());
                            }
                        }
                    }
                    (taken, tried)
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(rng.random_range(5..150))).await;
        program.kill();
        stop.store(true, Ordering::Relaxed);
        for sender in senders {
            let (taken, tried) = sender.await?;
            acknowledged.extend(taken);
            sent += tried;
        }
        program = Program::start_on(data.path(), port).await?;
    }
    program.drained().await?;
    let options = SqliteConnectOptions::new().filename(program.database()).read_only(true);
    let pool = sqlx::SqlitePool::connect_with(options).await?;
    let stored: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT inbox.id, inbox.state, (SELECT count(*) FROM observation WHERE message = inbox.id) FROM inbox",
    )
    .fetch_all(&pool)
    .await?;
    let ids: BTreeSet<&str> = stored.iter().map(|(id, _, _)| id.as_str()).collect();
    let lost: Vec<&String> = acknowledged.iter().filter(|it| !ids.contains(it.as_str())).collect();
    let undone = stored.iter().filter(|(_, state, _)| state != "done").count();
    let doubled = stored.iter().filter(|(_, _, observations)| *observations != 1).count();
    let (observations, instants, assessments): (i64, i64, i64) = sqlx::query_as(
        "SELECT count(*), count(DISTINCT effective_ms),
                (SELECT count(*) FROM assessment WHERE current = 1) FROM observation",
    )
    .fetch_one(&pool)
    .await?;
    println!(
        "kill -9: {ROUNDS} rounds, {sent} requests, {} acknowledged messages, {} stored, {} lost, {doubled} doubled",
        acknowledged.len(),
        stored.len(),
        lost.len(),
    );
    assert!(acknowledged.len() > 100, "too little was sent to say anything");
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!((undone, doubled), (0, 0));
    assert_eq!(
        (observations, instants, assessments),
        (stored.len() as i64, observations, observations)
    );
    Ok(())
}
