//! Scoring alone: readings a second and core, native and as the component, with little and with much
//! history behind them. The cost of a reading may not grow with the history.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use auscult_model::events::{
    OBSERVATION_RECORDED, ObservationRecorded, ObservedValue, RecordedObservation,
};
use auscult_model::{Quality, ReadingValue, Timestamp, digest};
use auscult_store::Database as _;
use auscult_store::native::NativeSqlite;
use serde::Serialize;
use serde_json::json;

use super::program::Program;
use super::receiver::Receiver;
use super::table::{table, times, whole};
use crate::clock;

const N_PATIENTS: usize = 25;
const CODES: [(&str, &str); 4] = [
    ("heart_rate", "/min"),
    ("respiratory_rate", "/min"),
    ("spo2", "%"),
    ("systolic_bp", "mm[Hg]"),
];
/// Hours of history behind the first reading measured.
const HISTORY_HOURS: [i64; 3] = [1, 24, 30 * 24];
/// Between two sets of readings of a patient: 30 days of them are filled in within half a minute.
const EVERY_MS: i64 = 30 * 60_000;
/// Events offered to each row at most.
const EVENTS_MAX: i64 = 2_000;
/// Largest event, as between stages.
const EVENT_ITEMS_MAX: usize = 1_000;

/// One row of the table.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Hours of history.
    pub history_hours: i64,
    /// Readings over processor time of the core, in this program.
    pub native: f64,
    /// Readings over processor time of `auscult up` with the component.
    pub wasm: f64,
    /// Native over wasm.
    pub ratio: f64,
}

/// Measures with data folders under `folder`.
pub async fn measure(app: &Path, folder: &Path, time: Duration) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for hours in HISTORY_HOURS {
        eprintln!("scoring: {hours} h of history");
        let from = Timestamp::from_unix_ms(clock::now().unix_ms() - EVENTS_MAX * EVERY_MS);
        let base = folder.join(format!("scoring-{hours}.db"));
        let data = folder.join(format!("scoring-{hours}"));
        std::fs::create_dir_all(data.join("sqlite"))?;
        let (file, copy) = (base.clone(), data.join("sqlite/default.db"));
        let native = tokio::task::spawn_blocking(move || {
            fill(&file, from, hours)?;
            std::fs::copy(&file, &copy)?;
            native(&file, from, time)
        })
        .await??;
        let wasm = wasm(app, folder, &data, from, time).await?;
        rows.push(Row { history_hours: hours, native, wasm, ratio: native / wasm });
    }
    Ok(rows)
}

/// For people.
pub fn text(rows: &[Row]) -> String {
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|it| {
            vec![
                format!("{} h", it.history_hours),
                whole(it.native),
                whole(it.wasm),
                times(it.ratio),
            ]
        })
        .collect();
    let head = ["history", "native readings/s per core", "wasm readings/s per core", "native/wasm"];
    format!("\n## Scoring alone\n\n{}", table(&head, &cells))
}

/// One value of each code of each patient.
fn event(from: Timestamp, place: i64) -> Vec<RecordedObservation> {
    let at = from.plus_ms(place * EVERY_MS);
    let one = |patient: usize, (code, unit): (&str, &str)| RecordedObservation {
        id: digest(&[&patient.to_string(), code, &at.unix_ms().to_string()]),
        patient: format!("patient-{patient}"),
        code: code.to_owned(),
        effective: at,
        quality: Quality::Accepted,
        received: at,
        inputs: vec![ObservedValue {
            code: code.to_owned(),
            value: ReadingValue::Number((95 + place.rem_euclid(5)).into()),
            unit: unit.to_owned(),
        }],
    };
    (0..N_PATIENTS).flat_map(|it| CODES.map(|code| one(it, code))).collect()
}

/// The history as earlier events left it, and the observations of the events to come.
fn fill(file: &Path, from: Timestamp, hours: i64) -> Result<()> {
    let db = NativeSqlite::with_schema(file)?;
    let n_before = hours * 3_600_000 / EVERY_MS;
    let before: Vec<_> = (-n_before..0).flat_map(|it| event(from, it)).collect();
    for chunk in before.chunks(EVENT_ITEMS_MAX) {
        store(&db, chunk)?;
        auscult_scoring::record(&db, chunk, from)?;
    }
    let after: Vec<_> = (0..EVENTS_MAX).flat_map(|it| event(from, it)).collect();
    for chunk in after.chunks(EVENT_ITEMS_MAX) {
        store(&db, chunk)?;
    }
    Ok(())
}

