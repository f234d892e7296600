//! What the headers of a FHIR request ask for.

use auscult_model::Problem;
use auscult_records::{Base, Condition};
use auscult_shell::Call;

/// `Prefer`, as far as FHIR uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Preference {
    /// `handling=strict`.
    pub strict: bool,
    /// `return=minimal`.
    pub minimal: bool,
}

impl Preference {
    pub(super) fn of(call: &Call) -> Self {
        let mut preference = Self::default();
        let headers = call.headers.iter().filter(|(name, _)| name == "prefer");
        for (_, value) in headers {
            for part in value.split([',', ';']).map(|it| it.trim().replace(' ', "")) {
                preference.strict |= part == "handling=strict";
                preference.minimal |= part == "return=minimal";
            }
        }
        preference
    }
}

/// The URL this call came to, up to `/fhir`. Hosts with several tenants tell it whole.
pub(super) fn base(call: &Call) -> Base {
    let forwarded = call.header("x-forwarded-proto");
    let whole = call.header("spin-full-url").and_then(|it| {
        let (scheme, rest) = it.split(['?', '#']).next()?.split_once("://")?;
        Some((forwarded.unwrap_or(scheme), rest.strip_suffix(call.path.as_str())?))
    });
    if let Some((scheme, before)) = whole {
        return Base(format!("{scheme}://{before}/fhir"));
    }
    match call.header("x-forwarded-host").or_else(|| call.header("host")) {
        Some(host) => Base(format!("{}://{host}/fhir", forwarded.unwrap_or("http"))),
        None => Base("/fhir".to_owned()),
    }
}

/// Whether the caller takes JSON.
pub(super) fn wants_json(call: &Call) -> bool {
    let Some(accept) = call.header("accept") else {
        return true;
    };
    accept.split(',').any(|it| {
        let kind = it.split(';').next().unwrap_or_default().trim();
        matches!(kind, "*/*" | "application/*" | "text/json") || kind.ends_with("json")
    })
}

/// Refuses a body that says it is something else than JSON.
pub(super) fn is_json(call: &Call) -> Result<(), Problem> {
    let Some(kind) = call.header("content-type") else {
        return Ok(());
    };
    match kind.split(';').next().unwrap_or_default().trim() {
        "application/fhir+json" | "application/json" | "text/json" => Ok(()),
        _ => Err(Problem::new(415, "format", "Only application/fhir+json is taken here")),
    }
}

/// The parameters in the body of a `_search`.
pub(super) fn form(call: &Call) -> Result<Vec<(String, String)>, Problem> {
    let kind = call.header("content-type").unwrap_or("application/x-www-form-urlencoded");
    if !kind.starts_with("application/x-www-form-urlencoded") && !call.body.is_empty() {
        let title = "Search parameters are sent as application/x-www-form-urlencoded";
        return Err(Problem::new(415, "format", title));
    }
    Ok(form_urlencoded::parse(&call.body).into_owned().collect())
}

/// `If-Match` and `If-None-Match`.
pub(super) fn condition(call: &Call) -> Result<Condition, Problem> {
    let broken = || Problem::new(400, "entity-tag", "An entity tag is written W/\"version\"");
    match (call.header("if-match"), call.header("if-none-match")) {
        (Some("*"), _) => Ok(Condition::None),
        (Some(tag), _) => Condition::if_match(tag).ok_or_else(broken),
        (None, Some("*")) => Ok(Condition::Absent),
        (None, Some(_)) => Err(broken()),
        (None, None) => Ok(Condition::None),
    }
}
