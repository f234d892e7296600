//! `/mappings`: what operators see, change, try and roll back of the mapping sets.

use auscult_mapping::set::SCHEMA;
use auscult_model::{Problem, Timestamp};
use auscult_normalization::explain::{Reader, explain};
use auscult_normalization::mappings::{self, Change, MappingError, Version};
use auscult_shell::auth::Operator;
use auscult_shell::http::{method_not_allowed, not_found, unavailable};
use auscult_shell::{Call, Reply, SpinSqlite};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

/// Longest name of a mapping set, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Answers an operator's call.
pub fn answer(
    db: &SpinSqlite,
    call: &Call,
    path: &[&str],
    operator: &Operator,
    now: Timestamp,
) -> Result<Reply, Problem> {
    let change = |name| -> Result<Change<'_>, Problem> {
        Ok(Change { name, author: &operator.name, now, expected: expected(call)? })
    };
    match (call.method.as_str(), path) {
        ("GET", []) => {
            let items = mappings::list(db).map_err(|it| unavailable(&it))?;
            Ok(Reply::json(200, &json!({ "items": items, "next": null })))
        }
        ("GET", ["schema"]) => Ok(Reply::text(200, "application/schema+json", SCHEMA)),
        ("POST", ["explain"]) => explained(db, call, now),
        ("GET", [name]) => shown(db, call, name),
        ("PUT", [name]) => put(db, call, change(name)?, text(call)?.to_owned()),
        ("PUT", [name, "fhir"]) => {
            let current = mappings::current(db, name).map_err(|it| unavailable(&it))?;
            let current = current.ok_or_else(not_found)?;
            let whole = mappings::with_fhir(&current.document, text(call)?)?;
            put(db, call, change(name)?, whole)
        }
        ("GET", [name, "versions"]) => {
            let items = mappings::versions(db, name).map_err(|it| unavailable(&it))?;
            if items.is_empty() {
                return Err(not_found());
            }
            Ok(Reply::json(200, &json!({ "items": items, "next": null })))
        }
        ("POST", [name, "rollback"]) => {
            let RollBack { to } = call.json()?;
            let version = mappings::roll_back(db, change(name)?, to).map_err(problem)?;
            Ok(stored(&version))
        }
        (_, [] | [_] | [_, "fhir" | "versions" | "rollback"]) => Err(method_not_allowed()),
        _ => Err(not_found()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RollBack {
    to: i64,
}

fn shown(db: &SpinSqlite, call: &Call, name: &str) -> Result<Reply, Problem> {
    let version = match call.param("version") {
        None => mappings::current(db, name),
        Some(text) => {
            let version = text.parse().map_err(|_| {
                Problem::new(400, "parameter", "A query parameter is not understood")
                    .detail("version is a number")
            })?;
            mappings::version(db, name, version)
        }
    };
    let set = version.map_err(|it| unavailable(&it))?.ok_or_else(not_found)?;
    Ok(Reply::text(200, "application/json", set.document)
        .with("etag", format!("\"{}\"", set.version)))
}

fn text(call: &Call) -> Result<&str, Problem> {
    std::str::from_utf8(&call.body)
        .map_err(|_| Problem::new(400, "not-utf8", "The mapping is not UTF-8 text"))
}

fn put(
    db: &SpinSqlite,
    call: &Call,
    change: Change<'_>,
    document: String,
) -> Result<Reply, Problem> {
    let plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.');
    let name = change.name;
    let reserved = matches!(name, "explain" | "schema");
    if reserved || name.len() > NAME_BYTES_MAX || !name.chars().all(plain) {
        let title = "A mapping's name is letters, digits, - _ . and neither explain nor schema";
        return Err(Problem::new(400, "mapping-name", title));
    }
    let warnings = mappings::check(&document)?;
    if let Some(n) = call.param("dry-run") {
        let n = n.parse().ok().filter(|it| (1..=mappings::DRY_RUN_MAX).contains(it));
        let n = n.ok_or_else(|| {
            Problem::new(400, "parameter", "A query parameter is not understood")
                .detail(format!("dry-run is a number from 1 to {}", mappings::DRY_RUN_MAX))
        })?;
        let run = mappings::dry_run(db, name, &document, n).map_err(|it| unavailable(&it))?;
        return Ok(Reply::json(200, &run));
    }
    let version = mappings::put(db, change, &document).map_err(problem)?;
    let mut reply = json!(version);
    if let Some(members) = reply.as_object_mut().filter(|_| !warnings.is_empty()) {
        members.insert("warnings".to_owned(), json!(warnings));
    }
    Ok(Reply::json(200, &reply).with("etag", format!("\"{}\"", version.version)))
}

fn stored(version: &Version) -> Reply {
    Reply::json(200, version).with("etag", format!("\"{}\"", version.version))
}

/// The version the caller has seen: 0 when there must be none.
fn expected(call: &Call) -> Result<Option<i64>, Problem> {
    if call.header("if-none-match").is_some_and(|it| it.trim() == "*") {
        return Ok(Some(0));
    }
    let Some(tag) = call.header("if-match").map(str::trim).filter(|it| *it != "*") else {
        return Ok(None);
    };
    let version = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"').parse();
    version.map(Some).map_err(|_| {
        Problem::new(400, "if-match", "If-Match does not hold a version of this document")
    })
}

fn problem(error: MappingError) -> Problem {
    match error {
        MappingError::Store(error) => unavailable(&error),
        MappingError::VersionMismatch(current) => {
            Problem::new(412, "version-mismatch", "The mapping has changed meanwhile")
                .detail(format!("it is at version {current}"))
        }
        MappingError::NoSuchVersion => {
            Problem::new(404, "no-such-version", "The mapping has no such version")
        }
    }
}

/// What `POST /mappings/explain` takes: who reads the message, and the message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// A mapping set or device mapping.
    mapping: Option<Box<RawValue>>,
    /// A FHIR mapping beside it.
    fhir: Option<Box<RawValue>>,
    /// A set that is installed here.
    name: Option<String>,
    /// A shape of the catalogue; null for whichever fits.
    catalogue: Option<String>,
    message: Box<RawValue>,
}

fn explained(db: &SpinSqlite, call: &Call, now: Timestamp) -> Result<Reply, Problem> {
    let asked: Asked = call.json()?;
    let document = match (&asked.mapping, &asked.name) {
        (Some(_), Some(_)) => {
            return Err(Problem::new(400, "explain-what", "Give mapping or name, not both"));
        }
        (Some(mapping), None) => Some(mapping.get().to_owned()),
        (None, Some(name)) => {
            let current = mappings::current(db, name).map_err(|it| unavailable(&it))?;
            Some(current.ok_or_else(not_found)?.document)
        }
        (None, None) => None,
    };
    let document = match (document, &asked.fhir) {
        (Some(device), Some(fhir)) => Some(mappings::with_fhir(&device, fhir.get())?),
        (document, _) => document,
    };
    let reader =
        document.as_deref().map_or(Reader::Catalogue(asked.catalogue.as_deref()), Reader::Set);
    let explanation = explain(reader, asked.message.get(), now);
    Ok(Reply::json(if explanation.is_good() { 200 } else { 422 }, &explanation))
}
