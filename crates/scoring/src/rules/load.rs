//! The SQL of the rules: one statement per question, however many patients and rules it is about.

use std::collections::BTreeMap;

use auscult_store::{Database, Row, StoreError};
use serde_json::value::RawValue;

use super::engine::Span;
use super::series::Reading;
use crate::settings::Settings;
use crate::store::Stored;

/// One stretch of one series: patient, code, first and last millisecond.
pub type Stretch<'a> = (&'a str, &'a str, i64, i64);

fn json(value: &(impl serde::Serialize + ?Sized)) -> Result<String, StoreError> {
    Ok(serde_json::to_string(value)?)
}

fn place(row: &Row<'_>) -> Result<usize, StoreError> {
    usize::try_from(row.integer("k")?).map_err(|_| StoreError::Shape("k".to_owned()))
}

fn reading(row: &Row<'_>) -> Result<Option<Reading>, StoreError> {
    Ok(Reading::read(row.text("code")?, row.integer("at")?, row.text("o")?, row.text("v")?))
}

/// Every kept value of each stretch, by its place, in the order of time and then of observation.
pub fn readings(db: &dyn Database, asked: &[Stretch<'_>]) -> Result<Vec<Vec<Reading>>, StoreError> {
    let rows = db.query(
        "SELECT q.key AS k, r.input AS code, r.effective_ms AS at, r.observation AS o, r.value AS v
           FROM json_each(?1) AS q CROSS JOIN score_input AS r
          WHERE r.patient = q.value ->> 0 AND r.input = q.value ->> 1
            AND r.effective_ms BETWEEN CAST(q.value ->> 2 AS BIGINT) AND CAST(q.value ->> 3 AS BIGINT)",
        &[(&json(asked)?).into()],
    )?;
    group(&rows, asked.len())
}

/// The first kept values of each stretch only: one seek each.
pub fn firsts(db: &dyn Database, asked: &[Stretch<'_>]) -> Result<Vec<Vec<Reading>>, StoreError> {
    let rows = db.query(
        "SELECT q.key AS k, r.input AS code, r.effective_ms AS at, r.observation AS o, r.value AS v
           FROM json_each(?1) AS q CROSS JOIN score_input AS r
          WHERE r.patient = q.value ->> 0 AND r.input = q.value ->> 1
            AND r.effective_ms =
                (SELECT min(f.effective_ms) FROM score_input AS f
                  WHERE f.patient = q.value ->> 0 AND f.input = q.value ->> 1
                    AND f.effective_ms BETWEEN CAST(q.value ->> 2 AS BIGINT)
                                           AND CAST(q.value ->> 3 AS BIGINT))",
        &[(&json(asked)?).into()],
    )?;
    group(&rows, asked.len())
}

fn group(rows: &auscult_store::Rows, n: usize) -> Result<Vec<Vec<Reading>>, StoreError> {
    let mut found: Vec<Vec<Reading>> = vec![Vec::new(); n];
    for row in rows.iter() {
        let read = reading(&row)?;
        if let Some(slot) = found.get_mut(place(&row)?) {
            slot.extend(read);
        }
    }
    for slot in &mut found {
        slot.sort_unstable_by(|one, other| {
            (one.at_ms, &one.observation).cmp(&(other.at_ms, &other.observation))
        });
    }
    Ok(found)
}

/// Around each stretch: the last instant before it and the first after it that hold a kept value.
pub fn neighbours(
    db: &dyn Database,
    asked: &[Stretch<'_>],
) -> Result<Vec<(Option<i64>, Option<i64>)>, StoreError> {
    let rows = db.query(
        "SELECT q.key AS k,
                (SELECT max(r.effective_ms) FROM score_input AS r
                  WHERE r.patient = q.value ->> 0 AND r.input = q.value ->> 1
                    AND r.effective_ms < CAST(q.value ->> 2 AS BIGINT)) AS before,
                (SELECT min(r.effective_ms) FROM score_input AS r
                  WHERE r.patient = q.value ->> 0 AND r.input = q.value ->> 1
                    AND r.effective_ms > CAST(q.value ->> 3 AS BIGINT)) AS after
           FROM json_each(?1) AS q",
        &[(&json(asked)?).into()],
    )?;
    let mut found = vec![(None, None); asked.len()];
    for row in rows.iter() {
        if let Some(slot) = found.get_mut(place(&row)?) {
            *slot = (row.integer_or_null("before")?, row.integer_or_null("after")?);
        }
    }
    Ok(found)
}

/// How many kept values and standing assessments each stretch holds: what a step costs.
pub fn counts(
    db: &dyn Database,
    values: &[Stretch<'_>],
    stands: &[Stretch<'_>],
) -> Result<(Vec<usize>, Vec<usize>), StoreError> {
    let mut found = (vec![0; values.len()], vec![0; stands.len()]);
    let rows = db.query(
        "SELECT 0 AS kind, q.key AS k, (SELECT count(*) FROM score_input AS r
           WHERE r.patient = q.value ->> 0 AND r.input = q.value ->> 1 AND r.effective_ms
                 BETWEEN CAST(q.value ->> 2 AS BIGINT) AND CAST(q.value ->> 3 AS BIGINT)) AS n
           FROM json_each(?1) AS q
         UNION ALL
         SELECT 1, q.key, (SELECT count(*) FROM assessment AS a
           WHERE a.patient = q.value ->> 0 AND a.rule = q.value ->> 1 AND a.effective_ms
                 BETWEEN CAST(q.value ->> 2 AS BIGINT) AND CAST(q.value ->> 3 AS BIGINT))
           FROM json_each(?2) AS q",
        &[(&json(values)?).into(), (&json(stands)?).into()],
    )?;
    for row in rows.iter() {
        let list = if row.integer("kind")? == 0 { &mut found.0 } else { &mut found.1 };
        if let Some(slot) = list.get_mut(place(&row)?) {
            *slot = usize::try_from(row.integer("n")?).unwrap_or_default();
        }
    }
    Ok(found)
}

/// What stands in one span, and the retractions that stand last where nothing does.
#[derive(Debug, Default)]
pub struct Standing {
    /// By effective time.
    pub current: BTreeMap<i64, Stored>,
    /// By effective time: id and body.
    pub gone: BTreeMap<i64, (String, Box<RawValue>)>,
}

/// What stands in each span.
pub fn standing(db: &dyn Database, spans: &[Span]) -> Result<Vec<Standing>, StoreError> {
    let asked: Vec<Stretch<'_>> = spans
        .iter()
        .map(|it| (it.patient.as_str(), it.rule.as_str(), it.from_ms, it.to_ms))
        .collect();
    let rows = db.query(
        "SELECT q.key AS k, a.effective_ms AS at, a.seq AS seq, a.id AS id, a.current AS current,
                a.body ->> '$.supersedes' AS supersedes,
                CASE a.current WHEN 1 THEN NULL ELSE a.body END AS body
           FROM json_each(?1) AS q CROSS JOIN assessment AS a
          WHERE a.patient = q.value ->> 0 AND a.rule = q.value ->> 1
            AND a.effective_ms BETWEEN CAST(q.value ->> 2 AS BIGINT) AND CAST(q.value ->> 3 AS BIGINT)
            AND a.seq = (SELECT max(b.seq) FROM assessment AS b
                          WHERE b.patient = a.patient AND b.rule = a.rule
                            AND b.effective_ms = a.effective_ms)",
        &[(&json(&asked)?).into()],
    )?;
    let mut found: Vec<Standing> = spans.iter().map(|_| Standing::default()).collect();
    for row in rows.iter() {
        let (at, id) = (row.integer("at")?, row.text("id")?.to_owned());
        let Some(slot) = found.get_mut(place(&row)?) else { continue };
        if row.integer("current")? == 1 {
            let supersedes = row.text_or_null("supersedes")?.map(str::to_owned);
            slot.current.insert(at, Stored { seq: row.integer("seq")?, id, supersedes });
        } else {
            slot.gone.insert(at, (id, row.json("body")?));
        }
    }
    Ok(found)
}

/// The settings in force of each patient that has any.
pub fn settings(
    db: &dyn Database,
    patients: &[&str],
) -> Result<BTreeMap<String, Settings>, StoreError> {
    let rows = db.query(
        "SELECT s.patient AS patient, s.body AS body
           FROM json_each(?1) AS q CROSS JOIN patient_settings AS s
          WHERE s.patient = q.value ->> 0
            AND s.version = (SELECT max(t.version) FROM patient_settings AS t
                              WHERE t.patient = q.value ->> 0)",
        &[(&json(&patients.iter().map(|it| [it]).collect::<Vec<_>>())?).into()],
    )?;
    rows.iter().map(|row| Ok((row.text("patient")?.to_owned(), row.json("body")?))).collect()
}

/// Sets when a patient's next reading is due for a rule, or that none is.
pub fn set_due(db: &dyn Database, due: &[(&str, &str, Option<i64>)]) -> Result<(), StoreError> {
    let none: Vec<_> = due.iter().filter(|it| it.2.is_none()).map(|it| (it.0, it.1)).collect();
    let some: Vec<_> = due.iter().filter(|it| it.2.is_some()).collect();
    if !none.is_empty() {
        db.query(
            "DELETE FROM absence_due WHERE (patient, rule) IN
             (SELECT value ->> 0, value ->> 1 FROM json_each(?1))",
            &[(&json(&none)?).into()],
        )?;
    }
    if !some.is_empty() {
        db.query(
            "INSERT INTO absence_due (patient, rule, due_ms)
             SELECT value ->> 0, value ->> 1, CAST(value ->> 2 AS BIGINT)
               FROM json_each(?1) WHERE true
             ON CONFLICT (patient, rule) DO UPDATE SET due_ms = excluded.due_ms
              WHERE due_ms <> excluded.due_ms",
            &[(&json(&some)?).into()],
        )?;
    }
    Ok(())
}
