//! Errors as FHIR tells them.

use auscult_model::{Fault, Problem};
use serde_json::{Value, json};

/// Code system of our stable error codes.
const PROBLEM_CODES: &str = "urn:auscult:problem";

/// An OperationOutcome with one issue for each fault of the problem, or one for the problem itself.
/// `root` is the resource type that the faults' places are in: `Observation`, `Bundle`.
#[must_use]
pub fn operation_outcome(problem: &Problem, root: &str) -> Value {
    let issues: Vec<Value> = if problem.errors.is_empty() {
        let text = if problem.detail.is_empty() {
            problem.title.clone()
        } else {
            format!("{}: {}", problem.title, problem.detail)
        };
        vec![issue(issue_type(problem.status, problem.code()), problem.code(), &text, None)]
    } else {
        problem.errors.iter().map(|it| fault_issue(problem.status, it, root)).collect()
    };
    json!({ "resourceType": "OperationOutcome", "issue": issues })
}

fn fault_issue(status: u16, fault: &Fault, root: &str) -> Value {
    let place = expression(root, &fault.path);
    issue(issue_type(status, &fault.code), &fault.code, &fault.detail, Some(&place))
}

fn issue(kind: &str, code: &str, text: &str, expression: Option<&str>) -> Value {
    let mut issue = json!({
        "severity": "error",
        "code": kind,
        "details": { "coding": [{ "system": PROBLEM_CODES, "code": code }], "text": text },
    });
    if let (Some(place), Some(object)) = (expression, issue.as_object_mut()) {
        object.insert("expression".to_owned(), json!([place]));
    }
    issue
}

/// A code of FHIR's `issue-type` value set.
fn issue_type(status: u16, code: &str) -> &'static str {
    match code {
        "required" => "required",
        "unknown-element" | "structure" | "empty" | "choice" | "cardinality" => "structure",
        "invariant" => "invariant",
        "code-invalid" => "code-invalid",
        "value" | "id" | "fixed-value" | "resource-type" => "value",
        "parameter-unknown" | "unknown-type" | "interaction-unknown" => "not-supported",
        "overlap" => "business-rule",
        _ => match status {
            401 => "login",
            403 => "forbidden",
            404 => "not-found",
            405 | 406 | 415 => "not-supported",
            409 | 412 => "conflict",
            410 => "deleted",
            413 => "too-long",
            422 => "business-rule",
            429 => "throttled",
            500..=599 => "transient",
            _ => "invalid",
        },
    }
}

/// `/component/0/valueQuantity` as FHIRPath: `Observation.component[0].valueQuantity`.
fn expression(root: &str, pointer: &str) -> String {
    let mut path = root.to_owned();
    for part in pointer.split('/').skip(1) {
        if !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit()) {
            path.push_str(&format!("[{part}]"));
        } else {
            path.push('.');
            path.push_str(&part.replace("~1", "/").replace("~0", "~"));
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_becomes_an_issue_at_its_place() {
        let problem = Problem::new(400, "invalid-resource", "The resource is not valid")
            .fault("/component/0/valueQuantity/code", "fixed-value", "must be mm[Hg]")
            .fault("/status", "required", "status is required");
        let outcome = operation_outcome(&problem, "Observation");
        let at = |path: &str| outcome.pointer(path).and_then(Value::as_str);
        assert_eq!(at("/issue/0/code"), Some("value"));
        assert_eq!(
            at("/issue/0/expression/0"),
            Some("Observation.component[0].valueQuantity.code")
        );
        assert_eq!(at("/issue/1/code"), Some("required"));
        assert_eq!(at("/issue/1/details/coding/0/code"), Some("required"));
    }

    #[test]
    fn a_problem_without_faults_is_one_issue() {
        let outcome = operation_outcome(&Problem::new(404, "not-found", "Not here"), "Patient");
        assert_eq!(outcome.pointer("/issue/0/code"), Some(&json!("not-found")));
        assert_eq!(outcome.pointer("/issue/1"), None);
    }
}
