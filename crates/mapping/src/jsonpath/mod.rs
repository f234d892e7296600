//! JSONPath as existing mapping files use it: the Newtonsoft dialect, not RFC 9535.

mod compare;
mod eval;
mod parse;

use std::fmt;

use crate::token::Token;

pub use eval::{EvalError, Hit, Overlay};

/// A JSONPath expression, compiled once.
#[derive(Debug, Clone)]
pub struct JsonPath {
    steps: Vec<Step>,
    // Whether a filter refers to the root of the document.
    rooted: bool,
}

/// Why an expression is not JSONPath, and at which character (from 1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at character {column}")]
pub struct PathSyntaxError {
    /// What was wrong.
    pub reason: String,
    /// Character of the expression, from 1.
    pub column: usize,
}

impl JsonPath {
    /// Compiles an expression.
    ///
    /// # Errors
    /// When it is not of this dialect.
    pub fn parse(text: &str) -> Result<Self, PathSyntaxError> {
        parse::parse(text).map(|steps| Self { rooted: steps.iter().any(Step::is_rooted), steps })
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// `.name`, or `.*` without a name.
    Field(Option<Box<str>>),
    /// `['a','b']`.
    Fields(Vec<Box<str>>),
    /// `[n]`, or `[*]` without an index.
    Index(Option<i32>),
    /// `[0,2]`.
    Indexes(Vec<i32>),
    /// `[a:b:c]`.
    Slice { start: Option<i32>, end: Option<i32>, step: Option<i32> },
    /// `..name`, or `..*` without a name.
    Scan(Option<Box<str>>),
    /// `..['a','b']`.
    Scans(Vec<Box<str>>),
    /// `[?(…)]`.
    Filter(Filter),
    /// `..[?(…)]`.
    ScanFilter(Filter),
    /// An index that is no 32-bit number: known when parsed, an error when evaluated.
    BadIndex,
    /// `$` inside a filter.
    Root,
}

impl Step {
    fn is_rooted(&self) -> bool {
        match self {
            Self::Root => true,
            Self::Filter(filter) | Self::ScanFilter(filter) => filter.is_rooted(),
            _ => false,
        }
    }
}

impl Filter {
    fn is_rooted(&self) -> bool {
        let side = |it: &Side| match it {
            Side::Path(steps) => steps.iter().any(Step::is_rooted),
            Side::Value(_) | Side::Pattern(_) => false,
        };
        match self {
            Self::All(members) | Self::Any(members) => members.iter().any(Self::is_rooted),
            Self::Exists(it) => side(it),
            Self::Compare(left, _, right) => side(left) || side(right),
        }
    }
}

#[derive(Debug, Clone)]
enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Exists(Side),
    Compare(Side, Operator, Side),
}

#[derive(Debug, Clone)]
enum Side {
    Path(Vec<Step>),
    Value(Token),
    Pattern(Pattern),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    StrictEqual,
    NotEqual,
    StrictNotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Match,
}

/// A regular expression literal; one that does not compile is an error only when it is used.
#[derive(Clone)]
struct Pattern {
    literal: Box<str>,
    regex: Option<fancy_regex::Regex>,
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.literal)
    }
}

#[cfg(test)]
mod tests;
