//! Numbers of JSON as decimals.

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use serde_json::Value;

/// Why a JSON value is no number we can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberFault {
    /// It is null, or an empty text.
    #[error("there is no value")]
    Absent,
    /// It is something else than a number.
    #[error("this is not a number")]
    NotANumber,
    /// It is larger than 28 digits hold.
    #[error("the number is out of range")]
    OutOfRange,
}

impl NumberFault {
    /// The stable code of the refusal.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Absent => "no-value",
            Self::NotANumber => "not-a-number",
            Self::OutOfRange => "number-out-of-range",
        }
    }
}

/// The decimal of a JSON number, or of a text that holds nothing but a number. A floating-point
/// number keeps the 15 digits it can carry, as everywhere in the pipeline.
///
/// # Errors
/// [`NumberFault`].
pub fn decimal_of(value: &Value) -> Result<Decimal, NumberFault> {
    match value {
        Value::Null => Err(NumberFault::Absent),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), _, _) => Ok(whole.into()),
            (_, Some(whole), _) => Ok(whole.into()),
            (_, _, Some(float)) => Decimal::from_f64(float).ok_or(NumberFault::OutOfRange),
            _ => Err(NumberFault::NotANumber),
        },
        Value::String(text) => decimal_of_text(text),
        _ => Err(NumberFault::NotANumber),
    }
}

/// The decimal of a text such as `36.6` or `1.2e3`.
pub(crate) fn decimal_of_text(text: &str) -> Result<Decimal, NumberFault> {
    let text = text.trim();
    if text.is_empty() {
        return Err(NumberFault::Absent);
    }
    let numeric = |it: u8| it.is_ascii_digit() || b"+-.eE".contains(&it);
    if !text.bytes().all(numeric) || !text.bytes().any(|it| it.is_ascii_digit()) {
        return Err(NumberFault::NotANumber);
    }
    if !text.contains(['e', 'E'])
        && let Ok(number) = text.parse::<Decimal>()
    {
        return Ok(number);
    }
    let float: f64 = text.parse().map_err(|_| NumberFault::NotANumber)?;
    Decimal::from_f64(float).ok_or(NumberFault::OutOfRange)
}
