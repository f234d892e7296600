//! The whole pipeline as it runs: from HTTP request to stored score and to the page at a receiver.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use serde_json::json;
use sqlx::sqlite::SqlitePool;
use url::Url;

use super::load::{self, Call, Connection, Outcome, Plan};
use super::program::Program;
use super::receiver::Receiver;
use super::ward::{MONITORS, SICK, Ward, bodies, full_set};
use crate::client::Client;
use crate::clock;

/// Connections and messages a request of each row.
const ROWS: [(usize, u64); 6] = [(1, 1), (16, 1), (64, 1), (1, 100), (16, 100), (64, 100)];
/// Most messages of one row: what is acknowledged faster than scored must still be scored in time.
const MESSAGES_MAX: u64 = 20_000;
/// What was acknowledged is through after this long, or the row says that it was not.
const DRAIN_WITHIN: Duration = Duration::from_secs(60);
/// How often the database is asked whether anything waits: seldom enough not to be load itself.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// Pages still under way after the load are waited for this long.
const PAGES_WITHIN: Duration = Duration::from_secs(20);
/// Connections that patients who fall ill are reported over, beside the load.
const SICK_CONNECTIONS: usize = 8;
/// Restarts that are timed; the median is told.
const STARTS: usize = 5;
/// Readings begin this long ago, so that no reading of the run is of the future, in milliseconds.
const HISTORY_MS: i64 = 2 * 3_600_000;

/// How long a start takes, in milliseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Start {
    /// Empty data folder: every component is compiled. To ready.
    pub compiling_ms: f64,
    /// Compiled code in the cache: to the first accepted message, the median.
    pub cached_ms: f64,
    /// The slowest of them.
    pub cached_max_ms: f64,
    /// Resident after it, before any load.
    pub resident_mb: f64,
}

/// One row of the table.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Connections.
    pub connections: usize,
    /// Messages a request.
    pub messages: u64,
    /// Messages acknowledged a second.
    pub acknowledged: f64,
    /// Median answer, in milliseconds.
    pub answer_p50_ms: f64,
    /// 99 of 100 answers, in milliseconds.
    pub answer_p99_ms: f64,
    /// Messages a second from the first request until every score was stored.
    pub scored: f64,
    /// Observations a second, likewise.
    pub observations: f64,
    /// Observations for one second of processor time of the server.
    pub observations_a_core: f64,
    /// Messages acknowledged.
    pub sent: u64,
    /// Scores stored for them.
    pub assessments: i64,
    /// Messages a second while alerts were timed: half of `scored`.
    pub half_load: f64,
    /// From sending a message to its page at the receiver, in milliseconds.
    pub alert_p50_ms: f64,
    /// 99 of 100, in milliseconds.
    pub alert_p99_ms: f64,
    /// Patients who fell ill.
    pub ill: usize,
    /// Pages that arrived.
    pub paged: usize,
    /// Requests that were not answered with 202.
    pub errors: u64,
    /// Those by kind.
    pub error_kinds: std::collections::BTreeMap<String, u64>,
    /// Resident memory after the row.
    pub resident_mb: f64,
}

/// What the pipeline did, and where its rows are for the floor.
pub struct Measured {
    /// Starts.
    pub start: Start,
    /// Rows.
    pub rows: Vec<Row>,
    /// The database with every row that was written.
    pub database: PathBuf,
}

struct Bench<'a> {
    program: &'a Program,
    token: Arc<str>,
    ward: Arc<Ward>,
    receiver: &'a Receiver,
    database: SqlitePool,
    time: Duration,
}

/// Measures with the data folder `data`, which is empty.
pub async fn measure(app: &Path, data: &Path, time: Duration) -> Result<Measured> {
    let receiver = Receiver::start().await?;
    let ward = Arc::new(Ward::new(clock::now().plus_ms(-HISTORY_MS)));
    let (program, compiling) = Program::start(app, data, &[]).await?;
    let token: Arc<str> = provision(&program, &ward, &receiver).await?.into();
    program.stop().await?;
    let (program, start) = restarts(app, data, &ward, &token, compiling).await?;
    let database = program.database().await?;
    let bench = Bench { program: &program, token, ward, receiver: &receiver, database, time };
    bench.send_once(bench.ward.charted()).await?;
    bench.drained().await?;
    let mut rows = Vec::new();
    for (connections, messages) in ROWS {
        eprintln!("pipeline: {connections} connections, {messages} messages a request");
        rows.push(bench.row(connections, messages).await?);
    }
    bench.database.close().await;
    program.stop().await?;
    Ok(Measured { start, rows, database: data.join("sqlite/default.db") })
}

