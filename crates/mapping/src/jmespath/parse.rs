//! The grammar of JMESPath: a lexer and a parser by binding power.

use super::functions::Function;
use super::{Comparator, Elements, JmesSyntaxError, Node};
use crate::json;
use crate::token::Token;

/// Deepest nesting of an expression; real ones have a handful of levels.
const NESTED_MAX: usize = 48;
/// Longest expression in symbols; bounds the depth of chains such as `a.b.c`.
const SYMBOLS_MAX: usize = 1_000;
/// Longest chain of steps, which the evaluation follows by recursion.
const CHAIN_MAX: usize = 100;
/// Binding power below which a projection stops taking steps.
const PROJECTION_STOP: u8 = 10;

#[derive(Debug, Clone, PartialEq)]
enum Symbol {
    Name(String),
    Quoted(String),
    Literal(Token),
    Number(i64),
    Dot,
    Star,
    Flatten,
    Filter,
    OpenBracket,
    CloseBracket,
    OpenBrace,
    CloseBrace,
    Open,
    Close,
    Comma,
    Colon,
    Pipe,
    Or,
    And,
    Not,
    Current,
    Reference,
    Compare(Comparator),
}

impl Symbol {
    const fn power(&self) -> u8 {
        match self {
            Self::Pipe => 1,
            Self::Or => 2,
            Self::And => 3,
            Self::Compare(_) => 5,
            Self::Flatten => 9,
            Self::Star => 20,
            Self::Filter => 21,
            Self::Dot => 40,
            Self::Not => 45,
            Self::OpenBrace => 50,
            Self::OpenBracket => 55,
            Self::Open => 60,
            _ => 0,
        }
    }
}

type Parsed<T> = Result<T, JmesSyntaxError>;

pub(super) fn parse(text: &str) -> Parsed<Node> {
    let symbols = Lexer { chars: text.chars().collect(), at: 0 }.symbols()?;
    let end = text.chars().count() + 1;
    if symbols.is_empty() {
        return Err(JmesSyntaxError { reason: "the expression is empty".into(), column: 1 });
    }
    if symbols.len() > SYMBOLS_MAX {
        return Err(JmesSyntaxError { reason: "the expression is too long".into(), column: 1 });
    }
    let mut parser = Parser { symbols, at: 0, end, nested: 0 };
    let node = parser.expression(0)?;
    if parser.at < parser.symbols.len() {
        return Err(parser.unexpected());
    }
    Ok(node)
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
}

