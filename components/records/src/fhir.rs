//! The FHIR routes: requests into calls of `auscult-records`, results into FHIR answers.

mod request;

use auscult_fhir::{
    MEDIA_TYPE, ResourceType, capability_statement, operation_outcome, search::Search,
};
use auscult_model::Problem;
use auscult_records::{
    Put, RecordsError, Stored, find, put, read, search_bundle, transact, transaction_bundle,
};
use auscult_shell::http::{method_not_allowed, not_found, unavailable};
use auscult_shell::{Call, Reply, SpinSqlite, operator};

use request::{Preference, base, condition, form, is_json, wants_json};

/// The date of this release, for the CapabilityStatement.
const RELEASED: &str = "2026-11-21";

/// An answer, and the devices whose assignments the call changed.
pub(crate) struct Answer {
    /// What the caller gets.
    pub reply: Reply,
    /// Empty when nothing was assigned anew.
    pub devices: Vec<String>,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self { reply, devices: Vec::new() }
    }
}

/// Answers a call below `/fhir`.
pub(crate) fn answer(call: &Call) -> Answer {
    let segments = call.segments();
    let path: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
    route(call, &path).unwrap_or_else(|problem| {
        let root = match path.first() {
            Some(name) => ResourceType::parse(name).map_or("Resource", ResourceType::as_str),
            None => "Bundle",
        };
        refused(problem, root).into()
    })
}

/// A problem as an OperationOutcome.
pub(crate) fn refused(problem: Problem, root: &str) -> Reply {
    let body = operation_outcome(&problem, root).to_string();
    let reply = Reply::text(problem.status, MEDIA_TYPE, body);
    match problem.status {
        401 => reply.with("www-authenticate", "Bearer"),
        429 | 503 => reply.with("retry-after", "1"),
        _ => reply,
    }
}

fn route(call: &Call, path: &[&str]) -> Result<Answer, Problem> {
    if !wants_json(call) {
        return Err(Problem::new(406, "format", "Only JSON is spoken here"));
    }
    if let ["metadata"] = path {
        return metadata(call).map(Into::into);
    }
    operator(call)?;
    match (call.method.as_str(), path) {
        ("POST", []) => transaction(call),
        (_, []) => Err(method_not_allowed()),
        ("GET", [name]) => searched(call, kind(name)?, call.params()).map(Into::into),
        ("POST", [name, "_search"]) => {
            let mut params = call.params();
            params.extend(form(call)?);
            searched(call, kind(name)?, params).map(Into::into)
        }
        (_, [name] | [name, "_search"]) => kind(name).and(Err(method_not_allowed())),
        ("GET", [name, id]) => one(call, kind(name)?, id, None).map(Into::into),
        ("PUT", [name, id]) => stored(call, kind(name)?, id),
        (_, [name, _]) => kind(name).and(Err(method_not_allowed())),
        ("GET", [name, id, "_history", version]) => {
            one(call, kind(name)?, id, Some(version)).map(Into::into)
        }
        _ => Err(not_found()),
    }
}

fn kind(name: &str) -> Result<ResourceType, Problem> {
    ResourceType::parse(name)
        .ok_or_else(|| Problem::new(404, "unknown-type", "This type of resource is not kept here"))
}

fn metadata(call: &Call) -> Result<Reply, Problem> {
    if call.method != "GET" {
        return Err(method_not_allowed());
    }
    let base = base(call);
    let statement = capability_statement(env!("CARGO_PKG_VERSION"), RELEASED, Some(&base.0));
    Ok(Reply::text(200, MEDIA_TYPE, statement.to_string()))
}

fn open() -> Result<SpinSqlite, Problem> {
    SpinSqlite::open().map_err(|it| unavailable(&it))
}

fn problem(error: RecordsError) -> Problem {
    match error {
        RecordsError::Refused(problem) => *problem,
        RecordsError::Store(error) => unavailable(&error),
        RecordsError::Fhir(error) => {
            eprintln!("records: {error}");
            Problem::new(500, "stored-resource", "What is stored cannot be written as FHIR")
        }
    }
}

fn one(call: &Call, kind: ResourceType, id: &str, version: Option<&str>) -> Result<Reply, Problem> {
    let found = read(&open()?, kind, id).map_err(problem)?;
    let found = found.filter(|it| version.is_none_or(|want| it.version.to_string() == want));
    let Some(found) = found else {
        return Err(Problem::new(404, "not-found", "There is no such resource"));
    };
    let reply = with_version(Reply::empty(200), &found);
    if call.header("if-none-match").is_some_and(|it| it == tag(&found)) {
        return Ok(Reply { status: 304, ..reply });
    }
    Ok(with_body(reply, found.resource))
}

fn with_body(reply: Reply, resource: String) -> Reply {
    Reply { body: resource.into_bytes(), ..reply.with("content-type", MEDIA_TYPE) }
}

fn tag(stored: &Stored) -> String {
    format!("W/\"{}\"", stored.version)
}

fn with_version(reply: Reply, stored: &Stored) -> Reply {
    let reply = reply.with("etag", tag(stored));
    match stored.updated.to_utc() {
        Some(at) => reply.with("last-modified", at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        None => reply,
    }
}

fn searched(
    call: &Call,
    kind: ResourceType,
    params: Vec<(String, String)>,
) -> Result<Reply, Problem> {
    let search = Search::parse(kind, &params, Preference::of(call).strict)?;
    let found = find(&open()?, &search).map_err(problem)?;
    let bundle = search_bundle(&search, &found, &base(call)).map_err(problem)?;
    Ok(Reply::text(200, MEDIA_TYPE, bundle))
}

fn stored(call: &Call, kind: ResourceType, id: &str) -> Result<Answer, Problem> {
    if kind == ResourceType::Observation {
        return Err(method_not_allowed());
    }
    is_json(call)?;
    let put = Put { kind, id: id.to_owned(), resource: call.json()?, condition: condition(call)? };
    let written = self::put(&open()?, put, auscult_shell::now()).map_err(problem)?;
    let location = base(call).version_of(&written.stored);
    let reply = with_version(Reply::empty(written.change.status()), &written.stored)
        .with("location", location);
    let reply = if Preference::of(call).minimal {
        reply
    } else {
        with_body(reply, written.stored.resource)
    };
    Ok(Answer { reply, devices: written.devices })
}

fn transaction(call: &Call) -> Result<Answer, Problem> {
    is_json(call)?;
    let written = transact(&open()?, call.json()?, auscult_shell::now()).map_err(problem)?;
    let bundle = transaction_bundle(&written, &base(call)).map_err(problem)?;
    Ok(Answer {
        reply: Reply::text(200, MEDIA_TYPE, bundle),
        devices: written.into_iter().flat_map(|it| it.devices).collect(),
    })
}
