//! Stored readings under the rule set in force and under another one.

use std::collections::BTreeMap;
use std::path::Path;

use auscult_model::{AssessmentStatus, Timestamp};
use auscult_scoring::news2;
use auscult_scoring::rules::RuleSet;
use auscult_scoring::rules::check::parse;
use auscult_scoring::rules::engine::preview;
use auscult_scoring::rules::store::current;
use auscult_store::native::NativeSqlite;
use auscult_store::{Database as _, StoreError};
use serde_json::Value;

use super::episodes::{Difference, Report, Said, episodes};
use crate::clock;
use crate::failure::Failure;

/// Largest rule set read.
const RULES_BYTES_MAX: u64 = 1024 * 1024;

/// Compares over a period.
pub fn compare(
    data: &Path,
    rules: &Path,
    (from, to): (Timestamp, Timestamp),
) -> Result<Report, Failure> {
    let other = read(rules)?;
    let file = data.join("sqlite/default.db");
    let unread = |it: StoreError| Failure::unread(&file.display().to_string(), &it);
    let db = NativeSqlite::open_read_only(&file).map_err(unread)?;
    let now = current(&db).map_err(unread)?;
    over(&db, (&now, &other), (from.unix_ms(), to.unix_ms())).map_err(unread)
}

fn over(
    db: &NativeSqlite,
    (now, other): (&RuleSet, &RuleSet),
    period: (i64, i64),
) -> Result<Report, StoreError> {
    let mut report = Report::default();
    for patient in patients(db)? {
        let before = said(db, now, &patient, period)?;
        let mut after = said(db, other, &patient, period)?;
        for (rule, before) in before {
            let after = after.remove(&rule).unwrap_or_default();
            let found = [&before, &after].map(|it| episodes(it, period.1));
            let difference = Difference::between(&found[0], &found[1]);
            report.0.insert((patient.clone(), rule), difference);
        }
        for (rule, after) in after {
            let difference = Difference::between(&[], &episodes(&after, period.1));
            report.0.insert((patient.clone(), rule), difference);
        }
    }
    Ok(report)
}

/// Everybody with a reading: one seek each.
fn patients(db: &NativeSqlite) -> Result<Vec<String>, StoreError> {
    let rows = db.query(
        "WITH RECURSIVE named (patient) AS (
             SELECT min(patient) FROM score_input
             UNION ALL
             SELECT (SELECT min(s.patient) FROM score_input AS s WHERE s.patient > named.patient)
               FROM named WHERE named.patient IS NOT NULL)
         SELECT patient FROM named WHERE patient IS NOT NULL",
        &[],
    )?;
    rows.iter().map(|row| Ok(row.text("patient")?.to_owned())).collect()
}

/// What a rule set says of a patient, by rule.
fn said(
    db: &NativeSqlite,
    set: &RuleSet,
    patient: &str,
    period: (i64, i64),
) -> Result<BTreeMap<String, Vec<Said>>, StoreError> {
    let mut found: BTreeMap<String, Vec<Said>> = BTreeMap::new();
    for it in preview(db, set, patient, period, clock::now())? {
        let complete = it.status == AssessmentStatus::Complete;
        let said = (it.effective.unix_ms(), it.severity.is_some(), complete);
        found.entry(it.rule).or_default().push(said);
    }
    if set.news2() {
        // NEWS2 has no limits of its own in a rule set: what is stored is what it says.
        let rows = db.query(
            "SELECT effective_ms, severity, status FROM assessment
              WHERE patient = ?1 AND rule = ?2 AND current = 1 AND effective_ms BETWEEN ?3 AND ?4
              ORDER BY effective_ms",
            &[patient.into(), news2::RULE.into(), period.0.into(), period.1.into()],
        )?;
        let list = found.entry(news2::RULE.to_owned()).or_default();
        for row in rows.iter() {
            let alerts = row.text_or_null("severity")?.is_some();
            list.push((row.integer("effective_ms")?, alerts, row.text("status")? == "complete"));
        }
    }
    Ok(found)
}

fn read(file: &Path) -> Result<RuleSet, Failure> {
    let name = file.display().to_string();
    let unread = |it: std::io::Error| Failure::unread(&name, &it);
    if std::fs::metadata(file).map_err(unread)?.len() > RULES_BYTES_MAX {
        return Err(Failure::Bad(format!("{name} is too large for a rule set")));
    }
    let text = std::fs::read_to_string(file).map_err(unread)?;
    let document: Value = serde_json::from_str(&text)
        .map_err(|it| Failure::Bad(format!("{name}:{}:{}: not JSON", it.line(), it.column())))?;
    parse(&document).map_err(|faults| {
        let faults =
            faults.iter().map(|it| format!("{name}: {} at {}: {}", it.code, it.path, it.detail));
        Failure::Bad(faults.collect::<Vec<_>>().join("\n"))
    })
}

#[cfg(test)]
mod tests {
    use auscult_store::Database as _;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_lower_limit_removes_the_alert_and_a_quicker_one_gains_time() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("sqlite")).unwrap();
        let db = NativeSqlite::with_schema(&folder.path().join("sqlite/default.db")).unwrap();
        for (minute, value) in [(0, "97"), (5, "89"), (10, "88"), (15, "88"), (20, "96")] {
            let sql = "INSERT INTO score_input VALUES ('ann', 'spo2', ?1, ?2, ?3)";
            let at: i64 = minute * 60_000;
            let id = format!("o{minute}");
            db.query(sql, &[at.into(), id.as_str().into(), value.into()]).unwrap();
        }
        let rule = |below: u32, hold: &str| {
            json!({ "rules": [{ "name": "low", "kind": "threshold", "code": "spo2", "unit": "%",
                "below": below, "for": hold, "severity": "urgent" }] })
        };
        let sql = "INSERT INTO rule_set VALUES (1, ?1, 'test', 0)";
        db.query(sql, &[rule(90, "10m").to_string().as_str().into()]).unwrap();
        let at = |minute: i64| Timestamp::from_unix_ms(minute * 60_000);
        let difference = |document: serde_json::Value| {
            let file = folder.path().join("rules.json");
            std::fs::write(&file, document.to_string()).unwrap();
            let report = compare(folder.path(), &file, (at(0), at(60))).unwrap();
            report.0[&("ann".to_owned(), "low".to_owned())]
        };
        let removed = difference(rule(80, "10m"));
        assert_eq!((removed.n_before, removed.n_after, removed.n_removed), (1, 0, 1));
        let sooner = difference(rule(90, "1s"));
        assert_eq!((sooner.n_added, sooner.n_removed, sooner.gained_ms), (0, 0, 300_000));
        let file = folder.path().join("broken.json");
        std::fs::write(&file, r#"{ "rules": [{ "name": "low", "kind": "magic" }] }"#).unwrap();
        let broken = compare(folder.path(), &file, (at(0), at(60))).unwrap_err();
        assert_eq!(broken.code(), 1);
        assert!(broken.to_string().contains("/rules/0/kind"), "{broken}");
    }
}
