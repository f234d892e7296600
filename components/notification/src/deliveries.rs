//! `/deliveries`: what went out, what waits, what was given up.

use auscult_model::Problem;
use auscult_notification::store;
use auscult_shell::http::{not_found, unavailable};
use auscult_shell::{Call, Reply, SpinSqlite, now};
use serde_json::json;

/// Deliveries on a page when nobody says how many, and at most.
const LIMIT: u32 = 50;
const LIMIT_MAX: u32 = 200;

/// `GET /deliveries?state=&limit=`
pub fn list(db: &SpinSqlite, call: &Call) -> Result<Reply, Problem> {
    let bad = |name: &str, code: &str, detail: &str| {
        let problem = Problem::new(400, "bad-parameter", "A query parameter cannot be used");
        problem.fault(&format!("/{name}"), code, detail)
    };
    let (mut state, mut before, mut limit) = (None, None, LIMIT);
    for (name, value) in call.params() {
        match name.as_str() {
            "state" if matches!(value.as_str(), "pending" | "delivered" | "failed") => {
                state = Some(value);
            }
            "state" => {
                return Err(bad("state", "unknown-state", "pending, delivered, failed"));
            }
            "limit" => {
                let number = value.parse().ok().filter(|it| (1..=LIMIT_MAX).contains(it));
                limit = number.ok_or_else(|| bad("limit", "bad-number", "1 to 200"))?;
            }
            "before" => {
                let cursor =
                    value.parse().map_err(|_| bad("before", "bad-cursor", "a next link's own"));
                before = Some(cursor?);
            }
            _ => return Err(bad("", "unknown-parameter", "state, limit")),
        }
    }
    let found = store::deliveries(db, state.as_deref(), before, limit);
    let (items, next) = found.map_err(|it| unavailable(&it))?;
    let next = next.map(|before| {
        let state = state.map(|it| format!("&state={it}")).unwrap_or_default();
        format!("/deliveries?before={before}&limit={limit}{state}")
    });
    Ok(Reply::json(200, &json!({ "items": items, "next": next })))
}

/// `GET /deliveries/{id}`
pub fn one(db: &SpinSqlite, id: &str) -> Result<Reply, Problem> {
    let found = store::delivery(db, id).map_err(|it| unavailable(&it))?;
    found.map(|it| Reply::json(200, &it)).ok_or_else(not_found)
}

/// `POST /deliveries/{id}/replay`
pub fn replay(db: &SpinSqlite, id: &str) -> Result<Reply, Problem> {
    let found = store::replay_delivery(db, id, now()).map_err(|it| unavailable(&it))?;
    found.map(|it| Reply::json(202, &it)).ok_or_else(not_found)
}
