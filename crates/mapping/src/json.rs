//! Reads the relaxed JSON that mapping files and messages are written in.
//!
//! Beyond RFC 8259: comments, trailing commas, single quotes, bare member names, `NaN` and
//! `Infinity`, hexadecimal and octal integers, and texts of ISO form that become dates.

use std::collections::HashMap;

use crate::dates;
use crate::token::{Object, Token};

/// Deepest nesting of arrays and objects; deeper input is an attack, not a message.
pub const DEPTH_MAX: usize = 64;

/// Where in a text: both count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

/// Why a text is not JSON, and where. Holds no part of the text but one character.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at line {}, column {}", place.line, place.column)]
pub struct SyntaxError {
    /// What was wrong.
    pub reason: String,
    /// Where.
    pub place: Place,
}

/// A parsed document with the place of every value and member, by JSON Pointer.
#[derive(Debug)]
pub struct Document {
    /// The root value.
    pub root: Token,
    values: HashMap<String, Place>,
    members: HashMap<String, Place>,
}

impl Document {
    /// Where the value of this JSON Pointer begins.
    #[must_use]
    pub fn place(&self, pointer: &str) -> Place {
        self.values.get(pointer).copied().unwrap_or(Place { line: 1, column: 1 })
    }

    /// Where the member of this JSON Pointer is named: the colon after its name.
    #[must_use]
    pub fn member_place(&self, pointer: &str) -> Place {
        self.members.get(pointer).copied().unwrap_or_else(|| self.place(pointer))
    }
}

/// Reads the first value of a text; whatever follows it is not looked at. `None` when there is none.
pub fn parse_first(text: &str) -> Result<Option<Token>, SyntaxError> {
    let mut reader = Reader::new(text);
    reader.skip_space()?;
    if reader.peek().is_none() {
        return Ok(None);
    }
    reader.value(0).map(Some)
}

/// Reads a whole document and remembers places; anything after the root value is an error.
/// `None` when the text holds no value.
pub fn parse_document(text: &str) -> Result<Option<Document>, SyntaxError> {
    let mut reader = Reader::new(text);
    reader.places = Some(Places::default());
    reader.skip_space()?;
    if reader.peek().is_none() {
        return Ok(None);
    }
    let root = reader.value(0)?;
    reader.skip_space()?;
    if let Some(found) = reader.peek() {
        return Err(reader.error(format!("unexpected character '{found}' after the document")));
    }
    let places = reader.places.take().unwrap_or_default();
    Ok(Some(Document { root, values: places.values, members: places.members }))
}

/// Appends one step to a JSON Pointer.
#[must_use]
pub fn pointer(parent: &str, step: impl std::fmt::Display) -> String {
    let step = step.to_string().replace('~', "~0").replace('/', "~1");
    format!("{parent}/{step}")
}

#[derive(Debug, Default)]
struct Places {
    path: String,
    values: HashMap<String, Place>,
    members: HashMap<String, Place>,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    places: Option<Places>,
    // A byte offset whose place is known; places are asked for in rising order.
    mark: (usize, Place),
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        let at = if text.starts_with('\u{feff}') { 3 } else { 0 };
        Self { text, at, places: None, mark: (at, Place { line: 1, column: 1 }) }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn place(&self) -> Place {
        let (from, mut place) = self.mark;
        for it in self.text.get(from..self.at).unwrap_or_default().chars() {
            if it == '\n' {
                place = Place { line: place.line + 1, column: 1 };
            } else {
                place.column += 1;
            }
        }
        place
    }

    fn mark(&mut self) -> Place {
        let place = self.place();
        self.mark = (self.at, place);
        place
    }

    fn error(&self, reason: impl Into<String>) -> SyntaxError {
        SyntaxError { reason: reason.into(), place: self.place() }
    }

    fn unexpected(&self, where_: &str) -> SyntaxError {
        match self.peek() {
            Some(found) => self.error(format!("unexpected character '{found}' {where_}")),
            None => self.error(format!("unexpected end of text {where_}")),
        }
    }