/// Puts everybody and the policy there; returns the gateway's token.
async fn provision(program: &Program, ward: &Ward, receiver: &Receiver) -> Result<String> {
    let url = Url::parse(&format!("http://{}", program.address))?;
    let operator = Client::new(&url, &program.token()?)?;
    for bundle in ward.bundles() {
        operator.post(&["fhir"], &bundle).await?;
    }
    let policy = json!({
        "receivers": [{ "name": "bench", "webhook": {
            "url": receiver.url, "secret": "whsec_YSBiZW5jaG1hcmsga2VlcHMgbm8gc2VjcmV0cyE=",
        } }],
        "route": { "receiver": "bench", "repeat_interval": "1d" },
    });
    let answer = reqwest::Client::new()
        .put(url.join("policies")?)
        .bearer_auth(program.token()?)
        .json(&policy)
        .send()
        .await?;
    if !answer.status().is_success() {
        bail!("the policy was not taken: {}", answer.text().await?);
    }
    let wanted = json!({ "label": "benchmark", "devices": ["bench-*"] });
    let made = operator.post(&["devices", "bench-gateway", "credentials"], &wanted).await?;
    let token = made.get("token").and_then(serde_json::Value::as_str);
    Ok(token.context("no token in the answer")?.to_owned())
}

/// Starts again and again with compiled code cached; the last one goes on.
async fn restarts(
    app: &Path,
    data: &Path,
    ward: &Arc<Ward>,
    token: &Arc<str>,
    compiling: Duration,
) -> Result<(Program, Start)> {
    let mut times = Vec::new();
    loop {
        let body = ward.body(1);
        let started = Instant::now();
        let mut program = Program::spawn(app, data, &[])?;
        program.first(started, || Call::ingest(token, body.clone()), 202).await?;
        times.push(ms(started.elapsed()));
        if times.len() < STARTS {
            program.stop().await?;
            continue;
        }
        times.sort_by(f64::total_cmp);
        let start = Start {
            compiling_ms: ms(compiling),
            cached_ms: times.get(STARTS / 2).copied().unwrap_or_default(),
            cached_max_ms: times.last().copied().unwrap_or_default(),
            resident_mb: program.resident_mb()?,
        };
        return Ok((program, start));
    }
}