impl Lexer {
    fn error(&self, reason: impl Into<String>) -> JmesSyntaxError {
        JmesSyntaxError { reason: reason.into(), column: self.at + 1 }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn either(&mut self, second: char, both: Symbol, one: Symbol) -> Symbol {
        if self.chars.get(self.at + 1) == Some(&second) {
            self.at += 2;
            both
        } else {
            self.at += 1;
            one
        }
    }

    fn symbols(mut self) -> Parsed<Vec<(usize, Symbol)>> {
        let mut symbols = Vec::new();
        while let Some(found) = self.peek() {
            if found.is_whitespace() {
                self.at += 1;
                continue;
            }
            let start = self.at + 1;
            let symbol = self.symbol(found)?;
            symbols.push((start, symbol));
        }
        Ok(symbols)
    }

    fn symbol(&mut self, found: char) -> Parsed<Symbol> {
        use Comparator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        let single = match found {
            '.' => Some(Symbol::Dot),
            '*' => Some(Symbol::Star),
            ']' => Some(Symbol::CloseBracket),
            '{' => Some(Symbol::OpenBrace),
            '}' => Some(Symbol::CloseBrace),
            '(' => Some(Symbol::Open),
            ')' => Some(Symbol::Close),
            ',' => Some(Symbol::Comma),
            ':' => Some(Symbol::Colon),
            '@' => Some(Symbol::Current),
            _ => None,
        };
        if let Some(symbol) = single {
            self.at += 1;
            return Ok(symbol);
        }
        match found {
            '|' => Ok(self.either('|', Symbol::Or, Symbol::Pipe)),
            '&' => Ok(self.either('&', Symbol::And, Symbol::Reference)),
            '!' => Ok(self.either('=', Symbol::Compare(NotEqual), Symbol::Not)),
            '<' => Ok(self.either('=', Symbol::Compare(LessOrEqual), Symbol::Compare(Less))),
            '>' => Ok(self.either('=', Symbol::Compare(GreaterOrEqual), Symbol::Compare(Greater))),
            '=' if self.chars.get(self.at + 1) == Some(&'=') => {
                self.at += 2;
                Ok(Symbol::Compare(Equal))
            }
            '[' => match self.chars.get(self.at + 1) {
                Some(']') => {
                    self.at += 2;
                    Ok(Symbol::Flatten)
                }
                Some('?') => {
                    self.at += 2;
                    Ok(Symbol::Filter)
                }
                _ => {
                    self.at += 1;
                    Ok(Symbol::OpenBracket)
                }
            },
            '\'' => self.raw().map(|it| Symbol::Literal(Token::Text(it.into()))),
            '"' => self.quoted().map(Symbol::Quoted),
            '`' => self.literal().map(Symbol::Literal),
            '-' if self.chars.get(self.at + 1).is_some_and(char::is_ascii_digit) => self.number(),
            _ if found.is_ascii_digit() => self.number(),
            _ if found.is_ascii_alphabetic() || found == '_' => {
                let start = self.at;
                while self.peek().is_some_and(|it| it.is_ascii_alphanumeric() || it == '_') {
                    self.at += 1;
                }
                Ok(Symbol::Name(self.slice(start)))
            }
            _ => Err(self.error(format!("unexpected character '{found}'"))),
        }
    }

    fn slice(&self, start: usize) -> String {
        self.chars.get(start..self.at).unwrap_or_default().iter().collect()
    }

    fn number(&mut self) -> Parsed<Symbol> {
        let start = self.at;
        self.at += 1;
        while self.peek().is_some_and(|it| it.is_ascii_digit()) {
            self.at += 1;
        }
        let number = self.slice(start).parse().map_err(|_| self.error("a number is too large"))?;
        Ok(Symbol::Number(number))
    }

    /// Everything up to the closing mark; a backslash keeps the next character from closing.
    fn enclosed(&mut self, mark: char) -> Parsed<String> {
        let start = self.at + 1;
        self.at = start;
        while let Some(found) = self.peek() {
            if found == mark {
                let text = self.slice(start);
                self.at += 1;
                return Ok(text);
            }
            self.at += if found == '\\' { 2 } else { 1 };
        }
        self.at = start - 1;
        Err(self.error(format!("{mark} is not closed")))
    }

    fn raw(&mut self) -> Parsed<String> {
        Ok(self.enclosed('\'')?.replace("\\'", "'"))
    }

    fn quoted(&mut self) -> Parsed<String> {
        let column = self.at + 1;
        let text = self.enclosed('"')?;
        // As a member name, so that no text becomes a date.
        let object = json::parse_first(&format!("{{\"{text}\":0}}"));
        match object {
            Ok(Some(Token::Object(object))) => {
                object.iter().next().map(|(name, _)| name.to_owned())
            }
            _ => None,
        }
        .ok_or_else(|| JmesSyntaxError { reason: "not a valid quoted name".into(), column })
    }

    fn literal(&mut self) -> Parsed<Token> {
        let column = self.at + 1;
        let text = self.enclosed('`')?.replace("\\`", "`");
        match json::parse_document(&text) {
            Ok(Some(document)) => Ok(document.root),
            _ => Err(JmesSyntaxError { reason: "the literal is not JSON".into(), column }),
        }
    }
}

struct Parser {
    symbols: Vec<(usize, Symbol)>,
    at: usize,
    end: usize,
    nested: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Symbol> {
        self.symbols.get(self.at).map(|(_, symbol)| symbol)
    }

    fn second(&self) -> Option<&Symbol> {
        self.symbols.get(self.at + 1).map(|(_, symbol)| symbol)
    }

    fn power(&self) -> u8 {
        self.peek().map_or(0, Symbol::power)
    }

    fn next(&mut self) -> Option<Symbol> {
        let symbol = self.peek().cloned();
        self.at += 1;
        symbol
    }

    fn error(&self, reason: impl Into<String>) -> JmesSyntaxError {
        let column = self.symbols.get(self.at).map_or(self.end, |(column, _)| *column);
        JmesSyntaxError { reason: reason.into(), column }
    }

