//! Reads one SQL string far enough to know where it must run.

use std::sync::Arc;

use super::{
    Error,
    parameters::{Own, rewrite},
    pragma::{self, Pragma},
    token::{Kind, Token, tokens},
};

/// Longest SQL string. SQLite's own limit is 1 MB for what we would ever cache.
const SQL_BYTES_MAX: usize = 1 << 20;
/// Savepoints whose names begin so are the host's.
const RESERVED: &str = "auscult_host_";

/// What a statement does, as far as its place of execution depends on it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Class {
    /// Reads; any reader will do.
    Read,
    /// Writes only if something is absent or present: a reader answers where nothing is to do.
    ReadFirst,
    /// Changes rows.
    Write,
    /// Changes the schema.
    Schema,
    /// Rewrites the file; takes no part in any transaction.
    Vacuum,
    /// `BEGIN`; `true` if it locks at once.
    Begin(bool),
    Commit,
    Rollback,
    RollbackTo(String),
    Savepoint(String),
    Release(String),
    /// A pragma the host answers itself.
    Setting(Pragma),
}

/// One statement, read.
#[derive(Debug)]
pub(super) struct Statement {
    /// The statement alone, every parameter as `?N`.
    pub text: Arc<str>,
    /// The same with bare `?`, if parameters are used once each and in order: may be repeated.
    pub repeatable: Option<String>,
    pub class: Class,
    pub parameters: usize,
    /// An `INSERT`, `REPLACE` or `WITH … INSERT`.
    pub inserts: bool,
    /// Any `INSERT`, `UPDATE`, `DELETE`.
    pub changes_rows: bool,
    /// May return rows although it writes.
    pub returning: bool,
    /// Names `ROLLBACK` as a conflict clause: run where it can harm nobody else.
    pub may_roll_back: bool,
    /// Makes constraints that are checked at commit, or that roll back.
    pub checks_at_commit: bool,
    /// Calls to [`Own`] functions, as ranges of `text`.
    pub own: Vec<(usize, usize, Own)>,
}

impl Statement {
    /// Reads `sql`, which must hold exactly one statement.
    pub(super) fn parse(sql: &str) -> Result<Self, Error> {
        if sql.len() > SQL_BYTES_MAX {
            return Err(Error::Malformed(format!("SQL is longer than {SQL_BYTES_MAX} bytes")));
        }
        let all = tokens(sql);
        if all.iter().any(|token| token.kind == Kind::Bad) {
            return Err(Error::Malformed("unrecognized token in SQL".into()));
        }
        let body = only_statement(sql, &all)?;
        let class = classify(sql, body)?;
        let dml = main_verb(sql, body);
        let (text, shift) = rewrite(sql, body, &class)?;
        let word = |word: &str| body.iter().any(|token| token.is_word(sql, word));
        let transaction_control = matches!(class, Class::Rollback | Class::RollbackTo(_));
        Ok(Self {
            inserts: matches!(dml, Some(Verb::Insert)),
            changes_rows: dml.is_some(),
            returning: word("returning") || word("pragma"),
            may_roll_back: word("rollback") && !transaction_control,
            checks_at_commit: word("deferred") || word("rollback") || word("defer_foreign_keys"),
            text: text.into(),
            repeatable: shift.repeatable,
            parameters: shift.parameters,
            own: shift.own,
            class,
        })
    }
}

/// The tokens of the one statement; empty ones around it are passed over.
fn only_statement<'t>(sql: &str, all: &'t [Token]) -> Result<&'t [Token], Error> {
    let start = all.iter().position(|token| token.kind != Kind::Semicolon).unwrap_or(all.len());
    let rest = all.get(start..).unwrap_or_default();
    let end = if is_trigger(sql, rest) { trigger_end(sql, rest) } else { plain_end(rest) };
    let (body, after) = rest.split_at(end);
    if body.is_empty() {
        return Err(Error::Malformed("no SQL statement".into()));
    }
    // Spin 4 runs the first and drops the rest without a word; we say so instead.
    if after.iter().any(|token| token.kind != Kind::Semicolon) {
        return Err(Error::Malformed("only one SQL statement can be executed at a time".into()));
    }
    Ok(body)
}

fn plain_end(rest: &[Token]) -> usize {
    rest.iter().position(|token| token.kind == Kind::Semicolon).unwrap_or(rest.len())
}

