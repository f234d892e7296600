//! The grammar of the JSONPath dialect.

use super::{Filter, Operator, PathSyntaxError, Pattern, Side, Step};
use crate::token::Token;

/// Deepest nesting of filters in filters; real expressions have one.
const FILTERS_NESTED_MAX: usize = 16;
/// Most steps in one path and conditions in one filter; real expressions have a handful.
const PARTS_MAX: usize = 64;
/// Steps a pattern may take on one text before it is given up, so that no pattern hangs a worker.
const REGEX_BACKTRACK_MAX: usize = 100_000;

pub(super) fn parse(text: &str) -> Result<Vec<Step>, PathSyntaxError> {
    let mut parser = Parser { chars: text.chars().collect(), at: 0, nested: 0 };
    let mut steps = Vec::new();
    let mut start = 0;
    parser.skip_space();
    if parser.at == parser.chars.len() {
        return Ok(steps);
    }
    if parser.peek() == Some('$') {
        if parser.chars.len() == 1 {
            return Ok(steps);
        }
        // `$a` is a name that begins with a dollar.
        if matches!(parser.chars.get(parser.at + 1), Some('.' | '[')) {
            parser.at += 1;
            start = parser.at;
        }
    }
    if !parser.path(&mut steps, start, false)? {
        parser.skip_space();
        if parser.at < parser.chars.len() {
            return Err(parser.unexpected());
        }
    }
    Ok(steps)
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    nested: usize,
}

