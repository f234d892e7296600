//! Which pragmas a guest may use: none that weakens durability, leaks to other guests or reaches out.

use super::{
    Error, QueryResult, Value,
    statement::{Class, unquote},
    token::{Kind, Token},
};

/// A pragma the host answers without asking SQLite.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pragma {
    /// One row with one column.
    Answer(&'static str, Value),
    /// Sets or asks for the guest's busy time-out, in milliseconds.
    BusyTimeout(Option<i64>),
    /// Accepted, without effect and without a row.
    Nothing,
    /// `wal_checkpoint`: the host does that itself.
    Checkpoint,
}

/// Read-only, with or without an argument that names a thing.
const INFORMATION: &[&str] = &[
    "table_info",
    "table_xinfo",
    "table_list",
    "index_list",
    "index_info",
    "index_xinfo",
    "foreign_key_list",
    "foreign_key_check",
    "collation_list",
    "function_list",
    "module_list",
    "pragma_list",
    "compile_options",
    "integrity_check",
    "quick_check",
];
/// Read-only if asked without a value; setting them is refused.
const ASKED_ONLY: &[&str] = &[
    "page_count",
    "page_size",
    "freelist_count",
    "encoding",
    "schema_version",
    "max_page_count",
    "auto_vacuum",
    "recursive_triggers",
    "case_sensitive_like",
    "legacy_alter_table",
    "secure_delete",
    "ignore_check_constraints",
    "reverse_unordered_selects",
    "trusted_schema",
    "cell_size_check",
    "full_column_names",
    "short_column_names",
    "query_only",
];
/// Stored in the file: asked on a reader, set on the writer.
const STORED: &[&str] = &["user_version", "application_id"];
/// Advice about one connection's memory and speed; our connections are shared and already tuned.
const ADVICE: &[&str] = &[
    "cache_size",
    "cache_spill",
    "mmap_size",
    "temp_store",
    "threads",
    "analysis_limit",
    "shrink_memory",
    "soft_heap_limit",
    "hard_heap_limit",
    "wal_autocheckpoint",
    "journal_size_limit",
    "default_cache_size",
    "automatic_index",
];

/// Where a pragma runs, or why it does not.
pub(super) fn classify(sql: &str, body: &[Token]) -> Result<Class, Error> {
    let (name, argument) = parts(sql, body);
    let given = argument.as_deref();
    let answer = |name, value: Value| Ok(Class::Setting(Pragma::Answer(name, value)));
    let refuse = |why: &str| Err(Error::Refused(format!("PRAGMA {name}: {why}")));
    let silent = Ok(Class::Setting(Pragma::Nothing));
    match (name.as_str(), given) {
        ("journal_mode", None | Some("wal")) => answer("journal_mode", Value::Text("wal".into())),
        ("journal_mode", _) => refuse("the host keeps it at WAL"),
        ("synchronous", None) => answer("synchronous", Value::Integer(2)),
        ("synchronous", Some("full" | "2" | "extra" | "3")) => silent,
        ("synchronous", _) => refuse("the host keeps it at FULL"),
        ("foreign_keys", None) => answer("foreign_keys", Value::Integer(1)),
        ("foreign_keys", Some("on" | "1" | "true" | "yes")) => silent,
        ("foreign_keys", _) => refuse("the host keeps them on"),
        ("locking_mode", None | Some("normal")) => {
            answer("locking_mode", Value::Text("normal".into()))
        }
        ("busy_timeout", None) => Ok(Class::Setting(Pragma::BusyTimeout(None))),
        ("busy_timeout", Some(value)) => {
            let ms = value.parse().unwrap_or(0);
            Ok(Class::Setting(Pragma::BusyTimeout(Some(ms))))
        }
        ("wal_checkpoint", _) => Ok(Class::Setting(Pragma::Checkpoint)),
        // Deferred checks belong to one transaction; SQLite ends them with it.
        ("defer_foreign_keys" | "optimize" | "incremental_vacuum", _) => Ok(Class::Write),
        (name, None) if STORED.contains(&name) => Ok(Class::Read),
        (name, Some(_)) if STORED.contains(&name) => Ok(Class::Write),
        (name, _) if INFORMATION.contains(&name) => Ok(Class::Read),
        (name, None) if ASKED_ONLY.contains(&name) => Ok(Class::Read),
        (name, _) if ADVICE.contains(&name) => silent,
        _ => refuse("not among those a component may use"),
    }
}

/// Name and argument, in lower case and without quotes or a schema.
fn parts(sql: &str, body: &[Token]) -> (String, Option<String>) {
    let mut rest = body.get(1..).unwrap_or_default();
    if let [_, dot, after @ ..] = rest
        && dot.text(sql) == "."
    {
        rest = after;
    }
    let name = rest.first().map(|token| unquote(token.text(sql))).unwrap_or_default();
    let argument: String = rest
        .get(1..)
        .unwrap_or_default()
        .iter()
        .filter(|token| !matches!(token.kind, Kind::Open | Kind::Close) && token.text(sql) != "=")
        .map(|token| unquote(token.text(sql)))
        .collect();
    (name, (rest.len() > 1).then_some(argument))
}

impl Pragma {
    /// The result the guest would have had from SQLite.
    pub(super) fn answer(&self, busy_timeout_ms: &mut i64) -> QueryResult {
        let row = |name: &str, value: Value| QueryResult {
            columns: vec![name.to_owned()],
            rows: vec![vec![value]],
            ..QueryResult::default()
        };
        match self {
            Self::Answer(name, value) => row(name, value.clone()),
            Self::BusyTimeout(set) => {
                *busy_timeout_ms = set.unwrap_or(*busy_timeout_ms).max(0);
                row("timeout", Value::Integer(*busy_timeout_ms))
            }
            Self::Nothing => QueryResult::default(),
            Self::Checkpoint => QueryResult {
                columns: vec!["busy".into(), "log".into(), "checkpointed".into()],
                rows: vec![vec![Value::Integer(0), Value::Integer(-1), Value::Integer(-1)]],
                ..QueryResult::default()
            },
        }
    }
}
