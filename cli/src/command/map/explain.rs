//! `auscult map explain`: what becomes of one message, and why a value did not arrive.

use std::path::PathBuf;

use auscult_model::Timestamp;
use auscult_normalization::explain::{Explanation, Reader, explain};
use auscult_normalization::mappings::with_fhir;
use serde_json::{Value, json};

use super::{read, read_mapping};
use crate::clock::now;
use crate::failure::Failure;
use crate::output::Output;

/// Who reads the message, and the message.
#[derive(Debug, clap::Args)]
pub struct Explain {
    /// The mapping: a device-content file or a mapping set.
    #[arg(long, required_unless_present = "catalogue", conflicts_with = "catalogue")]
    mapping: Option<PathBuf>,
    /// A FHIR mapping file beside the device mapping.
    #[arg(long, requires = "mapping")]
    fhir: Option<PathBuf>,
    /// A shape of the built-in catalogue, or `any` for whichever fits.
    #[arg(long)]
    catalogue: Option<String>,
    /// The message as the device sends it.
    #[arg(long)]
    message: PathBuf,
    /// When the message was received, instead of now: RFC 3339.
    #[arg(long, value_parser = time)]
    received: Option<Timestamp>,
}

fn time(text: &str) -> Result<Timestamp, &'static str> {
    Timestamp::parse(text).ok_or("a time with offset is needed, such as 2026-11-27T08:00:00Z")
}

impl Explain {
    /// Explains; exit 1 when something in the message did not arrive.
    pub fn run(self, output: Output) -> Result<(), Failure> {
        let explanation = self.explanation()?;
        output.print(&shown(&explanation), &json!(explanation));
        if explanation.is_good() {
            return Ok(());
        }
        Err(Failure::Bad(match explanation.errors.len() {
            1 => "one thing in the message did not arrive".to_owned(),
            n => format!("{n} things in the message did not arrive"),
        }))
    }

    fn explanation(&self) -> Result<Explanation, Failure> {
        let message = read(&self.message)?;
        let received = self.received.unwrap_or_else(now);
        let Some(mapping) = &self.mapping else {
            let shape = self.catalogue.as_deref().filter(|it| *it != "any");
            return Ok(explain(Reader::Catalogue(shape), &message, received));
        };
        let mut document = read_mapping(mapping)?;
        if let Some(fhir) = &self.fhir {
            document = with_fhir(&document, &read_mapping(fhir)?)
                .map_err(|it| Failure::Refused(Box::new(it)))?;
        }
        Ok(explain(Reader::Set(&document), &message, received))
    }
}

/// For people: what was tried, what came of it, what went wrong.
fn shown(explanation: &Explanation) -> String {
    let mut lines = Vec::new();
    for step in &explanation.steps {
        steps(step, &mut lines);
    }
    for it in &explanation.measurements {
        let (kind, device) = (text(&it["type"]), text(&it["deviceId"]));
        let values = it["properties"].as_object().into_iter().flatten();
        let values: Vec<String> =
            values.map(|(name, value)| format!("{name}={}", text(value))).collect();
        let at = text(&it["occurrenceTimeUtc"]);
        lines.push(format!("measurement {kind} of {device} at {at}: {}", values.join(" ")));
    }
    for it in &explanation.observations {
        let code = &it["code"]["coding"][0];
        let components = it["component"].as_array().into_iter().flatten();
        let values: Vec<String> = std::iter::once(it).chain(components).filter_map(value).collect();
        let at = it["effectiveDateTime"].as_str().or(it["effectivePeriod"]["start"].as_str());
        let (code, at) = (text(&code["code"]), at.unwrap_or_default());
        lines.push(format!("observation {code} at {at}: {}", values.join(", ")));
    }
    for it in &explanation.errors {
        lines.push(format!("error {} at {}: {}", it.code, place(&it.path), it.detail));
    }
    lines.join("\n")
}

