//! Everybody at once.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use auscult_model::{AlertStatus, Severity, Timestamp};
use auscult_store::{Database, StoreError};

use super::alerts::{self, AlertRow};
use super::people::{self, PATIENTS_MAX, Person};
use super::pipeline::{self, Pipeline};
use super::scores::{self, Scored, Trend};
use super::vitals::{self, Known};
use crate::{Span, Vital};

/// Points of a trend line: one for every three pixels of its width.
const TREND_CELLS: u16 = 60;

/// What the ward page shows.
#[derive(Debug, Clone, PartialEq)]
pub struct WardPage {
    /// When it was read.
    pub now: Timestamp,
    /// How far back the trend lines go.
    pub span: Span,
    /// The most urgent first.
    pub patients: Vec<PatientRow>,
    /// Whether there are more patients than one page holds.
    pub is_cut: bool,
    /// Whether messages move.
    pub pipeline: Pipeline,
}

/// One patient on the ward page.
#[derive(Debug, Clone, PartialEq)]
pub struct PatientRow {
    /// Who.
    pub person: Person,
    /// What is known of each vital sign.
    pub vitals: BTreeMap<Vital, Known>,
    /// The latest score.
    pub scored: Option<Scored>,
    /// Its course.
    pub trend: Trend,
    /// Alerts that are not over, the most severe first.
    pub alerts: Vec<AlertRow>,
}

impl PatientRow {
    /// The most severe alert nobody has answered.
    #[must_use]
    pub fn unanswered(&self) -> Option<Severity> {
        let open = self.alerts.iter().filter(|it| it.status == AlertStatus::Open);
        open.map(|it| it.severity).max()
    }

    fn urgency(&self) -> impl Ord + use<> {
        let answered = self.alerts.iter().map(|it| it.severity).max();
        let score = self.scored.as_ref().and_then(|it| it.assessment.value);
        (Reverse((self.unanswered(), answered, score)), self.place())
    }

    /// Beds in the order of their numbers, then names.
    fn place(&self) -> (u64, String) {
        let bed = self.person.bed.as_deref().unwrap_or_default();
        let digits = bed.trim_start_matches(|it: char| !it.is_ascii_digit());
        let end = digits.find(|it: char| !it.is_ascii_digit()).unwrap_or(digits.len());
        let number = digits.get(..end).and_then(|it| it.parse().ok()).unwrap_or(u64::MAX);
        (number, self.person.name.clone())
    }
}

/// The whole ward in seven statements, however many patients there are.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn ward_page(
    db: &dyn Database,
    span: Option<Span>,
    now: Timestamp,
) -> Result<WardPage, StoreError> {
    let people = people::listed(db, now)?;
    let is_cut = i64::try_from(people.len()).is_ok_and(|it| it >= PATIENTS_MAX);
    let ids: Vec<String> = people.iter().map(|it| it.id.clone()).collect();
    let each = || ids.iter().map(String::as_str);
    let mut vitals = vitals::latest(db, each(), now)?;
    let mut scored = scores::latest(db, each(), now)?;
    let oldest = scored.values().map(|it| it.oldest).min();
    let span = span.unwrap_or_else(|| Span::covering(oldest, now));
    let mut trends = scores::trends(db, each(), &span.cells(TREND_CELLS, now))?;
    let mut open: BTreeMap<String, Vec<AlertRow>> = BTreeMap::new();
    for alert in alerts::open(db)? {
        open.entry(alert.patient.clone()).or_default().push(alert);
    }
    let row = |person: Person| {
        let mut alerts = open.remove(&person.id).unwrap_or_default();
        alerts.sort_by_key(|it| Reverse((it.status == AlertStatus::Open, it.severity)));
        PatientRow {
            vitals: vitals.remove(&person.id).unwrap_or_default(),
            scored: scored.remove(&person.id),
            trend: trends.remove(&person.id).unwrap_or_default(),
            alerts,
            person,
        }
    };
    let mut patients: Vec<PatientRow> = people.into_iter().map(row).collect();
    patients.sort_by_cached_key(PatientRow::urgency);
    Ok(WardPage { now, span, patients, is_cut, pipeline: pipeline::pipeline(db)? })
}
