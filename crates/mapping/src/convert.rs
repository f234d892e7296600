//! Turns a found value into what a measurement carries: a text, or an instant.

use std::borrow::Cow;

use crate::dates;
use crate::moment::Moment;
use crate::number::float_text;
use crate::token::Token;

/// The text of a value, as ids and properties carry it. `None` for what has no text: null, arrays,
/// objects and integers beyond 64 bits.
#[must_use]
pub fn text(token: &Token) -> Option<Cow<'_, str>> {
    Some(match token {
        Token::Text(it) => Cow::Borrowed(it),
        Token::Int(it) => Cow::Owned(it.to_string()),
        Token::Float(it) => Cow::Owned(float_text(*it)),
        Token::Bool(true) => Cow::Borrowed("True"),
        Token::Bool(false) => Cow::Borrowed("False"),
        Token::Date(it) => Cow::Owned(it.us_text()),
        Token::Null | Token::Big(_) | Token::Array(_) | Token::Object(_) => return None,
    })
}

/// The instant of a value: a date as it is, a text in one of many forms. Numbers are no instants,
/// because nothing says whether they count seconds or milliseconds.
#[must_use]
pub fn moment(token: &Token) -> Option<Moment> {
    match token {
        Token::Date(it) => Some(*it),
        Token::Text(it) => dates::general(it),
        _ => None,
    }
}
