//! Comparison of two values inside a filter.

use std::cmp::Ordering;

use super::eval::EvalError;
use super::{Operator, Pattern};
use crate::convert;
use crate::token::Token;

/// Distance below which two doubles count as the same, relative to their size.
const FLOAT_EPSILON: f64 = f64::EPSILON;

/// Whether `left operator right` holds.
///
/// # Errors
/// When one side cannot be read as the type of the other.
pub(super) fn holds(left: &Token, operator: Operator, right: &Token) -> Result<bool, EvalError> {
    let scalar = |it: &Token| !matches!(it, Token::Array(_) | Token::Object(_));
    if !scalar(left) || !scalar(right) {
        return Ok(operator == Operator::NotEqual);
    }
    let order = || compare(left, right);
    Ok(match operator {
        Operator::Equal => loosely_equal(left, right),
        Operator::NotEqual => !loosely_equal(left, right),
        Operator::StrictEqual => equal(left, right),
        Operator::StrictNotEqual => !equal(left, right),
        Operator::Less => order()?.is_lt(),
        Operator::LessOrEqual => order()?.is_le(),
        Operator::Greater => order()?.is_gt(),
        Operator::GreaterOrEqual => order()?.is_ge(),
        // A pattern given as an ordinary text is no pattern.
        Operator::Match => match (left, right) {
            (Token::Text(_), Token::Text(_)) => return Err(EvalError::BadPattern),
            _ => false,
        },
    })
}

/// Whether a text matches a pattern literal.
pub(super) fn matches(left: &Token, pattern: &Pattern) -> Result<bool, EvalError> {
    let Token::Text(text) = left else { return Ok(false) };
    let Some(regex) = &pattern.regex else { return Err(EvalError::BadPattern) };
    regex.is_match(text).map_err(|_| EvalError::PatternTooSlow)
}

fn equal(left: &Token, right: &Token) -> bool {
    match (left, right) {
        (Token::Float(a), Token::Float(b)) => float_order(*a, *b).is_eq(),
        (Token::Int(a), Token::Float(b)) | (Token::Float(b), Token::Int(a)) => {
            float_order(*a as f64, *b).is_eq()
        }
        (Token::Big(a), Token::Float(b)) | (Token::Float(b), Token::Big(a)) => {
            a.parse().is_ok_and(|a| float_order(a, *b).is_eq())
        }
        _ => left == right,
    }
}

fn loosely_equal(left: &Token, right: &Token) -> bool {
    if equal(left, right) {
        return true;
    }
    match (left, right) {
        (Token::Date(date), Token::Text(text)) => *date.iso() == **text,
        _ => false,
    }
}

fn float_order(a: f64, b: f64) -> Ordering {
    let near = (a.abs() + b.abs() + 10.0) * FLOAT_EPSILON;
    let apart = a - b;
    if a == b || (-near < apart && apart < near) {
        return Ordering::Equal;
    }
    // Not-a-number comes before every number.
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

/// Orders two scalars by the type of the left one; a text on the left takes the type of the right.
fn compare(left: &Token, right: &Token) -> Result<Ordering, EvalError> {
    match (left, right) {
        (Token::Null, Token::Null) => return Ok(Ordering::Equal),
        (_, Token::Null) => return Ok(Ordering::Greater),
        (Token::Null, _) => return Ok(Ordering::Less),
        _ => {}
    }
    let by = if matches!(left, Token::Text(_)) { right } else { left };
    let bad = EvalError::NotComparable;
    match by {
        Token::Int(_) | Token::Big(_) => {
            if matches!(left, Token::Float(_)) || matches!(right, Token::Float(_)) {
                return Ok(float_order(float(left).ok_or(bad)?, float(right).ok_or(bad)?));
            }
            Ok(integer(left).ok_or(bad)?.cmp(&integer(right).ok_or(bad)?))
        }
        Token::Float(_) => Ok(float_order(float(left).ok_or(bad)?, float(right).ok_or(bad)?)),
        Token::Text(_) => {
            let (left, right) = (convert::text(left), convert::text(right));
            Ok(left.ok_or(bad)?.encode_utf16().cmp(right.ok_or(bad)?.encode_utf16()))
        }
        Token::Bool(_) => Ok(boolean(left).ok_or(bad)?.cmp(&boolean(right).ok_or(bad)?)),
        Token::Date(_) => match (left, convert::moment(right)) {
            (Token::Date(left), Some(right)) => Ok(left.instant.cmp(&right.instant)),
            _ => Err(bad),
        },
        Token::Null | Token::Array(_) | Token::Object(_) => Err(bad),
    }
}

fn integer(token: &Token) -> Option<i128> {
    match token {
        Token::Int(it) => Some(i128::from(*it)),
        Token::Big(digits) => digits.parse().ok(),
        Token::Bool(it) => Some(i128::from(*it)),
        Token::Text(it) => it.trim().parse::<i64>().ok().map(i128::from),
        _ => None,
    }
}

fn float(token: &Token) -> Option<f64> {
    match token {
        Token::Int(it) => Some(*it as f64),
        Token::Float(it) => Some(*it),
        Token::Big(digits) => digits.parse().ok(),
        Token::Bool(it) => Some(f64::from(u8::from(*it))),
        Token::Text(it) => it.trim().replace(',', "").parse().ok(),
        _ => None,
    }
}

fn boolean(token: &Token) -> Option<bool> {
    match token {
        Token::Bool(it) => Some(*it),
        Token::Int(it) => Some(*it != 0),
        Token::Float(it) => Some(*it != 0.0),
        Token::Text(it) if it.trim().eq_ignore_ascii_case("true") => Some(true),
        Token::Text(it) if it.trim().eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}
