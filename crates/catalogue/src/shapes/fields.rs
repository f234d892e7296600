//! Reading members of vendor objects without minding what is missing or of another type.

use auscult_model::Timestamp;
use serde_json::Value;

use crate::zone::{NO_TIME, When, at, epoch};

/// A member that is a text.
pub(super) fn text<'a>(object: &'a Value, member: &str) -> Option<&'a str> {
    object.get(member)?.as_str()
}

/// A member that is an array; an empty one otherwise.
pub(super) fn items<'a>(object: &'a Value, member: &str) -> &'a [Value] {
    object.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether some member is an array: most plain messages have none, which spares them a look for
/// every list of every vendor.
pub(super) fn has_list(message: &Value) -> bool {
    message.as_object().is_some_and(|it| it.values().any(Value::is_array))
}

/// A member that is a whole number.
pub(super) fn whole(object: &Value, member: &str) -> Option<i64> {
    object.get(member)?.as_i64()
}

/// A member that counts seconds since 1970.
pub(super) fn seconds(object: &Value, member: &str) -> Option<Timestamp> {
    whole(object, member)?.checked_mul(1000).map(Timestamp::from_unix_ms)
}

/// A member that counts seconds since 1970, as a moment.
pub(super) fn at_seconds(object: &Value, member: &str) -> When {
    seconds(object, member).map(at).ok_or(NO_TIME)
}

/// A member that counts milliseconds since 1970, as a moment.
pub(super) fn at_milliseconds(object: &Value, member: &str) -> When {
    epoch(object.get(member).and_then(Value::as_f64).ok_or(NO_TIME)?)
}

/// An id that is a text or a whole number.
pub(super) fn id(object: &Value, member: &str) -> Option<String> {
    match object.get(member)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
