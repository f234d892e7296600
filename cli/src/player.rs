//! Plays a simulated ward against a server: provisions it, speaks for its gateway, sends each reading
//! when it is due.

use std::time::Duration;

use auscult_model::Timestamp;
use auscult_ward::{Options, Scenario, Step, Ward};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::client::Client;
use crate::clock;
use crate::failure::Failure;

/// Messages of one request: more cost memory at both ends and gain no speed.
const BATCH_MAX: usize = 200;
/// Beds of one provisioning Bundle: 180 resources.
const BEDS_A_BUNDLE: u32 = 20;
/// A server that cannot be reached is asked again for this long: a restart takes less.
const RETRY_FOR: Duration = Duration::from_secs(60);
/// Pause between such tries.
const RETRY_EVERY: Duration = Duration::from_millis(500);
/// Where no assignment is stored yet, devices count as worn since this long before the first reading.
const WORN_BEFORE_MS: i64 = 60_000;

/// What to play.
#[derive(Debug, Clone)]
pub struct Play {
    /// Beds.
    pub patients: u32,
    /// What happens in them.
    pub scenario: Scenario,
    /// Same seed, same readings.
    pub seed: u64,
    /// How many times faster than life illness runs.
    pub speed: u32,
    /// Device id the ward's gateway has its credential under.
    pub gateway: String,
    /// How much of the past is sent at once at the start.
    pub history: Duration,
    /// When to stop by itself.
    pub duration: Option<Duration>,
    /// Takes back credentials that earlier runs of this gateway left.
    pub is_only_player: bool,
}

/// What became of the messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Stored.
    pub accepted: u64,
    /// Stored before.
    pub duplicate: u64,
    /// Refused.
    pub rejected: u64,
}

impl Counts {
    /// For programs.
    pub fn json(self) -> Value {
        json!({ "accepted": self.accepted, "duplicate": self.duplicate, "rejected": self.rejected })
    }

    fn add(&mut self, answer: &Value) {
        let results = answer.get("results").and_then(Value::as_array);
        for it in results.into_iter().flatten() {
            match it.get("status").and_then(Value::as_str) {
                Some("accepted") => self.accepted += 1,
                Some("duplicate") => self.duplicate += 1,
                _ => self.rejected += 1,
            }
        }
    }
}

/// Plays until the duration is over or `stop` becomes true, and takes the gateway's credential back.
pub async fn play(
    operator: &Client,
    play: &Play,
    mut stop: watch::Receiver<bool>,
) -> Result<Counts, Failure> {
    let now = clock::now();
    let start = start(operator, play, now).await?;
    let ward = Ward::new(Options {
        patients: play.patients,
        scenario: play.scenario,
        seed: play.seed,
        start,
    })
    .at_speed(play.speed);
    provision(operator, &ward, start).await?;
    let credential = credential(operator, play, &ward).await?;
    tracing::info!(
        patients = play.patients,
        scenario = play.scenario.as_str(),
        seed = play.seed,
        speed = play.speed,
        "the simulated ward plays"
    );
    let end = play.duration.map(|it| now.plus_ms(millis(it)));
    let gateway = operator.with_token(&credential.token);
    let mut counts = Counts::default();
    let sent = tokio::select! {
        sent = send_all(&gateway, ward, end, &mut counts) => sent,
        _ = stop.wait_for(|it| *it) => Ok(()),
    };
    let path = ["devices", &play.gateway, "credentials", &credential.id];
    let revoked = operator.delete(&path).await;
    sent.and(revoked).map(|()| counts)
}

/// As far back as the history goes, but never over readings an earlier run has left.
async fn start(operator: &Client, play: &Play, now: Timestamp) -> Result<Timestamp, Failure> {
    let start = now.plus_ms(-millis(play.history));
    let params = [("patient", "patient-1"), ("_sort", "-date"), ("_count", "1")];
    let found = operator.get(&["fhir", "Observation"], &params).await?;
    let last = found
        .pointer("/entry/0/resource/effectiveDateTime")
        .and_then(Value::as_str)
        .and_then(Timestamp::parse);
    Ok(last.map_or(start, |it| start.max(it.plus_ms(1)).min(now)))
}

