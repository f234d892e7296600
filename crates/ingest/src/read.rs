//! Cuts a request body into messages, each with its own verdict: one bad line costs no other.

use auscult_model::Problem;
use cloudevents::{AttributesReader, Data, Event};
use serde_json::value::RawValue;

/// Largest request body, in bytes. 1,000 messages of a few kilobytes; a minute of ECG is about 200 KiB.
pub const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Largest single message, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// Most messages in one request; also the most items of one event between stages.
pub const MESSAGES_MAX: usize = 1_000;

/// Deepest nesting of one message; the mapping language reads no deeper either.
pub const DEPTH_MAX: usize = 64;

/// How a request carries its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// `application/json`: one message or an array of them.
    Json,
    /// `application/x-ndjson`: one message a line.
    Lines,
    /// `application/cloudevents+json`.
    CloudEvent,
    /// `application/cloudevents-batch+json`.
    CloudEventBatch,
    /// Binary-mode CloudEvent: attributes in headers, the message is the body.
    CloudEventBinary {
        /// `ce-source`.
        source: String,
        /// `ce-id`.
        id: String,
    },
}

impl Form {
    /// The form a content type names; `None` for one that is not taken.
    #[must_use]
    pub fn of(content_type: &str, ce_source: Option<&str>, ce_id: Option<&str>) -> Option<Self> {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let json = || match (ce_source, ce_id) {
            (Some(source), Some(id)) => {
                Self::CloudEventBinary { source: source.to_owned(), id: id.to_owned() }
            }
            _ => Self::Json,
        };
        match media_type.to_ascii_lowercase().as_str() {
            "application/json" | "application/fhir+json" => Some(json()),
            "application/x-ndjson" | "application/ndjson" => Some(Self::Lines),
            "application/cloudevents+json" => Some(Self::CloudEvent),
            "application/cloudevents-batch+json" => Some(Self::CloudEventBatch),
            _ => None,
        }
    }
}

/// One message as cut out of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The message's own text, or what stood in its place.
    pub text: String,
    /// The sender's name for it: CloudEvents source and id.
    pub sender_id: Option<String>,
    /// Why it cannot be taken, when it cannot.
    pub problem: Option<Problem>,
}

/// Cuts a body into messages.
///
/// # Errors
/// 400 when the body as a whole is not what its content type says, or holds too many messages; the
/// body is then one rejected message.
pub fn read(form: &Form, body: &[u8]) -> Result<Vec<Incoming>, Problem> {
    let text = std::str::from_utf8(body).map_err(|it| {
        Problem::new(400, "not-utf8", "The body is not UTF-8 text")
            .detail(format!("after {} bytes", it.valid_up_to()))
    })?;
    let text = text.trim_start_matches('\u{feff}').trim();
    let messages = match form {
        Form::Json => json(text)?,
        Form::Lines => text
            .lines()
            .map(str::trim)
            .filter(|it| !it.is_empty())
            .map(|it| one(it, None))
            .collect(),
        Form::CloudEvent => vec![cloud_event(text)],
        Form::CloudEventBatch => array(text)?.into_iter().map(|it| cloud_event(it.get())).collect(),
        Form::CloudEventBinary { source, id } => vec![one(text, Some(event_name(source, id)))],
    };
    if messages.is_empty() {
        return Err(Problem::new(400, "no-message", "The body holds no message"));
    }
    if messages.len() > MESSAGES_MAX {
        return Err(Problem::new(413, "too-many-messages", "The request holds too many messages")
            .detail(format!("{} of at most {MESSAGES_MAX}", messages.len())));
    }
    Ok(messages)
}

fn json(text: &str) -> Result<Vec<Incoming>, Problem> {
    if text.starts_with('[') {
        return Ok(array(text)?.into_iter().map(|it| one(it.get(), None)).collect());
    }
    let message = one(text, None);
    match message.problem {
        // With one message the body is the message: the request itself is bad.
        Some(problem) => Err(problem),
        None => Ok(vec![message]),
    }
}

fn array(text: &str) -> Result<Vec<Box<RawValue>>, Problem> {
    shallow(text, DEPTH_MAX + 1)?;
    serde_json::from_str(text).map_err(|it| malformed(&it))
}

fn one(text: &str, sender_id: Option<String>) -> Incoming {
    Incoming { text: text.to_owned(), sender_id, problem: fault(text).err() }
}

fn fault(text: &str) -> Result<(), Problem> {
    if text.len() > MESSAGE_BYTES_MAX {
        return Err(Problem::new(413, "message-too-large", "The message is larger than is taken")
            .detail(format!("at most {MESSAGE_BYTES_MAX} bytes")));
    }
    shallow(text, DEPTH_MAX)?;
    // Reads the whole text without building it: syntax only.
    serde_json::from_str::<serde::de::IgnoredAny>(text).map(drop).map_err(|it| malformed(&it))
}

