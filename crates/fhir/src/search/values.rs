//! Values of search parameters: tokens, dates with prefixes, references, quantities.

use rust_decimal::Decimal;

use crate::coding::push_part;
use crate::{DateRange, TokenKind};

/// How a value compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// Inside the range of the value; what no prefix means.
    Eq,
    /// Not inside it.
    Ne,
    /// Begins below it.
    Lt,
    /// Ends above it.
    Gt,
    /// Below or inside.
    Le,
    /// Above or inside.
    Ge,
    /// Begins behind its end.
    Sa,
    /// Ends before its beginning.
    Eb,
}

impl Prefix {
    fn split(text: &str) -> (Self, &str) {
        let all = [
            ("eq", Self::Eq),
            ("ne", Self::Ne),
            ("lt", Self::Lt),
            ("gt", Self::Gt),
            ("le", Self::Le),
            ("ge", Self::Ge),
            ("sa", Self::Sa),
            ("eb", Self::Eb),
        ];
        all.into_iter()
            .find_map(|(name, it)| text.strip_prefix(name).map(|rest| (it, rest)))
            .unwrap_or((Self::Eq, text))
    }
}

/// A date or time to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTest {
    /// How.
    pub prefix: Prefix,
    /// With what.
    pub range: DateRange,
}

impl DateTest {
    /// Reads `ge2026-11-20`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, date) = Prefix::split(text);
        Some(Self { prefix, range: DateRange::parse(date)? })
    }
}

/// A code to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// `None`: any system. Empty: only codes without one.
    pub system: Option<String>,
    /// `None`: any code of the system.
    pub code: Option<String>,
}

impl Token {
    /// Reads `code`, `system|code`, `|code` or `system|`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = split_escaped(text, '|').into_iter();
        let token = match (parts.next(), parts.next(), parts.next()) {
            (Some(code), None, None) => Self { system: None, code: Some(code) },
            (Some(system), Some(code), None) => {
                Self { system: Some(system), code: Some(code).filter(|it| !it.is_empty()) }
            }
            _ => return None,
        };
        let says = |it: &Option<String>| it.as_ref().is_some_and(|it| !it.is_empty());
        (says(&token.system) || says(&token.code)).then_some(token)
    }
}

impl Token {
    /// What to look for in the tokens that [`crate::search_tokens`] makes.
    #[must_use]
    pub fn needle(&self, kind: TokenKind) -> String {
        let mut needle = String::with_capacity(48);
        if let Some(system) = &self.system {
            needle.push(' ');
            push_part(&mut needle, system);
        }
        needle.push(kind.separator());
        if let Some(code) = &self.code {
            push_part(&mut needle, code);
            needle.push(' ');
        }
        needle
    }
}

/// A resource to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceTest {
    /// `None`: any type the parameter allows.
    pub kind: Option<String>,
    /// Logical id.
    pub id: String,
}

impl ReferenceTest {
    /// Reads `id`, `Type/id`, or an absolute URL that ends in `Type/id`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.rsplit('/');
        let id = parts.next().filter(|it| !it.is_empty())?;
        let kind = parts.next().map(str::to_owned);
        if kind.as_ref().is_some_and(String::is_empty) {
            return None;
        }
        Some(Self { kind, id: id.to_owned() })
    }
}

/// A quantity to compare with.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantityTest {
    /// How.
    pub prefix: Prefix,
    /// Lower end of what the number covers: `5.4` covers `[5.35, 5.45)`.
    pub low: f64,
    /// Upper end of what the number covers.
    pub high: f64,
    /// The number itself.
    pub number: f64,
    /// Unit system, when named.
    pub system: Option<String>,
    /// Unit code or text, when named.
    pub unit: Option<String>,
}

impl QuantityTest {
    /// Reads `gt5.4`, `5.4||mg` or `5.4|http://unitsofmeasure.org|mg`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        use rust_decimal::prelude::ToPrimitive;
        let mut parts = split_escaped(text, '|').into_iter();
        let first = parts.next()?;
        let (prefix, digits) = Prefix::split(&first);
        let number: Decimal = digits.parse().ok()?;
        // Half a unit of the last digit given, as FHIR reads precision.
        let half = Decimal::new(5, number.scale().checked_add(1).filter(|it| *it <= 28)?);
        let named = |it: Option<String>| it.filter(|it| !it.is_empty());
        let (system, unit) = (named(parts.next()), named(parts.next()));
        if parts.next().is_some() {
            return None;
        }
        Some(Self {
            prefix,
            low: number.checked_sub(half)?.to_f64()?,
            high: number.checked_add(half)?.to_f64()?,
            number: number.to_f64()?,
            system,
            unit,
        })
    }
}

/// Splits at a separator that no backslash stands before, and takes those backslashes out. Values are
/// split at `,` first, then at `$`, then at `|`, which also makes one of two backslashes.
#[must_use]
pub fn split_escaped(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        let Some(last) = parts.last_mut() else { break };
        match letter {
            '\\' => match letters.next() {
                Some(next) if next == separator || (next == '\\' && separator == '|') => {
                    last.push(next)
                }
                // Escapes of other separators are for the next split.
                Some(next) => last.extend(['\\', next]),
                None => last.push('\\'),
            },
            it if it == separator => parts.push(String::new()),
            it => last.push(it),
        }
    }
    parts
}
