//! The Bundles that answer a search and a transaction.

use auscult_fhir::search::{Cursor, Search};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::read::Stored;
use crate::{Found, RecordsError, Written};

/// The URL that FHIR is served at, without a slash at the end: `http://127.0.0.1:3000/fhir`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base(pub String);

impl Base {
    fn of(&self, stored: &Stored) -> String {
        format!("{}/{}/{}", self.0, stored.kind.as_str(), stored.id)
    }

    /// The URL of one version of a resource.
    #[must_use]
    pub fn version_of(&self, stored: &Stored) -> String {
        format!("{}/_history/{}", self.of(stored), stored.version)
    }

    fn search(&self, search: &Search, after: Option<&Cursor>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&search.understood);
        if let Some(after) = after {
            query.append_pair("_page", &after.encode());
        }
        let query = query.finish();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}/{}{mark}{query}", self.0, search.kind.as_str())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bundle<'a> {
    resource_type: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    link: Vec<Link>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    entry: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Link {
    relation: &'static str,
    url: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    full_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    search: Option<Mode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Response>,
}

#[derive(Serialize)]
struct Mode {
    mode: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    status: &'static str,
    location: String,
    etag: String,
    last_modified: auscult_model::Timestamp,
}

/// The searchset Bundle of one page, with links to itself and to the next page.
///
/// # Errors
/// [`RecordsError`] when a stored resource is not JSON.
pub fn search_bundle(search: &Search, found: &Found, base: &Base) -> Result<String, RecordsError> {
    let mut link = vec![Link { relation: "self", url: base.search(search, search.after.as_ref()) }];
    if let Some(next) = &found.next {
        link.push(Link { relation: "next", url: base.search(search, Some(next)) });
    }
    let entry = found.entries.iter().map(|it| {
        Ok(Entry {
            full_url: Some(base.of(it)),
            resource: Some(serde_json::from_str(&it.resource)?),
            search: Some(Mode { mode: "match" }),
            response: None,
        })
    });
    let bundle = Bundle {
        resource_type: "Bundle",
        kind: "searchset",
        total: found.total,
        link,
        entry: entry.collect::<Result<_, serde_json::Error>>()?,
    };
    Ok(serde_json::to_string(&bundle)?)
}

/// The answer to a transaction: one response for each entry, in order.
///
/// # Errors
/// [`RecordsError`] never in practice.
pub fn transaction_bundle(written: &[Written], base: &Base) -> Result<String, RecordsError> {
    let entry = written.iter().map(|it| Entry {
        full_url: None,
        resource: None,
        search: None,
        response: Some(Response {
            status: if it.change.status() == 201 { "201 Created" } else { "200 OK" },
            location: base.version_of(&it.stored),
            etag: format!("W/\"{}\"", it.stored.version),
            last_modified: it.stored.updated,
        }),
    });
    let bundle = Bundle {
        resource_type: "Bundle",
        kind: "transaction-response",
        total: None,
        link: Vec::new(),
        entry: entry.collect(),
    };
    Ok(serde_json::to_string(&bundle)?)
}
