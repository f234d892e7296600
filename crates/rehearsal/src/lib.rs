//! Plays a ward through the cores of scoring and notification with a clock of its own, to see who
//! would be paged: for `auscult bench --suite alerts`.

pub mod ward;

use anyhow::Result;
use auscult_model::events::RecordedObservation;
use auscult_model::{Severity, Timestamp};
use auscult_notification::AnswerKind;
use auscult_notification::store::{self, Changed, NewAnswer};
use auscult_store::native::NativeSqlite;
use auscult_store::{Database, Param};
use serde_json::Value;

/// Looks of the clock at one instant, at most: each makes up to 200 pages.
const LOOKS_MAX: usize = 100;

/// A hospital that lasts as long as the value.
pub struct Rehearsal {
    db: NativeSqlite,
    _folder: tempfile::TempDir,
}

/// A page as it would have gone out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The alert.
    pub alert: String,
    /// Whose.
    pub patient: String,
    /// The rule.
    pub cause: String,
    /// When.
    pub at: Timestamp,
    /// The severity it told of.
    pub severity: Option<Severity>,
    /// `first`, `worsened` …
    pub reason: String,
    /// Whether it calls somebody rather than calling it off.
    pub calls: bool,
    /// Whether it went out in a delivery of its own.
    pub leads: bool,
    /// To whom.
    pub receivers: Vec<String>,
}