impl Bench<'_> {
    async fn row(&self, connections: usize, messages: u64) -> Result<Row> {
        let (before, cpu) = (self.stored().await?, self.program.cpu()?);
        let started = Instant::now();
        let full = self.load(connections, messages, None).await?;
        let is_through = self.drained().await?;
        let took = started.elapsed();
        let after = self.stored().await?;
        let cpu = self.program.cpu()?.saturating_sub(cpu);
        #[expect(clippy::cast_precision_loss, reason = "counts of a run are small")]
        let (scores, observations) = ((after.0 - before.0) as f64, (after.1 - before.1) as f64);
        let scored = scores / took.as_secs_f64();
        let (half, alerts) = self.half(connections, messages, scored / 2.0).await?;
        let mut error_kinds = full.errors.clone();
        for (kind, times) in half.errors.iter().chain(&alerts.errors) {
            *error_kinds.entry(kind.clone()).or_default() += times;
        }
        if !is_through {
            error_kinds.insert(format!("still waiting after {DRAIN_WITHIN:?}"), 1);
        }
        Ok(Row {
            connections,
            messages,
            acknowledged: per_second(full.counted, full.took),
            answer_p50_ms: full.ms(0.5),
            answer_p99_ms: full.ms(0.99),
            scored,
            observations: observations / took.as_secs_f64(),
            observations_a_core: observations / cpu.as_secs_f64().max(0.001),
            sent: full.counted,
            assessments: after.0 - before.0,
            half_load: per_second(half.counted, self.time),
            alert_p50_ms: f64::from(load::percentile(&alerts.micros, 0.5)) / 1e3,
            alert_p99_ms: f64::from(load::percentile(&alerts.micros, 0.99)) / 1e3,
            ill: alerts.ill,
            paged: alerts.micros.len(),
            errors: error_kinds.values().sum(),
            error_kinds,
            resident_mb: self.program.resident_mb()?,
        })
    }

    async fn load(&self, connections: usize, messages: u64, rate: Option<f64>) -> Result<Outcome> {
        let (body, token) = (bodies(&self.ward, messages), self.token.clone());
        let left = AtomicU64::new(MESSAGES_MAX / messages);
        let next = move || {
            let taken =
                left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| it.checked_sub(1));
            taken.ok().map(|_| Call::ingest(&token, body()))
        };
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let every = rate.map(|it| connections as f64 * messages as f64 / it.max(1.0));
        let plan = Plan {
            address: self.program.address,
            connections,
            time: self.time,
            every: every.map(Duration::from_secs_f64),
        };
        load::run(plan, Arc::new(next), accepted).await
    }

    /// Half of the load, and patients who fall ill in the middle of it.
    async fn half(
        &self,
        connections: usize,
        messages: u64,
        rate: f64,
    ) -> Result<(Outcome, Alerts)> {
        self.receiver.clear();
        let (half, sick) =
            tokio::try_join!(self.load(connections, messages, Some(rate)), self.fall_ill())?;
        let waiting = Instant::now();
        while self.receiver.count(true) < sick.sent.len() && waiting.elapsed() < PAGES_WITHIN {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut micros: Vec<u32> = sick
            .sent
            .iter()
            .filter_map(|(sick, sent)| {
                Some(self.receiver.arrival(*sick, true)?.duration_since(*sent))
            })
            .map(|it| u32::try_from(it.as_micros()).unwrap_or(u32::MAX))
            .collect();
        micros.sort_unstable();
        let ill = sick.sent.len();
        self.recover(&sick.sent).await?;
        self.drained().await?;
        Ok((half, Alerts { ill, micros, errors: sick.outcome.errors }))
    }

    /// One patient after the other, spread over the load.
    async fn fall_ill(&self) -> Result<Sick> {
        let sent = Arc::new(std::sync::Mutex::new(Vec::new()));
        let (token, noted, next) = (self.token.clone(), sent.clone(), AtomicU64::new(0));
        let call = move || {
            let sick = next.fetch_add(1, Ordering::Relaxed);
            if sick >= SICK {
                return None;
            }
            let body = full_set(sick, clock::now(), true);
            if let Ok(mut noted) = noted.lock() {
                noted.push((sick, Instant::now()));
            }
            Some(Call::ingest(&token, body))
        };
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let every = self.time.mul_f64(SICK_CONNECTIONS as f64 / SICK as f64);
        let plan = Plan {
            address: self.program.address,
            connections: SICK_CONNECTIONS,
            time: self.time,
            every: Some(every),
        };
        let outcome = load::run(plan, Arc::new(call), accepted).await?;
        let sent = sent.lock().map(|it| it.clone()).unwrap_or_default();
        Ok(Sick { sent, outcome })
    }

    /// Everybody who fell ill is well again, so that the next row's alerts are new.
    async fn recover(&self, sick: &[(u64, Instant)]) -> Result<()> {
        for some in sick.chunks(100) {
            let now = clock::now();
            let sets: Vec<String> = some.iter().map(|it| full_set(it.0, now, false)).collect();
            self.send_once(format!("[{}]", sets.join(","))).await?;
        }
        let waiting = Instant::now();
        while self.receiver.count(false) < self.receiver.count(true)
            && waiting.elapsed() < PAGES_WITHIN
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    async fn send_once(&self, body: String) -> Result<()> {
        let (status, answer) =
            Connection::new(self.program.address).send(Call::ingest(&self.token, body)).await?;
        match accepted(status, &answer) {
            Some(_) => Ok(()),
            None => bail!("answered {status}: {}", String::from_utf8_lossy(&answer)),
        }
    }

    /// Waits until no stored message waits for a later stage; false when that takes too long.
    async fn drained(&self) -> Result<bool> {
        let asked = Instant::now();
        while asked.elapsed() < DRAIN_WITHIN {
            let waits: bool =
                sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM inbox WHERE state = 'pending')")
                    .fetch_one(&self.database)
                    .await?;
            if !waits {
                return Ok(true);
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
        Ok(false)
    }

    /// Assessments and observations stored so far.
    async fn stored(&self) -> Result<(i64, i64)> {
        let sql = "SELECT (SELECT count(*) FROM assessment WHERE current = 1),
                          (SELECT count(*) FROM observation)";
        Ok(sqlx::query_as(sql).fetch_one(&self.database).await?)
    }
}

struct Sick {
    sent: Vec<(u64, Instant)>,
    outcome: Outcome,
}

struct Alerts {
    ill: usize,
    micros: Vec<u32>,
    errors: std::collections::BTreeMap<String, u64>,
}

/// Accepted messages of an answer. Anything but acceptance of all of them is an error.
fn accepted(status: u16, body: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(body).ok()?;
    let all = text.matches("\"status\":").count();
    let accepted = text.matches("\"status\":\"accepted\"").count();
    (status == 202 && accepted > 0 && all == accepted).then_some(accepted as u64)
}

fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64().max(0.001)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// How many monitors speak, for the text around the table.
pub const WARD: (u64, u64) = (MONITORS, SICK);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_full_acceptance_counts() {
        let accepted_one = br#"{"results":[{"index":0,"id":"x","status":"accepted"}]}"#;
        let mixed = br#"{"results":[{"status":"accepted"},{"status":"duplicate"}]}"#;
        let rows: [(u16, &[u8], Option<u64>); 4] = [
            (202, accepted_one, Some(1)),
            (202, mixed, None),
            (503, accepted_one, None),
            (202, b"", None),
        ];
        for (status, body, want) in rows {
            assert_eq!(accepted(status, body), want, "{status}");
        }
    }
}
