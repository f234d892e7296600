//! What this server can do, as FHIR asks it: `GET [base]/metadata`.

use serde_json::{Value, json};

use crate::search::params;
use crate::{FHIR_VERSION, ResourceType};

/// The CapabilityStatement. `released` is the date of the software's release, `base` the URL it is
/// served at when that is known.
#[must_use]
pub fn capability_statement(version: &str, released: &str, base: Option<&str>) -> Value {
    let mut implementation = json!({ "description": "Auscult FHIR R4" });
    if let (Some(base), Some(object)) = (base, implementation.as_object_mut()) {
        object.insert("url".to_owned(), json!(base));
    }
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": released,
        "kind": "instance",
        "software": { "name": "Auscult", "version": version },
        "implementation": implementation,
        "fhirVersion": FHIR_VERSION,
        "format": ["json", "application/fhir+json"],
        "rest": [{
            "mode": "server",
            "security": { "description": "OAuth 2.0 bearer token of an operator, in the Authorization header" },
            "resource": ResourceType::ALL.map(resource),
            "interaction": [{ "code": "transaction" }],
        }],
    })
}

fn resource(kind: ResourceType) -> Value {
    let written = kind != ResourceType::Observation;
    let mut interactions = vec![json!({ "code": "read" }), json!({ "code": "search-type" })];
    if written {
        interactions.push(json!({ "code": "update" }));
    }
    let params: Vec<Value> =
        params(kind).map(|it| json!({ "name": it.name, "type": it.kind.as_str() })).collect();
    let mut resource = json!({
        "type": kind.as_str(),
        "interaction": interactions,
        "versioning": if written { "versioned-update" } else { "versioned" },
        "readHistory": false,
        "updateCreate": written,
        "conditionalCreate": false,
        "searchParam": params,
    });
    if let (ResourceType::Observation, Some(object)) = (kind, resource.as_object_mut()) {
        object.insert(
            "supportedProfile".to_owned(),
            crate::coding::VITAL_SIGNS
                .iter()
                .map(|it| json!(format!("{}{}", crate::coding::PROFILES, it.name)))
                .collect(),
        );
    }
    resource
}
