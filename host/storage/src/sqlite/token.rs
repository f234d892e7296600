//! Cuts SQL into tokens exactly where SQLite's own tokenizer does.
//!
//! Only what decides where a statement ends, which words it holds and where its parameters are
//! is told apart. The rules are those of `sqlite3GetToken`; where the two differed a guest could
//! hide a second statement, so everything doubtful is [`Kind::Bad`].

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A bare keyword or identifier.
    Word,
    /// A quoted identifier or string.
    Quoted,
    /// A parameter.
    Variable,
    /// `;`
    Semicolon,
    /// `(`
    Open,
    /// `)`
    Close,
    /// Numbers and operators.
    Other,
    /// Nothing SQLite accepts.
    Bad,
}

/// One token and where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

impl Token {
    pub(super) fn text<'s>(&self, sql: &'s str) -> &'s str {
        sql.get(self.start..self.end).unwrap_or_default()
    }

    pub(super) fn is_word(&self, sql: &str, word: &str) -> bool {
        self.kind == Kind::Word && self.text(sql).eq_ignore_ascii_case(word)
    }
}

/// All tokens of `sql`, without white space and comments.
pub(super) fn tokens(sql: &str) -> Vec<Token> {
    let bytes = sql.as_bytes();
    let mut found = Vec::with_capacity(sql.len() / 4);
    let mut at = 0;
    while at < bytes.len() {
        let (kind, end) = next(bytes, at);
        if let Some(kind) = kind {
            found.push(Token { kind, start: at, end });
        }
        at = end;
    }
    found
}

fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

fn is_id(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// The token at `at` (`None` for space and comments) and where the next begins.
fn next(bytes: &[u8], at: usize) -> (Option<Kind>, usize) {
    let first = byte(bytes, at);
    match first {
        b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => (None, at + 1),
        // A byte order mark is space to SQLite.
        0xef if byte(bytes, at + 1) == 0xbb && byte(bytes, at + 2) == 0xbf => (None, at + 3),
        b'-' if byte(bytes, at + 1) == b'-' => {
            (None, find(bytes, at, |b| b == b'\n').unwrap_or(bytes.len()))
        }
        b'/' if byte(bytes, at + 1) == b'*' => {
            // `/*/` does not close itself: SQLite looks for the end from the third byte on.
            let end = (at + 2..bytes.len())
                .find(|&i| byte(bytes, i) == b'*' && byte(bytes, i + 1) == b'/');
            (None, end.map_or(bytes.len(), |i| i + 2))
        }
        b';' => (Some(Kind::Semicolon), at + 1),
        b'(' => (Some(Kind::Open), at + 1),
        b')' => (Some(Kind::Close), at + 1),
        b'\'' | b'"' | b'`' => quoted(bytes, at, first),
        b'[' => match find(bytes, at, |b| b == b']') {
            Some(end) => (Some(Kind::Quoted), end + 1),
            None => (Some(Kind::Bad), bytes.len()),
        },
        b'?' => (Some(Kind::Variable), skip(bytes, at + 1, |b| b.is_ascii_digit())),
        b'$' | b'@' | b':' | b'#' => variable(bytes, at),
        b'x' | b'X' if byte(bytes, at + 1) == b'\'' => {
            let (kind, end) = quoted(bytes, at + 1, b'\'');
            // A string is not a blob, but where it ends is the same.
            (kind, end)
        }
        b'0'..=b'9' => (Some(Kind::Other), skip(bytes, at, |b| is_id(b) || b == b'.')),
        _ if is_id(first) => (Some(Kind::Word), skip(bytes, at, is_id)),
        0..0x20 | 0x7f => (Some(Kind::Bad), at + 1),
        _ => (Some(Kind::Other), at + 1),
    }
}

fn find(bytes: &[u8], from: usize, is: impl Fn(u8) -> bool) -> Option<usize> {
    (from..bytes.len()).find(|&i| is(byte(bytes, i)))
}

fn skip(bytes: &[u8], from: usize, is: impl Fn(u8) -> bool) -> usize {
    find(bytes, from, |b| !is(b)).unwrap_or(bytes.len())
}

/// A doubled quote stands for itself.
fn quoted(bytes: &[u8], at: usize, quote: u8) -> (Option<Kind>, usize) {
    let mut i = at + 1;
    while i < bytes.len() {
        if byte(bytes, i) == quote {
            if byte(bytes, i + 1) != quote {
                return (Some(Kind::Quoted), i + 1);
            }
            i += 1;
        }
        i += 1;
    }
    (Some(Kind::Bad), bytes.len())
}

/// `:name`, `@name`, `$name`. Tcl's `$name::x(…)` is legal in SQLite and used by nobody: refused.
fn variable(bytes: &[u8], at: usize) -> (Option<Kind>, usize) {
    let end = skip(bytes, at + 1, is_id);
    let next = byte(bytes, end);
    let tcl = next == b'(' || (next == b':' && byte(bytes, end + 1) == b':');
    if end == at + 1 || tcl || byte(bytes, at) == b'#' {
        return (Some(Kind::Bad), end.max(at + 1));
    }
    (Some(Kind::Variable), end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, want: &[&str]) {
        let found: Vec<&str> = tokens(sql).iter().map(|token| token.text(sql)).collect();
        assert_eq!(found, want, "{sql}");
    }

    #[test]
    fn semicolons_in_quotes_and_comments_end_nothing() {
        check(
            "a ';' \";\" `;` [;] -- ;\n b /* ; */;",
            &["a", "';'", "\";\"", "`;`", "[;]", "b", ";"],
        );
    }

    #[test]
    fn doubled_quotes_stay_inside() {
        check("'it''s; ok' x'00'", &["'it''s; ok'", "x'00'"]);
    }

    #[test]
    fn an_open_comment_runs_to_the_end() {
        check("select 1 /* ; drop", &["select", "1"]);
        check("select 1 /*/ ; drop */ x", &["select", "1", "x"]);
    }

    #[test]
    fn variables_are_told_apart() {
        check("?1 ? :a @b $c", &["?1", "?", ":a", "@b", "$c"]);
        assert_eq!(tokens("$a(;)").first().map(|token| token.kind), Some(Kind::Bad));
        assert_eq!(tokens("'open").first().map(|token| token.kind), Some(Kind::Bad));
    }
}
