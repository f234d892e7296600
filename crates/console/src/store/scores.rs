//! NEWS2: the latest result of everybody, and the line it drew.

use std::collections::BTreeMap;

use auscult_model::{Assessment, Timestamp};
use auscult_store::{Database, StoreError};

use super::{json_array, json_times, time};
use crate::Span;

/// The rule the pages show.
const RULE: &str = "news2";

/// A result older than this no longer joins the line: the limit of a continuous vital.
const GAP_MS: i64 = 60 * 60_000;

/// The latest result of one patient.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// As stored.
    pub assessment: Assessment,
    /// Event time of the patient's oldest result inside the longest default span.
    pub oldest: Timestamp,
}

/// A patient's score over time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trend(pub Vec<TrendPoint>);

/// The score that stood at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrendPoint {
    /// The instant.
    pub at: Timestamp,
    /// The score; `None` when there was none or it was too old to speak for the instant.
    pub value: Option<i64>,
    /// Whether every input was there; else the value is a lower bound.
    pub complete: bool,
}

const LATEST: &str = "
SELECT a.patient, a.body,
    (SELECT min(effective_ms) FROM assessment WHERE patient = p.value AND rule = ?2 AND current = 1
     AND effective_ms >= ?3) AS oldest_ms
FROM json_each(?1) p CROSS JOIN assessment a
WHERE a.seq = (SELECT seq FROM assessment WHERE patient = p.value AND rule = ?2 AND current = 1
    ORDER BY effective_ms DESC LIMIT 1)";

/// The latest result of each of these patients.
pub fn latest<'a>(
    db: &dyn Database,
    patients: impl IntoIterator<Item = &'a str>,
    now: Timestamp,
) -> Result<BTreeMap<String, Scored>, StoreError> {
    let patients = json_array(patients)?;
    let since = now.plus_ms(-Span::FourHours.ms());
    let mut all = BTreeMap::new();
    for row in db.query(LATEST, &[(&patients).into(), RULE.into(), since.into()])?.iter() {
        let assessment: Assessment = row.json("body")?;
        let oldest = row.integer_or_null("oldest_ms")?.map(Timestamp::from_unix_ms);
        let oldest = oldest.unwrap_or(assessment.effective);
        all.insert(row.text("patient")?.to_owned(), Scored { assessment, oldest });
    }
    Ok(all)
}

/// One seek for each patient and instant, however many results there are.
const TREND: &str = "
SELECT p.value AS patient, g.value AS at_ms, a.value, a.status, a.effective_ms
FROM json_each(?1) p CROSS JOIN json_each(?2) g CROSS JOIN assessment a
WHERE a.seq = (SELECT seq FROM assessment WHERE patient = p.value AND rule = ?3 AND current = 1
    AND effective_ms <= g.value ORDER BY effective_ms DESC LIMIT 1)";

/// The score of each of these patients at each of these instants, which are in order.
pub fn trends<'a>(
    db: &dyn Database,
    patients: impl IntoIterator<Item = &'a str>,
    instants: &[Timestamp],
) -> Result<BTreeMap<String, Trend>, StoreError> {
    let patients = json_array(patients)?;
    let grid = json_times(instants)?;
    let mut points: BTreeMap<String, BTreeMap<Timestamp, TrendPoint>> = BTreeMap::new();
    for row in db.query(TREND, &[(&patients).into(), (&grid).into(), RULE.into()])?.iter() {
        let at = time(&row, "at_ms")?;
        let fresh = at.since_ms(time(&row, "effective_ms")?) <= GAP_MS;
        let value = row.integer_or_null("value")?.filter(|_| fresh);
        let complete = row.text("status")? == "complete";
        let patient = points.entry(row.text("patient")?.to_owned()).or_default();
        patient.insert(at, TrendPoint { at, value, complete });
    }
    let line = |points: BTreeMap<Timestamp, TrendPoint>| {
        let nothing = |at| TrendPoint { at, value: None, complete: false };
        let points = instants.iter().map(|at| points.get(at).copied().unwrap_or(nothing(*at)));
        Trend(points.collect())
    };
    Ok(points.into_iter().map(|(patient, it)| (patient, line(it))).collect())
}