type Parsed<T> = Result<T, PathSyntaxError>;

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn error(&self, reason: impl Into<String>) -> PathSyntaxError {
        PathSyntaxError { reason: reason.into(), column: self.at + 1 }
    }

    fn unexpected(&self) -> PathSyntaxError {
        match self.peek() {
            Some(found) => self.error(format!("unexpected character '{found}'")),
            None => self.error("unexpected end"),
        }
    }

    fn skip_space(&mut self) {
        while self.peek() == Some(' ') {
            self.at += 1;
        }
    }

    fn need(&self, what: &str) -> Parsed<char> {
        self.peek().ok_or_else(|| self.error(format!("{what} is not closed")))
    }

    fn take(&mut self, word: &str) -> bool {
        let found =
            word.chars().enumerate().all(|(i, it)| self.chars.get(self.at + i) == Some(&it));
        if found {
            self.at += word.chars().count();
        }
        found
    }

    fn slice(&self, from: usize, to: usize) -> String {
        self.chars.get(from..to).unwrap_or_default().iter().collect()
    }

    fn field(&self, from: usize, scan: bool) -> Step {
        let name = self.slice(from, self.at);
        // Space before an operator or the end does not belong to the name.
        let name = name.trim_end();
        let name = (name != "*").then(|| name.into());
        if scan { Step::Scan(name) } else { Step::Field(name) }
    }

    /// Reads steps; true when the path ends with the text.
    fn path(&mut self, steps: &mut Vec<Step>, mut start: usize, query: bool) -> Parsed<bool> {
        let (mut scan, mut after_indexer, mut after_dot) = (false, false, false);
        while let Some(found) = self.peek() {
            if steps.len() > PARTS_MAX {
                return Err(self.error("the path has too many steps"));
            }
            match found {
                '[' | '(' => {
                    if self.at > start {
                        steps.push(self.field(start, scan));
                        scan = false;
                    }
                    let step = self.indexer(found, scan)?;
                    steps.push(step);
                    scan = false;
                    self.at += 1;
                    start = self.at;
                    after_indexer = true;
                    after_dot = false;
                }
                ']' | ')' | ' ' => break,
                '.' => {
                    if self.at > start {
                        steps.push(self.field(start, scan));
                        scan = false;
                    }
                    if self.chars.get(self.at + 1) == Some(&'.') {
                        scan = true;
                        self.at += 1;
                    }
                    self.at += 1;
                    start = self.at;
                    after_indexer = false;
                    after_dot = true;
                }
                '=' | '<' | '!' | '>' | '|' | '&' if query => break,
                _ if after_indexer => return Err(self.unexpected()),
                _ => self.at += 1,
            }
        }
        let at_end = self.at == self.chars.len();
        if self.at > start {
            steps.push(self.field(start, scan));
        } else if after_dot && (at_end || query) {
            return Err(self.error("a name should follow '.'"));
        }
        Ok(at_end)
    }

    fn indexer(&mut self, open: char, scan: bool) -> Parsed<Step> {
        self.at += 1;
        let close = if open == '[' { ']' } else { ')' };
        self.need("the bracket")?;
        self.skip_space();
        match self.peek() {
            Some('\'') => self.quoted_fields(close, scan),
            Some('?') => self.query(close, scan),
            _ => self.array_indexer(close),
        }
    }

    fn array_indexer(&mut self, close: char) -> Parsed<Step> {
        let mut start = self.at;
        let mut end = None;
        let mut indexes: Option<Vec<i32>> = None;
        let mut bounds: [Option<i32>; 3] = [None; 3];
        let mut colons = 0_usize;
        let mut bad = false;
        while let Some(found) = self.peek() {
            let stop = end.unwrap_or(self.at);
            match found {
                ' ' => {
                    end = Some(self.at);
                    self.skip_space();
                }
                _ if found == close => {
                    let number = self.index(start, stop, &mut bad);
                    if colons == 0 && stop == start {
                        return Err(self.error("an index should stand here"));
                    }
                    if bad {
                        return Ok(Step::BadIndex);
                    }
                    if let Some(mut indexes) = indexes {
                        indexes.extend(number);
                        return Ok(Step::Indexes(indexes));
                    }
                    if colons == 0 {
                        return Ok(Step::Index(number));
                    }
                    if let (true, Some(bound)) = (stop > start, bounds.get_mut(colons.min(2))) {
                        *bound = number;
                    }
                    let [start, end, step] = bounds;
                    return Ok(Step::Slice { start, end, step });
                }
                ',' => {
                    if stop == start {
                        return Err(self.error("an index should stand here"));
                    }
                    let number = self.index(start, stop, &mut bad);
                    indexes.get_or_insert_default().extend(number);
                    self.at += 1;
                    self.skip_space();
                    start = self.at;
                    end = None;
                }
                '*' => {
                    self.at += 1;
                    self.need("the bracket")?;
                    self.skip_space();
                    if self.peek() != Some(close) {
                        return Err(self.unexpected());
                    }
                    return Ok(Step::Index(None));
                }
                ':' => {
                    if stop > start {
                        let number = self.index(start, stop, &mut bad);
                        if let Some(bound) = bounds.get_mut(colons.min(2)) {
                            *bound = number;
                        }
                    }
                    colons += 1;
                    self.at += 1;
                    self.skip_space();
                    start = self.at;
                    end = None;
                }
                _ if (found.is_ascii_digit() || found == '-') && end.is_none() => self.at += 1,
                _ => return Err(self.unexpected()),
            }
        }
        Err(self.error("the bracket is not closed"))
    }

    fn index(&self, start: usize, stop: usize, bad: &mut bool) -> Option<i32> {
        if start == stop {
            return None;
        }
        let number = self.slice(start, stop).parse().ok();
        *bad |= number.is_none();
        number
    }

    fn quoted_fields(&mut self, close: char, scan: bool) -> Parsed<Step> {
        let mut names: Vec<Box<str>> = Vec::new();
        while self.at < self.chars.len() {
            names.push(self.quoted()?.into());
            self.skip_space();
            let found = self.need("the bracket")?;
            if found == close {
                let single = names.len() == 1;
                return Ok(match (names.pop(), single, scan) {
                    (name, true, true) => Step::Scan(name),
                    (name, true, false) => Step::Field(name),
                    (last, false, scan) => {
                        names.extend(last);
                        if scan { Step::Scans(names) } else { Step::Fields(names) }
                    }
                });
            }
            if found != ',' {
                return Err(self.unexpected());
            }
            self.at += 1;
            self.skip_space();
        }
        Err(self.error("the bracket is not closed"))
    }

    fn quoted(&mut self) -> Parsed<String> {
        self.at += 1;
        let mut text = String::new();
        while let Some(found) = self.peek() {
            self.at += 1;
            match found {
                '\'' => return Ok(text),
                '\\' if self.at < self.chars.len() => {
                    text.push(match self.peek() {
                        Some('b') => '\u{8}',
                        Some('t') => '\t',
                        Some('n') => '\n',
                        Some('f') => '\u{c}',
                        Some('r') => '\r',
                        Some(it @ ('\\' | '"' | '\'' | '/')) => it,
                        _ => return Err(self.error("unknown escape in a text")),
                    });
                    self.at += 1;
                }
                _ => text.push(found),
            }
        }
        Err(self.error("a text that does not end"))
    }

    fn query(&mut self, close: char, scan: bool) -> Parsed<Step> {
        self.at += 1;
        if self.need("the bracket")? != '(' {
            return Err(self.unexpected());
        }
        self.nested += 1;
        if self.nested > FILTERS_NESTED_MAX {
            return Err(self.error("filters are nested too deeply"));
        }
        self.at += 1;
        let filter = self.expression()?;
        self.nested -= 1;
        self.at += 1;
        self.need("the bracket")?;
        self.skip_space();
        if self.peek() != Some(close) {
            return Err(self.unexpected());
        }
        Ok(if scan { Step::ScanFilter(filter) } else { Step::Filter(filter) })
    }

    /// Reads conditions joined by `&&` and `||`. There is no precedence: each change of operator
    /// opens a group that reaches to the end.
    fn expression(&mut self) -> Parsed<Filter> {
        let mut conditions: Vec<(Filter, Option<bool>)> = Vec::new();
        while self.at < self.chars.len() {
            if conditions.len() > PARTS_MAX {
                return Err(self.error("the filter has too many conditions"));
            }
            let left = self.side()?;
            let condition = match self.need("the filter")? {
                ')' | '|' | '&' => Filter::Exists(left),
                _ => {
                    let operator = self.operator()?;
                    let right = self.side()?;
                    Filter::Compare(left, operator, right)
                }
            };
            match self.need("the filter")? {
                ')' => {
                    conditions.push((condition, None));
                    return Ok(grouped(conditions));
                }
                '&' if self.take("&&") => conditions.push((condition, Some(true))),
                '|' if self.take("||") => conditions.push((condition, Some(false))),
                _ => return Err(self.unexpected()),
            }
        }
        Err(self.error("the filter is not closed"))
    }

    fn side(&mut self) -> Parsed<Side> {
        self.skip_space();
        let side = match self.need("the filter")? {
            start @ ('$' | '@') => {
                let mut steps = if start == '$' { vec![Step::Root] } else { Vec::new() };
                self.at += 1;
                let from = self.at;
                if self.path(&mut steps, from, true)? {
                    return Err(self.error("the filter is not closed"));
                }
                Side::Path(steps)
            }
            '\'' => Side::Value(Token::Text(self.quoted()?.into())),
            '/' => Side::Pattern(self.pattern()?),
            it if it.is_ascii_digit() || it == '-' => Side::Value(self.number()?),
            't' if self.take("true") => Side::Value(Token::Bool(true)),
            'f' if self.take("false") => Side::Value(Token::Bool(false)),
            'n' if self.take("null") => Side::Value(Token::Null),
            _ => return Err(self.unexpected()),
        };
        self.skip_space();
        self.need("the filter")?;
        Ok(side)
    }

    fn number(&mut self) -> Parsed<Token> {
        let start = self.at;
        while self.peek().is_some_and(|it| it != ' ' && it != ')') {
            self.at += 1;
        }
        self.need("the filter")?;
        let text = self.slice(start, self.at);
        let token = if text.contains(['.', 'e', 'E']) {
            text.replace(',', "").parse().ok().map(Token::Float)
        } else {
            text.parse().ok().map(Token::Int)
        };
        token.ok_or_else(|| PathSyntaxError {
            reason: "not a number; a space should follow a number".into(),
            column: start + 1,
        })
    }

    fn pattern(&mut self) -> Parsed<Pattern> {
        let start = self.at;
        self.at += 1;
        while let Some(found) = self.peek() {
            match found {
                '\\' if self.at + 1 < self.chars.len() => self.at += 2,
                '/' => {
                    let end = self.at;
                    self.at += 1;
                    while self.peek().is_some_and(char::is_alphabetic) {
                        self.at += 1;
                    }
                    let body = self.slice(start + 1, end);
                    let flags: String = self
                        .slice(end + 1, self.at)
                        .chars()
                        .filter(|it| matches!(it, 'i' | 'm' | 's' | 'x'))
                        .collect();
                    let whole = if flags.is_empty() { body } else { format!("(?{flags}){body}") };
                    let regex = fancy_regex::RegexBuilder::new(&whole)
                        .backtrack_limit(REGEX_BACKTRACK_MAX)
                        .build()
                        .ok();
                    return Ok(Pattern { literal: self.slice(start, self.at).into(), regex });
                }
                _ => self.at += 1,
            }
        }
        Err(self.error("a pattern that does not end"))
    }

    fn operator(&mut self) -> Parsed<Operator> {
        const OPERATORS: [(&str, Operator); 10] = [
            ("===", Operator::StrictEqual),
            ("==", Operator::Equal),
            ("=~", Operator::Match),
            ("!==", Operator::StrictNotEqual),
            ("!=", Operator::NotEqual),
            ("<>", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            ("<", Operator::Less),
            (">=", Operator::GreaterOrEqual),
            (">", Operator::Greater),
        ];
        for (text, operator) in OPERATORS {
            if self.take(text) {
                return Ok(operator);
            }
        }
        Err(self.error("an operator should stand here"))
    }
}

