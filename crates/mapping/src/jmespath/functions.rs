//! The functions: the 26 of the standard and the eight of the mapping language.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::eval::Value;
use crate::convert;
use crate::moment::{Instant, Moment};
use crate::token::{Object, Token};

/// Why a function failed. Never carries a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FunctionError {
    /// An argument of the wrong type; missing values are null, which is a type of its own.
    #[error("wrong type of argument: {0}")]
    Argument(&'static str),
    /// The arguments have the right types but no result.
    #[error("{0}")]
    Runtime(&'static str),
}

const NUMBER: FunctionError = FunctionError::Argument("a number is wanted");
const TEXT: FunctionError = FunctionError::Argument("a text is wanted");
const ARRAY: FunctionError = FunctionError::Argument("an array is wanted");
const OBJECT: FunctionError = FunctionError::Argument("an object is wanted");
const INTEGER: FunctionError = FunctionError::Argument("an integer is wanted");
const UNIFORM: FunctionError =
    FunctionError::Argument("an array of only numbers or only texts is wanted");
const BEYOND: FunctionError = FunctionError::Runtime("the result does not fit 64 bits");
const BIG: FunctionError =
    FunctionError::Runtime("an integer beyond 64 bits cannot be calculated with");

macro_rules! functions {
    ($($variant:ident $name:literal $least:literal $most:expr;)*) => {
        /// A function of the language.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Function { $($variant),* }

        impl Function {
            /// The function of that name, which is case-sensitive.
            pub(super) fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            /// Its name.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// Fewest and most arguments.
            pub(super) const fn arguments(self) -> (usize, usize) {
                match self { $(Self::$variant => ($least, $most)),* }
            }
        }
    };
}

functions! {
    Abs "abs" 1 1;
    Avg "avg" 1 1;
    Ceil "ceil" 1 1;
    Contains "contains" 2 2;
    EndsWith "ends_with" 2 2;
    Floor "floor" 1 1;
    Join "join" 2 2;
    Keys "keys" 1 1;
    Length "length" 1 1;
    Map "map" 2 2;
    Max "max" 1 1;
    MaxBy "max_by" 2 2;
    Merge "merge" 1 usize::MAX;
    Min "min" 1 1;
    MinBy "min_by" 2 2;
    NotNull "not_null" 1 usize::MAX;
    Reverse "reverse" 1 1;
    Sort "sort" 1 1;
    SortBy "sort_by" 2 2;
    StartsWith "starts_with" 2 2;
    Sum "sum" 1 1;
    ToArray "to_array" 1 1;
    ToNumber "to_number" 1 1;
    ToString "to_string" 1 1;
    Type "type" 1 1;
    Values "values" 1 1;
    Add "add" 2 2;
    Subtract "subtract" 2 2;
    Multiply "multiply" 2 2;
    Divide "divide" 2 2;
    Pow "pow" 2 2;
    InsertString "insertString" 3 3;
    FromUnixTimestamp "fromUnixTimestamp" 1 1;
    FromUnixTimestampMs "fromUnixTimestampMs" 1 1;
}

impl Function {
    /// Which argument is an expression, when one is.
    pub(super) const fn expression_argument(self) -> Option<usize> {
        match self {
            Self::Map => Some(0),
            Self::MaxBy | Self::MinBy | Self::SortBy => Some(1),
            _ => None,
        }
    }
}

type Called<'a> = Result<Value<'a>, FunctionError>;

/// Calls a function that takes values.
pub(super) fn call(function: Function, values: Vec<Value<'_>>) -> Called<'_> {
    let mut values = values.into_iter();
    let mut next = || values.next().unwrap_or(Cow::Owned(Token::Null));
    let owned = |token| Ok(Cow::Owned(token));
    match function {
        Function::Abs => match *next() {
            Token::Int(it) => it.checked_abs().map(Token::Int).ok_or(BEYOND).map(Cow::Owned),
            Token::Float(it) => owned(Token::Float(it.abs())),
            Token::Big(_) => Err(BIG),
            _ => Err(NUMBER),
        },
        Function::Ceil => whole_number(&next(), f64::ceil).map(Cow::Owned),
        Function::Floor => whole_number(&next(), f64::floor).map(Cow::Owned),
        Function::Avg => average(array(&next())?).map(Cow::Owned),
        Function::Sum => sum(array(&next())?).map(Cow::Owned),
        Function::Contains => contains(&next(), &next()).map(|it| Cow::Owned(Token::Bool(it))),
        Function::StartsWith => {
            let (subject, part) = (next(), next());
            owned(Token::Bool(text(&subject)?.starts_with(&*text(&part)?)))
        }
        Function::EndsWith => {
            let (subject, part) = (next(), next());
            owned(Token::Bool(text(&subject)?.ends_with(&*text(&part)?)))
        }
        Function::Join => {
            let (glue, parts) = (next(), next());
            let parts = array(&parts)?.iter().map(text).collect::<Result<Vec<_>, _>>()?;
            owned(Token::Text(parts.join(&*text(&glue)?).into()))
        }
        Function::Keys => match &*next() {
            Token::Object(it) => {
                owned(Token::Array(it.iter().map(|(name, _)| name.into()).collect()))
            }
            _ => Err(OBJECT),
        },
        Function::Values => match &*next() {
            Token::Object(it) => owned(Token::Array(it.iter().map(|(_, it)| it.clone()).collect())),
            _ => Err(OBJECT),
        },
        Function::Length => length(&next()).map(Cow::Owned),
        Function::Max => extreme(&next(), Ordering::is_gt).map(Cow::Owned),
        Function::Min => extreme(&next(), Ordering::is_lt).map(Cow::Owned),
        Function::Merge => merge(values).map(Cow::Owned),
        Function::NotNull => {
            Ok(values.find(|it| **it != Token::Null).unwrap_or(Cow::Owned(Token::Null)))
        }
        Function::Reverse => match &*next() {
            Token::Array(it) => owned(Token::Array(it.iter().rev().cloned().collect())),
            it => owned(Token::Text(text(it)?.chars().rev().collect::<String>().into())),
        },
        Function::Sort => {
            let token = next();
            let items = array(&token)?;
            by_key(Function::SortBy, items, items.to_vec()).map(Cow::Owned)
        }
        Function::ToArray => {
            let token = next();
            Ok(match &*token {
                Token::Array(_) => token,
                _ => Cow::Owned(Token::Array(vec![token.into_owned()])),
            })
        }
        Function::ToNumber => Ok(to_number(next())),
        Function::ToString => {
            let token = next();
            Ok(match &*token {
                Token::Text(_) | Token::Date(_) => token,
                _ => Cow::Owned(Token::Text(json_text(&token).into())),
            })
        }
        Function::Type => owned(type_name(&next()).into()),
        Function::Add => arithmetic(&next(), &next(), |a, b| Ok(a.wrapping_add(b)), |a, b| a + b),
        Function::Subtract => {
            arithmetic(&next(), &next(), |a, b| Ok(a.wrapping_sub(b)), |a, b| a - b)
        }
        Function::Multiply => {
            arithmetic(&next(), &next(), |a, b| Ok(a.wrapping_mul(b)), |a, b| a * b)
        }
        Function::Divide => arithmetic(&next(), &next(), divide, |a, b| a / b),
        Function::Pow => arithmetic(&next(), &next(), pow, f64::powf),
        Function::InsertString => insert(&next(), &next(), &next()).map(Cow::Owned),
        Function::FromUnixTimestamp => date(&next(), 1000).map(Cow::Owned),
        Function::FromUnixTimestampMs => date(&next(), 1).map(Cow::Owned),
        Function::Map | Function::MaxBy | Function::MinBy | Function::SortBy => {
            Err(FunctionError::Argument("an expression such as &name is wanted"))
        }
    }
}

/// Calls a function that takes an expression: `keys` is what that gave for each item.
pub(super) fn by_key(
    function: Function,
    items: &[Token],
    keys: Vec<Token>,
) -> Result<Token, FunctionError> {
    if function == Function::Map {
        return Ok(Token::Array(keys));
    }
    uniform(&keys)?;
    let mut pairs: Vec<(&Token, &Token)> = keys.iter().zip(items).collect();
    match function {
        Function::MaxBy | Function::MinBy => {
            let better =
                if function == Function::MaxBy { Ordering::is_gt } else { Ordering::is_lt };
            let best = pairs
                .into_iter()
                .reduce(|best, it| if better(order(it.0, best.0)) { it } else { best });
            Ok(best.map_or(Token::Null, |(_, item)| item.clone()))
        }
        _ => {
            pairs.sort_by(|a, b| order(a.0, b.0));
            Ok(Token::Array(pairs.into_iter().map(|(_, item)| item.clone()).collect()))
        }
    }
}

fn array(token: &Token) -> Result<&[Token], FunctionError> {
    match token {
        Token::Array(items) => Ok(items),
        _ => Err(ARRAY),
    }
}

/// Dates count as texts here, in their month-first form.
fn text(token: &Token) -> Result<Cow<'_, str>, FunctionError> {
    match token {
        Token::Text(_) | Token::Date(_) => convert::text(token).ok_or(TEXT),
        _ => Err(TEXT),
    }
}

fn float(token: &Token) -> Result<f64, FunctionError> {
    match token {
        Token::Int(it) => Ok(*it as f64),
        Token::Float(it) => Ok(*it),
        Token::Big(_) => Err(BIG),
        _ => Err(NUMBER),
    }
}

/// How two numbers compare; none when one is no number.
pub(super) fn number_order(left: &Token, right: &Token) -> Option<Ordering> {
    match (left, right) {
        (Token::Int(a), Token::Int(b)) => Some(a.cmp(b)),
        (Token::Int(_) | Token::Float(_), Token::Int(_) | Token::Float(_)) => {
            float(left).ok()?.partial_cmp(&float(right).ok()?)
        }
        _ => None,
    }
}

fn order(left: &Token, right: &Token) -> Ordering {
    match (text(left), text(right)) {
        (Ok(a), Ok(b)) => a.encode_utf16().cmp(b.encode_utf16()),
        _ => number_order(left, right).unwrap_or(Ordering::Equal),
    }
}

fn uniform(keys: &[Token]) -> Result<(), FunctionError> {
    let numbers = keys.iter().all(|it| float(it).is_ok());
    let texts = keys.iter().all(|it| text(it).is_ok());
    if numbers || texts { Ok(()) } else { Err(UNIFORM) }
}

fn extreme(token: &Token, better: fn(Ordering) -> bool) -> Result<Token, FunctionError> {
    let items = array(token)?;
    uniform(items)?;
    let best = items.iter().reduce(|best, it| if better(order(it, best)) { it } else { best });
    Ok(best.cloned().unwrap_or(Token::Null))
}

fn whole_number(token: &Token, round: fn(f64) -> f64) -> Result<Token, FunctionError> {
    match token {
        Token::Int(it) => Ok(Token::Int(*it)),
        _ => to_integer(round(float(token)?)).map(Token::Int),
    }
}

/// A whole double as an integer, when it fits 64 bits.
fn to_integer(value: f64) -> Result<i64, FunctionError> {
    // 2^63 is a double, 2^63 - 1 is not.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&value) { Ok(value as i64) } else { Err(BEYOND) }
}

fn average(items: &[Token]) -> Result<Token, FunctionError> {
    let floats = items.iter().map(float).collect::<Result<Vec<_>, _>>()?;
    if floats.is_empty() {
        return Ok(Token::Null);
    }
    Ok(Token::Float(floats.iter().sum::<f64>() / floats.len() as f64))
}

fn sum(items: &[Token]) -> Result<Token, FunctionError> {
    let integers = items.iter().map(|it| if let Token::Int(it) = it { Some(*it) } else { None });
    if let Some(integers) = integers.collect::<Option<Vec<_>>>() {
        let total = integers.into_iter().try_fold(0_i64, i64::checked_add);
        return total.map(Token::Int).ok_or(BEYOND);
    }
    let floats = items.iter().map(float).collect::<Result<Vec<_>, _>>()?;
    Ok(Token::Float(floats.iter().sum()))
}

fn contains(subject: &Token, part: &Token) -> Result<bool, FunctionError> {
    match subject {
        Token::Array(items) => Ok(items.contains(part)),
        Token::Text(_) | Token::Date(_) => match text(part) {
            Ok(part) => Ok(text(subject)?.contains(&*part)),
            Err(_) => Ok(false),
        },
        _ => Err(FunctionError::Argument("an array or a text is wanted")),
    }
}

fn length(token: &Token) -> Result<Token, FunctionError> {
    let length = match token {
        Token::Array(items) => items.len(),
        Token::Object(object) => object.len(),
        Token::Text(_) | Token::Date(_) => text(token)?.encode_utf16().count(),
        _ => return Err(FunctionError::Argument("a text, an array or an object is wanted")),
    };
    i64::try_from(length).map(Token::Int).map_err(|_| BEYOND)
}

fn merge<'a>(values: impl Iterator<Item = Value<'a>>) -> Result<Token, FunctionError> {
    let mut merged = Object::default();
    for value in values {
        let Token::Object(object) = &*value else { return Err(OBJECT) };
        for (name, value) in object.iter() {
            merged.set(name, value.clone());
        }
    }
    Ok(Token::Object(merged))
}