impl Rehearsal {
    /// An empty hospital under a policy.
    ///
    /// # Errors
    /// When the database fails or does not take it.
    pub fn new(policy: Value, now: Timestamp) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let db = NativeSqlite::with_schema(&folder.path().join("rehearsal.db"))?;
        // Nothing here outlives the run.
        db.query("PRAGMA synchronous = OFF", &[])?;
        store::put_policy(&db, policy, None, "rehearsal", now)?;
        Ok(Self { db, _folder: folder })
    }

    /// Takes observations in as normalization stores them, scores them and settles the alerts.
    ///
    /// # Errors
    /// When the database fails or does not take it.
    pub fn observe(&self, observations: &[RecordedObservation], now: Timestamp) -> Result<()> {
        if observations.is_empty() {
            return Ok(());
        }
        let rows = serde_json::to_string(observations)?;
        self.db.query(
            "INSERT INTO observation (id, message, device, patient, code, codes, effective_ms, inputs,
                 quality, mapping, received_ms, updated_ms, resource)
             SELECT value ->> 'id', 'm', 'd', value ->> 'patient', value ->> 'code', '', 0,
                    value -> 'inputs', value ->> 'quality', 'rehearsal', 0, 0, '{}' FROM json_each(?1)",
            &[Param::Text(&rows)],
        )?;
        let progress = auscult_scoring::record(&self.db, observations, now)?;
        let mut emissions = progress.emissions;
        for segments in &progress.rest {
            emissions.extend(auscult_scoring::step(&self.db, segments, now)?.emissions);
        }
        let changed: Vec<Changed> = emissions
            .iter()
            .map(|it| serde_json::from_str(it.body.get()))
            .collect::<Result<_, _>>()?;
        store::on_assessments(&self.db, &changed, now)?;
        Ok(())
    }

    /// Takes assessments in as scoring stores them, each as the API shows it.
    ///
    /// # Errors
    /// When the database fails or does not take it.
    pub fn assess(&self, assessments: &[Value], now: Timestamp) -> Result<()> {
        if assessments.is_empty() {
            return Ok(());
        }
        let mut changed = Vec::with_capacity(assessments.len());
        for body in assessments {
            let it: Changed = serde_json::from_value(body.clone())?;
            let severity = it.severity.map(Severity::as_str);
            let status = serde_json::to_value(it.status)?;
            self.db.query(
                "INSERT INTO assessment (id, patient, rule, effective_ms, current, status, value,
                     severity, created_ms, body) VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT DO NOTHING",
                &[
                    (&it.id).into(),
                    it.patient.reveal().into(),
                    (&it.rule).into(),
                    it.effective.into(),
                    status.as_str().into(),
                    body.get("value").and_then(Value::as_i64).into(),
                    severity.into(),
                    now.into(),
                    (&body.to_string()).into(),
                ],
            )?;
            changed.push(it);
        }
        store::on_assessments(&self.db, &changed, now)?;
        Ok(())
    }

    /// Says which unit patients lie in, and their tags: Patient resources as they are stored.
    ///
    /// # Errors
    /// When the database fails or does not take it.
    pub fn admit(&self, patients: &[Value]) -> Result<()> {
        self.db.query(
            "INSERT INTO resource (type, id, version, updated_ms, body)
             SELECT 'Patient', value ->> 'id', 1, 0, value FROM json_each(?1)",
            &[Param::Text(&serde_json::to_string(patients)?)],
        )?;
        Ok(())
    }

    /// Somebody answers, as far as there is something to answer.
    ///
    /// # Errors
    /// When the database fails or does not take it.
    pub fn answer(&self, alert: &str, kind: AnswerKind, now: Timestamp) -> Result<()> {
        let new = NewAnswer { key: None, kind, by: "somebody".to_owned(), comment: None };
        match store::answer(&self.db, alert, &new, now) {
            Ok(()) | Err(store::AnswerError::NoAlert) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Lets the clock do what is due by now; every page arrives.
    ///
    /// # Errors
    /// When the database fails or does not take it.
    pub fn tick(&self, now: Timestamp) -> Result<()> {
        for _ in 0..LOOKS_MAX {
            let due = store::due(&self.db, now)?;
            if due.deliveries {
                self.db.query("UPDATE delivery SET state = 'delivered'", &[])?;
            }
            if !due.alerts || store::repeat_due(&self.db, now)? == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Every page made after the first `after`, oldest first.
    ///
    /// # Errors
    /// When the database fails or does not take it.
    pub fn pages(&self, after: usize) -> Result<Vec<Page>> {
        let after = i64::try_from(after)?;
        let rows = self.db.query(
            "SELECT p.alert, p.patient, a.cause, p.at_ms, p.severity, p.reason, p.calls, p.leads, p.receivers
             FROM alert_page p JOIN alert a ON a.id = p.alert
             ORDER BY p.at_ms, p.alert, p.page LIMIT -1 OFFSET ?1",
            &[after.into()],
        )?;
        let mut pages = Vec::new();
        for row in rows.iter() {
            pages.push(Page {
                alert: row.text("alert")?.to_owned(),
                patient: row.text("patient")?.to_owned(),
                cause: row.text("cause")?.to_owned(),
                at: Timestamp::from_unix_ms(row.integer("at_ms")?),
                severity: row.text_or_null("severity")?.and_then(Severity::parse),
                reason: row.text("reason")?.to_owned(),
                calls: row.integer("calls")? == 1,
                leads: row.integer("leads")? == 1,
                receivers: row.json("receivers")?,
            });
        }
        Ok(pages)
    }

    /// How many pages were held back, by reason.
    ///
    /// # Errors
    /// When the database fails or does not take it.
    pub fn held(&self) -> Result<Vec<(String, i64)>> {
        let rows = self.db.query(
            "SELECT reason, count(*) AS n FROM alert_held GROUP BY reason ORDER BY n DESC, reason",
            &[],
        )?;
        rows.iter().map(|it| Ok((it.text("reason")?.to_owned(), it.integer("n")?))).collect()
    }

    /// Event times of a patient's assessments that said emergency, oldest first.
    ///
    /// # Errors
    /// When the database fails or does not take it.
    pub fn emergencies(&self, patient: &str) -> Result<Vec<Timestamp>> {
        let rows = self.db.query(
            "SELECT effective_ms FROM assessment
             WHERE patient = ?1 AND current = 1 AND severity = 'emergency' ORDER BY effective_ms",
            &[patient.into()],
        )?;
        rows.iter().map(|it| Ok(Timestamp::from_unix_ms(it.integer("effective_ms")?))).collect()
    }
}
