//! Whether a JSON value is a FHIR primitive of a type: its JSON kind and, for texts, its form.

use auscult_model::Timestamp;
use serde_json::Value;

use super::elements::Type;
use crate::date::DateRange;

/// Longest logical id that FHIR allows, in bytes.
const ID_BYTES_MAX: usize = 64;

/// Why a value is not of the type; `None` when it is.
pub(super) fn fault(kind: Type, value: &Value) -> Option<&'static str> {
    let text = value.as_str();
    let is_there = text.is_some_and(|it| !it.trim().is_empty());
    let (fits, want) = match kind {
        Type::Boolean => (value.is_boolean(), "true or false"),
        Type::Decimal => (value.is_number(), "a number"),
        Type::Integer => (whole(value, i64::from(i32::MIN)), "a whole number"),
        Type::PositiveInt => (whole(value, 1), "a whole number above 0"),
        Type::Text => (is_there, "a text that is not empty"),
        Type::Uri => {
            (is_there && text.is_some_and(|it| !it.contains(char::is_whitespace)), "a URI")
        }
        Type::Id => (text.is_some_and(is_id), "1 to 64 of A-Z a-z 0-9 - ."),
        Type::Base64 => (is_there && text.is_some_and(is_base64), "base64"),
        Type::Date => (text.is_some_and(is_date), "a date: YYYY, YYYY-MM or YYYY-MM-DD"),
        Type::DateTime => (
            text.is_some_and(|it| is_date(it) || is_instant(it)),
            "a dateTime: a date, or a date and time with an offset",
        ),
        Type::Instant => (text.is_some_and(is_instant), "a date and time with an offset"),
        Type::Time => (text.is_some_and(is_time), "a time: hh:mm:ss"),
    };
    (!fits).then_some(want)
}

/// Whether the text is a FHIR logical id.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=ID_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'.'))
}

/// Whether the text is a code: no blanks at the ends, single blanks inside.
pub(super) fn is_code(text: &str) -> bool {
    !text.is_empty()
        && text.split(' ').all(|part| !part.is_empty() && !part.contains(char::is_whitespace))
}

fn whole(value: &Value, low: i64) -> bool {
    value.as_i64().is_some_and(|it| (low..=i64::from(i32::MAX)).contains(&it))
}

fn is_date(text: &str) -> bool {
    !text.contains('T') && DateRange::parse(text).is_some()
}

fn is_instant(text: &str) -> bool {
    text.as_bytes().get(10) == Some(&b'T') && Timestamp::parse(text).is_some()
}

fn is_time(text: &str) -> bool {
    text.as_bytes().get(2) == Some(&b':') && text.parse::<chrono::NaiveTime>().is_ok()
}

fn is_base64(text: &str) -> bool {
    text.bytes().all(|it| {
        it.is_ascii_alphanumeric() || it.is_ascii_whitespace() || matches!(it, b'+' | b'/' | b'=')
    })
}
