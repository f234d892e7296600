//! How many readings a second the engine scores natively, arriving in order, with little and with
//! much history behind them: `cargo run --release -p auscult-scoring --example in_order`.

use std::error::Error;
use std::time::Instant;

use auscult_model::events::{ObservedValue, RecordedObservation};
use auscult_model::{Quality, ReadingValue, Timestamp};
use auscult_store::Database;
use auscult_store::native::NativeSqlite;

const N_PATIENTS: usize = 25;
const CODES: [(&str, &str); 4] = [
    ("heart_rate", "/min"),
    ("respiratory_rate", "/min"),
    ("spo2", "%"),
    ("systolic_bp", "mm[Hg]"),
];
const EVENTS: i64 = 200;

#[expect(clippy::disallowed_methods, reason = "a stopwatch is what this program is")]
fn main() -> Result<(), Box<dyn Error>> {
    for history_hours in [1, 24, 24 * 7] {
        let dir = tempfile::tempdir()?;
        let db = NativeSqlite::with_schema(&dir.path().join("bench.db"))?;
        fill(&db, history_hours)?;
        let events: Vec<_> = (0..EVENTS).map(event).collect();
        for event in &events {
            store(&db, event)?;
        }
        let (start, cpu) = (Instant::now(), cpu_seconds());
        let mut n_assessments = 0;
        for event in &events {
            n_assessments +=
                auscult_scoring::record(&db, event, Timestamp::from_unix_ms(0))?.n_changed;
        }
        let seconds = start.elapsed().as_secs_f64();
        let cpu = cpu_seconds() - cpu;
        let n_readings = events.iter().map(Vec::len).sum::<usize>();
        println!(
            "{history_hours:>4} h of history: {:>7.0} readings/s on the clock, {:>7.0} per second of processor \
             ({n_readings} readings, {n_assessments} assessments, events of {})",
            n_readings as f64 / seconds,
            n_readings as f64 / cpu,
            N_PATIENTS * CODES.len(),
        );
    }
    Ok(())
}

/// Processor time of all threads, user and system: what a busy machine does not distort. Not a
/// number where there is no `/proc`.
fn cpu_seconds() -> f64 {
    // Hundredths of a second since start, fields 14 and 15 of proc(5); the name ends with `)`.
    let ticks = |it: &str| -> Option<f64> {
        let mut fields = it.rsplit(')').next()?.split_whitespace().skip(11);
        Some(fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?)
    };
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    ticks(&stat).map_or(f64::NAN, |it| it / 100.0)
}

/// One value of each code of each patient, a minute after the event before.
fn event(minute: i64) -> Vec<RecordedObservation> {
    let at = Timestamp::from_unix_ms(minute * 60_000);
    let one = |patient: usize, (code, unit): (&str, &str)| RecordedObservation {
        id: auscult_model::digest(&[&patient.to_string(), code, &minute.to_string()]),
        patient: format!("patient-{patient}"),
        code: code.to_owned(),
        effective: at,
        quality: Quality::Accepted,
        received: at,
        inputs: vec![ObservedValue {
            code: code.to_owned(),
            value: ReadingValue::Number((95 + minute % 5).into()),
            unit: unit.to_owned(),
        }],
    };
    (0..N_PATIENTS).flat_map(|it| CODES.map(|code| one(it, code))).collect()
}

/// The minutes before, as earlier events left them.
fn fill(db: &NativeSqlite, hours: i64) -> Result<(), Box<dyn Error>> {
    for start in (-hours * 60..0).step_by(60) {
        let events: Vec<_> = (start..start + 60).flat_map(event).collect();
        for chunk in events.chunks(1_000) {
            store(db, chunk)?;
            auscult_scoring::record(db, chunk, Timestamp::from_unix_ms(0))?;
        }
    }
    Ok(())
}

fn store(db: &NativeSqlite, observations: &[RecordedObservation]) -> Result<(), Box<dyn Error>> {
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
