//! Claims what is due to go out, and records what became of it.

use std::collections::HashMap;

use auscult_model::Timestamp;
use auscult_store::{Database, Row, StoreError, transaction};
use serde_json::{Value, json};

use crate::channel::About;
use crate::delivery::{Claimed, Outcome, settle};
use crate::policy::Receiver;
use crate::store::policies;

/// How long a claim lasts, in milliseconds: three times the time a receiver has to answer. A host
/// that dies in between leaves the page to the next.
pub const LEASE_MS: i64 = 30_000;
/// Most pages on their way at once, over all calls: a receiver that hangs ties up no more.
const IN_FLIGHT_MAX: i64 = 64;
/// Most of them to one receiver, so that the others are never behind one that hangs. One call may
/// add its own share to that.
const TO_ONE_MAX: i64 = 16;

/// Claims at most `most` pages that are due, oldest first. Pages about one patient go to a receiver
/// one after the other, so that "resolved" never comes before "opened".
///
/// # Errors
/// [`StoreError`] when the database cannot be written.
pub fn claim(db: &dyn Database, now: Timestamp, most: u32) -> Result<Vec<Claimed>, StoreError> {
    let rows = db.query(
        "UPDATE delivery SET lease_until_ms = ?2, due_ms = ?2, attempts = attempts + 1
         WHERE seq IN (
             SELECT d.seq FROM delivery d
             WHERE d.state = 'pending' AND d.due_ms <= ?1 AND NOT EXISTS (
                 SELECT 1 FROM delivery e WHERE e.receiver = d.receiver AND e.lane = d.lane
                 AND e.state = 'pending' AND e.seq < d.seq)
             AND (SELECT count(*) FROM delivery f WHERE f.receiver = d.receiver
                 AND f.state = 'pending' AND f.due_ms > ?1 AND f.lease_until_ms > ?1) < ?5
             ORDER BY d.due_ms, d.seq
             LIMIT (SELECT CASE WHEN count(*) >= ?4 THEN 0 WHEN ?4 - count(*) < ?3
                 THEN ?4 - count(*) ELSE ?3 END FROM delivery
                 WHERE state = 'pending' AND due_ms > ?1 AND lease_until_ms > ?1))
         RETURNING seq, id, alert, receiver, body, attempts, created_ms",
        &[
            now.into(),
            now.plus_ms(LEASE_MS).into(),
            i64::from(most).into(),
            IN_FLIGHT_MAX.into(),
            TO_ONE_MAX.into(),
        ],
    )?;
    let mut claimed: Vec<(i64, Claimed)> = rows.iter().map(one).collect::<Result<_, _>>()?;
    claimed.sort_by_key(|(seq, _)| *seq);
    Ok(claimed.into_iter().map(|(_, it)| it).collect())
}

fn one(row: Row<'_>) -> Result<(i64, Claimed), StoreError> {
    let claimed = Claimed {
        id: row.text("id")?.to_owned(),
        alert: row.text("alert")?.to_owned(),
        receiver: row.text("receiver")?.to_owned(),
        body: row.text("body")?.to_owned(),
        tries: u32::try_from(row.integer("attempts")?).unwrap_or(u32::MAX),
        created: Timestamp::from_unix_ms(row.integer("created_ms")?),
    };
    Ok((row.integer("seq")?, claimed))
}

/// What is known of the patients of claimed pages, by alert id: one statement.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn about(db: &dyn Database, pages: &[Claimed]) -> Result<HashMap<String, About>, StoreError> {
    let alerts: Vec<_> = pages.iter().map(|it| &it.alert).collect();
    let rows = db.query(
        "SELECT a.id, r.body FROM alert a JOIN resource r ON r.type = 'Patient' AND r.id = a.patient
         WHERE a.id IN (SELECT value FROM json_each(?1))",
        &[(&serde_json::to_string(&alerts)?).into()],
    )?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows.iter() {
        let patient: Value = row.json("body")?;
        found.insert(row.text("id")?.to_owned(), of_patient(&patient));
    }
    Ok(found)
}

/// The system of the tag that says where a patient lies.
const UNIT_SYSTEM: &str = "urn:auscult:unit";

