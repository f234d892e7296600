//! The engine's SQL: one statement per question, however many patients and readings it is about.

use std::collections::BTreeMap;

use auscult_model::events::ObservedValue;
use auscult_model::{Assessment, AssessmentStatus, Quality, Timestamp};
use auscult_store::{Database, Row, StoreError};
use serde_json::value::RawValue;

use crate::news2;
use crate::series::{LOOKBACK_MS, SERIES, place_of};
use crate::settings::Settings;
use crate::touched::Segment;
use crate::window::{Context, Sample};

/// What the tables say of the items of an event.
#[derive(Debug, Default)]
pub(crate) struct Probe {
    /// Per item (by place): its values, when it is the patient's and may be scored.
    pub mine: BTreeMap<usize, Vec<ObservedValue>>,
    /// Per reading (by place): when the next of its series was measured.
    pub next_ms: Vec<Option<i64>>,
    /// Per patient (by place): the last instant assessed.
    pub last_ms: Vec<Option<i64>>,
}

const PROBE: &str = "
    SELECT 'item' AS kind, e.key AS k, NULL AS at, o.inputs AS inputs
      FROM json_each(?1) AS e CROSS JOIN observation AS o
     WHERE o.id = e.value ->> 0 AND o.patient = e.value ->> 1 AND o.quality = ?5
    UNION ALL
    SELECT 'next', t.key,
           (SELECT min(r.effective_ms) FROM score_input AS r
             WHERE r.patient = t.value ->> 0 AND r.input = t.value ->> 1
               AND r.effective_ms > t.value ->> 2), NULL
      FROM json_each(?2) AS t
    UNION ALL
    SELECT 'last', p.key,
           (SELECT max(a.effective_ms) FROM assessment AS a INDEXED BY assessment_current
             WHERE a.patient = p.value AND a.rule = ?4 AND a.current = 1), NULL
      FROM json_each(?3) AS p";

/// Asks about items `(observation, patient)`, readings `(patient, code, at)` and patients at once.
pub(crate) fn probe(
    db: &dyn Database,
    items: &[(&str, &str)],
    readings: &[(&str, &str, i64)],
    patients: &[&str],
) -> Result<Probe, StoreError> {
    let rows = db.query(
        PROBE,
        &[
            (&json(items)?).into(),
            (&json(readings)?).into(),
            (&json(patients)?).into(),
            news2::RULE.into(),
            Quality::Accepted.as_str().into(),
        ],
    )?;
    let mut probe = Probe {
        mine: BTreeMap::new(),
        next_ms: vec![None; readings.len()],
        last_ms: vec![None; patients.len()],
    };
    for row in rows.iter() {
        let place = place(&row)?;
        match row.text("kind")? {
            "item" => {
                probe.mine.insert(place, row.json("inputs")?);
            }
            "next" => set(&mut probe.next_ms, place, row.integer_or_null("at")?),
            _ => set(&mut probe.last_ms, place, row.integer_or_null("at")?),
        }
    }
    Ok(probe)
}

/// One value to keep or to drop: patient, code, time, observation, value.
pub(crate) type InputRow<'a> = (&'a str, &'a str, i64, &'a str, String);

/// Keeps values; a value seen before stays as it is, one that changed is replaced.
pub(crate) fn keep(db: &dyn Database, rows: &[InputRow<'_>]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    db.query(
        "INSERT INTO score_input (patient, input, effective_ms, observation, value)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4
           FROM json_each(?1) WHERE true
         ON CONFLICT (patient, input, effective_ms, observation)
         DO UPDATE SET value = excluded.value WHERE value <> excluded.value",
        &[(&json(rows)?).into()],
    )?;
    Ok(())
}

/// Drops values whose observation is no longer the patient's or no longer to be scored.
pub(crate) fn drop_lost(
    db: &dyn Database,
    rows: &[(&str, &str, i64, &str)],
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    db.query(
        "DELETE FROM score_input WHERE (patient, input, effective_ms, observation) IN
         (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1))",
        &[(&json(rows)?).into()],
    )?;
    Ok(())
}

/// An assessment that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub seq: i64,
    pub id: String,
    pub supersedes: Option<String>,
}

/// Everything known of one segment.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    /// Latest of each series before the segment, and all in it, in no order.
    pub samples: Vec<Sample>,
    /// By effective time.
    pub stored: BTreeMap<i64, Stored>,
    /// Settings and birth date.
    pub context: Context,
}

const LOAD: &str = "
    WITH seg AS MATERIALIZED (
        SELECT key AS k, value ->> 0 AS patient, value ->> 1 AS lo, value ->> 2 AS hi
          FROM json_each(?1)),
    series AS MATERIALIZED (SELECT value AS input FROM json_each(?2))
    SELECT 'sample' AS kind, seg.k AS k, r.effective_ms AS at, r.input AS a, r.observation AS b,
           r.value AS c
      FROM seg CROSS JOIN series CROSS JOIN score_input AS r
     WHERE r.patient = seg.patient AND r.input = series.input
       AND r.effective_ms >= coalesce(
             (SELECT max(p.effective_ms) FROM score_input AS p
               WHERE p.patient = seg.patient AND p.input = series.input
                 AND p.effective_ms < seg.lo AND p.effective_ms >= seg.lo - ?3), seg.lo)
       AND r.effective_ms <= seg.hi
    UNION ALL
    SELECT 'stored', seg.k, s.effective_ms, s.id, s.seq, json_extract(s.body, '$.supersedes')
      FROM seg CROSS JOIN assessment AS s INDEXED BY assessment_current
     WHERE s.patient = seg.patient AND s.rule = ?4 AND s.current = 1
       AND s.effective_ms BETWEEN seg.lo AND seg.hi
    UNION ALL
    SELECT 'patient', seg.k, NULL,
           (SELECT body FROM patient_settings AS s WHERE s.patient = seg.patient
             ORDER BY version DESC LIMIT 1),
           NULL,
           (SELECT body ->> '$.birthDate' FROM resource AS p
             WHERE p.type = 'Patient' AND p.id = seg.patient)
      FROM seg";

