//! One row of a table of cases: what it gives, what it expects.

use std::cell::RefCell;
use std::collections::BTreeSet;

use csv::StringRecord;
use rust_decimal::Decimal;

use crate::bands::rounded;

/// Numbers beyond this are refused: nothing measured in a patient comes near, and no sum overflows.
const NUMBER_MAX: i64 = 1_000_000_000;

/// Why a row could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{column}: {reason}")]
pub struct CaseError {
    /// The column at fault.
    pub column: String,
    /// Why.
    pub reason: String,
}

fn error(column: &str, reason: &str) -> CaseError {
    CaseError { column: column.to_owned(), reason: reason.to_owned() }
}

/// One row. Columns that a rule reads are inputs; all others are expected results.
pub struct Case<'a> {
    headers: &'a StringRecord,
    row: &'a StringRecord,
    read: RefCell<BTreeSet<String>>,
}

impl<'a> Case<'a> {
    pub(super) fn new(headers: &'a StringRecord, row: &'a StringRecord) -> Self {
        Self { headers, row, read: RefCell::default() }
    }

    /// The cell of a column, trimmed; empty when the column is not there or its cell is.
    pub fn text(&self, column: &str) -> &'a str {
        self.read.borrow_mut().insert(column.to_owned());
        let place = self.headers.iter().position(|it| it.trim() == column);
        place.and_then(|it| self.row.get(it)).unwrap_or_default().trim()
    }

    /// A number, or nothing in an empty cell.
    pub fn number(&self, column: &str) -> Result<Option<Decimal>, CaseError> {
        let text = self.text(column);
        if text.is_empty() { Ok(None) } else { parse(column, text).map(Some) }
    }

    /// A number that must be there.
    pub fn need(&self, column: &str) -> Result<Decimal, CaseError> {
        self.number(column)?.ok_or_else(|| error(column, "a number is needed"))
    }

    /// A whole number that must be there.
    pub fn whole<T: TryFrom<i64>>(&self, column: &str) -> Result<T, CaseError> {
        whole(column, self.text(column))
    }

    /// 0 or 1.
    pub fn flag(&self, column: &str) -> Result<bool, CaseError> {
        match self.text(column) {
            "0" => Ok(false),
            "1" => Ok(true),
            _ => Err(error(column, "0 or 1 is needed")),
        }
    }

    /// What stands between separators, empty parts included; nothing in an empty cell.
    pub fn parts(&self, column: &str, separator: char) -> Vec<&'a str> {
        let text = self.text(column);
        if text.is_empty() { Vec::new() } else { text.split(separator).map(str::trim).collect() }
    }

    /// Numbers between spaces.
    pub fn numbers(&self, column: &str) -> Result<Vec<Decimal>, CaseError> {
        self.text(column).split_whitespace().map(|it| parse(column, it)).collect()
    }

    /// One of a closed list of words.
    pub fn one_of<T: Copy>(&self, column: &str, known: &[(&str, T)]) -> Result<T, CaseError> {
        let text = self.text(column);
        let found = known.iter().find(|(name, _)| *name == text).map(|(_, it)| *it);
        found.ok_or_else(|| error(column, "not a word of this column"))
    }

    /// Expected columns: what no input read, but for the id.
    pub(super) fn expected(&self) -> Vec<(&'a str, &'a str)> {
        let read = self.read.borrow();
        let cells = self.headers.iter().map(str::trim).zip(self.row.iter().map(str::trim));
        cells.filter(|(column, _)| *column != "id" && !read.contains(*column)).collect()
    }
}

/// `a<separator>b` as two whole numbers.
pub fn pair(column: &str, text: &str, separator: char) -> Result<(i64, i64), CaseError> {
    let (one, two) =
        text.split_once(separator).ok_or_else(|| error(column, "two numbers are needed"))?;
    Ok((whole(column, one)?, whole(column, two)?))
}

/// A whole number.
pub fn whole<T: TryFrom<i64>>(column: &str, text: &str) -> Result<T, CaseError> {
    let number = parse(column, text)?;
    let whole = number.is_integer().then(|| i64::try_from(number).ok()).flatten();
    let whole = whole.and_then(|it| T::try_from(it).ok());
    whole.ok_or_else(|| error(column, "a whole number is needed"))
}

/// A number.
pub fn parse(column: &str, text: &str) -> Result<Decimal, CaseError> {
    let number: Decimal = text.trim().parse().map_err(|_| error(column, "not a number"))?;
    if number.abs() > Decimal::from(NUMBER_MAX) {
        return Err(error(column, "the number is too large"));
    }
    Ok(number)
}

/// One result of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Empty cell.
    Nothing,
    /// Compared after rounding to the decimals that are printed.
    Number(Decimal),
    /// 1 or 0.
    Flag(bool),
    /// Compared as it is.
    Text(String),
    /// Numbers between spaces, in order.
    Numbers(Vec<Decimal>),
    /// 1 and 0 between spaces, in order.
    Flags(Vec<bool>),
    /// Codes between semicolons, in any order.
    Set(Vec<&'static str>),
}

impl Found {
    pub(super) fn agrees(&self, expected: &str) -> bool {
        match self {
            Self::Nothing => expected.is_empty(),
            Self::Number(number) => same(expected, *number),
            Self::Flag(flag) => expected == digit(*flag),
            Self::Text(text) => expected == text,
            Self::Numbers(numbers) => {
                let cells: Vec<&str> = expected.split_whitespace().collect();
                cells.len() == numbers.len()
                    && cells.iter().zip(numbers).all(|(cell, number)| same(cell, *number))
            }
            Self::Flags(flags) => {
                let cells: Vec<&str> = expected.split_whitespace().collect();
                cells.len() == flags.len()
                    && cells.iter().zip(flags).all(|(cell, flag)| *cell == digit(*flag))
            }
            Self::Set(codes) => {
                let cells: BTreeSet<&str> =
                    expected.split(';').map(str::trim).filter(|it| !it.is_empty()).collect();
                cells == codes.iter().copied().collect()
            }
        }
    }

    pub(super) fn show(&self) -> String {
        let join = |parts: Vec<String>, by: &str| parts.join(by);
        match self {
            Self::Nothing => String::new(),
            Self::Number(number) => number.round_dp(6).normalize().to_string(),
            Self::Flag(flag) => digit(*flag).to_owned(),
            Self::Text(text) => text.clone(),
            Self::Numbers(numbers) => {
                join(numbers.iter().map(|it| it.round_dp(6).normalize().to_string()).collect(), " ")
            }
            Self::Flags(flags) => join(flags.iter().map(|it| digit(*it).to_owned()).collect(), " "),
            Self::Set(codes) => codes.join(";"),
        }
    }
}

const fn digit(flag: bool) -> &'static str {
    if flag { "1" } else { "0" }
}

fn same(expected: &str, number: Decimal) -> bool {
    expected.parse::<Decimal>().is_ok_and(|it| it == rounded(number, it.scale()))
}

impl From<bool> for Found {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<u32> for Found {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<i64> for Found {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

impl From<Decimal> for Found {
    fn from(number: Decimal) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Found {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Found {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Self>> From<Option<T>> for Found {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}
