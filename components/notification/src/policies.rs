//! `/policies`: the versioned policy document. Secrets go in, never out.

use auscult_model::Problem;
use auscult_notification::policy::{SCHEMA, receiver};
use auscult_notification::store::{self, PolicyError, StoredPolicy};
use auscult_shell::http::{not_found, unavailable};
use auscult_shell::{Call, Reply, SpinSqlite, now};
use serde::Deserialize;
use serde_json::json;

/// `GET /policies`
pub fn get(db: &SpinSqlite, call: &Call) -> Result<Reply, Problem> {
    let stored = store::policy(db).map_err(|it| unavailable(&it))?;
    let stored = stored.ok_or_else(|| {
        Problem::new(404, "no-policy", "There is no policy: alerts show, and page nobody")
    })?;
    if call.header("if-none-match").is_some_and(|it| it.trim() == etag(&stored)) {
        return Ok(Reply::empty(304).with("etag", etag(&stored)));
    }
    Ok(shown(&stored))
}

/// `PUT /policies`
pub fn put(db: &SpinSqlite, call: &Call, author: &str) -> Result<Reply, Problem> {
    let document: serde_json::Value = call.json()?;
    let expected = expected(db, call)?;
    let stored = store::put_policy(db, document, expected, author, now());
    stored.map(|it| shown(&it)).map_err(refused)
}

/// `GET /policies/schema`: the JSON Schema, for editors.
pub fn schema() -> Reply {
    Reply::text(200, "application/schema+json", SCHEMA)
}

/// `GET /policies/versions`
pub fn versions(db: &SpinSqlite) -> Result<Reply, Problem> {
    let items = store::policy_versions(db).map_err(|it| unavailable(&it))?;
    Ok(Reply::json(200, &json!({ "items": items, "next": null })))
}

/// `GET /policies/versions/{version}`
pub fn version(db: &SpinSqlite, version: &str) -> Result<Reply, Problem> {
    let version: i64 = version.parse().map_err(|_| not_found())?;
    let found = store::policy_version(db, version).map_err(|it| unavailable(&it))?;
    let document = found.ok_or_else(not_found)?;
    Ok(Reply::json(200, &receiver::shown(&document)).with("etag", format!("\"{version}\"")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rollback {
    version: i64,
}

/// `POST /policies/rollback`: an earlier version, in force again as a new one.
pub fn rollback(db: &SpinSqlite, call: &Call, author: &str) -> Result<Reply, Problem> {
    let wanted: Rollback = call.json()?;
    let expected = expected(db, call)?;
    let stored = store::rollback_policy(db, wanted.version, expected, author, now());
    stored.map_err(refused)?.map(|it| shown(&it)).ok_or_else(not_found)
}

fn refused(error: PolicyError) -> Problem {
    match error {
        PolicyError::Faults(errors) => Problem {
            errors,
            ..Problem::new(422, "policy-faults", "The policy has faults and was not taken")
        },
        PolicyError::Stale(version) => stale(version),
        PolicyError::Store(error) => unavailable(&error),
    }
}

fn expected(db: &SpinSqlite, call: &Call) -> Result<Option<i64>, Problem> {
    let Some(seen) = call.header("if-match").map(str::trim) else { return Ok(None) };
    let version =
        || Ok(store::policy(db).map_err(|it| unavailable(&it))?.map_or(0, |it| it.version));
    if seen == "*" {
        return match version()? {
            0 => Err(stale(0)),
            version => Ok(Some(version)),
        };
    }
    match seen.trim_start_matches("W/").trim_matches('"').parse() {
        Ok(seen) => Ok(Some(seen)),
        Err(_) => Err(stale(version()?)),
    }
}

fn stale(version: i64) -> Problem {
    Problem::new(412, "stale-version", "Somebody changed the policy since it was read")
        .detail(format!("the version in force is {version}"))
}

fn etag(stored: &StoredPolicy) -> String {
    format!("\"{}\"", stored.version)
}

fn shown(stored: &StoredPolicy) -> Reply {
    Reply::json(200, &stored.policy.shown()).with("etag", etag(stored))
}