fn to_number(token: Value<'_>) -> Value<'_> {
    match &*token {
        Token::Int(_) | Token::Float(_) | Token::Big(_) => token,
        Token::Text(text) => {
            let text = text.trim();
            let numeric = text.bytes().any(|it| it.is_ascii_digit())
                && text.bytes().all(|it| it.is_ascii_digit() || b"+-.eE".contains(&it));
            Cow::Owned(match (numeric, text.parse(), text.parse()) {
                (true, Ok(whole), _) => Token::Int(whole),
                (true, Err(_), Ok(float)) => Token::Float(float),
                _ => Token::Null,
            })
        }
        _ => Cow::Owned(Token::Null),
    }
}

fn type_name(token: &Token) -> &'static str {
    match token {
        Token::Null => "null",
        Token::Bool(_) => "boolean",
        Token::Int(_) | Token::Big(_) | Token::Float(_) => "number",
        Token::Text(_) | Token::Date(_) => "string",
        Token::Array(_) => "array",
        Token::Object(_) => "object",
    }
}

/// Compact JSON. A whole double keeps its `.0`, so that it stays a double.
fn json_text(token: &Token) -> String {
    let joined = |parts: Vec<String>| parts.join(",");
    match token {
        Token::Float(it) if it.is_finite() => {
            let text = crate::number::float_text(*it);
            if text.contains(['.', 'E']) { text } else { format!("{text}.0") }
        }
        Token::Float(it) => format!("\"{}\"", crate::number::float_text(*it)),
        Token::Big(digits) => digits.to_string(),
        Token::Array(items) => format!("[{}]", joined(items.iter().map(json_text).collect())),
        Token::Object(object) => {
            let member = |(name, value): (&str, &Token)| {
                format!("{}:{}", serde_json::Value::from(name), json_text(value))
            };
            format!("{{{}}}", joined(object.iter().map(member).collect()))
        }
        _ => token.to_json().to_string(),
    }
}

