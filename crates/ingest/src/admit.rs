//! Decides on each message of a request: under which id it is stored, and whether it is taken.

use std::collections::HashMap;

use auscult_catalogue::device_of;
use auscult_model::digest::digest;
use auscult_model::ids::DeviceId;
use auscult_model::{Problem, Timestamp};
use serde::Serialize;
use serde_json::Value;

use crate::{Credential, Incoming};

/// Longest text kept of a message that is rejected, in bytes: enough to see what was sent.
const REJECTED_TEXT_BYTES_MAX: usize = 64 * 1024;

/// What the whole request says about its messages.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Whose token it came with.
    pub credential: &'a Credential,
    /// `Idempotency-Key`, which names the message when there is one.
    pub idempotency_key: Option<&'a str>,
    /// `?source=`.
    pub source: Option<&'a str>,
    /// When it was received.
    pub now: Timestamp,
}

/// One message, decided on; a row of the inbox.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Admitted {
    /// Message id.
    pub id: String,
    /// Of device and content.
    pub digest: String,
    /// Named by the message or the token.
    pub device: Option<String>,
    /// What the token covers.
    pub allowed: Vec<String>,
    /// `?source=`.
    pub source: Option<String>,
    /// As received.
    pub body: String,
    /// Why it is rejected, when it is.
    pub problem: Option<Problem>,
}

/// The line a sender gets for one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Place in the request.
    pub index: usize,
    /// Message id.
    pub id: String,
    /// `accepted`, `duplicate` or `rejected`.
    pub status: &'static str,
    /// Why it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// Decides on every message. Whether a device that only a pattern covers is known is the caller's to
/// ask with [`unknown_candidates`] and [`reject_unknown`].
#[must_use]
pub fn admit(messages: Vec<Incoming>, request: &Request<'_>) -> Vec<Admitted> {
    let alone = messages.len() == 1;
    let mut seen: HashMap<String, String> = HashMap::new();
    messages
        .into_iter()
        .map(|message| {
            let mut it = admit_one(message, request, alone);
            if it.problem.is_none() {
                match seen.get(&it.id) {
                    Some(content) if *content != it.digest => reject(&mut it, conflict()),
                    Some(_) => {}
                    None => {
                        seen.insert(it.id.clone(), it.digest.clone());
                    }
                }
            }
            it
        })
        .collect()
}

fn admit_one(message: Incoming, request: &Request<'_>, alone: bool) -> Admitted {
    let (device, problem) = match message.problem {
        Some(problem) => (None, Some(problem)),
        None => match device(&message.text, request.credential) {
            Ok(device) => (device, None),
            Err(problem) => (None, Some(problem)),
        },
    };
    let speaker = device.as_deref().unwrap_or(&request.credential.id);
    let content = digest(&["content", speaker, request.source.unwrap_or_default(), &message.text]);
    let key = request.idempotency_key.filter(|_| alone);
    let id = match (message.sender_id, key) {
        (Some(id), _) => id,
        (None, Some(key)) => digest(&["idempotency-key", speaker, key]),
        (None, None) => content.clone(),
    };
    let mut admitted = Admitted {
        id,
        digest: content,
        device,
        allowed: request.credential.allowed.clone(),
        source: request.source.map(str::to_owned),
        body: message.text,
        problem: None,
    };
    if let Some(problem) = problem {
        reject(&mut admitted, problem);
    }
    admitted
}

/// A rejected message gets an id of its own, so that it never stands in the way of a good one.
fn reject(message: &mut Admitted, problem: Problem) {
    message.id = digest(&["rejected", &message.id, &message.digest, problem.code()]);
    let cut = message.body.floor_char_boundary(REJECTED_TEXT_BYTES_MAX);
    message.body.truncate(cut);
    message.problem = Some(Problem { instance: Some(format!("/trace/{}", message.id)), ..problem });
}

/// The same id came with other content.
#[must_use]
pub fn conflict() -> Problem {
    Problem::new(409, "conflicting-duplicate", "Another message was already stored under this id")
}

/// Turns an admitted message into a conflict, found only once the inbox was asked.
pub fn reject_conflict(message: &mut Admitted) {
    reject(message, conflict());
}

fn device(text: &str, credential: &Credential) -> Result<Option<String>, Problem> {
    // Only here is the message built in memory; the token's own device needs no look inside unless
    // the message names another.
    let message: Value = serde_json::from_str(text).map_err(|it| {
        let (line, column) = (it.line(), it.column());
        Problem::new(
            400,
            "malformed-json",
            "The message holds a number or text that cannot be read",
        )
        .detail(format!("line {line} column {column}"))
    })?;
    let Some(named) = device_of(&message) else {
        return Ok(credential.sole_device().map(str::to_owned));
    };
    if DeviceId::parse(named).is_none() {
        return Err(Problem::new(400, "device-id", "The device id is blank, too long or not text"));
    }
    if !credential.covers(named) {
        return Err(Problem::new(
            403,
            "device-mismatch",
            "This token may not speak for that device",
        ));
    }
    Ok(Some(named.to_owned()))
}

