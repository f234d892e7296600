//! The Observation as we write it: `fhir-sdk`'s data types in a root of our own.
//!
//! The root is ours because `fhir-sdk`'s may contain any other resource, so that writing one links the
//! code for writing all of them: three megabytes in each component. Reading one links as much and takes
//! minutes to compile, so the tests check what we write with our own validator.

use auscult_model::Timestamp;
use fhir_sdk::r4b::codes::ObservationStatus;
use fhir_sdk::r4b::types::{
    Annotation, CodeableConcept, Coding, Extension, Identifier, Quantity, Reference,
};
use serde::Serialize;

/// An Observation with the elements we use.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Observation<'a> {
    pub resource_type: &'static str,
    pub id: &'a str,
    pub meta: Meta,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extension: Vec<Extension>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identifier: Vec<Identifier>,
    pub status: ObservationStatus,
    pub category: [CodeableConcept; 1],
    pub code: CodeableConcept,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_date_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_period: Option<Period>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued: Option<Timestamp>,
    #[serde(flatten)]
    pub measured: Measured<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interpretation: Vec<CodeableConcept>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub note: Vec<Annotation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Reference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub derived_from: Vec<Reference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub component: Vec<Component<'a>>,
}

/// A component of an Observation.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Component<'a> {
    pub code: CodeableConcept,
    #[serde(flatten)]
    pub measured: Measured<'a>,
}

/// `value[x]`, or why there is none; at most one is there.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Measured<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_quantity: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_string: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_codeable_concept: Option<CodeableConcept>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_integer: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_absent_reason: Option<CodeableConcept>,
}

/// Metadata of a resource, without what changes from version to version.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Meta {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub profile: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tag: Vec<Coding>,
}

/// An interval.
#[derive(Serialize)]
pub(crate) struct Period {
    pub start: Timestamp,
    pub end: Timestamp,
}