fn arithmetic<'a>(
    left: &Token,
    right: &Token,
    integers: fn(i64, i64) -> Result<i64, FunctionError>,
    floats: fn(f64, f64) -> f64,
) -> Called<'a> {
    let number = |it: &Token| matches!(it, Token::Int(_) | Token::Float(_) | Token::Big(_));
    if !number(left) || !number(right) {
        return Err(NUMBER);
    }
    Ok(Cow::Owned(match (left, right) {
        (Token::Int(a), Token::Int(b)) => Token::Int(integers(*a, *b)?),
        _ => Token::Float(floats(float(left)?, float(right)?)),
    }))
}

fn divide(a: i64, b: i64) -> Result<i64, FunctionError> {
    match b {
        0 => Err(FunctionError::Runtime("an integer is divided by zero")),
        _ => a.checked_div(b).ok_or(BEYOND),
    }
}

fn pow(a: i64, b: i64) -> Result<i64, FunctionError> {
    to_integer((a as f64).powf(b as f64).round_ties_even())
}

fn insert(subject: &Token, part: &Token, at: &Token) -> Result<Token, FunctionError> {
    let (Token::Text(subject), Token::Text(part)) = (subject, part) else { return Err(TEXT) };
    let Token::Int(at) = at else { return Err(INTEGER) };
    let outside = FunctionError::Runtime("the position is outside of the text");
    let mut units: Vec<u16> = subject.encode_utf16().collect();
    let at = i32::try_from(*at).ok().and_then(|at| usize::try_from(at).ok()).ok_or(outside)?;
    if at > units.len() {
        return Err(outside);
    }
    units.splice(at..at, part.encode_utf16());
    Ok(Token::Text(String::from_utf16_lossy(&units).into()))
}

fn date(token: &Token, unit_ms: i64) -> Result<Token, FunctionError> {
    let Token::Int(count) = token else { return Err(INTEGER) };
    count
        .checked_mul(unit_ms)
        .and_then(Instant::from_unix_ms)
        .map(|it| Token::Date(Moment::utc(it)))
        .ok_or(FunctionError::Runtime("the time is outside of the years 1 to 9999"))
}