fn is_trigger(sql: &str, rest: &[Token]) -> bool {
    let rest = match rest {
        [explain, query, plan, rest @ ..]
            if explain.is_word(sql, "explain") && query.is_word(sql, "query") =>
        {
            let _ = plan;
            rest
        }
        [explain, rest @ ..] if explain.is_word(sql, "explain") => rest,
        rest => rest,
    };
    match rest {
        [create, next, ..] if create.is_word(sql, "create") => {
            next.is_word(sql, "trigger")
                || ((next.is_word(sql, "temp") || next.is_word(sql, "temporary"))
                    && rest.get(2).is_some_and(|token| token.is_word(sql, "trigger")))
        }
        _ => false,
    }
}

/// A trigger ends with `; END`.
fn trigger_end(sql: &str, rest: &[Token]) -> usize {
    let ends = |pair: &[Token]| match pair {
        [semicolon, end] => semicolon.kind == Kind::Semicolon && end.is_word(sql, "end"),
        _ => false,
    };
    rest.windows(2).position(ends).map_or(rest.len(), |at| at + 2)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Insert,
    Other,
}

/// The verb that changes rows, if one does: the first, or the first after `WITH` outside brackets.
fn main_verb(sql: &str, body: &[Token]) -> Option<Verb> {
    let with = body.first()?.is_word(sql, "with");
    let mut depth = 0_usize;
    for token in body {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Word if depth == 0 => match token.text(sql).to_ascii_lowercase().as_str() {
                "insert" | "replace" => return Some(Verb::Insert),
                "update" | "delete" => return Some(Verb::Other),
                "select" | "values" => return None,
                _ if with => {}
                _ => return None,
            },
            _ => {}
        }
    }
    None
}

fn classify(sql: &str, body: &[Token]) -> Result<Class, Error> {
    let word = |at: usize| match body.get(at) {
        Some(token) if token.kind == Kind::Word => token.text(sql).to_ascii_lowercase(),
        _ => String::new(),
    };
    let has = |wanted: &str| body.iter().any(|token| token.is_word(sql, wanted));
    Ok(match word(0).as_str() {
        "explain" => {
            let from = if word(1) == "query" { 3 } else { 1 };
            match classify(sql, body.get(from..).unwrap_or_default())? {
                Class::Read | Class::ReadFirst | Class::Write | Class::Schema => Class::Read,
                _ => return Err(Error::Refused("EXPLAIN of this statement".into())),
            }
        }
        "with" if main_verb(sql, body).is_some() => Class::Write,
        "insert" | "update" | "delete" | "replace" => Class::Write,
        "create" => {
            refuse_temporary(sql, body)?;
            if has("exists") { Class::ReadFirst } else { Class::Schema }
        }
        "drop" if word(2) == "if" => Class::ReadFirst,
        "drop" | "alter" | "reindex" | "analyze" => Class::Schema,
        "vacuum" if has("into") => {
            return Err(Error::Refused("VACUUM INTO: it writes another file".into()));
        }
        "vacuum" => Class::Vacuum,
        "attach" | "detach" => {
            return Err(Error::Refused("ATTACH and DETACH: they reach another file".into()));
        }
        "begin" => Class::Begin(matches!(word(1).as_str(), "immediate" | "exclusive")),
        "commit" | "end" => Class::Commit,
        "rollback" => match body.iter().position(|token| token.is_word(sql, "to")) {
            Some(to) => {
                let skip = usize::from(word(to + 1) == "savepoint" && body.len() > to + 2);
                Class::RollbackTo(name(sql, body.get(to + 1 + skip))?)
            }
            None => Class::Rollback,
        },
        "savepoint" => Class::Savepoint(name(sql, body.get(1))?),
        "release" => {
            let skip = usize::from(word(1) == "savepoint" && body.len() > 2);
            Class::Release(name(sql, body.get(1 + skip))?)
        }
        "pragma" => return pragma::classify(sql, body),
        "select" | "values" | "with" => Class::Read,
        // Nothing that we could not name reaches SQLite, so nothing can slip past this list.
        _ => {
            let near = body.first().map(|token| token.text(sql)).unwrap_or_default();
            return Err(Error::Malformed(format!("near \"{near}\": syntax error")));
        }
    })
}

/// Temporary tables belong to one connection, and guests share ours.
fn refuse_temporary(sql: &str, body: &[Token]) -> Result<(), Error> {
    let second = body.get(1).map(|token| token.text(sql).to_ascii_lowercase()).unwrap_or_default();
    let in_temp = body.windows(2).take(6).any(|pair| match pair {
        [schema, dot] => dot.text(sql) == "." && unquote(schema.text(sql)) == "temp",
        _ => false,
    });
    if second == "temp" || second == "temporary" || in_temp {
        return Err(Error::Refused("temporary tables, views and triggers".into()));
    }
    Ok(())
}

