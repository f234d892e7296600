//! A database with assessments put into it the way scoring does, for the tests of the store.
#![allow(dead_code, reason = "each test program uses its part")]

use auscult_model::alert::Transition;
use auscult_model::{AlertStatus, AssessmentStatus, PatientId, Severity, Timestamp};
use auscult_notification::store::{self, AlertView, Changed, Filter};
use auscult_notification::{Verdict, alert_id};
use auscult_store::Database;
use auscult_store::native::NativeSqlite;
use serde_json::{Value, json};

/// 2026-11-20T08:00:00Z.
pub const MORNING_MS: i64 = 1_795_161_600_000;
pub const MINUTE_MS: i64 = 60_000;
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub struct Ward {
    pub db: NativeSqlite,
    _folder: tempfile::TempDir,
}

/// One assessment: status and severity.
pub type Content = (AssessmentStatus, Option<Severity>);

pub fn at(minute: i64) -> Timestamp {
    Timestamp::from_unix_ms(MORNING_MS + minute * MINUTE_MS)
}

pub fn patient(name: &str) -> PatientId {
    PatientId::parse(name).unwrap()
}

pub fn news2(name: &str) -> String {
    alert_id(&patient(name), "news2")
}

pub fn complete(severity: Severity) -> Content {
    (AssessmentStatus::Complete, Some(severity))
}

pub const WELL: Content = (AssessmentStatus::Complete, None);
pub const UNKNOWN: Content = (AssessmentStatus::Incomplete, None);

pub fn policy() -> Value {
    json!({
        "receivers": [
            { "name": "ward", "webhook": { "url": "http://127.0.0.1:9000/a", "secret": SECRET } },
            { "name": "doctor", "webhook": { "url": "http://127.0.0.1:9000/b", "secret": SECRET } },
        ],
        "route": {
            "receiver": "ward",
            "routes": [{ "match": { "severity": "emergency" }, "receiver": "doctor" }],
        },
    })
}

impl Ward {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = NativeSqlite::with_schema(&folder.path().join("ward.db")).unwrap();
        Self { db, _folder: folder }
    }

    pub fn with_policy() -> Self {
        let ward = Self::new();
        store::put_policy(&ward.db, policy(), None, "test", at(0)).unwrap();
        ward
    }

    /// Stores an assessment of another rule.
    pub fn assess_rule(
        &self,
        name: &str,
        rule: &str,
        minute: i64,
        content: Content,
        n: usize,
    ) -> Changed {
        let it = changed(name, minute, content, n);
        let it = Changed { id: format!("{rule}-{}", it.id), rule: rule.to_owned(), ..it };
        self.store(name, &it);
        it
    }

    fn store(&self, name: &str, it: &Changed) {
        let body = json!({ "band": "some" }).to_string();
        let status = serde_json::to_value(it.status).unwrap();
        self.db
            .query(
                "INSERT INTO assessment (id, patient, rule, effective_ms, current, status, value,
                                         severity, created_ms, body)
                 VALUES (?1, ?2, ?3, ?4, 1, ?5, 5, ?6, 0, ?7)",
                &[
                    (&it.id).into(),
                    name.into(),
                    (&it.rule).into(),
                    it.effective.into(),
                    status.as_str().unwrap().into(),
                    it.severity.map(Severity::as_str).into(),
                    (&body).into(),
                ],
            )
            .unwrap();
    }

    /// Stores an assessment as scoring does: the one it replaces stays as history. `None` retires.
    pub fn assess(&self, name: &str, minute: i64, content: Option<Content>, n: usize) -> Changed {
        self.db
            .query(
                "UPDATE assessment SET current = 0
                 WHERE patient = ?1 AND rule = 'news2' AND effective_ms = ?2 AND current = 1",
                &[name.into(), at(minute).into()],
            )
            .unwrap();
        let changed = changed(name, minute, content.unwrap_or(UNKNOWN), n);
        if content.is_some() {
            self.store(name, &changed);
        }
        changed
    }

    /// Stores one assessment and tells notification at once.
    pub fn hears(&self, name: &str, minute: i64, content: Content, now: Timestamp) -> Vec<String> {
        let changed = self.assess(name, minute, Some(content), 0);
        store::on_assessments(&self.db, &[changed], now).unwrap()
    }

    pub fn alert(&self, name: &str) -> Option<AlertView> {
        store::alert(&self.db, &news2(name)).unwrap()
    }

    /// `type` and receiver of every page about a patient, oldest first.
    pub fn pages(&self, name: &str) -> Vec<(String, String)> {
        let rows = self
            .db
            .query(
                "SELECT body ->> '$.type' AS type, receiver FROM delivery WHERE alert = ?1 ORDER BY seq",
                &[(&news2(name)).into()],
            )
            .unwrap();
        rows.iter()
            .map(|it| {
                (it.text("type").unwrap().to_owned(), it.text("receiver").unwrap().to_owned())
            })
            .collect()
    }

    pub fn count(&self, table: &str) -> i64 {
        let rows = self.db.query(&format!("SELECT count(*) AS n FROM {table}"), &[]).unwrap();
        rows.first().unwrap().integer("n").unwrap()
    }

    pub fn listed(&self, filter: Filter) -> Vec<String> {
        let (items, _) = store::list(&self.db, &filter).unwrap();
        items.into_iter().map(|it| it.alert.id).collect()
    }
}

pub fn changed(name: &str, minute: i64, (status, severity): Content, n: usize) -> Changed {
    Changed {
        id: format!("{name}-{minute}-{n}"),
        patient: patient(name),
        rule: "news2".to_owned(),
        effective: at(minute),
        status,
        severity,
    }
}

pub fn verdict((status, severity): Content) -> Verdict {
    Verdict::of(status, severity)
}

/// What must not depend on the order of arrival.
pub type Essence = (AlertStatus, Severity, Timestamp, Vec<Transition>);

pub fn essence(view: AlertView) -> Essence {
    (view.alert.status, view.alert.severity, view.alert.opened, view.alert.transitions)
}
