//! `/silences`: who does not want to be paged for what, and until when.

use auscult_model::{Problem, Timestamp};
use auscult_notification::duration;
use auscult_notification::policy::Match;
use auscult_notification::store::{self, NewSilence, SilenceError};
use auscult_shell::http::{not_found, unavailable};
use auscult_shell::{Call, Reply, SpinSqlite, now};
use serde::Deserialize;
use serde_json::json;

use crate::alerts::{COMMENT_BYTES_MAX, NAME_BYTES_MAX, bad_answer, key, text};

/// Most values in one list of a match.
const VALUES_MAX: usize = 100;

/// The body of a silence.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    #[serde(default, rename = "match")]
    of: Match,
    patient: Option<String>,
    alert: Option<String>,
    by: Option<String>,
    comment: Option<String>,
    #[serde(rename = "for")]
    lasts: Option<String>,
    until: Option<String>,
}

/// `GET /silences`: those that have not ended.
pub fn list(db: &SpinSqlite) -> Result<Reply, Problem> {
    let items = store::silences(db, now()).map_err(|it| unavailable(&it))?;
    Ok(Reply::json(200, &json!({ "items": items, "next": null })))
}

/// `POST /silences`
pub fn put(db: &SpinSqlite, call: &Call, author: &str) -> Result<Reply, Problem> {
    let body: Body = call.json()?;
    taken(db, call, body, author)
}

/// `POST /alerts/{id}/silence`: this alert alone, up to the severity its author saw.
pub fn of_alert(db: &SpinSqlite, call: &Call, id: &str, author: &str) -> Result<Reply, Problem> {
    let body: Body = call.json()?;
    if !body.of.is_empty() || body.patient.is_some() || body.alert.is_some() {
        return Err(bad_answer("", "unknown-key", "the alert is named by the path"));
    }
    taken(db, call, Body { alert: Some(id.to_owned()), ..body }, author)
}

fn taken(db: &SpinSqlite, call: &Call, body: Body, author: &str) -> Result<Reply, Problem> {
    let now = now();
    let of = [&body.of.causes, &body.of.units, &body.of.tags];
    if of.iter().any(|it| it.len() > VALUES_MAX) {
        return Err(bad_answer("/match", "too-many", "at most 100 values"));
    }
    let until = match (&body.lasts, &body.until) {
        (Some(lasts), None) => duration::parse(lasts)
            .map(|it| now.plus_ms(it))
            .ok_or_else(|| bad_answer("/for", "bad-duration", "a duration such as 30m or 2h"))?,
        (None, Some(until)) => Timestamp::parse(until)
            .ok_or_else(|| bad_answer("/until", "bad-time", "an RFC 3339 time with offset"))?,
        _ => return Err(bad_answer("/for", "missing", "how long: one of for and until")),
    };
    let patient = text(body.patient, "/patient", NAME_BYTES_MAX)?;
    let new = NewSilence {
        key: key(call)?,
        of: body.of,
        patient: patient.map(|it| it.strip_prefix("Patient/").unwrap_or(&it).to_owned()),
        alert: text(body.alert, "/alert", NAME_BYTES_MAX)?,
        author: text(body.by, "/by", NAME_BYTES_MAX)?.unwrap_or_else(|| author.to_owned()),
        comment: text(body.comment, "/comment", COMMENT_BYTES_MAX)?,
        until_ms: until.unix_ms(),
    };
    let silence = store::put_silence(db, &new, now).map_err(|error| match error {
        SilenceError::Everything => {
            bad_answer("/match", "empty", "a silence names a match, a patient or an alert")
        }
        SilenceError::End => bad_answer("/until", "bad-end", "ahead, and at most seven days"),
        SilenceError::NoAlert => not_found(),
        SilenceError::Store(error) => unavailable(&error),
    })?;
    Ok(Reply::json(201, &silence))
}

/// `DELETE /silences/{id}`
pub fn end(db: &SpinSqlite, id: &str, by: &str) -> Result<Reply, Problem> {
    match store::end_silence(db, id, by, now()).map_err(|it| unavailable(&it))? {
        true => Ok(Reply::empty(204)),
        false => Err(not_found()),
    }
}