    fn unexpected(&self) -> JmesSyntaxError {
        let name = match self.peek() {
            None => return self.error("the expression ends too early"),
            Some(Symbol::Name(name)) => format!("'{name}'"),
            Some(Symbol::Number(number)) => format!("number {number}"),
            Some(symbol) => format!("{symbol:?}").to_lowercase(),
        };
        self.error(format!("unexpected {name}"))
    }

    fn take(&mut self, symbol: &Symbol) -> Parsed<()> {
        if self.peek() == Some(symbol) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn expression(&mut self, power: u8) -> Parsed<Node> {
        self.nested += 1;
        if self.nested > NESTED_MAX {
            return Err(self.error("the expression is nested too deeply"));
        }
        let mut left = self.prefix()?;
        let mut chain = 0;
        while power < self.power() {
            chain += 1;
            if chain > CHAIN_MAX {
                return Err(self.error("the expression has too many steps"));
            }
            left = self.infix(left)?;
        }
        self.nested -= 1;
        Ok(left)
    }

    fn prefix(&mut self) -> Parsed<Node> {
        let Some(symbol) = self.next() else { return Err(self.unexpected()) };
        Ok(match symbol {
            Symbol::Literal(token) => Node::Literal(token),
            Symbol::Name(name) if self.peek() == Some(&Symbol::Open) => self.call(&name)?,
            Symbol::Name(name) => Node::Field(name.into()),
            Symbol::Quoted(_) if self.peek() == Some(&Symbol::Open) => {
                return Err(self.error("a quoted name cannot be a function"));
            }
            Symbol::Quoted(name) => Node::Field(name.into()),
            Symbol::Star => {
                let right = self.projected(Symbol::Star.power())?;
                Node::Project(Node::Current.into(), Elements::Values, right.into())
            }
            Symbol::Flatten => {
                let right = self.projected(Symbol::Flatten.power())?;
                Node::Project(Node::Current.into(), Elements::Flattened, right.into())
            }
            Symbol::Filter => self.filter(Node::Current)?,
            Symbol::OpenBrace => self.hash()?,
            Symbol::OpenBracket => match (self.peek(), self.second()) {
                (Some(Symbol::Number(_) | Symbol::Colon), _) => self.index(Node::Current)?,
                (Some(Symbol::Star), Some(Symbol::CloseBracket)) => {
                    self.at += 2;
                    let right = self.projected(Symbol::Star.power())?;
                    Node::Project(Node::Current.into(), Elements::Items, right.into())
                }
                _ => self.list()?,
            },
            Symbol::Current => Node::Current,
            Symbol::Reference => Node::Reference(self.expression(0)?.into()),
            Symbol::Not => Node::Not(self.expression(Symbol::Not.power())?.into()),
            Symbol::Open => {
                let inner = self.expression(0)?;
                self.take(&Symbol::Close)?;
                // A bracket ends a projection, as a pipe does.
                Node::Pipe(inner.into(), Node::Current.into())
            }
            _ => {
                self.at -= 1;
                return Err(self.unexpected());
            }
        })
    }

    fn infix(&mut self, left: Node) -> Parsed<Node> {
        let Some(symbol) = self.next() else { return Err(self.unexpected()) };
        let power = symbol.power();
        Ok(match symbol {
            Symbol::Dot if self.peek() == Some(&Symbol::Star) => {
                self.at += 1;
                let right = self.projected(Symbol::Star.power())?;
                Node::Project(left.into(), Elements::Values, right.into())
            }
            Symbol::Dot => Node::Then(left.into(), self.after_dot(power)?.into()),
            Symbol::Pipe => Node::Pipe(left.into(), self.expression(power)?.into()),
            Symbol::Or => Node::Or(left.into(), self.expression(power)?.into()),
            Symbol::And => Node::And(left.into(), self.expression(power)?.into()),
            Symbol::Compare(comparator) => {
                Node::Compare(left.into(), comparator, self.expression(power)?.into())
            }
            Symbol::Flatten => {
                let right = self.projected(power)?;
                Node::Project(left.into(), Elements::Flattened, right.into())
            }
            Symbol::Filter => self.filter(left)?,
            Symbol::OpenBracket => match self.peek() {
                Some(Symbol::Number(_) | Symbol::Colon) => self.index(left)?,
                Some(Symbol::Star) => {
                    self.at += 1;
                    self.take(&Symbol::CloseBracket)?;
                    let right = self.projected(Symbol::Star.power())?;
                    Node::Project(left.into(), Elements::Items, right.into())
                }
                _ => return Err(self.unexpected()),
            },
            _ => {
                self.at -= 1;
                return Err(self.unexpected());
            }
        })
    }

    fn after_dot(&mut self, power: u8) -> Parsed<Node> {
        match self.peek() {
            Some(Symbol::Name(_) | Symbol::Quoted(_) | Symbol::Star) => self.expression(power),
            Some(Symbol::OpenBracket) => {
                self.at += 1;
                self.list()
            }
            Some(Symbol::OpenBrace) => {
                self.at += 1;
                self.hash()
            }
            _ => Err(self.unexpected()),
        }
    }

    /// What a projection does with each element.
    fn projected(&mut self, power: u8) -> Parsed<Node> {
        match self.peek() {
            _ if self.power() < PROJECTION_STOP => Ok(Node::Current),
            Some(Symbol::OpenBracket | Symbol::Filter) => self.expression(power),
            Some(Symbol::Dot) => {
                self.at += 1;
                self.after_dot(power)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn filter(&mut self, left: Node) -> Parsed<Node> {
        let condition = self.expression(0)?;
        self.take(&Symbol::CloseBracket)?;
        let right = if self.peek() == Some(&Symbol::Flatten) {
            Node::Current
        } else {
            self.projected(Symbol::Filter.power())?
        };
        Ok(Node::Project(left.into(), Elements::Where(condition.into()), right.into()))
    }

    fn index(&mut self, left: Node) -> Parsed<Node> {
        let mut bounds = [None; 3];
        let mut colons = 0;
        loop {
            match self.next() {
                Some(Symbol::CloseBracket) => break,
                Some(Symbol::Colon) if colons < 2 => colons += 1,
                Some(Symbol::Number(number)) => match bounds.get_mut(colons) {
                    Some(bound @ None) => *bound = Some(number),
                    _ => return Err(self.error("unexpected number")),
                },
                _ => {
                    self.at -= 1;
                    return Err(self.unexpected());
                }
            }
        }
        if let ([Some(index), ..], 0) = (bounds, colons) {
            return Ok(Node::Then(left.into(), Node::Index(index).into()));
        }
        let right = self.projected(Symbol::Star.power())?;
        Ok(Node::Project(left.into(), Elements::Slice(bounds), right.into()))
    }

    fn list(&mut self) -> Parsed<Node> {
        let mut items = Vec::new();
        loop {
            items.push(self.expression(0)?);
            if self.peek() != Some(&Symbol::Comma) {
                break;
            }
            self.at += 1;
        }
        self.take(&Symbol::CloseBracket)?;
        Ok(Node::List(items))
    }

    fn hash(&mut self) -> Parsed<Node> {
        let mut members = Vec::new();
        loop {
            let name = match self.next() {
                Some(Symbol::Name(name) | Symbol::Quoted(name)) => name,
                _ => {
                    self.at -= 1;
                    return Err(self.unexpected());
                }
            };
            self.take(&Symbol::Colon)?;
            members.push((name.into(), self.expression(0)?));
            if self.peek() != Some(&Symbol::Comma) {
                break;
            }
            self.at += 1;
        }
        self.take(&Symbol::CloseBrace)?;
        Ok(Node::Hash(members))
    }

    fn call(&mut self, name: &str) -> Parsed<Node> {
        self.at -= 1;
        let Some(function) = Function::named(name) else {
            return Err(self.error(format!("there is no function '{name}'")));
        };
        self.at += 2;
        let mut arguments = Vec::new();
        while self.peek() != Some(&Symbol::Close) {
            arguments.push(self.expression(0)?);
            if self.peek() != Some(&Symbol::Comma) {
                break;
            }
            self.at += 1;
        }
        self.take(&Symbol::Close)?;
        let (least, most) = function.arguments();
        if arguments.len() < least || arguments.len() > most {
            let reason = format!("{name} takes {least} arguments, not {}", arguments.len());
            self.at -= 1;
            return Err(self.error(reason));
        }
        Ok(Node::Call(function, arguments))
    }
}
