//! What is refused before anything is written.

use auscult_fhir::{ResourceType, is_resource_id, validate};
use auscult_model::{Fault, Problem};
use serde_json::Value;

use super::{Condition, Put};
use crate::read::Stored;

/// Every fault of every resource at once.
pub(super) fn resources(puts: &[Put], place: &impl Fn(usize) -> String) -> Result<(), Problem> {
    let mut faults = Vec::new();
    for (entry, put) in puts.iter().enumerate() {
        let mut own = one(put);
        let place = place(entry);
        own.iter_mut().for_each(|it| it.path.insert_str(0, &place));
        faults.extend(own);
    }
    if faults.is_empty() { Ok(()) } else { Err(invalid(faults, "")) }
}

fn one(put: &Put) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut tell = |path: &str, code: &str, detail: &str| {
        faults.push(Fault {
            path: path.to_owned(),
            code: code.to_owned(),
            detail: detail.to_owned(),
        });
    };
    if put.kind == ResourceType::Observation {
        tell("", "interaction-unknown", "Observations come from devices, through POST /ingest");
        return faults;
    }
    if !is_resource_id(&put.id) {
        tell("/id", "id", "the id in the URL must be 1 to 64 of A-Z a-z 0-9 - .");
    }
    let id = put.resource.get("id").and_then(Value::as_str);
    if id.is_some_and(|it| it != put.id) {
        tell("/id", "id", "the id in the resource must be the one in the URL");
    }
    if let Err(more) = validate(put.kind, &put.resource) {
        faults.extend(more);
    }
    faults
}

/// 400 with every fault below `place`.
pub(super) fn invalid(mut faults: Vec<Fault>, place: &str) -> Problem {
    faults.iter_mut().for_each(|it| it.path.insert_str(0, place));
    let mut problem = Problem::new(400, "invalid-resource", "The resource is not valid");
    problem.errors = faults;
    problem
}

/// 412 when the caller expected something else to be there.
pub(super) fn condition(put: &Put, before: Option<&Stored>) -> Result<(), Problem> {
    let holds = match put.condition {
        Condition::None => true,
        Condition::Version(version) => before.is_some_and(|it| it.version == version),
        Condition::Absent => before.is_none(),
    };
    if holds {
        return Ok(());
    }
    let problem = Problem::new(412, "version-conflict", "Another version is there");
    Err(match before {
        Some(before) => problem.detail(format!("it is version {}", before.version)),
        None => problem.detail("there is none"),
    })
}

/// 409 when one device would be worn twice at once.
pub(super) fn overlap(place: &str) -> Problem {
    Problem::new(409, "overlap", "A device cannot be worn by two patients at once").fault(
        &format!("{place}/timingPeriod"),
        "overlap",
        "the period overlaps another use of the same device",
    )
}
