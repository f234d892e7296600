//! A ward of stored rows: one patient in an emergency, one being looked after, one quiet, one with a
//! loose sensor, one whose readings are old.

use std::cell::RefCell;

use auscult_model::Timestamp;
use auscult_store::native::NativeSqlite;
use auscult_store::{Database, Param, Rows, StoreError};
use serde_json::{Value, json};

pub const NOW: Timestamp = Timestamp::from_unix_ms(1_795_262_400_000);

pub struct World {
    pub db: NativeSqlite,
    _folder: tempfile::TempDir,
}

impl World {
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = NativeSqlite::with_schema(&folder.path().join("ward.db")).unwrap();
        Self { db, _folder: folder }
    }

    pub fn furnished() -> Self {
        let world = Self::empty();
        world.db.query("BEGIN", &[]).unwrap();
        for (id, name, bed) in [
            ("p-1", "Okonkwo", "Bed 1"),
            ("p-2", "Lindqvist", "Bed 2"),
            ("p-3", "Marchetti", "Bed 3"),
            ("p-4", "Yilmazer", "Bed 4"),
            ("p-5", "Hartwell", "Bed 10"),
            ("p-11", "Haidari", "Bed 11"),
        ] {
            world.patient(id, name, bed);
        }
        world.emergency();
        world.looked_after();
        world.quiet("p-2", 5);
        world.loose_sensor();
        world.old_readings();
        world.frail();
        world.rejected_message();
        world.db.query("COMMIT", &[]).unwrap();
        world
    }

    fn run(&self, sql: &str, params: &[Param<'_>]) {
        self.db.query(sql, params).unwrap();
    }

    /// A patient with a device at their bed.
    pub fn patient(&self, id: &str, name: &str, bed: &str) {
        let given = match name {
            "Okonkwo" => "Amara",
            "Lindqvist" => "Tove",
            "Marchetti" => "Dario",
            "Yilmazer" => "Selin",
            "Hartwell" => "Joss",
            _ => "Leyla",
        };
        let patient = json!({ "name": [{ "family": name, "given": [given] }], "gender": "female", "birthDate": "1951-03-14" });
        let device = json!({ "location": { "display": bed } });
        let monitor = format!("mon-{id}");
        for (kind, id, body) in [("Patient", id, patient), ("Device", monitor.as_str(), device)] {
            self.run(
                "INSERT INTO resource (type, id, version, updated_ms, body) VALUES (?1, ?2, 1, 0, ?3)",
                &[kind.into(), id.into(), (&body.to_string()).into()],
            );
        }
        self.run(
            "INSERT INTO assignment (id, version, device, patient, start_ms, end_ms, active)
             VALUES (?1, 1, ?2, ?3, 0, NULL, 1)",
            &[(&format!("use-{id}")).into(), (&monitor).into(), id.into()],
        );
    }

    pub fn message(&self, id: &str, body: &Value, ago_s: i64, state: &str, problem: Option<&str>) {
        self.run(
            "INSERT INTO inbox (id, digest, device, allowed, body, received_ms, state, attempts, due_ms, problem)
             VALUES (?1, ?1, 'mon-p-1', '[]', ?2, ?3, ?4, 1, 0, ?5)",
            &[id.into(), (&body.to_string()).into(), NOW.plus_ms(-ago_s * 1_000).into(), state.into(), problem.into()],
        );
    }

    /// One Observation; its id tells patient, code and age.
    pub fn observation(
        &self,
        patient: &str,
        code: &str,
        values: &[(&str, Value, &str)],
        ago_s: i64,
        quality: &str,
        message: &str,
    ) -> String {
        let id = format!("obs-{patient}-{code}-{ago_s}");
        let inputs: Vec<Value> = values
            .iter()
            .map(|(code, value, unit)| json!({ "code": code, "value": value, "unit": unit }))
            .collect();
        let at = NOW.plus_ms(-ago_s * 1_000);
        self.run(
            "INSERT INTO observation (id, message, device, patient, code, codes, effective_ms, inputs, quality, mapping, received_ms, updated_ms, resource)
             VALUES (?1, ?2, 'mon', ?3, ?4, '', ?5, ?6, ?7, 'catalogue@1', ?5, ?5, '{}')",
            &[(&id).into(), message.into(), patient.into(), code.into(), at.into(), (&json!(inputs).to_string()).into(), quality.into()],
        );
        id
    }

    fn set(&self, patient: &str, ago_s: i64, it: [f64; 6], flow: i64, acvpu: &str) {
        let [rr, spo2, sys, dia, hr, temp] = it;
        let n = |value: f64| if value.fract() == 0.0 { json!(value as i64) } else { json!(value) };
        let one = |code: &str, value: Value, unit: &str| {
            self.observation(patient, code, &[(code, value, unit)], ago_s, "accepted", "m-0");
        };
        one("respiratory_rate", n(rr), "/min");
        one("spo2", n(spo2), "%");
        one("heart_rate", n(hr), "/min");
        if ago_s % 300 == 12 {
            one("body_temperature", n(temp), "Cel");
            one("inhaled_oxygen_flow", json!(flow), "L/min");
            one("consciousness_acvpu", json!(acvpu), "");
            let pair = [("systolic_bp", n(sys), "mm[Hg]"), ("diastolic_bp", n(dia), "mm[Hg]")];
            self.observation(patient, "blood_pressure", &pair, ago_s, "accepted", "m-0");
        }
    }

    pub fn assessment(
        &self,
        patient: &str,
        id: &str,
        ago_s: i64,
        value: i64,
        complete: bool,
        inputs: &Value,
        missing: &Value,
    ) {
        let at = NOW.plus_ms(-ago_s * 1_000);
        let (band, severity) = match value {
            7.. => ("high", Some("emergency")),
            5..=6 => ("medium", Some("urgent")),
            _ => ("low", None),
        };
        let status = if complete { "complete" } else { "incomplete" };
        let body = json!({ "id": id, "patient": patient, "rule": "news2", "version": "2017-1", "effective": at,
            "status": status, "value": value, "band": band, "severity": severity, "inputs": inputs,
            "missing": missing, "reason": null, "supersedes": null });
        self.run(
            "INSERT INTO assessment (id, patient, rule, effective_ms, current, status, value, severity, created_ms, body)
             VALUES (?1, ?2, 'news2', ?3, 1, ?4, ?5, ?6, ?3, ?7)",
            &[id.into(), patient.into(), at.into(), status.into(), value.into(), severity.into(), (&body.to_string()).into()],
        );
    }

    fn alert(
        &self,
        id: &str,
        patient: &str,
        severity: &str,
        status: &str,
        opened_ago_s: i64,
        assessment: &str,
    ) {
        let at = NOW.plus_ms(-opened_ago_s * 1_000);
        self.run(
            "INSERT INTO alert (id, patient, cause, severity, status, opened_ms, updated_ms, assessment, body)
             VALUES (?1, ?2, 'news2', ?3, ?4, ?5, ?5, ?6, '{}')",
            &[id.into(), patient.into(), severity.into(), status.into(), at.into(), assessment.into()],
        );
        let step = json!({ "at": at, "from": null, "to": "open", "by": "auscult", "severity": severity,
            "why": "score 12 (high): emergency", "assessment": assessment, "state": {} });
        self.run(
            "INSERT INTO alert_transition (alert, at_ms, place, body) VALUES (?1, ?2, 0, ?3)",
            &[id.into(), at.into(), (&step.to_string()).into()],
        );
    }

    fn emergency(&self) {
        for minute in 0..60_i64 {
            let by = (1.0 - minute as f64 / 45.0).clamp(0.0, 1.0);
            let r = |it: f64| it.round();
            let it = [
                r(16.0 + 11.0 * by),
                r(97.0 - 7.0 * by),
                r(126.0 - 32.0 * by),
                r(74.0 - 16.0 * by),
                r(76.0 + 46.0 * by),
                (370.0 + 19.0 * by).round() / 10.0,
            ];
            self.set(
                "p-1",
                12 + minute * 60,
                it,
                if by > 0.5 { 6 } else { 0 },
                if by > 0.9 { "C" } else { "A" },
            );
            let value = (12.0 * by).round() as i64;
            if minute > 0 {
                self.assessment(
                    "p-1",
                    &format!("a-1-{minute}"),
                    12 + minute * 60,
                    value,
                    minute % 17 < 14,
                    &json!([]),
                    &json!([]),
                );
            }
        }
        let body =
            json!({ "device": "cuff-1", "ts": "2026-11-21T11:59:48Z", "sys": 94, "dia": 58 });
        self.message("m-1", &body, 11, "done", None);
        self.run(
            "INSERT INTO message_outcome (message, status, observations, problem, mapping, at_ms)
             VALUES ('m-1', 'normalized', '[\"obs-p-1-blood_pressure-12\"]', NULL, 'catalogue@1', ?1)",
            &[NOW.plus_ms(-10_900).into()],
        );
        self.run(
            "UPDATE observation SET message = 'm-1' WHERE id = 'obs-p-1-blood_pressure-12'",
            &[],
        );
        let at = NOW.plus_ms(-12_000);
        let input = |code: &str, value: Value, unit: &str, points: u32, of: &str| {
            json!({ "code": code, "value": value, "unit": unit, "effective": at, "age_seconds": 0,
                "points": points, "observation": format!("obs-p-1-{of}-12") })
        };
        let inputs = json!([
            input("respiratory_rate", json!(27), "/min", 3, "respiratory_rate"),
            input("spo2", json!(90), "%", 3, "spo2"),
            input("inhaled_oxygen_flow", json!(6), "L/min", 2, "inhaled_oxygen_flow"),
            input("systolic_bp", json!(94), "mm[Hg]", 2, "blood_pressure"),
            input("heart_rate", json!(122), "/min", 2, "heart_rate"),
            input("consciousness_acvpu", json!("C"), "", 3, "consciousness_acvpu"),
            input("body_temperature", json!(38.9), "Cel", 1, "body_temperature"),
        ]);
        self.assessment("p-1", "a-1-0", 12, 16, true, &inputs, &json!([]));
        self.alert("alert-1", "p-1", "emergency", "open", 340, "a-1-0");
        self.run(
            "INSERT INTO delivery (id, alert, receiver, body, state, attempts, created_ms, due_ms, delivered_ms)
             VALUES ('d-1', 'alert-1', 'ward', '{}', 'delivered', 2, ?1, ?1, ?2)",
            &[NOW.plus_ms(-339_000).into(), NOW.plus_ms(-337_500).into()],
        );
    }

    fn looked_after(&self) {
        for minute in 0..60_i64 {
            self.set("p-11", 12 + minute * 60, [22.0, 94.0, 108.0, 66.0, 98.0, 37.9], 2, "A");
            self.assessment(
                "p-11",
                &format!("a-11-{minute}"),
                12 + minute * 60,
                5 + i64::from(minute % 9 == 0),
                true,
                &json!([]),
                &json!([]),
            );
        }
        self.alert("alert-11", "p-11", "urgent", "acknowledged", 1_900, "a-11-0");
        self.run(
            "INSERT INTO alert_answer (id, alert, at_ms, kind, by, body) VALUES ('x', 'alert-11', ?1, 'acknowledge', 'Sr. Achterberg', '{}')",
            &[NOW.plus_ms(-1_500_000).into()],
        );
    }

    fn quiet(&self, patient: &str, offset: i64) {
        for minute in 0..60_i64 {
            self.set(
                patient,
                12 + minute * 60,
                [15.0, 98.0, 124.0, 76.0, (70 + offset) as f64, 36.8],
                0,
                "A",
            );
            self.assessment(
                patient,
                &format!("a-{patient}-{minute}"),
                12 + minute * 60,
                0,
                true,
                &json!([]),
                &json!([]),
            );
        }
    }

    fn loose_sensor(&self) {
        self.quiet("p-4", 8);
        self.message(
            "m-bad",
            &json!({ "device": "mon-4", "ts": "2026-11-21T11:59:57Z", "HR": 342 }),
            3,
            "done",
            None,
        );
        let hr = [("heart_rate", json!(342), "/min")];
        self.observation("p-4", "heart_rate", &hr, 3, "out-of-plausible-range", "m-bad");
    }

    fn old_readings(&self) {
        let one = |code: &str, value: Value, unit: &str, ago_s: i64| {
            self.observation("p-5", code, &[(code, value, unit)], ago_s, "accepted", "m-0");
        };
        one("respiratory_rate", json!(18), "/min", 2 * 3_600);
        one("spo2", json!(95), "%", 2 * 3_600);
        one("heart_rate", json!(88), "/min", 40);
        let missing = json!([{ "code": "body_temperature", "reason": "no reading" }]);
        self.assessment("p-5", "a-5", 40, 0, false, &json!([]), &missing);
    }

    fn frail(&self) {
        for minute in 0..60_i64 {
            self.set("p-3", 12 + minute * 60, [21.0, 95.0, 112.0, 70.0, 88.0, 37.4], 0, "A");
            self.assessment(
                "p-3",
                &format!("a-3-{minute}"),
                12 + minute * 60,
                3,
                true,
                &json!([]),
                &json!([]),
            );
        }
    }

    fn rejected_message(&self) {
        let problem = json!({ "type": "urn:auscult:problem:rejected", "title": "The message was rejected", "status": 400,
            "errors": [{ "path": "/ts", "code": "missing-time", "detail": "a reading needs a time" }] });
        self.message(
            "m-rejected",
            &json!({ "device": "mon-1", "HR": 80 }),
            60,
            "rejected",
            Some(&problem.to_string()),
        );
    }

    /// The query plan, one step a line.
    pub fn plan(&self, sql: &str) -> String {
        let rows = self.db.query(&format!("EXPLAIN QUERY PLAN {sql}"), &[]).unwrap();
        rows.iter().map(|it| format!("{}\n", it.text("detail").unwrap())).collect()
    }
}

/// A database that remembers what it was asked.
pub struct Counting<'a> {
    db: &'a dyn Database,
    statements: RefCell<Vec<String>>,
}

impl<'a> Counting<'a> {
    pub fn new(db: &'a dyn Database) -> Self {
        Self { db, statements: RefCell::default() }
    }

    pub fn n_statements(&self) -> usize {
        self.statements.borrow().len()
    }

    pub fn statements(&self) -> Vec<String> {
        self.statements.borrow().clone()
    }
}

impl Database for Counting<'_> {
    fn query(&self, sql: &str, params: &[Param<'_>]) -> Result<Rows, StoreError> {
        self.statements.borrow_mut().push(sql.to_owned());
        self.db.query(sql, params)
    }
}
