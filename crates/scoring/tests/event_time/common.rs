//! A database with observations in it, as normalization leaves them.

use auscult_model::events::{ObservedValue, RecordedObservation};
use auscult_model::{Assessment, Quality, ReadingValue, Timestamp};
use auscult_store::native::NativeSqlite;
use auscult_store::{Database, Param};

/// A file that goes when the test ends.
pub struct Ward {
    /// With every table.
    pub db: NativeSqlite,
    _dir: tempfile::TempDir,
}

/// The time of every test's clock; nothing may depend on it.
pub const NOW: Timestamp = Timestamp::from_unix_ms(1_795_200_000_000);

impl Ward {
    /// An empty one.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = NativeSqlite::with_schema(&dir.path().join("ward.db")).unwrap();
        Self { db, _dir: dir }
    }

    /// Stores observations as normalization does: first come, first kept.
    pub fn store(&self, observations: &[RecordedObservation]) {
        let rows = serde_json::to_string(observations).unwrap();
        self.db
            .query(
                "INSERT INTO observation (id, message, device, patient, code, codes, effective_ms,
                     inputs, quality, mapping, received_ms, updated_ms, resource)
                 SELECT e.value ->> 'id', 'm', 'd', e.value ->> 'patient', e.value ->> 'code', '',
                        0, e.value -> 'inputs', e.value ->> 'quality', 'test', 0, 0, '{}'
                   FROM json_each(?1) AS e WHERE true ON CONFLICT (id) DO NOTHING",
                &[(&rows).into()],
            )
            .unwrap();
    }

    /// Files an observation to another patient, or to nobody.
    pub fn refile(&self, observation: &str, patient: Option<&str>) {
        let patient: Param<'_> = patient.into();
        let sql = "UPDATE observation SET patient = ?2 WHERE id = ?1";
        self.db.query(sql, &[observation.into(), patient]).unwrap();
    }

    /// Stores and records, through to the last step; what was sent on.
    pub fn record(&self, observations: &[RecordedObservation]) -> Vec<Assessment> {
        self.store(observations);
        self.tell(observations)
    }

    /// Records without storing: a repeat, or news of a re-filing.
    pub fn tell(&self, observations: &[RecordedObservation]) -> Vec<Assessment> {
        let progress = auscult_scoring::record(&self.db, observations, NOW).unwrap();
        let mut sent = read(&progress);
        for rest in &progress.rest {
            sent.extend(read(&auscult_scoring::step(&self.db, rest, NOW).unwrap()));
        }
        sent
    }

    /// Every assessment that stands, as stored, without what tells of its past.
    pub fn standing(&self) -> Vec<String> {
        let sql = "SELECT json_remove(body, '$.reason', '$.supersedes') AS body FROM assessment
                   WHERE current = 1 ORDER BY patient, rule, effective_ms";
        let rows = self.db.query(sql, &[]).unwrap();
        rows.iter().map(|it| it.text("body").unwrap().to_owned()).collect()
    }

    /// How many rows a statement finds.
    pub fn count(&self, from: &str) -> i64 {
        let rows = self.db.query(&format!("SELECT count(*) AS n FROM {from}"), &[]).unwrap();
        rows.first().unwrap().integer("n").unwrap()
    }
}

fn read(progress: &auscult_scoring::Progress) -> Vec<Assessment> {
    progress.emissions.iter().map(|it| serde_json::from_str(it.body.get()).unwrap()).collect()
}

/// Minutes after an arbitrary midnight.
pub fn minute(it: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_795_132_800_000 + it * 60_000)
}

/// One accepted value in an observation of its own.
pub fn reading(
    id: &str,
    patient: &str,
    code: &str,
    value: &str,
    at: Timestamp,
) -> RecordedObservation {
    let number = value.parse().map(ReadingValue::Number);
    let unit = match code {
        "respiratory_rate" | "heart_rate" | "pulse_rate" | "pulse_rate_nibp" => "/min",
        "spo2" | "inhaled_oxygen_concentration" => "%",
        "inhaled_oxygen_flow" => "L/min",
        "systolic_bp" => "mm[Hg]",
        "consciousness_acvpu" => "",
        _ => "Cel",
    };
    RecordedObservation {
        id: id.to_owned(),
        patient: patient.to_owned(),
        code: code.to_owned(),
        effective: at,
        quality: Quality::Accepted,
        received: NOW,
        inputs: vec![ObservedValue {
            code: code.to_owned(),
            value: number.unwrap_or_else(|_| ReadingValue::Text(value.to_owned())),
            unit: unit.to_owned(),
        }],
    }
}

/// A full set of one instant.
pub fn full_set(patient: &str, at: Timestamp, respiration_rate: &str) -> Vec<RecordedObservation> {
    let rows = [
        ("respiratory_rate", respiration_rate),
        ("spo2", "97"),
        ("inhaled_oxygen_flow", "0"),
        ("systolic_bp", "120"),
        ("heart_rate", "70"),
        ("consciousness_acvpu", "A"),
        ("body_temperature", "37.0"),
    ];
    rows.into_iter()
        .map(|(code, value)| {
            reading(&format!("{patient}-{code}-{}", at.unix_ms()), patient, code, value, at)
        })
        .collect()
}
