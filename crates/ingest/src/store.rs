//! The inbox, the relay's lease and the credentials in the database.

use std::collections::{HashMap, HashSet};

use auscult_model::{Problem, Timestamp};
use auscult_store::{Database, StoreError, transaction};
use serde_json::json;

use crate::admit::{Admitted, Verdict, reject_conflict};
use crate::credential::{Issued, Listed};
use crate::relay::{Fate, LEASE_MS, due};
use crate::{Credential, dead_letters};

/// Messages read at once by the relay.
const PENDING_MAX: i64 = 1_000;

/// The only lane there is: one relay keeps the order of receipt.
const LANE: i64 = 1;

/// Stores a request's messages in one statement and says what became of each.
///
/// # Errors
/// [`StoreError`] when nothing was stored.
pub fn keep(
    db: &dyn Database,
    mut messages: Vec<Admitted>,
    now: Timestamp,
) -> Result<Vec<Verdict>, StoreError> {
    let stored = insert(db, &messages, now)?;
    let repeated: Vec<&str> = messages
        .iter()
        .filter(|it| it.problem.is_none() && !stored.contains(&it.id))
        .map(|it| it.id.as_str())
        .collect();
    let contents = if repeated.is_empty() { HashMap::new() } else { contents(db, &repeated)? };
    let mut conflicts = Vec::new();
    for message in &mut messages {
        if contents.get(&message.id).is_some_and(|it| *it != message.digest) {
            reject_conflict(message);
            conflicts.push(message.clone());
        }
    }
    if !conflicts.is_empty() {
        insert(db, &conflicts, now)?;
    }
    let mut answered: HashSet<&str> = HashSet::new();
    let verdicts = messages.iter().enumerate().map(|(index, it)| {
        let status = match &it.problem {
            Some(_) => "rejected",
            None if stored.contains(&it.id) && answered.insert(&it.id) => "accepted",
            None => "duplicate",
        };
        Verdict { index, id: it.id.clone(), status, problem: it.problem.clone() }
    });
    Ok(verdicts.collect())
}

fn insert(
    db: &dyn Database,
    messages: &[Admitted],
    now: Timestamp,
) -> Result<HashSet<String>, StoreError> {
    let rows = serde_json::to_string(messages)?;
    // A message rejected before may be taken now (its device was registered meanwhile).
    let inserted = db.query(
        "INSERT INTO inbox (id, digest, device, allowed, source, body, received_ms, state, due_ms, problem)
         SELECT value->>'id', value->>'digest', value->>'device', value->'allowed', value->>'source',
                value->>'body', ?2,
                CASE WHEN value->'problem' = 'null' THEN 'pending' ELSE 'rejected' END,
                ?2, nullif(value->'problem', 'null')
         FROM json_each(?1) WHERE true
         ON CONFLICT (id) DO NOTHING
         RETURNING id",
        &[(&rows).into(), now.into()],
    )?;
    inserted.iter().map(|it| Ok(it.text("id")?.to_owned())).collect()
}

fn contents(db: &dyn Database, ids: &[&str]) -> Result<HashMap<String, String>, StoreError> {
    let ids = serde_json::to_string(ids)?;
    let rows = db.query(
        "SELECT id, digest FROM inbox WHERE id IN (SELECT value FROM json_each(?1))",
        &[(&ids).into()],
    )?;
    rows.iter().map(|it| Ok((it.text("id")?.to_owned(), it.text("digest")?.to_owned()))).collect()
}

/// Which of these devices nobody has registered: no Device resource, no credential of their own.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn unknown(db: &dyn Database, devices: &[String]) -> Result<Vec<String>, StoreError> {
    if devices.is_empty() {
        return Ok(Vec::new());
    }
    let devices = serde_json::to_string(devices)?;
    let rows = db.query(
        "SELECT value AS device FROM json_each(?1) AS asked
         WHERE NOT EXISTS (SELECT 1 FROM resource WHERE type = 'Device' AND id = asked.value)
           AND NOT EXISTS (SELECT 1 FROM device_credential WHERE device = asked.value)",
        &[(&devices).into()],
    )?;
    rows.iter().map(|it| Ok(it.text("device")?.to_owned())).collect()
}

