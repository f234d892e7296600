//! `POST /ingest`: read, decide, store, answer.

use auscult_ingest::{Credential, Form, admit, read, store};
use auscult_model::digest::sha256_hex;
use auscult_model::{Problem, Timestamp};
use auscult_shell::http::unavailable;
use auscult_shell::{Call, Reply, SpinSqlite, auth};
use serde_json::{Value, json};

/// The device or gateway a request comes from.
pub fn sender(db: &SpinSqlite, call: &Call) -> Result<Credential, Problem> {
    let Some(token) = auth::bearer(call) else {
        return Err(Problem::new(401, "token-missing", "A device's bearer token is needed"));
    };
    let found = store::credential(db, &sha256_hex(token)).map_err(|it| unavailable(&it))?;
    found.ok_or_else(|| Problem::new(403, "token-refused", "This token may not send readings"))
}

/// Stores the messages of one request and answers for each.
pub fn take(db: &SpinSqlite, call: &Call, credential: &Credential, now: Timestamp) -> Reply {
    let form = Form::of(
        call.header("content-type").unwrap_or_default(),
        call.header("ce-source"),
        call.header("ce-id"),
    );
    let Some(form) = form else {
        return Problem::new(415, "media-type", "This content type is not taken here").into();
    };
    // A body that is no message at all is still kept, as one rejected message with an id.
    let messages = match read(&form, &call.body) {
        Ok(messages) => messages,
        Err(problem) => vec![auscult_ingest::Incoming {
            text: String::from_utf8_lossy(&call.body).into_owned(),
            sender_id: None,
            problem: Some(problem),
        }],
    };
    let source = call.param("source");
    let request = admit::Request {
        credential,
        idempotency_key: call.header("idempotency-key"),
        source: source.as_deref(),
        now,
    };
    let mut messages = admit::admit(messages, &request);
    let asked = admit::unknown_candidates(&messages, credential);
    let kept = store::unknown(db, &asked).and_then(|unknown| {
        admit::reject_unknown(&mut messages, &unknown);
        store::keep(db, messages, now)
    });
    match kept {
        Ok(verdicts) => answer(&verdicts),
        Err(error) => unavailable(&error).into(),
    }
}

fn answer(verdicts: &[auscult_ingest::Verdict]) -> Reply {
    let results = json!({ "results": verdicts });
    if verdicts.iter().any(|it| it.status != "rejected") {
        return Reply::json(202, &results);
    }
    let problem = match verdicts {
        [auscult_ingest::Verdict { problem: Some(problem), .. }] => problem.clone(),
        _ => Problem::new(400, "all-rejected", "Every message was rejected"),
    };
    let mut body = serde_json::to_value(&problem).unwrap_or(Value::Null);
    if let (Some(body), Some(results)) = (body.as_object_mut(), results.get("results")) {
        body.insert("results".to_owned(), results.clone());
    }
    let bytes = serde_json::to_vec(&body).unwrap_or_default();
    Reply::text(problem.status, "application/problem+json", bytes)
}