/// Groups from the right: each run of the same operator is one group, and the next run is its last
/// member. The flag of a condition is the operator that follows it, true for `&&`.
fn grouped(conditions: Vec<(Filter, Option<bool>)>) -> Filter {
    let mut rest: Option<(Filter, bool)> = None;
    let mut last = None;
    for (condition, operator) in conditions.into_iter().rev() {
        let Some(and) = operator else {
            last = Some(condition);
            continue;
        };
        let tail = match (rest.take(), last.take()) {
            (Some((Filter::All(mut members), true)), _) if and => {
                members.insert(0, condition);
                Filter::All(members)
            }
            (Some((Filter::Any(mut members), false)), _) if !and => {
                members.insert(0, condition);
                Filter::Any(members)
            }
            (Some((group, _)), _) => {
                if and {
                    Filter::All(vec![condition, group])
                } else {
                    Filter::Any(vec![condition, group])
                }
            }
            (None, last) => {
                let members = std::iter::once(condition).chain(last).collect();
                if and { Filter::All(members) } else { Filter::Any(members) }
            }
        };
        rest = Some((tail, and));
    }
    match (rest, last) {
        (Some((group, _)), _) => group,
        (None, Some(only)) => only,
        (None, None) => Filter::All(Vec::new()),
    }
}
