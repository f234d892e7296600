//! What operators do here: credentials, dead letters, the outside clock's tick.

use auscult_ingest::credential::{CredentialRequest, issue};
use auscult_ingest::dead_letters::{self, Filter};
use auscult_ingest::store;
use auscult_model::ids::DeviceId;
use auscult_model::{Problem, Timestamp};
use auscult_shell::http::{method_not_allowed, not_found, unavailable};
use auscult_shell::{Call, Reply, SpinSqlite, operator};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

/// Default page of a list.
const LIMIT: usize = 50;

/// Answers an operator's call.
pub fn answer(
    db: &SpinSqlite,
    call: &Call,
    path: &[&str],
    now: Timestamp,
) -> Result<Reply, Problem> {
    operator(call)?;
    match (call.method.as_str(), path) {
        // The relay runs after the answer.
        ("POST", ["tick"]) => Ok(Reply::empty(202)),
        ("POST", ["devices", device, "credentials"]) => add_credential(db, call, device, now),
        ("GET", ["devices", device, "credentials"]) => {
            let items = store::credentials(db, device).map_err(|it| unavailable(&it))?;
            Ok(Reply::json(200, &json!({ "items": items, "next": null })))
        }
        ("DELETE", ["devices", device, "credentials", id]) => {
            let found = store::revoke(db, device, id, now).map_err(|it| unavailable(&it))?;
            if found { Ok(Reply::empty(204)) } else { Err(not_found()) }
        }
        ("GET", ["dead-letters"]) => list(db, call),
        ("POST", ["dead-letters", "replay"]) => {
            let filter = if call.body.is_empty() { Filter::default() } else { call.json()? };
            replay(db, None, &filter, now)
        }
        ("GET", ["dead-letters", id]) => {
            let found = dead_letters::show(db, id).map_err(|it| unavailable(&it))?;
            found.map(|it| Reply::json(200, &it)).ok_or_else(not_found)
        }
        ("POST", ["dead-letters", id, "replay"]) => replay(db, Some(id), &Filter::default(), now),
        (_, ["tick" | "dead-letters", ..] | ["devices", _, "credentials", ..]) => {
            Err(method_not_allowed())
        }
        _ => Err(not_found()),
    }
}

fn add_credential(
    db: &SpinSqlite,
    call: &Call,
    device: &str,
    now: Timestamp,
) -> Result<Reply, Problem> {
    if DeviceId::parse(device).is_none() {
        return Err(Problem::new(400, "device-id", "The device id is blank or too long"));
    }
    let request = if call.body.is_empty() { CredentialRequest::default() } else { call.json()? };
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random)
        .map_err(|_| Problem::new(503, "no-randomness", "No token can be made now"))?;
    let issued = issue(device, request, &URL_SAFE_NO_PAD.encode(random))?;
    store::add_credential(db, &issued, now).map_err(|it| unavailable(&it))?;
    Ok(Reply::json(201, &json!({ "id": issued.id, "token": issued.token }))
        .with("cache-control", "no-store"))
}

fn list(db: &SpinSqlite, call: &Call) -> Result<Reply, Problem> {
    let filter = Filter { device: call.param("device"), code: call.param("code") };
    let number = |name: &str| call.param(name).map(|it| it.parse::<i64>()).transpose();
    let bad = |_| Problem::new(400, "parameter", "limit and before are whole numbers");
    let limit = number("limit").map_err(bad)?.and_then(|it| usize::try_from(it).ok());
    let before = number("before").map_err(bad)?;
    let page = dead_letters::list(db, &filter, before, limit.unwrap_or(LIMIT));
    Ok(Reply::json(200, &page.map_err(|it| unavailable(&it))?))
}

fn replay(
    db: &SpinSqlite,
    id: Option<&str>,
    filter: &Filter,
    now: Timestamp,
) -> Result<Reply, Problem> {
    let replayed = dead_letters::replay(db, id, filter, now).map_err(|it| unavailable(&it))?;
    if replayed.is_empty() && id.is_some() {
        return Err(not_found());
    }
    Ok(Reply::json(202, &json!({ "replayed": replayed })))
}
