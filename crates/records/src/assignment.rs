//! Who wore which device when, taken out of a DeviceUseStatement.

use auscult_fhir::{DateRange, is_resource_id};
use auscult_model::{Fault, Timestamp};
use serde::Serialize;
use serde_json::Value;

/// One row of `assignment`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Assignment {
    /// Of the DeviceUseStatement.
    pub id: String,
    pub version: i64,
    pub device: String,
    pub patient: String,
    pub start_ms: i64,
    /// Exclusive.
    pub end_ms: Option<i64>,
    pub active: bool,
}

/// Reads the assignment out of a DeviceUseStatement that is valid FHIR.
///
/// Active are the statuses `active`, `completed` and `stopped`; `intended`, `on-hold` and
/// `entered-in-error` assign nothing. A period's end without a time of day is the end of that day, with
/// one it is exclusive, so that a handover at ten gives the reading of ten o'clock to the next patient.
pub(crate) fn assignment(
    id: &str,
    version: i64,
    statement: &Value,
) -> Result<Assignment, Vec<Fault>> {
    let mut faults = Vec::new();
    let patient = target(statement, "/subject/reference", "Patient", &mut faults);
    let device = target(statement, "/device/reference", "Device", &mut faults);
    let status = statement.pointer("/status").and_then(Value::as_str).unwrap_or_default();
    let date = |path: &str| {
        statement.pointer(path).and_then(Value::as_str).map(|it| (it, DateRange::parse(it)))
    };
    let start = date("/timingPeriod/start").and_then(|(_, range)| range).map(|it| it.start);
    if start.is_none() {
        let detail = "an assignment needs timingPeriod with a start";
        faults.push(fault("/timingPeriod/start", "required", detail));
    }
    let end = date("/timingPeriod/end").and_then(|(text, range)| {
        let range = range?;
        Some(if text.contains('T') { range.start } else { range.end })
    });
    // The end of a day is exclusive too: one that is the start lies on the day before.
    let by_day = date("/timingPeriod/end").is_some_and(|(text, _)| !text.contains('T'));
    if let (Some(start), Some(end)) = (start, end)
        && (end < start || (by_day && end == start))
    {
        let detail = "per-1: the end of a period is not before its start";
        faults.push(fault("/timingPeriod/end", "invariant", detail));
    }
    if end.is_none() && matches!(status, "completed" | "stopped") {
        let detail = "a completed or stopped use has an end";
        faults.push(fault("/timingPeriod/end", "required", detail));
    }
    match (patient, device, start) {
        (Some(patient), Some(device), Some(start)) if faults.is_empty() => Ok(Assignment {
            id: id.to_owned(),
            version,
            device,
            patient,
            start_ms: start.unix_ms(),
            end_ms: end.map(Timestamp::unix_ms),
            active: matches!(status, "active" | "completed" | "stopped"),
        }),
        _ => Err(faults),
    }
}

/// The id that a literal reference to this type names.
fn target(statement: &Value, path: &str, kind: &str, faults: &mut Vec<Fault>) -> Option<String> {
    let reference = statement.pointer(path).and_then(Value::as_str);
    let id = reference.and_then(|it| it.strip_prefix(kind)?.strip_prefix('/'));
    if id.is_none_or(|it| !is_resource_id(it)) {
        let detail = format!("must be a literal reference {kind}/id to a {kind} of this server");
        faults.push(fault(path, "reference", &detail));
        return None;
    }
    id.map(str::to_owned)
}

fn fault(path: &str, code: &str, detail: &str) -> Fault {
    Fault { path: path.to_owned(), code: code.to_owned(), detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn statement(status: &str, start: &str, end: Option<&str>) -> Value {
        let mut period = json!({ "start": start });
        if let Some(end) = end {
            period["end"] = json!(end);
        }
        json!({
            "resourceType": "DeviceUseStatement", "status": status,
            "subject": { "reference": "Patient/p1" }, "device": { "reference": "Device/d1" },
            "timingPeriod": period,
        })
    }

    #[test]
    fn an_end_with_a_time_is_exclusive_and_a_day_ends_with_itself() {
        #[rustfmt::skip]
        let rows = [
            ("2026-11-20T08:00:00Z", Some("2026-11-20T10:00:00Z"), "2026-11-20T08:00:00Z", Some("2026-11-20T10:00:00Z")),
            ("2026-11-20", Some("2026-11-20"), "2026-11-20T00:00:00Z", Some("2026-11-21T00:00:00Z")),
            ("2026-11-20T08:00:00+01:00", None, "2026-11-20T07:00:00Z", None),
        ];
        for (start, end, from, to) in rows {
            let found = assignment("a", 1, &statement("active", start, end)).unwrap();
            let ms = |it: &str| Timestamp::parse(it).unwrap().unix_ms();
            assert_eq!((found.start_ms, found.end_ms), (ms(from), to.map(ms)), "{start}");
            assert!(found.active);
        }
    }

    #[test]
    fn only_real_use_assigns() {
        let rows = [
            ("active", true),
            ("completed", true),
            ("stopped", true),
            ("intended", false),
            ("on-hold", false),
            ("entered-in-error", false),
        ];
        for (status, want) in rows {
            let found = assignment("a", 1, &statement(status, "2026", Some("2027"))).unwrap();
            assert_eq!(found.active, want, "{status}");
        }
    }

    #[test]
    fn what_assigns_nothing_clear_is_refused_at_its_place() {
        let mut group = statement("active", "2026", None);
        group["subject"]["reference"] = json!("Group/g1");
        let mut elsewhere = statement("active", "2026", None);
        elsewhere["device"]["reference"] = json!("https://other.example/Device/d1");
        let mut timeless = statement("active", "2026", None);
        timeless.as_object_mut().unwrap().remove("timingPeriod");
        let rows = [
            (group, "/subject/reference"),
            (elsewhere, "/device/reference"),
            (timeless, "/timingPeriod/start"),
            (statement("active", "2026-11-20", Some("2026-11-19")), "/timingPeriod/end"),
            (statement("completed", "2026-11-20", None), "/timingPeriod/end"),
        ];
        for (statement, path) in rows {
            let faults = assignment("a", 1, &statement).unwrap_err();
            assert_eq!(faults.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(), [path]);
        }
    }
}