    fn skip_space(&mut self) -> Result<(), SyntaxError> {
        loop {
            match self.byte() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(b'/') => self.skip_comment()?,
                Some(it) if it >= 0x80 || it == 0x0b || it == 0x0c => match self.peek() {
                    Some(space) if space.is_whitespace() => self.at += space.len_utf8(),
                    _ => return Ok(()),
                },
                _ => return Ok(()),
            }
        }
    }

    fn skip_comment(&mut self) -> Result<(), SyntaxError> {
        let rest = self.rest();
        if let Some(line) = rest.strip_prefix("//") {
            self.at += 2 + line.find(['\n', '\r']).unwrap_or(line.len());
            return Ok(());
        }
        let Some(end) = rest.strip_prefix("/*").and_then(|it| it.find("*/")) else {
            return Err(self.error("a comment that does not end"));
        };
        self.at += end + 4;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Token, SyntaxError> {
        if self.places.is_some() {
            let place = self.mark();
            if let Some(places) = &mut self.places {
                places.values.insert(places.path.clone(), place);
            }
        }
        match self.byte() {
            Some(b'{') if depth < DEPTH_MAX => self.object(depth),
            Some(b'[') if depth < DEPTH_MAX => self.array(depth),
            Some(b'{' | b'[') => Err(self.error("nested deeper than 64 levels")),
            Some(quote @ (b'"' | b'\'')) => {
                let text = self.string(quote)?;
                Ok(dates::newtonsoft(&text).map_or_else(|| Token::Text(text), Token::Date))
            }
            Some(b'0'..=b'9' | b'.') => self.number(),
            Some(b'-') if self.rest().starts_with("-Infinity") => {
                self.word("-Infinity", Token::Float(f64::NEG_INFINITY))
            }
            Some(b'-') => self.number(),
            Some(b't') => self.word("true", Token::Bool(true)),
            Some(b'f') => self.word("false", Token::Bool(false)),
            Some(b'n') => self.word("null", Token::Null),
            Some(b'u') => self.word("undefined", Token::Null),
            Some(b'N') => self.word("NaN", Token::Float(f64::NAN)),
            Some(b'I') => self.word("Infinity", Token::Float(f64::INFINITY)),
            _ => Err(self.unexpected("where a value should be")),
        }
    }

    fn word(&mut self, word: &str, token: Token) -> Result<Token, SyntaxError> {
        let Some(rest) = self.rest().strip_prefix(word) else {
            return Err(self.unexpected("where a value should be"));
        };
        let ends = rest.chars().next().is_none_or(|it| {
            it.is_whitespace() || matches!(it, ',' | ']' | '}' | ')' | '/' | '\0')
        });
        if !ends {
            self.at += word.len();
            return Err(self.unexpected("after a word"));
        }
        self.at += word.len();
        Ok(token)
    }

    fn array(&mut self, depth: usize) -> Result<Token, SyntaxError> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.skip_space()?;
            match self.byte() {
                Some(b']') => {
                    self.at += 1;
                    return Ok(Token::Array(items));
                }
                // A comma where a value should be stands for nothing at that place.
                Some(b',') => {
                    self.at += 1;
                    items.push(Token::Null);
                    continue;
                }
                _ => {}
            }
            let length = self.enter(items.len());
            items.push(self.value(depth + 1)?);
            self.leave(length);
            self.skip_space()?;
            match self.byte() {
                Some(b',') => self.at += 1,
                Some(b']') => {}
                _ => return Err(self.unexpected("in an array, where ',' or ']' should be")),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Token, SyntaxError> {
        self.at += 1;
        let mut object = Object::default();
        loop {
            self.skip_space()?;
            if self.byte() == Some(b'}') {
                self.at += 1;
                return Ok(Token::Object(object));
            }
            let name = self.name()?;
            self.skip_space()?;
            if self.byte() != Some(b':') {
                return Err(self.unexpected("after a member name, where ':' should be"));
            }
            let length = self.enter(&name);
            if self.places.is_some() {
                let place = self.mark();
                if let Some(places) = &mut self.places {
                    places.members.insert(places.path.clone(), place);
                }
            }
            self.at += 1;
            self.skip_space()?;
            if matches!(self.byte(), Some(b',' | b'}')) {
                let reason = format!("no value for the member '{name}'");
                return Err(self.error(reason));
            }
            let value = self.value(depth + 1)?;
            self.leave(length);
            object.set(&name, value);
            self.skip_space()?;
            match self.byte() {
                Some(b',') => self.at += 1,
                Some(b'}') => {}
                _ => return Err(self.unexpected("in an object, where ',' or '}' should be")),
            }
        }
    }

    fn enter(&mut self, step: impl std::fmt::Display) -> usize {
        let Some(places) = &mut self.places else { return 0 };
        let length = places.path.len();
        places.path = pointer(&places.path, step);
        length
    }

    fn leave(&mut self, length: usize) {
        if let Some(places) = &mut self.places {
            places.path.truncate(length);
        }
    }

    fn name(&mut self) -> Result<Box<str>, SyntaxError> {
        if let Some(quote @ (b'"' | b'\'')) = self.byte() {
            return self.string(quote);
        }
        let rest = self.rest();
        let plain = |it: char| it.is_alphanumeric() || it == '_' || it == '$';
        let end = rest.find(|it| !plain(it)).unwrap_or(rest.len());
        if end == 0 {
            return Err(self.unexpected("where a member name should be"));
        }
        self.at += end;
        match self.peek() {
            Some(it) if it == ':' || it.is_whitespace() => {
                Ok(rest.get(..end).unwrap_or_default().into())
            }
            _ => Err(self.unexpected("in a member name without quotes")),
        }
    }

    fn string(&mut self, quote: u8) -> Result<Box<str>, SyntaxError> {
        self.at += 1;
        let start = self.at;
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            if byte == quote {
                let text = self.text.get(start..self.at).unwrap_or_default();
                self.at += 1;
                return Ok(text.into());
            }
            if byte == b'\\' {
                return self.escaped_string(start, quote);
            }
            self.at += 1;
        }
        Err(self.error("a text that does not end"))
    }

    fn escaped_string(&mut self, start: usize, quote: u8) -> Result<Box<str>, SyntaxError> {
        let mut text = self.text.get(start..self.at).unwrap_or_default().to_owned();
        while let Some(found) = self.peek() {
            self.at += found.len_utf8();
            if found == char::from(quote) {
                return Ok(text.into());
            }
            if found != '\\' {
                text.push(found);
                continue;
            }
            let escape = self.byte();
            self.at += 1;
            text.push(match escape {
                Some(b'b') => '\u{8}',
                Some(b't') => '\t',
                Some(b'n') => '\n',
                Some(b'f') => '\u{c}',
                Some(b'r') => '\r',
                Some(it @ (b'\\' | b'"' | b'\'' | b'/')) => char::from(it),
                Some(b'u') => self.unicode()?,
                _ => {
                    self.at -= 1;
                    return Err(self.unexpected("after '\\' in a text"));
                }
            });
        }
        Err(self.error("a text that does not end"))
    }

    fn hex4(&mut self) -> Result<u32, SyntaxError> {
        let digits = self.text.get(self.at..self.at + 4);
        let digits = digits.filter(|it| it.bytes().all(|it| it.is_ascii_hexdigit()));
        let Some(code) = digits.and_then(|it| u32::from_str_radix(it, 16).ok()) else {
            return Err(self.error("four hexadecimal digits should follow '\\u'"));
        };
        self.at += 4;
        Ok(code)
    }

    fn unicode(&mut self) -> Result<char, SyntaxError> {
        let first = self.hex4()?;
        if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
            let back = self.at;
            self.at += 2;
            let second = self.hex4()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        // Half of a pair stands for no character.
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn number(&mut self) -> Result<Token, SyntaxError> {
        let rest = self.rest();
        let part =
            |it: u8| it.is_ascii_hexdigit() || matches!(it, b'-' | b'+' | b'x' | b'X' | b'.');
        let end = rest.bytes().position(|it| !part(it)).unwrap_or(rest.len());
        let text = rest.get(..end).unwrap_or_default();
        let ends = rest
            .get(end..)
            .and_then(|it| it.chars().next())
            .is_none_or(|it| it.is_whitespace() || matches!(it, ',' | '}' | ']' | ')' | '/'));
        let token = if ends { number_token(text) } else { None };
        let Some(token) = token else { return Err(self.error("not a number")) };
        self.at += end;
        Ok(token)
    }
}

fn number_token(text: &str) -> Option<Token> {
    let bytes = text.as_bytes();
    if let (Some(b'0'), Some(second)) = (bytes.first(), bytes.get(1))
        && !matches!(second, b'.' | b'e' | b'E')
    {
        let (digits, radix) = match text.get(2..) {
            Some(hex) if matches!(second, b'x' | b'X') => (hex, 16),
            _ => (text, 8),
        };
        if digits.starts_with(['+', '-']) {
            return None;
        }
        return u64::from_str_radix(digits, radix).ok().map(|it| Token::Int(it.cast_signed()));
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit()) {
        return Some(match text.parse() {
            Ok(whole) => Token::Int(whole),
            Err(_) => {
                let significant = digits.trim_start_matches('0');
                let sign = if digits.len() == text.len() { "" } else { "-" };
                Token::Big(format!("{sign}{significant}").into())
            }
        });
    }
    text.parse().ok().map(Token::Float)
}
