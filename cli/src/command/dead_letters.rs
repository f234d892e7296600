//! `auscult dead-letters`: what was rejected or given up on, and sending it on its way again.

use serde_json::{Value, json};

use crate::client::{Client, Connection};
use crate::failure::Failure;
use crate::output::Output;

/// Letters printed at most: a longer list is read by filter.
const LISTED_MAX: usize = 1_000;

/// Messages that were rejected or given up on.
#[derive(Debug, clap::Subcommand)]
pub enum DeadLetters {
    /// Lists them, the newest first.
    List {
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        connection: Connection,
    },
    /// Shows one with the reason and the message itself.
    Show {
        /// The message's id.
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Sends one, or all that match, on their way again.
    Replay {
        /// The message's id; without it, every one that matches.
        id: Option<String>,
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        connection: Connection,
    },
}

/// Which of them.
#[derive(Debug, Clone, clap::Args)]
pub struct Filter {
    /// Only of this device.
    #[arg(long)]
    device: Option<String>,
    /// Only with this problem code.
    #[arg(long)]
    code: Option<String>,
}

impl Filter {
    fn params(&self) -> Vec<(&str, &str)> {
        let device = self.device.as_deref().map(|it| ("device", it));
        device.into_iter().chain(self.code.as_deref().map(|it| ("code", it))).collect()
    }

    fn json(&self) -> Value {
        self.params().into_iter().map(|(key, it)| (key.to_owned(), json!(it))).collect()
    }
}

impl DeadLetters {
    /// Does what was asked.
    pub async fn run(self, output: Output) -> Result<(), Failure> {
        match self {
            Self::List { filter, connection } => {
                let items = list(&connection.operator()?, &filter).await?;
                output.print(&table(&items), &json!({ "items": items }));
            }
            Self::Show { id, connection } => {
                let found = connection.operator()?.find(&["dead-letters", &id], &[]).await?;
                output.show(&found.ok_or_else(unknown)?);
            }
            Self::Replay { id: Some(id), connection, .. } => {
                let path = ["dead-letters", id.as_str(), "replay"];
                output.show(&connection.operator()?.post(&path, &json!({})).await?);
            }
            Self::Replay { id: None, filter, connection } => {
                let path = ["dead-letters", "replay"];
                output.show(&connection.operator()?.post(&path, &filter.json()).await?);
            }
        }
        Ok(())
    }
}

fn unknown() -> Failure {
    Failure::Bad("no dead letter has that id".to_owned())
}

async fn list(operator: &Client, filter: &Filter) -> Result<Vec<Value>, Failure> {
    let mut items: Vec<Value> = Vec::new();
    let mut page = operator.get(&["dead-letters"], &filter.params()).await?;
    loop {
        if let Some(Value::Array(more)) = page.get_mut("items").map(Value::take) {
            items.extend(more);
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) if items.len() < LISTED_MAX => page = operator.follow(next).await?,
            _ => return Ok(items),
        }
    }
}

fn table(items: &[Value]) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    let line = |it: &Value| {
        let text = |pointer: &str| it.pointer(pointer).and_then(Value::as_str).unwrap_or("–");
        let code = text("/problem/type").rsplit(':').next().unwrap_or("–").to_owned();
        format!(
            "{}  {}  {}  {}  {}",
            text("/received"),
            text("/id"),
            text("/device"),
            text("/stage"),
            code
        )
    };
    items.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_is_one_line() {
        let letter = json!({ "id": "m", "device": "mon-1", "received": "2026-11-21T12:00:00.000Z", "stage": "ingest",
            "problem": { "type": "urn:auscult:problem:missing-time" } });
        assert_eq!(table(&[letter]), "2026-11-21T12:00:00.000Z  m  mon-1  ingest  missing-time");
        assert_eq!(table(&[]), "none");
    }

    #[test]
    fn a_filter_says_only_what_was_asked() {
        let filter = Filter { device: None, code: Some("missing-time".to_owned()) };
        assert_eq!(filter.json(), json!({ "code": "missing-time" }));
    }
}
