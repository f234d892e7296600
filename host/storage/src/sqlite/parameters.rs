//! Parameters as SQLite numbers them, and functions whose value belongs to one connection.

use std::{fmt::Write as _, sync::Arc};

use super::{
    Error,
    statement::{Class, Statement},
    token::{Kind, Token},
};

/// SQLite's limit on parameters (`SQLITE_MAX_VARIABLE_NUMBER`).
const PARAMETERS_MAX: usize = 32_766;
/// The functions whose value belongs to a connection, which guests do not have to themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    LastInsertRowid,
    Changes,
    TotalChanges,
}

/// What was found on the way.
pub(super) struct Shift {
    pub repeatable: Option<String>,
    pub parameters: usize,
    pub own: Vec<(usize, usize, Own)>,
}

/// Copies the statement with its parameters numbered as SQLite would number them.
pub(super) fn rewrite(sql: &str, body: &[Token], class: &Class) -> Result<(String, Shift), Error> {
    let begin = body.first().map_or(0, |token| token.start);
    let end = body.last().map_or(0, |token| token.end);
    let mut text = String::with_capacity(end - begin + 8);
    let mut bare = String::with_capacity(end - begin + 8);
    let mut names: Vec<(&str, usize)> = Vec::new();
    let (mut highest, mut seen, mut in_order) = (0_usize, 0_usize, true);
    let mut own = Vec::new();
    let mut from = begin;
    let owns = matches!(class, Class::Read | Class::Write);
    for (at, token) in body.iter().enumerate() {
        let word = token.text(sql);
        if owns
            && token.kind == Kind::Word
            && let (Some(which), Some(close)) = (own_function(word), empty_call(body, at))
        {
            text.push_str(sql.get(from..token.start).unwrap_or_default());
            own.push((text.len(), text.len() + (close - token.start), which));
            text.push_str(sql.get(token.start..close).unwrap_or_default());
            from = close;
            in_order = false;
        }
        if token.kind != Kind::Variable {
            continue;
        }
        let number = match word.strip_prefix('?') {
            Some("") => highest + 1,
            Some(digits) => digits.parse().unwrap_or(0),
            None => match names.iter().find(|(name, _)| *name == word) {
                Some((_, number)) => *number,
                None => {
                    names.push((word, highest + 1));
                    highest + 1
                }
            },
        };
        if number == 0 || number > PARAMETERS_MAX {
            return Err(Error::Malformed(format!(
                "variable number must be between ?1 and ?{PARAMETERS_MAX}"
            )));
        }
        highest = highest.max(number);
        seen += 1;
        in_order &= number == seen;
        let before = sql.get(from..token.start).unwrap_or_default();
        text.push_str(before);
        bare.push_str(before);
        let _ = write!(text, "?{number}");
        bare.push('?');
        from = token.end;
    }
    let rest = sql.get(from..end).unwrap_or_default();
    text.push_str(rest);
    bare.push_str(rest);
    let repeatable = (in_order && highest == seen).then_some(bare);
    Ok((text, Shift { repeatable, parameters: highest, own }))
}

fn own_function(word: &str) -> Option<Own> {
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    if is("last_insert_rowid") {
        Some(Own::LastInsertRowid)
    } else if is("changes") {
        Some(Own::Changes)
    } else if is("total_changes") {
        Some(Own::TotalChanges)
    } else {
        None
    }
}

/// Where `( )` after the token at `at` ends.
fn empty_call(body: &[Token], at: usize) -> Option<usize> {
    let (open, close) = (body.get(at + 1)?, body.get(at + 2)?);
    (open.kind == Kind::Open && close.kind == Kind::Close).then_some(close.end)
}

impl Statement {
    /// The text with this connection's own values in place of [`Own`] calls.
    pub(super) fn with_own(&self, value: impl Fn(Own) -> i64) -> Arc<str> {
        let mut text = String::with_capacity(self.text.len() + 16);
        let mut from = 0;
        for &(start, end, own) in &self.own {
            text.push_str(self.text.get(from..start).unwrap_or_default());
            let _ = write!(text, "(+{})", value(own));
            from = end;
        }
        text.push_str(self.text.get(from..).unwrap_or_default());
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_as_sqlite_does() {
        let check = |sql: &str, text: &str, n: usize, bare: Option<&str>| {
            let found = Statement::parse(sql).unwrap();
            assert_eq!(
                (&*found.text, found.parameters, found.repeatable.as_deref()),
                (text, n, bare)
            );
        };
        check("select ?, ? -- ?", "select ?1, ?2", 2, Some("select ?, ?"));
        check("select :a, @b, :a", "select ?1, ?2, ?1", 2, None);
        check("select ?2, ?", "select ?2, ?3", 3, None);
        check("select '?'", "select '?'", 0, Some("select '?'"));
    }

    #[test]
    fn own_functions_take_the_connections_values() {
        let found = Statement::parse("select ?, last_insert_rowid ( ) + changes()").unwrap();
        assert_eq!(
            &*found.with_own(|own| if own == Own::Changes { 3 } else { -7 }),
            "select ?1, (+-7) + (+3)"
        );
        assert_eq!(found.repeatable, None);
    }
}
