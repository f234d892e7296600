//! `/mappings`: what operators see and change of the mapping sets.

use auscult_model::{Problem, Timestamp};
use auscult_normalization::mappings;
use auscult_shell::auth::Operator;
use auscult_shell::http::{method_not_allowed, not_found, unavailable};
use auscult_shell::{Call, Reply, SpinSqlite};
use serde_json::json;

/// Longest name of a mapping set, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Answers an operator's call.
pub fn answer(
    db: &SpinSqlite,
    call: &Call,
    path: &[&str],
    operator: &Operator,
    now: Timestamp,
) -> Result<Reply, Problem> {
    match (call.method.as_str(), path) {
        ("GET", []) => {
            let sets = mappings::list(db).map_err(|it| unavailable(&it))?;
            let items: Vec<_> = sets
                .iter()
                .map(|it| json!({ "name": it.name, "version": it.version, "author": it.author, "created": it.created }))
                .collect();
            Ok(Reply::json(200, &json!({ "items": items, "next": null })))
        }
        ("GET", [name]) => {
            let set = mappings::current(db, name).map_err(|it| unavailable(&it))?;
            let set = set.ok_or_else(not_found)?;
            Ok(Reply::text(200, "application/json", set.document)
                .with("etag", format!("\"{}\"", set.version)))
        }
        ("PUT", [name]) => put(db, call, name, operator, now),
        (_, [] | [_]) => Err(method_not_allowed()),
        _ => Err(not_found()),
    }
}

fn put(
    db: &SpinSqlite,
    call: &Call,
    name: &str,
    operator: &Operator,
    now: Timestamp,
) -> Result<Reply, Problem> {
    let plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.');
    if name.len() > NAME_BYTES_MAX || !name.chars().all(plain) {
        return Err(Problem::new(
            400,
            "mapping-name",
            "A mapping's name is letters, digits, - _ .",
        ));
    }
    let document = std::str::from_utf8(&call.body)
        .map_err(|_| Problem::new(400, "not-utf8", "The mapping is not UTF-8 text"))?;
    mappings::check(document)?;
    if let Some(wanted) = call.header("if-match") {
        let current = mappings::current(db, name).map_err(|it| unavailable(&it))?;
        let etag = current.map(|it| format!("\"{}\"", it.version));
        if etag.as_deref() != Some(wanted) {
            return Err(Problem::new(412, "version-mismatch", "The mapping has changed meanwhile"));
        }
    }
    let set = mappings::put(db, name, document, &operator.name, now);
    let set = set.map_err(|it| unavailable(&it))?;
    let summary = json!({ "name": set.name, "version": set.version, "author": set.author, "created": set.created });
    Ok(Reply::json(200, &summary).with("etag", format!("\"{}\"", set.version)))
}