/// Puts patients, devices and assignments. Assignments keep the start they have, so that readings of
/// earlier runs stay filed.
async fn provision(operator: &Client, ward: &Ward, start: Timestamp) -> Result<(), Failure> {
    let stored = match ward.devices().first() {
        Some(device) => {
            operator.find(&["fhir", "DeviceUseStatement", &format!("use-{device}")], &[]).await?
        }
        None => None,
    };
    let since = stored
        .as_ref()
        .and_then(|it| it.pointer("/timingPeriod/start")?.as_str())
        .and_then(Timestamp::parse);
    let worn_since = since.unwrap_or_else(|| start.plus_ms(-WORN_BEFORE_MS));
    for bundle in ward.provisioning_by_beds(BEDS_A_BUNDLE, worn_since) {
        operator.post(&["fhir"], &bundle).await?;
    }
    Ok(())
}

struct Credential {
    id: String,
    token: String,
}

async fn credential(operator: &Client, play: &Play, ward: &Ward) -> Result<Credential, Failure> {
    let path = ["devices", play.gateway.as_str(), "credentials"];
    if play.is_only_player {
        let listed = operator.get(&path, &[]).await?;
        let items = listed.get("items").and_then(Value::as_array);
        for it in
            items.into_iter().flatten().filter(|it| it.get("revoked").is_none_or(Value::is_null))
        {
            if let Some(id) = it.get("id").and_then(Value::as_str) {
                operator.delete(&["devices", &play.gateway, "credentials", id]).await?;
            }
        }
    }
    let wanted = json!({ "label": "simulated ward", "devices": ward.devices() });
    let made = operator.post(&path, &wanted).await?;
    let text = |key: &str| made.get(key).and_then(Value::as_str).map(str::to_owned);
    match (text("id"), text("token")) {
        (Some(id), Some(token)) => Ok(Credential { id, token }),
        _ => Err(Failure::Bad("the server's answer holds no credential".to_owned())),
    }
}

async fn send_all(
    gateway: &Client,
    ward: Ward,
    end: Option<Timestamp>,
    counts: &mut Counts,
) -> Result<(), Failure> {
    let mut steps = ward.peekable();
    while let Some(next) = steps.peek().map(|it| it.at) {
        if end.is_some_and(|end| next >= end) {
            return wait_until(end).await;
        }
        wait_until(Some(next)).await?;
        let now = clock::now();
        let mut batch: Vec<Value> = Vec::new();
        while let Some(Step { message, .. }) =
            steps.next_if(|it| batch.len() < BATCH_MAX && it.at <= now)
        {
            batch.push(message);
        }
        send(gateway, &Value::Array(batch), counts).await?;
    }
    Ok(())
}

async fn wait_until(at: Option<Timestamp>) -> Result<(), Failure> {
    let ms = at.map_or(0, |at| at.since_ms(clock::now()));
    if let Ok(ms @ 1..) = u64::try_from(ms) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    Ok(())
}

/// Sends a batch until it is taken: what was taken in a try before counts as duplicate.
async fn send(gateway: &Client, batch: &Value, counts: &mut Counts) -> Result<(), Failure> {
    let mut waited = Duration::ZERO;
    loop {
        let failure = match gateway.post(&["ingest"], batch).await {
            Ok(answer) => {
                counts.add(&answer);
                return Ok(());
            }
            Err(failure) => failure,
        };
        if !is_passing(&failure) || waited >= RETRY_FOR {
            return Err(failure);
        }
        tokio::time::sleep(RETRY_EVERY).await;
        waited += RETRY_EVERY;
    }
}

fn is_passing(failure: &Failure) -> bool {
    match failure {
        Failure::Unreached { .. } => true,
        Failure::Refused(problem) => matches!(problem.status, 408 | 429 | 500..=599),
        Failure::Bad(_) => false,
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_an_answer_is_counted_once() {
        let mut counts = Counts::default();
        counts.add(&json!({ "results": [
            { "index": 0, "status": "accepted" }, { "index": 1, "status": "duplicate" },
            { "index": 2, "status": "rejected" }, { "index": 3, "status": "accepted" } ] }));
        counts.add(&Value::Null);
        assert_eq!(counts, Counts { accepted: 2, duplicate: 1, rejected: 1 });
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let refused =
            |status| Failure::Refused(Box::new(auscult_model::Problem::new(status, "x", "x")));
        let rows = [
            (Failure::unread("x", &"y"), true),
            (refused(503), true),
            (refused(429), true),
            (refused(401), false),
            (refused(413), false),
            (Failure::Bad("x".to_owned()), false),
        ];
        for (failure, want) in rows {
            assert_eq!(is_passing(&failure), want, "{failure}");
        }
    }
}
