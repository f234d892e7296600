//! `auscult trace`: one message through every stage.

use serde_json::Value;

use crate::client::Connection;
use crate::failure::Failure;
use crate::output::Output;

/// Follows one message by its id through every stage.
#[derive(Debug, clap::Args)]
pub struct Trace {
    /// The message's id, as in the answer to whoever sent it.
    id: String,
    #[command(flatten)]
    connection: Connection,
}

impl Trace {
    /// Prints the trace; a message nobody knows is exit 1.
    pub async fn run(self, output: Output) -> Result<(), Failure> {
        let trace = self.connection.operator()?.find(&["trace", &self.id], &[]).await?;
        match trace {
            Some(trace) => {
                output.print(&lines(&trace), &trace);
                Ok(())
            }
            None => Err(Failure::Bad("no message has that id".to_owned())),
        }
    }
}

/// One line for each thing a stage did: `time  stage  result  key=value …`, nulls left out.
fn lines(trace: &Value) -> String {
    let steps = trace.get("steps").and_then(Value::as_array);
    let line = |step: &Value| {
        let text = |key: &str| step.get(key).and_then(Value::as_str).unwrap_or("–").to_owned();
        let fields = step.get("detail").and_then(Value::as_object).into_iter().flatten();
        let said =
            fields.filter(|(_, it)| !it.is_null() && it.as_array().is_none_or(|it| !it.is_empty()));
        let said: String = said.map(|(key, it)| format!(" {key}={}", brief(it))).collect();
        format!("{}  {:<13}  {:<11} {said}", text("at"), text("stage"), text("result"))
    };
    steps.into_iter().flatten().map(line).collect::<Vec<_>>().join("\n")
}

fn brief(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_step_is_one_line_without_what_is_not_known() {
        let trace = json!({ "id": "m", "steps": [
            { "stage": "ingest", "at": "T1", "result": "done", "detail": { "attempts": 1, "problem": null } },
            { "stage": "scoring", "at": "T2", "result": "complete", "detail": { "rule": "news2", "missing": [] } } ] });
        let want = "T1  ingest         done         attempts=1\nT2  scoring        complete     rule=news2";
        assert_eq!(lines(&trace), want);
    }
}
