//! JMESPath as existing mapping files use it: the standard grammar and functions, eight functions
//! of the mapping language, and the type rules of the library those files were written for.

mod eval;
mod functions;
mod parse;

use crate::token::Token;

pub use eval::{Found, JmesError};
use functions::Function;
pub use functions::FunctionError;

/// A JMESPath expression, compiled once.
#[derive(Debug, Clone)]
pub struct JmesPath {
    root: Node,
}

/// Why an expression is not JMESPath, and at which character (from 1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at character {column}")]
pub struct JmesSyntaxError {
    /// What was wrong.
    pub reason: String,
    /// Character of the expression, from 1.
    pub column: usize,
}

impl JmesPath {
    /// Compiles an expression; unknown functions and wrong numbers of arguments are found here.
    ///
    /// # Errors
    /// When the expression does not compile.
    pub fn parse(text: &str) -> Result<Self, JmesSyntaxError> {
        parse::parse(text).map(|root| Self { root })
    }
}

#[derive(Debug, Clone)]
enum Node {
    Field(Box<str>),
    Current,
    Literal(Token),
    Index(i64),
    /// The right side on what the left side gives.
    Then(Box<Node>, Box<Node>),
    /// The same, ending a projection.
    Pipe(Box<Node>, Box<Node>),
    /// The right side on every element the left side gives.
    Project(Box<Node>, Elements, Box<Node>),
    Or(Box<Node>, Box<Node>),
    And(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Compare(Box<Node>, Comparator, Box<Node>),
    List(Vec<Node>),
    Hash(Vec<(Box<str>, Node)>),
    Call(Function, Vec<Node>),
    /// `&expression`, an argument of some functions.
    Reference(Box<Node>),
}

/// Which elements a projection goes over.
#[derive(Debug, Clone)]
enum Elements {
    /// `[*]`
    Items,
    /// `*`
    Values,
    /// `[]`
    Flattened,
    /// `[a:b:c]`
    Slice([Option<i64>; 3]),
    /// `[?condition]`
    Where(Box<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[cfg(test)]
mod tests;