/// One message waiting to move on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Row.
    pub seq: i64,
    /// Message id.
    pub id: String,
    /// Named by message or token.
    pub device: Option<String>,
    /// What its token covers.
    pub allowed: Vec<String>,
    /// `?source=`.
    pub source: Option<String>,
    /// As received.
    pub body: String,
    /// When.
    pub received: Timestamp,
    /// Tries so far.
    pub tries: u32,
    /// Whether it must go alone: a batch with it in was refused or broke a stage.
    pub alone: bool,
}

/// Takes the relay's lease; `false` when somebody else holds it and will see what is pending.
///
/// # Errors
/// [`StoreError`] when the database cannot be read or written.
pub fn take_lease(db: &dyn Database, now: Timestamp) -> Result<bool, StoreError> {
    let held = db.query("SELECT lease_until_ms FROM relay WHERE lane = ?1", &[LANE.into()])?;
    if let Some(row) = held.first() {
        // Read after our own commit: whoever holds it now cannot give it back without seeing our rows.
        if row.integer("lease_until_ms")? > now.unix_ms() {
            return Ok(false);
        }
    }
    let taken = db.query(
        "INSERT INTO relay (lane, lease_until_ms) VALUES (?1, ?2)
         ON CONFLICT (lane) DO UPDATE SET lease_until_ms = excluded.lease_until_ms
         WHERE relay.lease_until_ms <= ?3 RETURNING lane",
        &[LANE.into(), now.plus_ms(LEASE_MS).into(), now.into()],
    )?;
    Ok(!taken.is_empty())
}

/// Frees the lease of a process that is gone; only for a host that knows it is the only one.
///
/// # Errors
/// [`StoreError`] when the database cannot be written.
pub fn break_lease(db: &dyn Database) -> Result<(), StoreError> {
    db.query("UPDATE relay SET lease_until_ms = 0 WHERE lane = ?1", &[LANE.into()]).map(drop)
}

/// What is due, oldest first.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn pending(db: &dyn Database, now: Timestamp) -> Result<Vec<Pending>, StoreError> {
    let rows = db.query(
        "SELECT seq, id, device, allowed, source, body, received_ms, attempts, problem IS NOT NULL AS alone
         FROM inbox WHERE state = 'pending' AND due_ms <= ?1 ORDER BY due_ms, seq LIMIT ?2",
        &[now.into(), PENDING_MAX.into()],
    )?;
    rows.iter()
        .map(|it| {
            Ok(Pending {
                seq: it.integer("seq")?,
                id: it.text("id")?.to_owned(),
                device: it.text_or_null("device")?.map(str::to_owned),
                allowed: it.json("allowed")?,
                source: it.text_or_null("source")?.map(str::to_owned),
                body: it.text("body")?.to_owned(),
                received: Timestamp::from_unix_ms(it.integer("received_ms")?),
                tries: u32::try_from(it.integer("attempts")?).unwrap_or(u32::MAX),
                alone: it.integer("alone")? == 1,
            })
        })
        .collect()
}

/// Records what became of messages, and gives the lease back unless something is due. Returns whether
/// it was given back.
///
/// # Errors
/// [`StoreError`] when the database cannot be written; the messages are then tried again.
pub fn settle(
    db: &dyn Database,
    fates: &[(Pending, Fate)],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut rows = Vec::with_capacity(fates.len());
    for (it, fate) in fates {
        let tries = it.tries.saturating_add(1);
        let (state, due_at, problem) = match fate {
            Fate::Done => ("done", now, None),
            Fate::Alone => ("pending", now, Some(alone())),
            Fate::Later => ("pending", due(&it.id, tries, now), it.alone.then(alone)),
            Fate::Dead(problem) => ("dead", now, Some(problem.clone())),
        };
        rows.push(json!({
            "seq": it.seq, "state": state, "tries": tries, "due": due_at.unix_ms(), "problem": problem,
        }));
    }
    let rows = serde_json::to_string(&rows)?;
    transaction(db, |db| {
        db.query(
            "UPDATE inbox SET state = it.value->>'state', attempts = it.value->>'tries',
                    due_ms = it.value->>'due', problem = nullif(it.value->'problem', 'null')
             FROM json_each(?1) AS it WHERE inbox.seq = it.value->>'seq'",
            &[(&rows).into()],
        )?;
        give_back(db, now)
    })
}

