//! Who lies on the ward: names and beds.

use std::collections::BTreeMap;

use auscult_model::Timestamp;
use auscult_store::{Database, StoreError};
use chrono::{Datelike, NaiveDate};
use serde_json::Value;

use super::json_array;

/// Patients on one page. More than any ward has; beyond it the page says that it is cut.
pub const PATIENTS_MAX: i64 = 200;

/// Data younger than this puts a patient on the page even without a device assigned: a day, so that
/// a discharged patient does not stay for ever.
const RECENT_MS: i64 = 86_400_000;

/// One patient as a page names them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// FHIR logical id.
    pub id: String,
    /// `Okonkwo, Amara`; the id where no Patient resource has a name.
    pub name: String,
    /// `72 y, female`; empty where unknown.
    pub about: String,
    /// Where their devices say they are: `Bed 4`.
    pub bed: Option<String>,
}

/// Seeks from one patient to the next in the index of observations: as many steps as patients.
const LISTED: &str = "
WITH RECURSIVE seen (patient) AS (
    SELECT min(patient) FROM observation
    UNION ALL
    SELECT (SELECT min(patient) FROM observation WHERE patient > seen.patient)
    FROM seen WHERE seen.patient IS NOT NULL
), listed AS (
    SELECT patient FROM seen WHERE patient IS NOT NULL
        AND (SELECT max(effective_ms) FROM observation WHERE patient = seen.patient) >= ?1
    UNION
    SELECT patient FROM assignment
        WHERE active = 1 AND start_ms <= ?2 AND (end_ms IS NULL OR end_ms > ?2)
    UNION
    SELECT patient FROM alert WHERE status IN ('open', 'acknowledged')
)
SELECT patient, (SELECT body FROM resource WHERE type = 'Patient' AND id = patient) AS body
FROM listed ORDER BY patient LIMIT ?3";

const BEDS: &str = "
SELECT a.patient, min(json_extract(r.body, '$.location.display')) AS bed
FROM json_each(?1) p
JOIN assignment a ON a.patient = p.value
JOIN resource r ON r.type = 'Device' AND r.id = a.device
WHERE a.active = 1 AND a.start_ms <= ?2 AND (a.end_ms IS NULL OR a.end_ms > ?2)
GROUP BY a.patient";

/// Everybody with a device assigned now, data of the last day, or an alert that is not over.
pub fn listed(db: &dyn Database, now: Timestamp) -> Result<Vec<Person>, StoreError> {
    let since = now.plus_ms(-RECENT_MS);
    let rows = db.query(LISTED, &[since.into(), now.into(), PATIENTS_MAX.into()])?;
    let mut people = Vec::with_capacity(rows.len());
    for row in rows.iter() {
        people.push(person(row.text("patient")?, row.text_or_null("body")?, now));
    }
    put_to_bed(db, &mut people, now)?;
    Ok(people)
}

/// One patient by id, whether or not anything is known of them.
pub fn one(db: &dyn Database, id: &str, now: Timestamp) -> Result<Person, StoreError> {
    let rows =
        db.query("SELECT body FROM resource WHERE type = 'Patient' AND id = ?1", &[id.into()])?;
    let body = rows.first().map(|it| it.text_or_null("body")).transpose()?.flatten();
    let mut people = [person(id, body, now)];
    put_to_bed(db, &mut people, now)?;
    let [person] = people;
    Ok(person)
}

fn put_to_bed(db: &dyn Database, people: &mut [Person], now: Timestamp) -> Result<(), StoreError> {
    let ids = json_array(people.iter().map(|it| it.id.as_str()))?;
    let mut beds = BTreeMap::new();
    for row in db.query(BEDS, &[(&ids).into(), now.into()])?.iter() {
        if let Some(bed) = row.text_or_null("bed")? {
            beds.insert(row.text("patient")?.to_owned(), bed.to_owned());
        }
    }
    for person in people {
        person.bed = beds.remove(&person.id);
    }
    Ok(())
}

fn person(id: &str, body: Option<&str>, now: Timestamp) -> Person {
    // A Patient that cannot be read must not take the ward from the screen: the id stands for it.
    let patient: Value = body.and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default();
    let name = name_of(&patient).unwrap_or_else(|| id.to_owned());
    let gender = patient.get("gender").and_then(Value::as_str).map(str::to_owned);
    let born = patient.get("birthDate").and_then(Value::as_str);
    let age = born.and_then(|it| age_years(it, now)).map(|it| format!("{it} y"));
    let about: Vec<String> = age.into_iter().chain(gender).collect();
    Person { id: id.to_owned(), name, about: about.join(", "), bed: None }
}

/// `Family, Given` of the first name that has either, else its text.
fn name_of(patient: &Value) -> Option<String> {
    let names = patient.get("name")?.as_array()?;
    names.iter().find_map(|name| {
        let family = name.get("family").and_then(Value::as_str);
        let given = name.pointer("/given/0").and_then(Value::as_str);
        match (family, given) {
            (Some(family), Some(given)) => Some(format!("{family}, {given}")),
            (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
            (None, None) => name.get("text").and_then(Value::as_str).map(str::to_owned),
        }
    })
}

/// Completed years of life; from the year alone where FHIR holds no more.
fn age_years(born: &str, now: Timestamp) -> Option<i32> {
    let today = now.to_utc()?.date_naive();
    let years = match NaiveDate::parse_from_str(born, "%Y-%m-%d") {
        Ok(born) => today.years_since(born).and_then(|it| i32::try_from(it).ok()),
        Err(_) => born.get(..4)?.parse::<i32>().ok().map(|it| today.year() - it),
    };
    years.filter(|it| (0..=150).contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_named_from_what_the_patient_resource_has() {
        let now = Timestamp::parse("2026-11-21T12:00:00Z").unwrap();
        let rows = [
            (
                r#"{"name":[{"family":"A","given":["B","C"]}],"gender":"female","birthDate":"1951-11-22"}"#,
                "A, B",
                "74 y, female",
            ),
            (r#"{"name":[{"text":"A B"}],"birthDate":"1951"}"#, "A B", "75 y"),
            (r#"{"name":[]}"#, "id-1", ""),
            ("not json", "id-1", ""),
        ];
        for (body, name, about) in rows {
            let got = person("id-1", Some(body), now);
            assert_eq!((got.name.as_str(), got.about.as_str()), (name, about), "{body}");
        }
    }
}
