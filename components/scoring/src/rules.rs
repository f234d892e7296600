//! The rule set: `GET|PUT /rules`, its versions, its schema, and the way back.

use auscult_model::Problem;
use auscult_scoring::rules::SCHEMA;
use auscult_scoring::rules::store::{Document, document, put, versions};
use auscult_shell::auth::Operator;
use auscult_shell::http::{method_not_allowed, not_found, unavailable};
use auscult_shell::{Call, Reply, SpinSqlite, now};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::patients::expected;
use crate::problem;

/// Answers `/rules` and what lies below.
pub fn answer(
    db: &SpinSqlite,
    call: &Call,
    method: &str,
    rest: &[&str],
    operator: &Operator,
) -> Result<Reply, Problem> {
    match (method, rest) {
        ("GET", []) => shown_version(db, None),
        ("PUT", []) => {
            let body: Value = call.json()?;
            let stored = put(db, &body, expected(call)?, &operator.name, now()).map_err(problem)?;
            Ok(shown(&stored))
        }
        ("GET", ["schema"]) => {
            let schema: Value = serde_json::from_str(SCHEMA).unwrap_or_default();
            Ok(Reply::json(200, &schema))
        }
        ("GET", ["versions"]) => {
            let items = versions(db).map_err(|it| unavailable(&it))?;
            Ok(Reply::json(200, &json!({ "items": items, "next": null })))
        }
        ("GET", ["versions", version]) => {
            shown_version(db, Some(version.parse().map_err(|_| not_found())?))
        }
        ("POST", ["rollback"]) => rollback(db, call, operator),
        (_, [] | ["schema" | "versions" | "rollback"] | ["versions", _]) => {
            Err(method_not_allowed())
        }
        _ => Err(not_found()),
    }
}

fn shown(document: &Document) -> Reply {
    Reply::json(200, &document.body).with("etag", format!("\"{}\"", document.version))
}

fn shown_version(db: &SpinSqlite, version: Option<i64>) -> Result<Reply, Problem> {
    let found = document(db, version).map_err(|it| unavailable(&it))?;
    found.as_ref().map(shown).ok_or_else(not_found)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Back {
    version: i64,
}

/// An earlier version becomes the newest one: the way back is itself a change that can be read.
fn rollback(db: &SpinSqlite, call: &Call, operator: &Operator) -> Result<Reply, Problem> {
    let Back { version } = call.json()?;
    let found = document(db, Some(version)).map_err(|it| unavailable(&it))?;
    let body = found.ok_or_else(not_found)?.body;
    let stored = put(db, &body, expected(call)?, &operator.name, now()).map_err(problem)?;
    Ok(shown(&stored))
}