/// An identifier, without its quotes and in lower case.
pub(super) fn unquote(text: &str) -> String {
    let inner = match text.as_bytes() {
        [b'[', .., b']'] => text.get(1..text.len() - 1).unwrap_or_default().to_owned(),
        [quote @ (b'\'' | b'"' | b'`'), .., _] if text.len() > 1 => {
            let quote = char::from(*quote);
            let inner = text.get(1..text.len() - 1).unwrap_or_default();
            inner.replace(&format!("{quote}{quote}"), &quote.to_string())
        }
        _ => text.to_owned(),
    };
    inner.to_ascii_lowercase()
}

fn name(sql: &str, token: Option<&Token>) -> Result<String, Error> {
    let name = token.map(|token| unquote(token.text(sql))).unwrap_or_default();
    if name.is_empty() {
        return Err(Error::Malformed("incomplete input".into()));
    }
    if name.starts_with(RESERVED) {
        return Err(Error::Refused(format!("savepoint names that begin with {RESERVED}")));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(sql: &str) -> Class {
        Statement::parse(sql).unwrap().class
    }

    #[test]
    fn transaction_statements_are_known_in_any_dress() {
        #[rustfmt::skip]
        let rows = [
            ("begin", Class::Begin(false)),
            (" /* x */ -- y\n BEGIN IMMEDIATE transaction ;", Class::Begin(true)),
            ("Begin Exclusive", Class::Begin(true)),
            ("END TRANSACTION;", Class::Commit),
            ("commit;;", Class::Commit),
            ("rollback transaction", Class::Rollback),
            ("ROLLBACK TO \"A b\"", Class::RollbackTo("a b".into())),
            ("rollback transaction to savepoint x", Class::RollbackTo("x".into())),
            ("savepoint [S];", Class::Savepoint("s".into())),
            ("release savepoint s", Class::Release("s".into())),
        ];
        for (sql, want) in rows {
            assert_eq!(class(sql), want, "{sql}");
        }
    }

    #[test]
    fn reads_and_writes_are_told_apart() {
        #[rustfmt::skip]
        let rows = [
            ("select replace('a', 'b', 'c')", Class::Read),
            ("with x as (select 1) select * from x", Class::Read),
            ("with x as (select 1) insert into t select * from x", Class::Write),
            ("WITH x(a) AS (VALUES(1)) DELETE FROM t", Class::Write),
            ("values (1)", Class::Read),
            ("create table if not exists t(a)", Class::ReadFirst),
            ("create table t(a)", Class::Schema),
            ("drop table if exists t", Class::ReadFirst),
            ("explain query plan insert into t values (1)", Class::Read),
            ("pragma table_info(t)", Class::Read),
            ("pragma user_version = 3", Class::Write),
            ("vacuum", Class::Vacuum),
        ];
        for (sql, want) in rows {
            assert_eq!(class(sql), want, "{sql}");
        }
    }

    #[test]
    fn what_reaches_outside_is_refused() {
        for sql in [
            "attach 'x' as y",
            "DETACH y",
            "vacuum into 'x'",
            "explain attach 'x' as y",
            " \u{b}attach 'x' as y",
            "\u{feff}attach 'x' as y",
            "explain pragma synchronous=off",
            "pragma synchronous=off",
            "pragma main.journal_mode = delete",
            "pragma \"journal_mode\"('off')",
            "pragma writable_schema=1",
            "pragma locking_mode=exclusive",
            "pragma temp_store_directory='/x'",
            "create temp table t(a)",
            "create table \"temp\".t(a)",
            "savepoint auscult_host_x",
        ] {
            assert!(matches!(Statement::parse(sql), Err(Error::Refused(_))), "{sql}");
        }
    }

    #[test]
    fn exactly_one_statement_is_taken() {
        for sql in ["", " ; -- x", "select 1; select 2", "begin; attach 'x' as y", "select 'x"] {
            assert!(matches!(Statement::parse(sql), Err(Error::Malformed(_))), "{sql}");
        }
        let trigger = "create trigger r after insert on t begin update t set a = case when 1 then 2 \
                       end; delete from t; end";
        assert_eq!(&*Statement::parse(&format!("{trigger}; ")).unwrap().text, trigger);
        assert!(Statement::parse(&format!("{trigger}; select 1")).is_err());
    }
}