fn of_patient(patient: &Value) -> About {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let list = |pointer: &str| {
        let found = patient.pointer(pointer).and_then(Value::as_array);
        found.map(Vec::as_slice).unwrap_or_default()
    };
    let unit = list("/meta/tag").iter().find(|it| it["system"] == UNIT_SYSTEM);
    let name = list("/name").first();
    let name = name.and_then(|it| {
        let given = it.pointer("/given/0").and_then(Value::as_str);
        let parts = [given, it.get("family").and_then(Value::as_str)];
        let joined = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        text(it.get("text")).or(Some(joined).filter(|it| !it.is_empty()))
    });
    let languages = list("/communication");
    let preferred = languages.iter().find(|it| it["preferred"] == true).or(languages.first());
    About {
        unit: text(unit.and_then(|it| it.get("code"))),
        name,
        language: text(preferred.and_then(|it| it.pointer("/language/coding/0/code"))),
        ..About::default()
    }
}

/// Records what became of claimed pages. Those that waited behind one go on when it does, and the
/// fall-back of a receiver is told what that one does not hear.
///
/// # Errors
/// [`StoreError`] when the database cannot be written; the lease then ends by itself.
pub fn record(
    db: &dyn Database,
    done: &[(Claimed, Outcome)],
    now: Timestamp,
) -> Result<(), StoreError> {
    if done.is_empty() {
        return Ok(());
    }
    let policy = policies::in_force(db)?;
    let receiver = |name: &str| policy.as_ref().and_then(|it| it.receiver(name));
    let mut rows = Vec::with_capacity(done.len());
    for (page, outcome) in done {
        rows.push(row(receiver(&page.receiver), page, outcome, now)?);
    }
    let rows = serde_json::to_string(&rows)?;
    transaction(db, |db| {
        db.query(RECORD, &[(&rows).into()])?;
        db.query(FALL_BACK, &[(&rows).into(), now.into()])?;
        db.query(MOVE_UP, &[(&rows).into(), now.into()])?;
        Ok(())
    })
}

fn row(
    receiver: Option<&Receiver>,
    page: &Claimed,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<Value, StoreError> {
    let settled = settle(receiver, page, outcome, now);
    let (mut code, mut receipt, mut delivered, mut tried) = (None, None, None, 1);
    match outcome {
        Outcome::Delivered(it) => {
            receipt = Some(serde_json::to_string(it)?);
            delivered = Some(now.unix_ms());
        }
        Outcome::Failed { code: it, .. } => code = Some(it),
        Outcome::Later(_) => tried = 0,
    }
    Ok(json!([
        page.id,
        settled.state,
        settled.due.unix_ms(),
        delivered,
        code,
        receipt,
        settled.fallback,
        i64::from(settled.if_told),
        1 - tried,
    ]))
}

const RECORD: &str = "
    UPDATE delivery SET state = w.value ->> 1, due_ms = CAST(w.value ->> 2 AS BIGINT), lease_until_ms = 0,
           delivered_ms = CAST(w.value ->> 3 AS BIGINT), last_error = COALESCE(w.value ->> 4, last_error),
           receipt = w.value ->> 5, attempts = attempts - CAST(w.value ->> 8 AS BIGINT)
    FROM json_each(?1) w WHERE delivery.id = w.value ->> 0 AND delivery.state = 'pending'";

/// A page to whom nobody listens goes to the fall-back with all that waits behind it, in its order.
/// One that ends an alert goes there too once it arrived, if the alert did.
const FALL_BACK: &str = "
    INSERT INTO delivery (id, alert, receiver, body, state, created_ms, due_ms, lane, fallback_of)
    SELECT d.id || '.f', d.alert, w.value ->> 6, d.body, 'pending', ?2, ?2, d.lane, d.id
    FROM json_each(?1) w JOIN delivery head ON head.id = w.value ->> 0
    JOIN delivery d ON d.id = head.id OR (CAST(w.value ->> 7 AS BIGINT) = 0 AND d.receiver = head.receiver
        AND d.lane = head.lane AND d.state = 'pending' AND d.seq > head.seq)
    WHERE w.value ->> 6 IS NOT NULL AND (CAST(w.value ->> 7 AS BIGINT) = 0 OR EXISTS (
        SELECT 1 FROM delivery f WHERE f.alert = d.alert AND f.receiver = w.value ->> 6
        AND f.fallback_of IS NOT NULL))
    ORDER BY d.seq
    ON CONFLICT (id) DO NOTHING";

const MOVE_UP: &str = "
    UPDATE delivery SET due_ms = CASE WHEN first.state = 'pending' THEN first.due_ms ELSE ?2 END
    FROM json_each(?1) w CROSS JOIN delivery first ON first.id = w.value ->> 0
    WHERE delivery.receiver = first.receiver AND delivery.lane = first.lane
      AND delivery.state = 'pending' AND delivery.seq > first.seq";
