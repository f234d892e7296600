//! `/alerts`: lists, one alert, and people's answers.

use auscult_model::{AlertStatus, Problem, Severity, Timestamp};
use auscult_notification::AnswerKind;
use auscult_notification::store::{self, AnswerError, Filter, HeldFilter, NewAnswer};
use auscult_shell::http::{not_found, unavailable};
use auscult_shell::{Call, Reply, SpinSqlite, now};
use serde::Deserialize;
use serde_json::json;

/// Alerts on a page when nobody says how many, and at most.
const LIMIT: u32 = 50;
const LIMIT_MAX: u32 = 200;
/// Longest name of a person and longest idempotency key, in bytes.
pub const NAME_BYTES_MAX: usize = 200;
/// Longest comment, in bytes: a page of text.
pub const COMMENT_BYTES_MAX: usize = 4_000;

/// `GET /alerts?status=&patient=&severity=&limit=`
pub fn list(db: &SpinSqlite, call: &Call) -> Result<Reply, Problem> {
    let params = call.params();
    let filter = filter(&params)?;
    let (items, next) = store::list(db, &filter).map_err(|it| unavailable(&it))?;
    let next = next.map(|(updated, seq)| {
        let kept = params.iter().filter(|(name, _)| name != "after");
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept).append_pair("after", &format!("{updated}-{seq}"));
        format!("/alerts?{}", query.finish())
    });
    Ok(Reply::json(200, &json!({ "items": items, "next": next })))
}

fn filter(params: &[(String, String)]) -> Result<Filter, Problem> {
    let bad = |name: &str, code: &str, detail: &str| {
        Problem::new(400, "bad-parameter", "A query parameter cannot be used").fault(
            &format!("/{name}"),
            code,
            detail,
        )
    };
    let mut filter = Filter { limit: LIMIT, ..Filter::default() };
    for (name, value) in params.iter().filter(|(_, value)| !value.is_empty()) {
        match name.as_str() {
            "status" => {
                for text in value.split(',') {
                    let status = AlertStatus::parse(text);
                    filter.statuses.push(status.ok_or_else(|| {
                        bad(
                            name,
                            "unknown-status",
                            "pending, open, acknowledged, resolved, retracted",
                        )
                    })?);
                }
            }
            "severity" => {
                for text in value.split(',') {
                    let severity = Severity::parse(text);
                    filter.severities.push(severity.ok_or_else(|| {
                        bad(name, "unknown-severity", "technical, routine, urgent, emergency")
                    })?);
                }
            }
            "patient" => {
                filter.patient = Some(value.strip_prefix("Patient/").unwrap_or(value).to_owned());
            }
            "limit" => {
                let limit = value.parse().ok().filter(|it| (1..=LIMIT_MAX).contains(it));
                filter.limit = limit.ok_or_else(|| bad(name, "bad-number", "1 to 200"))?;
            }
            "after" => {
                let pair = value.rsplit_once('-');
                let pair = pair.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
                filter.after =
                    Some(pair.ok_or_else(|| bad(name, "bad-cursor", "a next link's own"))?);
            }
            _ => return Err(bad("", "unknown-parameter", "status, patient, severity, limit")),
        }
    }
    Ok(filter)
}

/// `GET /alerts/{id}`
pub fn one(db: &SpinSqlite, id: &str) -> Result<Reply, Problem> {
    let found = store::alert(db, id).map_err(|it| unavailable(&it))?;
    found.map(|it| Reply::json(200, &it)).ok_or_else(not_found)
}

/// `GET /alerts/held?reason=&unit=&alert=&from=&limit=`: pages that did not go out, newest first.
pub fn held(db: &SpinSqlite, call: &Call) -> Result<Reply, Problem> {
    let bad = |name: &str, code: &str, detail: &str| {
        Problem::new(400, "bad-parameter", "A query parameter cannot be used").fault(
            &format!("/{name}"),
            code,
            detail,
        )
    };
    let params = call.params();
    let mut filter = HeldFilter { limit: LIMIT, ..HeldFilter::default() };
    for (name, value) in params.iter().filter(|(_, value)| !value.is_empty()) {
        match name.as_str() {
            "reason" => filter.reason = Some(value.clone()),
            "unit" => filter.unit = Some(value.clone()),
            "alert" => filter.alert = Some(value.clone()),
            "from" => {
                let from = Timestamp::parse(value);
                let from = from.ok_or_else(|| bad(name, "bad-time", "RFC 3339 with offset"))?;
                filter.from_ms = Some(from.unix_ms());
            }
            "limit" => {
                let limit = value.parse().ok().filter(|it| (1..=LIMIT_MAX).contains(it));
                filter.limit = limit.ok_or_else(|| bad(name, "bad-number", "1 to 200"))?;
            }
            "after" => {
                let pair = value.split_once('-');
                let pair = pair.and_then(|(at, id)| Some((at.parse().ok()?, id.to_owned())));
                filter.after =
                    Some(pair.ok_or_else(|| bad(name, "bad-cursor", "a next link's own"))?);
            }
            _ => {
                return Err(bad("", "unknown-parameter", "reason, unit, alert, from, limit"));
            }
        }
    }
    let (items, next) = store::held_back(db, &filter).map_err(|it| unavailable(&it))?;
    let next = next.map(|(at, id)| {
        let kept = params.iter().filter(|(name, _)| name != "after");
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept).append_pair("after", &format!("{at}-{id}"));
        format!("/alerts/held?{}", query.finish())
    });
    Ok(Reply::json(200, &json!({ "items": items, "next": next })))
}

