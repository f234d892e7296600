//! The data model messages and mappings are read into: JSON plus dates, exact integers and doubles.

use std::collections::HashMap;

use crate::moment::Moment;

/// From this many members on, an object keeps an index; below it a linear search is faster.
const INDEXED_FROM: usize = 16;

/// One JSON value. Numbers keep the difference between integers and doubles, and a text that looks
/// like an ISO date-time is a date, because the mapping language sees both.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// An integer beyond 64 bits, as decimal digits with an optional minus sign.
    Big(Box<str>),
    /// A number with a point or an exponent.
    Float(f64),
    /// A text.
    Text(Box<str>),
    /// A text of the form of an ISO date-time, or the result of a date function.
    Date(Moment),
    /// An array.
    Array(Vec<Token>),
    /// An object.
    Object(Object),
}

impl Token {
    /// The member of that name, when this is an object and has it.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Token> {
        match self {
            Self::Object(object) => object.get(name),
            _ => None,
        }
    }

    /// The text, when this is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What kind of value this is, in the words of a person.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Big(_) => "an integer beyond 64 bits",
            Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::Date(_) => "a date",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// This token as plain JSON, for what leaves the crate. Dates become ISO texts; numbers JSON
    /// cannot hold become texts.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::Null => Value::Null,
            Self::Bool(it) => Value::Bool(*it),
            Self::Int(it) => Value::from(*it),
            Self::Big(digits) => Value::from(&**digits),
            Self::Float(it) => serde_json::Number::from_f64(*it)
                .map_or_else(|| Value::from(crate::number::float_text(*it)), Value::Number),
            Self::Text(it) => Value::from(&**it),
            Self::Date(it) => Value::from(it.iso()),
            Self::Array(items) => items.iter().map(Self::to_json).collect(),
            Self::Object(object) => {
                Value::Object(object.iter().map(|(k, v)| (k.to_owned(), v.to_json())).collect())
            }
        }
    }

    /// A token from plain JSON, texts staying texts: how application properties enter.
    #[must_use]
    pub fn from_json(value: &serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(it) => Self::Bool(*it),
            Value::Number(it) => match (it.as_i64(), it.as_u64(), it.as_f64()) {
                (Some(whole), _, _) => Self::Int(whole),
                (None, Some(whole), _) => Self::Big(whole.to_string().into()),
                (None, None, float) => Self::Float(float.unwrap_or(f64::NAN)),
            },
            Value::String(it) => Self::Text(it.as_str().into()),
            Value::Array(items) => Self::Array(items.iter().map(Self::from_json).collect()),
            Value::Object(members) => {
                let mut object = Object::default();
                for (name, value) in members {
                    object.set(name, Self::from_json(value));
                }
                Self::Object(object)
            }
        }
    }
}

impl From<&str> for Token {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

/// The members of an object, in document order. A repeated name keeps its first place and its last
/// value.
#[derive(Debug, Clone, Default)]
pub struct Object {
    members: Vec<(Box<str>, Token)>,
    index: Option<HashMap<Box<str>, usize>>,
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(name, value)| other.get(name) == Some(value))
    }
}

impl Object {
    /// Number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    fn position(&self, name: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(name).copied(),
            None => self.members.iter().position(|(it, _)| &**it == name),
        }
    }

    /// The value of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Token> {
        self.position(name).and_then(|at| self.members.get(at)).map(|(_, value)| value)
    }

    /// Adds the member, or replaces its value where it stands.
    pub fn set(&mut self, name: &str, value: Token) {
        if let Some(member) = self.position(name).and_then(|at| self.members.get_mut(at)) {
            member.1 = value;
            return;
        }
        if let Some(index) = &mut self.index {
            index.insert(name.into(), self.members.len());
        }
        self.members.push((name.into(), value));
        if self.index.is_none() && self.members.len() >= INDEXED_FROM {
            let names = self.members.iter().enumerate();
            self.index = Some(names.map(|(at, (name, _))| (name.clone(), at)).collect());
        }
    }

    /// The members in document order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Token)> + ExactSizeIterator {
        self.members.iter().map(|(name, value)| (&**name, value))
    }
}

/// The JSONPath of `target` inside `root`, found by identity: `$.Body.items[2].hr`.
#[must_use]
pub fn path_of(root: &Token, target: &Token) -> Option<String> {
    fn walk(node: &Token, target: &Token, path: &mut String) -> bool {
        if std::ptr::eq(node, target) {
            return true;
        }
        let length = path.len();
        match node {
            Token::Array(items) => items.iter().enumerate().any(|(at, item)| {
                path.push_str(&format!("[{at}]"));
                let found = walk(item, target, path);
                if !found {
                    path.truncate(length);
                }
                found
            }),
            Token::Object(object) => object.iter().any(|(name, value)| {
                push_name(path, name);
                let found = walk(value, target, path);
                if !found {
                    path.truncate(length);
                }
                found
            }),
            _ => false,
        }
    }
    let mut path = String::from("$");
    walk(root, target, &mut path).then_some(path)
}

fn push_name(path: &mut String, name: &str) {
    let plain = !name.is_empty()
        && name.chars().all(|it| it.is_alphanumeric() || matches!(it, '_' | '-' | '$'));
    if plain {
        path.push('.');
        path.push_str(name);
    } else {
        path.push_str("['");
        path.push_str(&name.replace('\\', "\\\\").replace('\'', "\\'"));
        path.push_str("']");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_name_keeps_its_place_and_its_last_value() {
        let mut object = Object::default();
        for at in 0..40 {
            object.set(&format!("m{at}"), Token::Int(at));
        }
        object.set("m3", Token::Null);
        assert_eq!(object.len(), 40);
        assert_eq!(object.iter().nth(3), Some(("m3", &Token::Null)));
        assert_eq!(object.get("m39"), Some(&Token::Int(39)));
    }
}
