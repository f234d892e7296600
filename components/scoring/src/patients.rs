//! What operators read and set of one patient.

use auscult_model::{PatientId, Problem, Timestamp};
use auscult_scoring::list::{Cursor, LIMIT_DEFAULT, LIMIT_MAX, Query, assessments};
use auscult_scoring::reevaluate::{Versioned, current, next_step, put};
use auscult_scoring::{Step, step};
use auscult_shell::auth::Operator;
use auscult_shell::http::{method_not_allowed, not_found, unavailable};
use auscult_shell::{Call, Reply, SpinSqlite, now};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::{problem, sink};

/// Answers `/patients/{id}/assessments` and `/patients/{id}/settings`.
pub async fn answer(
    db: &SpinSqlite,
    call: &Call,
    method: &str,
    patient: &str,
    rest: &[&str],
    operator: &Operator,
) -> Result<Reply, Problem> {
    PatientId::parse(patient).ok_or_else(not_found)?;
    match (method, rest) {
        ("GET", ["assessments"]) => list(db, call, patient),
        ("GET", ["settings"]) => Ok(shown(&current(db, patient).map_err(problem)?)),
        ("PUT", ["settings"]) => set(db, call, patient, operator).await,
        (_, ["assessments" | "settings"]) => Err(method_not_allowed()),
        _ => Err(not_found()),
    }
}

/// One page of a list.
#[derive(Serialize)]
struct Page {
    items: Vec<Box<RawValue>>,
    next: Option<String>,
}

fn list(db: &SpinSqlite, call: &Call, patient: &str) -> Result<Reply, Problem> {
    let query = query(call)?;
    let page = assessments(db, patient, &query).map_err(|it| unavailable(&it))?;
    let next = page.next.map(|it| {
        // The same question, a page further: nothing is named that was not in the request.
        let kept = call.query.split('&').filter(|it| !it.is_empty() && !it.starts_with("after="));
        let after = format!("after={}", it.show());
        let params: Vec<&str> = kept.chain([after.as_str()]).collect();
        format!("{}?{}", call.path, params.join("&"))
    });
    Ok(Reply::json(200, &Page { items: page.items, next }))
}

fn query(call: &Call) -> Result<Query, Problem> {
    let mut query = Query { limit: LIMIT_DEFAULT, ..Query::default() };
    for (name, value) in call.params() {
        let time = || Timestamp::parse(&value).map(Timestamp::unix_ms);
        let known = match name.as_str() {
            "rule" => {
                query.rule = Some(value.clone());
                true
            }
            "from" => {
                query.from_ms = time();
                query.from_ms.is_some()
            }
            "to" => {
                query.to_ms = time();
                query.to_ms.is_some()
            }
            "history" => {
                query.history = value == "true";
                value == "true" || value == "false"
            }
            "limit" => {
                query.limit = value.parse().unwrap_or(0);
                (1..=LIMIT_MAX).contains(&query.limit)
            }
            "after" => {
                query.after = Cursor::parse(&value);
                query.after.is_some()
            }
            _ => false,
        };
        if !known {
            let detail = "known are rule, from and to (RFC 3339), history (true, false), \
                          limit (1 to 200) and after";
            return Err(Problem::new(400, "parameter", "A query parameter is not understood")
                .detail(detail));
        }
    }
    Ok(query)
}

fn shown(document: &Versioned) -> Reply {
    Reply::json(200, &document.settings).with("etag", format!("\"{}\"", document.version))
}

async fn set(
    db: &SpinSqlite,
    call: &Call,
    patient: &str,
    operator: &Operator,
) -> Result<Reply, Problem> {
    let document: Value = call.json()?;
    let expected = expected(call)?;
    let stored = put(db, patient, &document, expected, &operator.name, now()).map_err(problem)?;
    for later in &stored.rules {
        let progress = step(db, later, now()).map_err(problem)?;
        sink::post(&progress.emissions, call.header("traceparent")).await?;
    }
    let mut left = stored.touched;
    while let Some((from_ms, to_ms)) = left {
        let Some(segments) = next_step(db, patient, (from_ms, to_ms)).map_err(problem)? else {
            break;
        };
        let reached = segments.iter().map(|it| it.to_ms.saturating_add(1)).max();
        let progress = step(db, &Step::News2(segments), now()).map_err(problem)?;
        sink::post(&progress.emissions, call.header("traceparent")).await?;
        left = reached.filter(|it| *it <= to_ms).map(|it| (it, to_ms));
    }
    Ok(shown(&stored.versioned))
}

/// The version the caller has read; without `If-Match` any.
pub(crate) fn expected(call: &Call) -> Result<Option<i64>, Problem> {
    if call.header("if-none-match").is_some_and(|it| it.trim() == "*") {
        return Ok(Some(0));
    }
    let Some(tag) = call.header("if-match").map(str::trim).filter(|it| *it != "*") else {
        return Ok(None);
    };
    let version = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"').parse();
    version.map(Some).map_err(|_| {
        Problem::new(400, "if-match", "If-Match does not hold a version of this document")
    })
}
