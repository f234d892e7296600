//! Takes changed assessments in.

use std::collections::BTreeMap;

use auscult_model::{AssessmentStatus, PatientId, Severity, Timestamp};
use auscult_store::{Database, StoreError, transaction};
use serde::Deserialize;

use crate::alert_id;
use crate::fold::{Observed, Verdict, after_data};
use crate::store::load::{self, AlertRow, Touched};
use crate::store::settle::settle;

/// What this stage reads of an assessment in `org.auscult.assessment.changed.v1`. It only tells
/// where to look: what counts is what stands in the table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Changed {
    /// Assessment id.
    pub id: String,
    /// Whose.
    pub patient: PatientId,
    /// The cause.
    pub rule: String,
    /// Event time at which something is new, corrected or gone.
    pub effective: Timestamp,
    /// Status of the assessment.
    pub status: AssessmentStatus,
    /// What the alert rules make of it.
    #[serde(default)]
    pub severity: Option<Severity>,
}

/// Brings every alert up to what its patient's current assessments say, and lays down pages.
/// Returns the ids of the alerts that changed.
///
/// A batch that concerns no alert costs one indexed read and takes no transaction. That read cannot
/// miss an alert being opened beside it: whoever opens one reads the assessments of this batch,
/// which are stored before their event is sent.
///
/// # Errors
/// [`StoreError`] when the database cannot be read or written; then nothing changed.
pub fn on_assessments(
    db: &dyn Database,
    changed: &[Changed],
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let mut groups: BTreeMap<(&PatientId, &str), Vec<Observed>> = BTreeMap::new();
    for it in changed {
        groups.entry((&it.patient, &it.rule)).or_default().push(Observed {
            effective: it.effective,
            assessment: it.id.clone(),
            verdict: Verdict::of(it.status, it.severity),
            value: None,
            band: None,
        });
    }
    let groups: Vec<(Touched, Vec<Observed>)> = groups
        .into_iter()
        .map(|((patient, cause), seen)| (touched(patient, cause, &seen), seen))
        .collect();
    let rows = load::alerts(db, groups.iter().map(|(it, _)| it.alert.as_str()))?;
    let touched: Vec<Touched> = groups
        .into_iter()
        .filter(|(it, seen)| matters(rows.get(&it.alert), seen))
        .map(|(it, _)| it)
        .collect();
    if touched.is_empty() {
        return Ok(Vec::new());
    }
    transaction(db, |db| settle(db, &touched, now))
}

fn touched(patient: &PatientId, cause: &str, seen: &[Observed]) -> Touched {
    let times = || seen.iter().map(|it| it.effective);
    Touched {
        alert: alert_id(patient, cause),
        patient: patient.clone(),
        cause: cause.to_owned(),
        from: times().min().unwrap_or(Timestamp::from_unix_ms(i64::MAX)),
        to: times().max().unwrap_or(Timestamp::from_unix_ms(i64::MIN)),
    }
}

/// Whether anything can come of these assessments.
fn matters(row: Option<&AlertRow>, seen: &[Observed]) -> bool {
    let above = |it: &Observed| matches!(it.verdict, Verdict::Above { .. });
    let Some(row) = row else { return seen.iter().any(above) };
    let body = &row.body;
    seen.iter().any(|it| {
        let late = body.last_at.is_some_and(|last| it.effective <= last);
        late || after_data(body.state.as_ref(), it).is_some()
            || (body.ledger.waits_for_fresh_data() && above(it))
    })
}
