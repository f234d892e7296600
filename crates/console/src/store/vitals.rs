//! The latest vital signs of everybody, and the course of one patient's.

use std::collections::BTreeMap;

use auscult_model::events::ObservedValue;
use auscult_model::{Quality, Timestamp};
use auscult_store::{Database, Row, StoreError};

use super::{json_array, json_times, time};
use crate::Vital;

/// The newest reading of one vital sign that may be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latest {
    /// `98/60`.
    pub value: String,
    /// `mmHg`, empty for codes.
    pub unit: &'static str,
    /// When it was measured.
    pub effective: Timestamp,
    /// The message it came from.
    pub message: String,
}

/// A reading newer than the newest believable one, whose value is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Distrusted {
    /// Why.
    pub quality: Quality,
    /// When it was measured.
    pub effective: Timestamp,
}

/// What is known of one vital sign of one patient.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The newest believable reading.
    pub latest: Option<Latest>,
    /// A newer one that is not.
    pub distrusted: Option<Distrusted>,
}

/// By patient and vital sign.
pub type KnownByPatient = BTreeMap<String, BTreeMap<Vital, Known>>;

/// Two seeks in `observation_patient_code` for each patient and code.
const LATEST: &str = "
SELECT o.patient, o.code, o.effective_ms, o.quality, o.inputs, o.message
FROM json_each(?1) p CROSS JOIN json_each(?2) c CROSS JOIN observation o
WHERE o.seq IN (
    (SELECT seq FROM observation WHERE patient = p.value AND code = c.value
     ORDER BY effective_ms DESC LIMIT 1),
    (SELECT seq FROM observation WHERE patient = p.value AND code = c.value AND quality = 'accepted'
     ORDER BY effective_ms DESC LIMIT 1))";

/// The latest vital signs of these patients.
pub fn latest<'a>(
    db: &dyn Database,
    patients: impl IntoIterator<Item = &'a str>,
    now: Timestamp,
) -> Result<KnownByPatient, StoreError> {
    let patients = json_array(patients)?;
    let codes = json_array(Vital::ALL.iter().flat_map(|it| it.codes().iter().copied()))?;
    let mut all = KnownByPatient::new();
    for row in db.query(LATEST, &[(&patients).into(), (&codes).into()])?.iter() {
        let Some(vital) = Vital::of(row.text("code")?) else { continue };
        let patient = all.entry(row.text("patient")?.to_owned()).or_default();
        take(patient.entry(vital).or_default(), vital, &row, now)?;
    }
    for known in all.values_mut().flat_map(BTreeMap::values_mut) {
        let newest = known.latest.as_ref().map(|it| it.effective);
        known.distrusted = known.distrusted.filter(|it| newest < Some(it.effective));
    }
    Ok(all)
}

fn take(known: &mut Known, vital: Vital, row: &Row<'_>, now: Timestamp) -> Result<(), StoreError> {
    let effective = time(row, "effective_ms")?;
    let quality = Quality::parse(row.text("quality")?);
    if quality != Some(Quality::Accepted) {
        let quality = quality.unwrap_or(Quality::DeviceInvalid);
        if known.distrusted.is_none_or(|it| it.effective < effective) {
            known.distrusted = Some(Distrusted { quality, effective });
        }
        return Ok(());
    }
    let values: Vec<ObservedValue> = row.json("inputs")?;
    let Some((value, unit)) = vital.shown(&values) else { return Ok(()) };
    // Codes come in no order: the newest stands, so a stale preferred one never hides a fresh one.
    let newer = known.latest.as_ref().is_none_or(|it| it.effective < effective);
    if newer && effective <= now.plus_ms(CLOCK_SKEW_MS) {
        let message = row.text("message")?.to_owned();
        known.latest = Some(Latest { value, unit, effective, message });
    }
    Ok(())
}

/// Device clocks may run this far ahead, as in ingest's rule for future times.
const CLOCK_SKEW_MS: i64 = 5 * 60_000;

/// One vital sign over a span.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// Which.
    pub vital: Vital,
    /// At most one reading per cell of time, oldest first.
    pub cells: Vec<PlotCell>,
}

/// The last reading in one cell of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlotCell {
    /// When it was measured.
    pub at: Timestamp,
    /// The value, and the lower one of a pair; `None` when it may not be believed.
    pub value: Option<(f64, Option<f64>)>,
}

/// One seek for each code and cell, however many readings there are.
const COURSE: &str = "
SELECT c.value AS code, o.effective_ms, o.quality, o.inputs
FROM json_each(?2) c CROSS JOIN json_each(?3) g CROSS JOIN observation o
WHERE o.seq = (SELECT seq FROM observation WHERE patient = ?1 AND code = c.value
    AND effective_ms <= g.value AND effective_ms > g.value - ?4
    ORDER BY effective_ms DESC LIMIT 1)
ORDER BY o.effective_ms";

/// The course of one patient's vital signs over cells that end at `ends` and are `cell_ms` long.
pub fn course(
    db: &dyn Database,
    patient: &str,
    ends: &[Timestamp],
    cell_ms: i64,
) -> Result<Vec<Plot>, StoreError> {
    let codes = json_array(Vital::ALL.iter().flat_map(|it| it.codes().iter().copied()))?;
    let ends = json_times(ends)?;
    let params = [patient.into(), (&codes).into(), (&ends).into(), cell_ms.into()];
    let mut cells: BTreeMap<Vital, Vec<PlotCell>> = BTreeMap::new();
    for row in db.query(COURSE, &params)?.iter() {
        let Some(vital) = Vital::of(row.text("code")?) else { continue };
        let accepted = row.text("quality")? == Quality::Accepted.as_str();
        let values: Vec<ObservedValue> = row.json("inputs")?;
        let value = if accepted { vital.plotted(&values) } else { None };
        if accepted && value.is_none() {
            continue;
        }
        cells.entry(vital).or_default().push(PlotCell { at: time(&row, "effective_ms")?, value });
    }
    Ok(cells.into_iter().map(|(vital, cells)| Plot { vital, cells }).collect())
}
