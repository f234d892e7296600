//! The envelope a message is mapped in: its body and the properties that came with it.

use serde_json::{Map, Value};

use crate::json::{SyntaxError, parse_first};
use crate::token::{Object, Token};

/// Names of system properties that a broker delivers as dates, not as texts.
pub const DATE_PROPERTIES: [&str; 2] = ["x-opt-enqueued-time", "iothub-enqueuedtime"];

/// Why a message has no envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeFault {
    /// The body is not JSON. The message can never be mapped.
    #[error("the body is not JSON: {0}")]
    InvalidJson(#[from] SyntaxError),
}

/// Wraps a body and its properties as `{Body, Properties, SystemProperties}`.
///
/// Only the first JSON value of the body is read; an empty body is null. Properties keep their
/// types, and their texts stay texts, except the dates of the broker.
///
/// # Errors
/// When the body is not JSON.
pub fn envelope(
    body_text: &str,
    properties: &Map<String, Value>,
    system_properties: &Map<String, Value>,
) -> Result<Token, EnvelopeFault> {
    let body = if body_text.is_empty() { Some(Token::Null) } else { parse_first(body_text)? };
    let Some(body) = body else {
        let reason = "the body holds no value".to_owned();
        return Err(SyntaxError { reason, place: crate::json::Place { line: 1, column: 1 } }.into());
    };
    let mut system = Object::default();
    for (name, value) in system_properties {
        let date = match value {
            Value::String(text) if DATE_PROPERTIES.contains(&name.as_str()) => {
                crate::dates::newtonsoft(text).map(Token::Date)
            }
            _ => None,
        };
        system.set(name, date.unwrap_or_else(|| Token::from_json(value)));
    }
    let mut members = Object::default();
    for (name, value) in properties {
        members.set(name, Token::from_json(value));
    }
    let mut envelope = Object::default();
    envelope.set("Body", body);
    envelope.set("Properties", Token::Object(members));
    envelope.set("SystemProperties", Token::Object(system));
    Ok(Token::Object(envelope))
}

/// Reads a message that already is what the mapping expects at its root.
///
/// # Errors
/// When the text is not JSON.
pub fn parse_token(text: &str) -> Result<Token, EnvelopeFault> {
    Ok(parse_first(text)?.unwrap_or(Token::Null))
}