/// Devices that only a pattern of the token covers: they must be known.
#[must_use]
pub fn unknown_candidates(messages: &[Admitted], credential: &Credential) -> Vec<String> {
    let mut devices: Vec<String> = messages
        .iter()
        .filter(|it| it.problem.is_none())
        .filter_map(|it| it.device.clone())
        .filter(|it| credential.covers_by_pattern(it))
        .collect();
    devices.sort();
    devices.dedup();
    devices
}

/// Rejects the messages of devices nobody has registered; replayed once somebody has.
pub fn reject_unknown(messages: &mut [Admitted], unknown: &[String]) {
    for message in messages.iter_mut().filter(|it| it.problem.is_none()) {
        if message.device.as_ref().is_some_and(|it| unknown.contains(it)) {
            let problem = Problem::new(400, "unknown-device", "No Device resource has that id")
                .detail("register it with PUT /fhir/Device/{id}, then replay the dead letter");
            reject(message, problem);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Form, read};

    fn credential(allowed: &[&str]) -> Credential {
        let allowed = allowed.iter().map(|it| (*it).to_owned()).collect();
        Credential { id: "c".to_owned(), device: "gw".to_owned(), allowed }
    }

    fn admitted(body: &str, allowed: &[&str], key: Option<&str>) -> Vec<Admitted> {
        let credential = credential(allowed);
        let request = Request {
            credential: &credential,
            idempotency_key: key,
            source: None,
            now: Timestamp::from_unix_ms(0),
        };
        admit(read(&Form::Lines, body.as_bytes()).unwrap(), &request)
    }

    fn code(message: &Admitted) -> &str {
        message.problem.as_ref().map_or("", Problem::code)
    }

    #[test]
    fn the_same_message_has_the_same_id_wherever_it_stands() {
        let a = r#"{"device":"m","ts":"2026-11-20T08:00:00Z","hr":80}"#;
        let b = r#"{"device":"m","ts":"2026-11-20T08:00:01Z","hr":80}"#;
        let alone = admitted(a, &["m"], None);
        let among = admitted(&format!("{b}\n{a}"), &["m", "n"], None);
        assert_eq!(alone[0].id, among[1].id);
        assert_ne!(among[0].id, among[1].id);
    }

    #[test]
    fn a_key_names_the_message_of_its_device_only() {
        let a = r#"{"device":"m","hr":80}"#;
        let b = r#"{"device":"n","hr":80}"#;
        let [of_m] = &admitted(a, &["m", "n"], Some("1"))[..] else { unreachable!() };
        let [of_n] = &admitted(b, &["m", "n"], Some("1"))[..] else { unreachable!() };
        assert_ne!(of_m.id, of_n.id);
        assert_eq!(of_m.id, admitted(r#"{"device":"m","hr":81}"#, &["m", "n"], Some("1"))[0].id);
    }

    #[test]
    fn a_message_is_rejected_with_its_reason_and_costs_no_other() {
        let long = format!(r#"{{"device":"{}","hr":80}}"#, "m".repeat(300));
        let rows = [
            (r#"{"device":"other","hr":80}"#, "device-mismatch"),
            (long.as_str(), "device-id"),
            (r#"{"hr":1e999}"#, "malformed-json"),
            (r#"{"hr":"#, "malformed-json"),
        ];
        for (text, want) in rows {
            let body = format!("{{\"hr\":1}}\n{text}\n{{\"hr\":2}}");
            let codes: Vec<String> =
                admitted(&body, &["m"], None).iter().map(|it| code(it).to_owned()).collect();
            assert_eq!(codes, ["", want, ""], "{text}");
        }
    }

    #[test]
    fn a_gateway_pattern_asks_whether_the_device_is_known() {
        let mut messages = admitted(r#"{"device":"icu-7","hr":80}"#, &["icu-*"], None);
        let unknown = unknown_candidates(&messages, &credential(&["icu-*"]));
        assert_eq!(unknown, ["icu-7"]);
        reject_unknown(&mut messages, &unknown);
        assert_eq!(code(&messages[0]), "unknown-device");
    }

    #[test]
    fn one_cloudevent_name_with_two_contents_is_a_conflict() {
        let event = |hr: u32| {
            format!(
                r#"{{"specversion":"1.0","id":"1","source":"/m","type":"t","data":{{"hr":{hr}}}}}"#
            )
        };
        let body = format!("[{},{},{}]", event(1), event(2), event(1));
        let credential = credential(&["m"]);
        let request = Request {
            credential: &credential,
            idempotency_key: None,
            source: None,
            now: Timestamp::from_unix_ms(0),
        };
        let messages = read(&Form::CloudEventBatch, body.as_bytes()).unwrap();
        let admitted = admit(messages, &request);
        let codes: Vec<&str> = admitted.iter().map(code).collect();
        assert_eq!(codes, ["", "conflicting-duplicate", ""]);
    }
}