fn cloud_event(text: &str) -> Incoming {
    let rejected =
        |problem| Incoming { text: text.to_owned(), sender_id: None, problem: Some(problem) };
    if let Err(problem) = shallow(text, DEPTH_MAX) {
        return rejected(problem);
    }
    let event: Event = match serde_json::from_str(text) {
        Ok(event) => event,
        Err(error) if error.is_data() => {
            return rejected(
                Problem::new(400, "not-a-cloudevent", "The message is not a CloudEvent 1.0")
                    .detail(format!("line {} column {}", error.line(), error.column())),
            );
        }
        Err(error) => return rejected(malformed(&error)),
    };
    let name = event_name(event.source(), event.id());
    match event.data() {
        Some(Data::Json(value)) => one(&value.to_string(), Some(name)),
        Some(Data::String(text)) => one(text, Some(name)),
        Some(Data::Binary(bytes)) => match std::str::from_utf8(bytes) {
            Ok(text) => one(text, Some(name)),
            Err(_) => rejected(Problem::new(400, "not-utf8", "The event's data is not UTF-8 text")),
        },
        None => rejected(Problem::new(400, "no-message", "The event holds no data")),
    }
}

/// CloudEvents are the same when source and id are.
fn event_name(source: &str, id: &str) -> String {
    auscult_model::digest(&["cloudevent", source, id])
}

fn malformed(error: &serde_json::Error) -> Problem {
    let detail = format!("line {} column {}", error.line(), error.column());
    if error.to_string().starts_with("recursion limit") {
        return too_deep();
    }
    Problem::new(400, "malformed-json", "The message is not JSON").detail(detail)
}

fn too_deep() -> Problem {
    Problem::new(400, "too-deep", "The message is nested too deeply")
        .detail(format!("at most {DEPTH_MAX} levels"))
}

/// Refuses deep nesting in one pass, before anything recursive sees the text.
fn shallow(text: &str, depth_max: usize) -> Result<(), Problem> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                if depth > depth_max {
                    return Err(too_deep());
                }
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(form: &Form, body: &str, want: &[&str]) {
        let got: Vec<String> = match read(form, body.as_bytes()) {
            Ok(messages) => messages
                .into_iter()
                .map(|it| it.problem.map_or(it.text, |it| it.code().to_owned()))
                .collect(),
            Err(problem) => vec![format!("all: {}", problem.code())],
        };
        assert_eq!(got, want, "{form:?} {body}");
    }

    #[test]
    fn every_form_is_cut_into_its_messages() {
        check(&Form::Json, r#"{"a":1}"#, &[r#"{"a":1}"#]);
        check(&Form::Json, r#"[{"a":1}, {"a": 2}]"#, &[r#"{"a":1}"#, r#"{"a": 2}"#]);
        check(
            &Form::Lines,
            "{\"a\":1}\n\nnot\n{\"a\":2}\n",
            &[r#"{"a":1}"#, "malformed-json", r#"{"a":2}"#],
        );
        let event = r#"{"specversion":"1.0","id":"1","source":"/m","type":"t","data":{"a":1}}"#;
        check(&Form::CloudEvent, event, &[r#"{"a":1}"#]);
        check(
            &Form::CloudEventBatch,
            &format!("[{event},{{}}]"),
            &[r#"{"a":1}"#, "not-a-cloudevent"],
        );
    }

    #[test]
    fn bad_bodies_say_what_is_wrong() {
        check(&Form::Json, r#"{"a":"#, &["all: malformed-json"]);
        check(&Form::Json, "", &["all: malformed-json"]);
        check(&Form::Json, "[]", &["all: no-message"]);
        check(&Form::Json, &"[".repeat(10_000), &["all: too-deep"]);
        check(&Form::Json, &(r#"{"a":"#.repeat(65) + "1" + &"}".repeat(65)), &["all: too-deep"]);
        check(&Form::Lines, &"[".repeat(10_000), &["too-deep"]);
        check(
            &Form::Json,
            &format!("[{}]", vec!["1"; 1_001].join(",")),
            &["all: too-many-messages"],
        );
        assert_eq!(read(&Form::Json, b"\xff").unwrap_err().code(), "not-utf8");
    }

    #[test]
    fn brackets_inside_texts_are_not_nesting() {
        let text = format!(r#"{{"a":"{}\"["}}"#, "[".repeat(100));
        check(&Form::Json, &text, &[&text]);
    }

    #[test]
    fn content_types_are_matched_without_parameters_or_case() {
        let rows = [
            ("application/json; charset=utf-8", None, Some(Form::Json)),
            ("Application/X-NDJSON", None, Some(Form::Lines)),
            ("application/cloudevents+json", None, Some(Form::CloudEvent)),
            (
                "application/json",
                Some(("s", "i")),
                Some(Form::CloudEventBinary { source: "s".to_owned(), id: "i".to_owned() }),
            ),
            ("text/plain", None, None),
            ("", None, None),
        ];
        for (content_type, event, want) in rows {
            let (source, id) = event.unzip();
            assert_eq!(Form::of(content_type, source, id), want, "{content_type}");
        }
    }
}
