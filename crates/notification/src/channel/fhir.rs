//! Alerts in an EHR: Communication, CommunicationRequest or Task, written under an id of ours.

use auscult_model::{Severity, digest};
use serde_json::{Value, json};

use crate::channel::page::{Page, Stage};
use crate::channel::settings::FhirResource;
use crate::channel::text::{Text, who};
use crate::channel::{About, Request};
use crate::policy::Receiver;

/// The system of an alert's identifier.
const ALERT_SYSTEM: &str = "urn:auscult:alert";
/// The system of a page's identifier.
const PAGE_SYSTEM: &str = "urn:auscult:notification";

/// Where the EHR is and what it takes.
#[derive(Debug, Clone, Copy)]
pub struct Ehr<'a> {
    /// Base address.
    pub url: &'a str,
    /// Bearer token.
    pub token: Option<&'a str>,
    /// What is written.
    pub resource: FhirResource,
    /// Who shall read it.
    pub recipient: Option<&'a str>,
}

/// The write of a page: an update under an id of ours, so that it can be done twice.
pub fn request(to: &Ehr<'_>, receiver: &Receiver, page: &Page, text: &Text, id: &str) -> Request {
    let (kind, id, body) = match to.resource {
        FhirResource::Communication => {
            let id = digest(&["communication", id]);
            ("Communication", id.clone(), communication(to, receiver, page, text, &id))
        }
        FhirResource::CommunicationRequest => {
            let id = digest(&["communication-request", &page.data.alert, &receiver.name]);
            ("CommunicationRequest", id.clone(), asked(to, receiver, page, text, &id))
        }
        FhirResource::Task => {
            let id = digest(&["task", &page.data.alert, &receiver.name]);
            ("Task", id.clone(), task(to, receiver, page, text, &id))
        }
    };
    let mut headers = vec![
        ("content-type", "application/fhir+json".to_owned()),
        ("accept", "application/fhir+json".to_owned()),
    ];
    headers.extend(to.token.map(|it| ("authorization", format!("Bearer {it}"))));
    Request {
        method: "PUT",
        url: format!("{}/{kind}/{id}", to.url),
        headers,
        body: body.to_string(),
    }
}

fn priority(page: &Page) -> &'static str {
    match page.severity() {
        Severity::Emergency => "stat",
        Severity::Urgent => "urgent",
        Severity::Routine | Severity::Technical => "routine",
    }
}

fn category() -> Value {
    let system = "http://terminology.hl7.org/CodeSystem/communication-category";
    json!([{ "coding": [{ "system": system, "code": "alert", "display": "Alert" }] }])
}

fn with_people(
    mut body: Value,
    subject: &str,
    to: &Ehr<'_>,
    receiver: &Receiver,
    page: &Page,
) -> Value {
    if who(receiver, page, &About::default()).is_some() {
        body[subject] = json!({ "reference": format!("Patient/{}", page.data.patient) });
    }
    if let Some(recipient) = to.recipient {
        if subject == "for" {
            body["owner"] = json!({ "reference": recipient });
        } else {
            body["recipient"] = json!([{ "reference": recipient }]);
        }
    }
    body
}

fn communication(to: &Ehr<'_>, receiver: &Receiver, page: &Page, text: &Text, id: &str) -> Value {
    let body = json!({
        "resourceType": "Communication",
        "id": id,
        "identifier": [{ "system": PAGE_SYSTEM, "value": id }],
        "status": "completed",
        "category": category(),
        "priority": priority(page),
        "sent": page.timestamp,
        "payload": [{ "contentString": text.whole }],
    });
    with_people(body, "subject", to, receiver, page)
}

fn asked(to: &Ehr<'_>, receiver: &Receiver, page: &Page, text: &Text, id: &str) -> Value {
    let status = match page.stage() {
        Stage::Calls | Stage::Answered => "active",
        Stage::Over | Stage::Heartbeat => "completed",
        Stage::Retracted => "revoked",
    };
    let body = json!({
        "resourceType": "CommunicationRequest",
        "id": id,
        "identifier": [{ "system": ALERT_SYSTEM, "value": page.data.alert }],
        "status": status,
        "category": category(),
        "priority": priority(page),
        "payload": [{ "contentString": text.whole }],
        "occurrenceDateTime": page.data.opened.unwrap_or(page.timestamp),
        "authoredOn": page.timestamp,
    });
    with_people(body, "subject", to, receiver, page)
}

fn task(to: &Ehr<'_>, receiver: &Receiver, page: &Page, text: &Text, id: &str) -> Value {
    let status = match page.stage() {
        Stage::Calls => "requested",
        Stage::Answered => "accepted",
        Stage::Over | Stage::Heartbeat => "completed",
        Stage::Retracted => "cancelled",
    };
    let code = json!([{ "system": "urn:auscult:codes", "code": "review-alert", "display": "Review alert" }]);
    let body = json!({
        "resourceType": "Task",
        "id": id,
        "identifier": [{ "system": "urn:auscult:task", "value": page.data.alert }],
        "status": status,
        "intent": "order",
        "priority": priority(page),
        "code": { "coding": code },
        "description": text.whole,
        "authoredOn": page.data.opened.unwrap_or(page.timestamp),
        "lastModified": page.timestamp,
    });
    with_people(body, "for", to, receiver, page)
}
