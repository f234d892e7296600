//! An Observation that a FHIR mapping made, completed to one of ours: id, meta, issued.

use auscult_model::{Quality, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use crate::coding::{CATEGORY, DATA_ABSENT, TokenKind, push_token};
use crate::observation::{FILING_TAG, QUALITY_TAG};
use crate::refile::claims;
use crate::{FhirError, Members};

/// What is known of such an Observation beside what the mapping wrote.
#[derive(Debug, Clone, Copy)]
pub struct MappedParts<'a> {
    /// Logical id.
    pub id: &'a str,
    /// Whether it is filed to a patient, whom the resource already names.
    pub filed: bool,
    /// Other than `accepted` becomes a tag.
    pub quality: Quality,
    /// `<mapping>@<version>`.
    pub mapping: &'a str,
    /// When its last message was received; becomes `issued`.
    pub received: Timestamp,
    /// Whether several messages made it.
    pub amended: bool,
}

/// The resource as it is stored.
///
/// # Errors
/// [`FhirError::Malformed`] when `resource` is not a JSON object.
pub fn mapped_observation(resource: &str, parts: &MappedParts<'_>) -> Result<String, FhirError> {
    #[derive(Serialize)]
    struct Tag<'a> {
        system: &'a str,
        code: &'a str,
    }
    let mut members = Members::parse(resource)?;
    members.set("id", &parts.id, &["resourceType"])?;
    let mut tags = Vec::new();
    if !parts.filed {
        members.remove("subject");
        tags.push(Tag { system: FILING_TAG, code: "unassigned" });
    }
    if parts.quality != Quality::Accepted {
        tags.push(Tag { system: QUALITY_TAG, code: parts.quality.as_str() });
    }
    let mut meta = Members::default();
    meta.set("source", &format!("urn:auscult:mapping:{}", parts.mapping), &[])?;
    // What the profiles say of a value can be told of a single number only.
    if parts.filed && members.get("valueQuantity").is_some() {
        let profiles = claims(&members)?;
        if !profiles.is_empty() {
            meta.set("profile", &profiles, &["source"])?;
        }
    }
    if !tags.is_empty() {
        meta.set("tag", &tags, &["source", "profile"])?;
    }
    members.set("meta", &meta, &["resourceType", "id"])?;
    if parts.amended {
        members.set("status", &"amended", &["identifier"])?;
    }
    members.set("issued", &parts.received, &["effectivePeriod", "effectiveDateTime"])?;
    let values = ["valueQuantity", "valueString", "valueCodeableConcept", "valueSampledData"];
    if parts.quality == Quality::OutOfPlausibleRange
        && values.iter().all(|it| members.get(it).is_none())
    {
        members.set("dataAbsentReason", &absent_error(), &["issued"])?;
    }
    members.to_text()
}

/// The reason that stands where a value was that no living patient has.
#[must_use]
pub fn absent_error() -> Value {
    json!({ "coding": [{ "system": DATA_ABSENT, "code": "error", "display": "Error" }] })
}

/// The tokens a search finds a resource by; see [`crate::search_tokens`].
#[must_use]
pub fn resource_tokens(resource: &Value) -> String {
    let mut tokens = String::with_capacity(192);
    let mut push = |kind, concept: &Value| {
        for coding in concept["coding"].as_array().into_iter().flatten() {
            let system = coding["system"].as_str().unwrap_or_else(|| match kind {
                TokenKind::Category => CATEGORY,
                TokenKind::Code | TokenKind::Component => "",
            });
            if let Some(code) = coding["code"].as_str() {
                push_token(&mut tokens, kind, system, code);
            }
        }
    };
    push(TokenKind::Code, &resource["code"]);
    for it in resource["component"].as_array().into_iter().flatten() {
        push(TokenKind::Component, &it["code"]);
    }
    for it in resource["category"].as_array().into_iter().flatten() {
        push(TokenKind::Category, it);
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resource_keeps_what_the_mapping_wrote_and_gains_what_is_ours() {
        let made = r#"{"resourceType":"Observation","id":"x","status":"final","code":{"coding":[
            {"system":"http://loinc.org","code":"8867-4"}]},"subject":{"reference":"Patient/p"},
            "effectivePeriod":{"start":"a","end":"b"},"valueQuantity":{"value":60,"code":"/min"}}"#;
        let parts = MappedParts {
            id: "o1",
            filed: false,
            quality: Quality::Accepted,
            mapping: "ward@2",
            received: Timestamp::from_unix_ms(0),
            amended: true,
        };
        let got: Value = serde_json::from_str(&mapped_observation(made, &parts).unwrap()).unwrap();
        assert_eq!(got["id"], "o1");
        assert_eq!(got["status"], "amended");
        assert_eq!(got["subject"], Value::Null);
        assert_eq!(got["meta"]["source"], "urn:auscult:mapping:ward@2");
        assert_eq!(got["meta"]["tag"][0]["code"], "unassigned");
        assert_eq!(got["issued"], "1970-01-01T00:00:00.000Z");
        assert_eq!(got["valueQuantity"]["value"], 60);
        assert_eq!(resource_tokens(&got), " http://loinc.org|8867-4 ");
    }

    #[test]
    fn a_value_no_living_patient_has_is_absent_with_a_reason() {
        let made = r#"{"resourceType":"Observation","status":"final"}"#;
        let parts = MappedParts {
            id: "o1",
            filed: true,
            quality: Quality::OutOfPlausibleRange,
            mapping: "ward@2",
            received: Timestamp::from_unix_ms(0),
            amended: false,
        };
        let got: Value = serde_json::from_str(&mapped_observation(made, &parts).unwrap()).unwrap();
        assert_eq!(got["dataAbsentReason"]["coding"][0]["code"], "error");
    }
}
