//! Printing: for people, or JSON for programs. Results go to stdout, failures to stderr.

use std::io::Write;
use std::process::ExitCode;

use serde_json::Value;

use crate::failure::Failure;

/// How to print.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

/// Where results go.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    format: Format,
}

impl Output {
    /// Output in that format.
    pub const fn new(format: Format) -> Self {
        Self { format }
    }

    /// Prints a result: `text` for people, `json` for programs.
    pub fn print(self, text: &str, json: &Value) {
        let line = match self.format {
            Format::Text => text.trim_end().to_owned(),
            Format::Json => json.to_string(),
        };
        // A reader that went away (`auscult … | head`) is no fault of ours.
        let _ = writeln!(std::io::stdout(), "{line}");
    }

    /// Prints a JSON result, for people as an outline.
    pub fn show(self, json: &Value) {
        self.print(&outline(json), json);
    }

    /// Tells a failure and its exit status.
    pub fn failed(self, failure: &Failure) -> ExitCode {
        let line = match self.format {
            Format::Text => format!("auscult: {failure}"),
            Format::Json => failure.json().to_string(),
        };
        let _ = writeln!(std::io::stderr(), "{line}");
        ExitCode::from(failure.code())
    }
}

/// A JSON document as indented lines: `key: value`, items of a list after a dash.
pub fn outline(json: &Value) -> String {
    let mut text = String::new();
    write_outline(&mut text, json, 0);
    text
}

fn write_outline(text: &mut String, json: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    match json {
        Value::Object(fields) => {
            for (key, value) in fields {
                text.push_str(&format!("{indent}{key}:"));
                write_value(text, value, depth);
            }
        }
        Value::Array(items) => {
            for item in items {
                text.push_str(&format!("{indent}-"));
                write_value(text, item, depth);
            }
        }
        scalar => text.push_str(&format!("{indent}{}\n", plain(scalar))),
    }
}

fn write_value(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(fields) if fields.is_empty() => text.push_str(" none\n"),
        Value::Array(items) if items.is_empty() => text.push_str(" none\n"),
        Value::Object(_) | Value::Array(_) => {
            text.push('\n');
            write_outline(text, value, depth + 1);
        }
        scalar => text.push_str(&format!(" {}\n", plain(scalar))),
    }
}

fn plain(scalar: &Value) -> String {
    match scalar {
        Value::String(text) => text.clone(),
        Value::Null => "–".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_outline_reads_like_notes() {
        let json = json!({ "id": "m", "problem": null, "stages": [{ "name": "ingest", "tries": 1 }], "alerts": [] });
        let want =
            "alerts: none\nid: m\nproblem: –\nstages:\n  -\n    name: ingest\n    tries: 1\n";
        assert_eq!(outline(&json), want);
    }
}