/// What normalization would have stored.
fn store(db: &NativeSqlite, observations: &[RecordedObservation]) -> Result<()> {
    let rows = serde_json::to_string(observations)?;
    db.query(
        "INSERT INTO observation (id, message, device, patient, code, codes, effective_ms, inputs,
             quality, mapping, received_ms, updated_ms, resource)
         SELECT value ->> 'id', 'm', 'd', value ->> 'patient', value ->> 'code', '', 0,
                value -> 'inputs', value ->> 'quality', 'bench', 0, 0, '{}' FROM json_each(?1)",
        &[(&rows).into()],
    )?;
    Ok(())
}

fn native(file: &Path, from: Timestamp, time: Duration) -> Result<f64> {
    let db = NativeSqlite::open(file)?;
    let events: Vec<_> = (0..EVENTS_MAX).map(|it| event(from, it)).collect();
    let (start, cpu, mut n_readings) = (Instant::now(), own_cpu()?, 0);
    for event in &events {
        let progress = auscult_scoring::record(&db, event, from)?;
        if progress.n_changed == 0 {
            bail!("the core of scoring assessed nothing");
        }
        n_readings += event.len();
        if start.elapsed() > time {
            break;
        }
    }
    Ok(n_readings as f64 / (own_cpu()? - cpu).as_secs_f64().max(0.001))
}

/// Processor time of the thread that asks.
fn own_cpu() -> Result<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos = text.split_whitespace().next().context("no time in schedstat")?.parse()?;
    Ok(Duration::from_nanos(nanos))
}

/// The component alone, its events sent by this program, its assessments taken by this program.
async fn wasm(
    app: &Path,
    folder: &Path,
    data: &Path,
    from: Timestamp,
    time: Duration,
) -> Result<f64> {
    let sink = Receiver::start().await?;
    let manifest = manifest(app, folder, &sink.url)?;
    let (program, _) = Program::start(&manifest, data, &[]).await?;
    let url = format!("http://{}/events", program.address);
    let client = reqwest::Client::new();
    let (start, mut cpu, mut n_readings) = (Instant::now(), program.cpu()?, 0);
    for place in 0..EVENTS_MAX {
        if place == 20 {
            // The first calls open the database and warm the code.
            (cpu, n_readings) = (program.cpu()?, 0);
        }
        let observations = event(from, place);
        let n_observations = observations.len();
        let event = json!({
            "specversion": "1.0", "id": place.to_string(), "source": "//bench",
            "type": OBSERVATION_RECORDED, "data": ObservationRecorded { observations },
        });
        let call = client.post(&url).header("content-type", "application/cloudevents+json");
        let answer = call.body(event.to_string()).send().await?;
        if answer.status() != 204 {
            bail!("the scoring component answered {}", answer.status());
        }
        n_readings += n_observations;
        if place > 20 && start.elapsed() > time {
            break;
        }
    }
    let spent = program.cpu()? - cpu;
    program.stop().await?;
    Ok(n_readings as f64 / spent.as_secs_f64().max(0.001))
}

/// An application of the scoring component only.
fn manifest(app: &Path, folder: &Path, sink: &str) -> Result<std::path::PathBuf> {
    let here = std::fs::canonicalize(app)?;
    let root = here.parent().context("the manifest lies in no folder")?;
    let source = root.join("target/wasm32-wasip2/release/scoring.wasm");
    let text = format!(
        "spin_manifest_version = 2\n[application]\nname = \"bench-scoring\"\nversion = \"0.1.0\"\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"scoring\"\n[component.scoring]\n\
         source = {:?}\nsqlite_databases = [\"default\"]\nallowed_outbound_hosts = [\"http://127.0.0.1:*\"]\n\
         [component.scoring.variables]\noperator_token_sha256 = \"\"\nsink = {sink:?}\n",
        source.display().to_string()
    );
    let file = folder.join("scoring.toml");
    std::fs::write(&file, text)?;
    Ok(file)
}