/// Loads all segments with one statement. Cost follows the segments, never the history before them.
pub(crate) fn load(db: &dyn Database, segments: &[Segment]) -> Result<Vec<Loaded>, StoreError> {
    let asked: Vec<(&str, i64, i64)> =
        segments.iter().map(|it| (it.patient.as_str(), it.from_ms, it.to_ms)).collect();
    let series: Vec<&str> = SERIES.iter().map(|it| it.code).collect();
    let rows = db.query(
        LOAD,
        &[
            (&json(&asked)?).into(),
            (&json(&series)?).into(),
            LOOKBACK_MS.into(),
            news2::RULE.into(),
        ],
    )?;
    let mut found: Vec<Loaded> = segments.iter().map(|_| Loaded::default()).collect();
    for row in rows.iter() {
        let Some(slot) = found.get_mut(place(&row)?) else { continue };
        match row.text("kind")? {
            "sample" => slot.samples.extend(sample(&row)?),
            "stored" => {
                let (id, supersedes) = (row.text("a")?, row.text_or_null("c")?);
                let stored = Stored {
                    seq: row.integer("b")?,
                    id: id.to_owned(),
                    supersedes: supersedes.map(str::to_owned),
                };
                slot.stored.insert(row.integer("at")?, stored);
            }
            _ => slot.context = context(row.text_or_null("a")?, row.text_or_null("c")?)?,
        }
    }
    Ok(found)
}

fn sample(row: &Row<'_>) -> Result<Option<Sample>, StoreError> {
    let place = place_of(row.text("a")?);
    let value = place.and_then(|it| SERIES.get(it)).map(|it| it.read(row.text("c").ok()?));
    let (Some(series), Some(Some(value))) = (place, value) else { return Ok(None) };
    let effective = Timestamp::from_unix_ms(row.integer("at")?);
    Ok(Some(Sample { series, effective, observation: row.text("b")?.to_owned(), value }))
}

fn context(settings: Option<&str>, birth_date: Option<&str>) -> Result<Context, StoreError> {
    let settings: Option<Settings> = settings.map(serde_json::from_str).transpose()?;
    Ok(Context {
        settings: settings.unwrap_or_default(),
        birth_date: birth_date.map(str::to_owned),
    })
}

/// One row to write.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    pub assessment: &'a Assessment,
    pub body: &'a RawValue,
    /// 1 when it stands, 0 for a retraction, which only says that nothing does.
    pub current: i64,
}

/// Puts aside what no longer stands and writes what changed.
pub(crate) fn write(
    db: &dyn Database,
    aside: &[i64],
    changes: &[Change<'_>],
    now: Timestamp,
) -> Result<(), StoreError> {
    if !aside.is_empty() {
        db.query(
            "UPDATE assessment SET current = 0 WHERE seq IN (SELECT value FROM json_each(?1))",
            &[(&json(aside)?).into()],
        )?;
    }
    if changes.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = changes
        .iter()
        .map(|it| {
            let one = it.assessment;
            (
                &one.id,
                one.patient.reveal(),
                &one.rule,
                one.effective.unix_ms(),
                it.current,
                status(one.status),
                one.value,
                one.severity.map(auscult_model::Severity::as_str),
                it.body.get(),
            )
        })
        .collect();
    db.query(
        "INSERT INTO assessment
             (id, patient, rule, effective_ms, current, status, value, severity, body, created_ms)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
                value ->> 6, value ->> 7, value ->> 8, ?2
           FROM json_each(?1)",
        &[(&json(&rows)?).into(), now.into()],
    )?;
    Ok(())
}

const fn status(status: AssessmentStatus) -> &'static str {
    match status {
        AssessmentStatus::Complete => "complete",
        AssessmentStatus::Incomplete => "incomplete",
        AssessmentStatus::NotApplicable => "not-applicable",
        AssessmentStatus::Failed => "failed",
    }
}

/// The retractions that stand last at `(patient, effective)` where no assessment does.
pub(crate) fn retractions(
    db: &dyn Database,
    at: &[(&str, i64)],
) -> Result<Vec<(String, Box<RawValue>)>, StoreError> {
    let rows = db.query(
        "SELECT a.id AS id, a.body AS body FROM json_each(?1) AS t CROSS JOIN assessment AS a
          WHERE a.patient = t.value ->> 0 AND a.rule = ?2 AND a.effective_ms = t.value ->> 1
            AND a.seq = (SELECT max(b.seq) FROM assessment AS b
                          WHERE b.patient = t.value ->> 0 AND b.rule = ?2
                            AND b.effective_ms = t.value ->> 1)
            AND a.current = 0
          ORDER BY t.key",
        &[(&json(at)?).into(), news2::RULE.into()],
    )?;
    rows.iter().map(|row| Ok((row.text("id")?.to_owned(), row.json("body")?))).collect()
}

fn place(row: &Row<'_>) -> Result<usize, StoreError> {
    usize::try_from(row.integer("k")?).map_err(|_| StoreError::Shape("k".to_owned()))
}

fn set(slots: &mut [Option<i64>], place: usize, value: Option<i64>) {
    if let Some(slot) = slots.get_mut(place) {
        *slot = value;
    }
}

fn json(value: &(impl serde::Serialize + ?Sized)) -> Result<String, StoreError> {
    Ok(serde_json::to_string(value)?)
}
