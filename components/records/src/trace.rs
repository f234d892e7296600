//! `GET /trace/{id}`.

use auscult_model::Problem;
use auscult_shell::http::{method_not_allowed, not_found, unavailable};
use auscult_shell::{Call, Reply, SpinSqlite, operator};

/// Answers a call outside FHIR.
pub(crate) fn answer(call: &Call) -> Reply {
    trace(call).unwrap_or_else(Reply::from)
}

fn trace(call: &Call) -> Result<Reply, Problem> {
    operator(call)?;
    let segments = call.segments();
    let [route, id] = segments.as_slice() else { return Err(not_found()) };
    if route != "trace" {
        return Err(not_found());
    }
    if call.method != "GET" {
        return Err(method_not_allowed());
    }
    let db = SpinSqlite::open().map_err(|it| unavailable(&it))?;
    match auscult_records::trace(&db, id).map_err(|it| unavailable(&it))? {
        Some(trace) => Ok(Reply::json(200, &trace)),
        None => Err(Problem::new(404, "message-unknown", "No message has this id")),
    }
}