/// `GET /alerts/heartbeat`: 503 while it is overdue, so that any monitor can watch it.
pub fn heartbeat(db: &SpinSqlite) -> Result<Reply, Problem> {
    let beat = store::beat(db, now()).map_err(|it| unavailable(&it))?;
    let beat =
        beat.ok_or_else(|| Problem::new(404, "no-heartbeat", "The policy asks for no heartbeat"))?;
    Ok(Reply::json(if beat.overdue { 503 } else { 200 }, &beat))
}

/// The body of an answer; all of it optional.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    by: Option<String>,
    comment: Option<String>,
    to: Option<String>,
}

/// `POST /alerts/{id}/acknowledge | assign | comment | resolve`
pub fn answer(
    db: &SpinSqlite,
    call: &Call,
    id: &str,
    act: &str,
    caller: &str,
) -> Result<Reply, Problem> {
    if !matches!(act, "acknowledge" | "assign" | "comment" | "resolve") {
        return Err(not_found());
    }
    let empty = call.body.iter().all(u8::is_ascii_whitespace);
    let body = if empty { Body::default() } else { call.json()? };
    let new = NewAnswer {
        key: key(call)?,
        by: text(body.by, "/by", NAME_BYTES_MAX)?.unwrap_or_else(|| caller.to_owned()),
        comment: text(body.comment, "/comment", COMMENT_BYTES_MAX)?,
        kind: kind(act, text(body.to, "/to", NAME_BYTES_MAX)?)?,
    };
    if new.kind == AnswerKind::Comment && new.comment.is_none() {
        return Err(bad_answer("/comment", "missing", "a comment needs its words"));
    }
    store::answer(db, id, &new, now()).map_err(|error| match error {
        AnswerError::NoAlert => not_found(),
        AnswerError::KeyConflict => Problem::new(
            409,
            "conflicting-duplicate",
            "The idempotency key was used for another answer",
        ),
        AnswerError::Store(error) => unavailable(&error),
    })?;
    one(db, id)
}

fn kind(act: &str, to: Option<String>) -> Result<AnswerKind, Problem> {
    let kind = match act {
        "acknowledge" => AnswerKind::Acknowledge,
        "resolve" => AnswerKind::Resolve,
        "comment" => AnswerKind::Comment,
        _ => {
            let to = to.ok_or_else(|| bad_answer("/to", "missing", "who shall come is needed"))?;
            return Ok(AnswerKind::Assign { to });
        }
    };
    match to {
        Some(_) => Err(bad_answer("/to", "unknown-key", "only an assignment says to whom")),
        None => Ok(kind),
    }
}

/// The `Idempotency-Key`.
pub fn key(call: &Call) -> Result<Option<String>, Problem> {
    match call.header("idempotency-key").map(str::trim) {
        Some(key) if key.is_empty() || key.len() > NAME_BYTES_MAX => {
            Err(Problem::new(400, "bad-idempotency-key", "The Idempotency-Key cannot be used"))
        }
        key => Ok(key.map(str::to_owned)),
    }
}

/// A text of an answer's body.
pub fn text(
    value: Option<String>,
    path: &str,
    bytes_max: usize,
) -> Result<Option<String>, Problem> {
    match value {
        Some(text) if text.trim().is_empty() => {
            Err(bad_answer(path, "blank", "not blank, or absent"))
        }
        Some(text) if text.len() > bytes_max => {
            Err(bad_answer(path, "too-long", "the text is too long"))
        }
        value => Ok(value),
    }
}

/// What is wrong with an answer's body.
pub fn bad_answer(path: &str, code: &str, detail: &str) -> Problem {
    Problem::new(400, "bad-answer", "The answer cannot be taken").fault(path, code, detail)
}
