//! Order and repetition change nothing.

use anyhow::Result;
use auscult_tests::Program;
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::pipeline::entries;
use crate::vitals::now;

/// 1,000 readings of two patients over an hour: vitals that wander in and out of every band, each sent
/// by its own device message.
fn messages() -> Vec<String> {
    let start = now().plus_ms(-3_600_000);
    let start = start.plus_ms(-(start.unix_ms() % 1_000));
    (0..1_000_i64)
        .map(|it| {
            let device = if it % 2 == 0 { "mon-a" } else { "mon-b" };
            let at = start.plus_ms(it / 10 * 36_000 + it % 10 * 1_000);
            let wave = (it * 37 % 101) - 50;
            let mut message = json!({ "device": device, "ts": at.to_string() });
            let (name, value) = match it % 10 / 2 {
                0 => ("hr", json!(85 + wave)),
                1 => ("spo2", json!(94 + wave / 9)),
                2 => ("rr", json!(18 + wave / 5)),
                3 => ("temp", json!(37.5 + f64::from(i32::try_from(wave / 10).unwrap_or(0)) / 2.0)),
                _ => ("sys", json!(130 + wave)),
            };
            message[name] = value;
            if it % 10 > 7 {
                message["acvpu"] = json!("A");
                message["o2_flow"] = json!(0);
            }
            message.to_string()
        })
        .collect()
}

/// Everything that must be the same, without times of storing and without what late data replaced.
async fn outcome(program: &Program) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for patient in ["a", "b"] {
        let mut path = format!("/fhir/Observation?patient={patient}&_count=200");
        loop {
            let bundle = program.get(&path).await?.body;
            for resource in entries(&bundle) {
                let mut resource = resource.clone();
                resource["meta"] = Value::Null;
                // When it was received, not what was measured.
                resource["issued"] = Value::Null;
                lines.push(resource.to_string());
            }
            let links = bundle["link"].as_array().cloned().unwrap_or_default();
            let next =
                links.iter().find(|it| it["relation"] == "next").and_then(|it| it["url"].as_str());
            match next {
                Some(url) => path = url.trim_start_matches(&program.url).to_owned(),
                None => break,
            }
        }
        let mut path = format!("/patients/{patient}/assessments?limit=200");
        loop {
            let page = program.get(&path).await?;
            for mut it in page.items() {
                it["reason"] = Value::Null;
                it["supersedes"] = Value::Null;
                lines.push(it.to_string());
            }
            match page.body["next"].as_str() {
                Some(next) => path = next.to_owned(),
                None => break,
            }
        }
        for alert in program.get(&format!("/alerts?patient={patient}")).await?.items() {
            let kept: Vec<&Value> = [
                "id",
                "patient",
                "cause",
                "severity",
                "status",
                "opened",
                "assessment",
                "transitions",
            ]
            .iter()
            .map(|it| &alert[*it])
            .collect();
            lines.push(json!(kept).to_string());
        }
    }
    lines.sort();
    Ok(lines)
}

async fn run(messages: &[String], batch: usize) -> Result<Vec<String>> {
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    program.provision("a", &["mon-a"]).await?;
    program.provision("b", &["mon-b"]).await?;
    let token = program.token("gateway", &["mon-a", "mon-b"]).await?;
    for chunk in messages.chunks(batch) {
        let answer = program.ingest(&token, "application/x-ndjson", chunk.join("\n")).await?;
        assert_eq!(answer.status, 202, "{answer:?}");
    }
    program.drained().await?;
    outcome(&program).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_messages_in_two_orders_and_twice_give_the_same() -> Result<()> {
    let messages = messages();
    let mut shuffled: Vec<String> = messages.iter().chain(&messages).cloned().collect();
    shuffled.shuffle(&mut ChaCha8Rng::seed_from_u64(20_261_121));
    let (ordered, shuffled) = tokio::try_join!(run(&messages, 50), run(&shuffled, 37))?;
    assert!(ordered.len() > 1_000, "{} lines", ordered.len());
    let differing = ordered.iter().zip(&shuffled).find(|(a, b)| a != b);
    assert_eq!(differing, None);
    assert_eq!(ordered.len(), shuffled.len());
    Ok(())
}

#[tokio::test]
async fn the_same_message_twice_is_told_as_a_duplicate() -> Result<()> {
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    let token = program.provision("a", &["mon-a"]).await?;
    let message = crate::vitals::ill("mon-a", now()).to_string();
    let first = program.ingest(&token, "application/json", message.clone()).await?;
    let second = program.ingest(&token, "application/json", message).await?;
    assert_eq!(
        (first.lines(), second.lines()),
        (vec!["accepted".to_owned()], vec!["duplicate".to_owned()])
    );
    assert_eq!(first.body["results"][0]["id"], second.body["results"][0]["id"]);
    Ok(())
}