fn place(path: &str) -> &str {
    if path.is_empty() { "the message" } else { path }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn value(holder: &Value) -> Option<String> {
    if let Some(number) = holder["valueQuantity"]["value"].as_number() {
        let unit = &holder["valueQuantity"]["unit"];
        return Some(format!("{number} {}", unit.as_str().unwrap_or_default()).trim().to_owned());
    }
    let coded = &holder["valueCodeableConcept"];
    [
        &holder["valueString"],
        &coded["text"],
        &coded["coding"][0]["code"],
        &holder["valueSampledData"]["data"],
        &holder["dataAbsentReason"]["coding"][0]["code"],
    ]
    .into_iter()
    .find_map(Value::as_str)
    .map(str::to_owned)
}

fn steps(step: &Value, lines: &mut Vec<String>) {
    let Some(type_match) = step["type_match"].as_str() else {
        lines.push(format!("step {step}"));
        return;
    };
    let (template, kind) = (&step["template"], text(&step["type_name"]));
    let matches = step["matches"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = step["no_match"]
        .as_str()
        .map_or_else(|| format!("{} found", matches.len()), |why| format!("not used, {why}"));
    lines.push(format!("template {template} {kind}: {type_match} {found}"));
    for matched in matches {
        let why = matched["fault"].as_str().map(|it| format!(", no measurement: {it}"));
        lines.push(format!("  match at {}{}", text(&matched["path"]), why.unwrap_or_default()));
        for it in matched["expressions"].as_array().into_iter().flatten() {
            let (field, expression) = (text(&it["field"]), text(&it["expression"]));
            let gave = match it["outcome"].as_str().unwrap_or_default() {
                "found" => text(&it["text"]),
                "no-text" => text(&it["kind"]),
                "nothing" => {
                    let hint = it["hint"].as_str().map(|it| format!(", {it}"));
                    format!("nothing{}", hint.unwrap_or_default())
                }
                _ => format!("failed, {}", text(&it["detail"])),
            };
            lines.push(format!("    {field}: {expression} gave {gave}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPPING: &str = r#"{ "templateType": "CollectionContent", "template": [ { "templateType": "JsonPathContent", "template": {
        "typeName": "heartrate", "typeMatchExpression": "$..[?(@heartRate)]", "deviceIdExpression": "$.device",
        "timestampExpression": "$.ts", "values": [ { "required": "true", "valueExpression": "$.heartRate", "valueName": "hr" } ] } } ] }"#;
    const FHIR: &str = r#"{ "templateType": "CollectionFhir", "template": [ { "templateType": "CodeValueFhir", "template": {
        "typeName": "heartrate", "codes": [ { "code": "8867-4", "system": "http://loinc.org", "display": "Heart rate" } ],
        "value": { "valueType": "Quantity", "valueName": "hr", "unit": "/min", "code": "/min", "system": "http://unitsofmeasure.org" } } } ] }"#;

    fn explained(message: &str, fhir: bool) -> (Explanation, String) {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let explain = Explain {
            mapping: Some(file("device.json", MAPPING)),
            fhir: fhir.then(|| file("fhir.json", FHIR)),
            catalogue: None,
            message: file("message.json", message),
            received: Timestamp::parse("2026-11-27T09:00:00Z"),
        };
        let explanation = explain.explanation().unwrap();
        let text = shown(&explanation);
        (explanation, text)
    }

    #[test]
    fn what_arrives_is_shown_from_match_to_observation() {
        let message = r#"{ "device": "d", "ts": "2026-11-27T08:00:00Z", "heartRate": 61 }"#;
        let (explanation, text) = explained(message, true);
        assert!(explanation.is_good(), "{text}");
        let value = &explanation.observations[0]["valueQuantity"]["value"];
        assert_eq!(value.as_f64(), Some(61.0));
        for want in ["match at $.Body", "hr: $.heartRate gave 61", "observation 8867-4 at"] {
            assert!(text.contains(want), "{want}: {text}");
        }
        let (plain, _) = explained(message, false);
        assert_eq!(plain.readings[0]["canonical"], "heart_rate");
    }

    #[test]
    fn what_does_not_arrive_is_named_with_its_cause() {
        #[rustfmt::skip]
        let rows = [
            (r#"{ "device": "d", "heartRate": 61 }"#, "required-value-missing", "TimestampExpression"),
            (r#"{ "device": "d", "ts": "2026-11-27T08:00:00Z", "heartRate": "fast" }"#, "quantity-invalid", "Quantity"),
            (r#"{ "device": "d", "ts": "1970-01-01T00:00:00Z", "heartRate": 61 }"#, "implausible-time", "1990"),
            (r#"{ "pulse": 61 }"#, "no-reading", "no template matches"),
            (r#"{ "pulse": "#, "malformed-json", "line 1"),
        ];
        for (message, code, detail) in rows {
            let (explanation, text) = explained(message, true);
            let found = explanation.errors.iter().find(|it| it.code == code);
            assert!(found.is_some_and(|it| it.detail.contains(detail)), "{message}: {text}");
            assert!(!explanation.is_good());
        }
    }
}
