//! The tables that a search of a type looks into, and where each of them keeps what is searched for.

/// What a row becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A resource as it was put.
    Kept,
    /// An Observation of a device.
    Measured,
    /// An Observation made of an assessment.
    Scored,
}

/// One table. Fields are SQL expressions; an empty one means that the table has no such thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leg {
    pub source: Source,
    pub table: &'static str,
    /// What the reader of [`Source`] wants.
    pub columns: &'static str,
    /// Holds for every row that may be found.
    pub always: &'static str,
    pub id: &'static str,
    pub updated: &'static str,
    pub patient: &'static str,
    pub device: &'static str,
    pub effective: &'static str,
    /// First millisecond behind the time of the Observation.
    pub effective_end: &'static str,
    pub tokens: &'static str,
    pub status: &'static str,
    pub json: &'static str,
}

/// Patient, Device, DeviceUseStatement.
pub(super) static RESOURCE: [Leg; 1] = [Leg {
    source: Source::Kept,
    table: "resource",
    columns: "id, version, updated_ms, body",
    always: "type = ?",
    id: "id",
    updated: "updated_ms",
    patient: "",
    device: "",
    effective: "",
    effective_end: "",
    tokens: "",
    status: "",
    json: "body",
}];

/// Observation: what devices measured, and the scores that stand.
pub(super) static OBSERVATION: [Leg; 2] = [
    Leg {
        source: Source::Measured,
        table: "observation",
        columns: "id, version, updated_ms, resource AS body",
        always: "1",
        id: "id",
        updated: "updated_ms",
        patient: "patient",
        device: "device",
        effective: "effective_ms",
        effective_end: "(coalesce(end_ms, effective_ms) + 1)",
        tokens: "codes",
        status: "'final'",
        json: "resource",
    },
    Leg {
        source: Source::Scored,
        table: "assessment",
        columns: "id, created_ms AS updated_ms, body",
        always: "current = 1",
        id: "id",
        updated: "created_ms",
        patient: "patient",
        device: "",
        effective: "effective_ms",
        effective_end: "(effective_ms + 1)",
        // As `auscult_fhir::assessment_tokens`; a test holds the two together.
        tokens: "(' urn:auscult:codes|' || rule || '-total ' \
                 || CASE rule WHEN 'news2' THEN 'http://snomed.info/sct|1104051000000101 ' ELSE '' END \
                 || 'http://terminology.hl7.org/CodeSystem/observation-category^survey ')",
        status: "(CASE status WHEN 'incomplete' THEN 'preliminary' ELSE 'final' END)",
        json: "",
    },
];
