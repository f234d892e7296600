//! A transaction Bundle of PUTs.

use std::collections::{HashMap, HashSet};

use auscult_fhir::ResourceType;
use auscult_model::{Fault, Problem, Timestamp};
use auscult_store::Database;
use serde_json::Value;

use super::{Condition, Put, Written, apply};
use crate::RecordsError;

/// Entries of one transaction at most: it holds the only writer of the database while it runs.
const ENTRIES_MAX: usize = 1_000;

/// Stores every entry of a transaction Bundle, or none. References to an entry's `fullUrl` (`urn:uuid:…`)
/// become references to the resource it is put as. Results come in the order of the entries.
///
/// # Errors
/// [`RecordsError::Refused`] as [`crate::put`] does, with the place of each fault in the Bundle.
pub fn transact(
    db: &dyn Database,
    bundle: Value,
    now: Timestamp,
) -> Result<Vec<Written>, RecordsError> {
    let puts = puts(bundle)?;
    apply(db, puts, now, |entry| format!("/entry/{entry}/resource"))
}

fn puts(mut bundle: Value) -> Result<Vec<Put>, Problem> {
    let says = |name: &str| bundle.get(name).and_then(Value::as_str);
    if says("resourceType") != Some("Bundle") || says("type") != Some("transaction") {
        return Err(Problem::new(
            400,
            "not-a-transaction",
            "Only a transaction Bundle is taken here",
        ));
    }
    let entries = match bundle.get_mut("entry").map(Value::take) {
        None => Vec::new(),
        Some(Value::Array(entries)) => entries,
        Some(_) => {
            return Err(faulty(vec![fault("/entry", "structure", "this element is a list")]));
        }
    };
    if entries.len() > ENTRIES_MAX {
        let problem = Problem::new(413, "too-many-entries", "The transaction is too long");
        return Err(problem.detail(format!("at most {ENTRIES_MAX} entries")));
    }
    let mut faults = Vec::new();
    let mut seen = HashSet::new();
    let mut targets = HashMap::new();
    let mut puts = Vec::with_capacity(entries.len());
    for (place, mut entry) in entries.into_iter().enumerate() {
        match put(&mut entry) {
            Ok(put) => {
                let target = format!("{}/{}", put.kind.as_str(), put.id);
                if !seen.insert(target.clone()) {
                    let detail = "another entry has the same resource";
                    faults.push(fault(&format!("/entry/{place}/request/url"), "duplicate", detail));
                }
                if let Some(url) = entry.get("fullUrl").and_then(Value::as_str) {
                    targets.insert(url.to_owned(), target);
                }
                puts.push(put);
            }
            Err(mut it) => {
                it.path.insert_str(0, &format!("/entry/{place}"));
                faults.push(it);
            }
        }
    }
    if !faults.is_empty() {
        return Err(faulty(faults));
    }
    puts.iter_mut().for_each(|it| resolve(&mut it.resource, &targets));
    Ok(puts)
}

fn put(entry: &mut Value) -> Result<Put, Fault> {
    let request = |name: &str| entry.pointer(&format!("/request/{name}")).and_then(Value::as_str);
    if request("method") != Some("PUT") {
        let detail = "only PUT is taken in a transaction";
        return Err(fault("/request/method", "interaction-unknown", detail));
    }
    let url = request("url").unwrap_or_default();
    let (name, id) = url.trim_start_matches('/').split_once('/').unwrap_or((url, ""));
    let Some(kind) = ResourceType::parse(name) else {
        return Err(fault("/request/url", "unknown-type", "must be Type/id of a type kept here"));
    };
    let condition = match (request("ifMatch"), request("ifNoneMatch")) {
        (Some(tag), _) => Condition::if_match(tag)
            .ok_or_else(|| fault("/request/ifMatch", "value", "must be W/\"version\""))?,
        (None, Some("*")) => Condition::Absent,
        (None, Some(_)) => {
            return Err(fault("/request/ifNoneMatch", "value", "only * is understood"));
        }
        (None, None) => Condition::None,
    };
    let id = id.to_owned();
    let resource = entry.get_mut("resource").map_or(Value::Null, Value::take);
    Ok(Put { kind, id, resource, condition })
}

/// References to other entries become references to where these are put.
fn resolve(value: &mut Value, targets: &HashMap<String, String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                match value {
                    Value::String(url) if name == "reference" => {
                        if let Some(target) = targets.get(url.as_str()) {
                            url.clone_from(target);
                        }
                    }
                    other => resolve(other, targets),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|it| resolve(it, targets)),
        _ => {}
    }
}

impl Condition {
    /// Reads an entity tag: `W/"3"` or `"3"`.
    #[must_use]
    pub fn if_match(tag: &str) -> Option<Self> {
        let plain = tag.trim().trim_start_matches("W/");
        plain.strip_prefix('"')?.strip_suffix('"')?.parse().ok().map(Self::Version)
    }
}

fn fault(path: &str, code: &str, detail: &str) -> Fault {
    Fault { path: path.to_owned(), code: code.to_owned(), detail: detail.to_owned() }
}

fn faulty(faults: Vec<Fault>) -> Problem {
    let mut problem = Problem::new(400, "invalid-bundle", "The Bundle is not valid");
    problem.errors = faults;
    problem
}
