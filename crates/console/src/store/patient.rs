//! One patient: vital signs over time, the score and its parts, alerts.

use std::collections::BTreeMap;

use auscult_model::Timestamp;
use auscult_store::{Database, StoreError};

use super::alerts::{self, AlertPage, AlertRow};
use super::people::{self, Person};
use super::scores::{self, Scored, Trend};
use super::vitals::{self, Known, Plot};
use crate::{Span, Vital};

/// Readings of one chart: more than its width can tell apart on a phone, fewer than it costs to read.
const CHART_CELLS: u16 = 120;

/// What the page of one patient shows.
#[derive(Debug, Clone, PartialEq)]
pub struct PatientPage {
    /// When it was read.
    pub now: Timestamp,
    /// How far back the charts go.
    pub span: Span,
    /// Who.
    pub person: Person,
    /// What is known of each vital sign.
    pub vitals: BTreeMap<Vital, Known>,
    /// The latest score.
    pub scored: Option<Scored>,
    /// Its course.
    pub trend: Trend,
    /// One for each vital sign with a reading in the span.
    pub plots: Vec<Plot>,
    /// Every alert, the one changed last first.
    pub alerts: Vec<AlertRow>,
    /// The first of them with its history.
    pub latest_alert: Option<AlertPage>,
}

/// The page of one patient, `None` when nothing at all is known of them.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn patient_page(
    db: &dyn Database,
    id: &str,
    span: Option<Span>,
    now: Timestamp,
) -> Result<Option<PatientPage>, StoreError> {
    let person = people::one(db, id, now)?;
    let vitals = vitals::latest(db, [id], now)?.remove(id).unwrap_or_default();
    let scored = scores::latest(db, [id], now)?.remove(id);
    let alerts = alerts::of_patient(db, id)?;
    let is_named = person.name != id || person.bed.is_some();
    if !is_named && vitals.is_empty() && scored.is_none() && alerts.is_empty() {
        return Ok(None);
    }
    let oldest = scored.as_ref().map(|it| it.oldest);
    let span = span.unwrap_or_else(|| Span::covering(oldest, now));
    let ends = span.cells(CHART_CELLS, now);
    let trend = scores::trends(db, [id], &ends)?.remove(id).unwrap_or_default();
    let plots = vitals::course(db, id, &ends, span.ms() / i64::from(CHART_CELLS))?;
    let latest_alert = match alerts.first() {
        Some(alert) => alerts::alert_page(db, &alert.id, now)?,
        None => None,
    };
    Ok(Some(PatientPage { now, span, person, vitals, scored, trend, plots, alerts, latest_alert }))
}