fn alone() -> Problem {
    Problem::new(503, "batch-failed", "A batch with this message in failed: it is tried alone")
}

/// Gives the lease back unless something is due; returns whether it did, and prolongs it otherwise.
///
/// # Errors
/// [`StoreError`] when the database cannot be written.
pub fn give_back(db: &dyn Database, now: Timestamp) -> Result<bool, StoreError> {
    let rows = db.query(
        "UPDATE relay SET lease_until_ms = CASE
             WHEN EXISTS (SELECT 1 FROM inbox WHERE state = 'pending' AND due_ms <= ?1) THEN ?2 ELSE 0 END
         WHERE lane = ?3 RETURNING lease_until_ms",
        &[now.into(), now.plus_ms(LEASE_MS).into(), LANE.into()],
    )?;
    let until = rows.first().map(|it| it.integer("lease_until_ms")).transpose()?;
    Ok(until.unwrap_or(0) == 0)
}

/// The credential of a token's digest, unless revoked.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn credential(db: &dyn Database, token_sha256: &str) -> Result<Option<Credential>, StoreError> {
    let rows = db.query(
        "SELECT id, device, allowed FROM device_credential
         WHERE token_sha256 = ?1 AND revoked_ms IS NULL",
        &[token_sha256.into()],
    )?;
    rows.first()
        .map(|it| {
            Ok(Credential {
                id: it.text("id")?.to_owned(),
                device: it.text("device")?.to_owned(),
                allowed: it.json("allowed")?,
            })
        })
        .transpose()
}

/// Stores a new credential.
///
/// # Errors
/// [`StoreError`] when the database cannot be written.
pub fn add_credential(db: &dyn Database, it: &Issued, now: Timestamp) -> Result<(), StoreError> {
    let allowed = serde_json::to_string(&it.allowed)?;
    db.query(
        "INSERT INTO device_credential (id, device, label, allowed, token_sha256, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            (&it.id).into(),
            (&it.device).into(),
            it.label.as_deref().into(),
            (&allowed).into(),
            (&it.token_sha256).into(),
            now.into(),
        ],
    )
    .map(drop)
}

/// The credentials of a device, oldest first.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn credentials(db: &dyn Database, device: &str) -> Result<Vec<Listed>, StoreError> {
    let rows = db.query(
        "SELECT id, label, allowed, created_ms, revoked_ms FROM device_credential
         WHERE device = ?1 ORDER BY created_ms, id LIMIT 200",
        &[device.into()],
    )?;
    rows.iter()
        .map(|it| {
            Ok(Listed {
                id: it.text("id")?.to_owned(),
                label: it.text_or_null("label")?.map(str::to_owned),
                devices: it.json("allowed")?,
                created: Timestamp::from_unix_ms(it.integer("created_ms")?),
                revoked: it.integer_or_null("revoked_ms")?.map(Timestamp::from_unix_ms),
            })
        })
        .collect()
}

/// Revokes a credential; `false` when there is none of that id for that device.
///
/// # Errors
/// [`StoreError`] when the database cannot be written.
pub fn revoke(
    db: &dyn Database,
    device: &str,
    id: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = db.query(
        "UPDATE device_credential SET revoked_ms = coalesce(revoked_ms, ?3)
         WHERE device = ?1 AND id = ?2 RETURNING id",
        &[device.into(), id.into(), now.into()],
    )?;
    Ok(!rows.is_empty())
}

/// Re-exported so that a reader of the inbox finds its dead letters here.
pub use dead_letters::{list as dead_letters, replay};
