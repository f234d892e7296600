//! `auscult policy`: a policy checked before it is put in force, the one to begin with, its schema.

use std::path::PathBuf;

use auscult_notification::policy::{DEFAULT, Policy, SCHEMA};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output::Output;

/// Checks alert policies; prints the one to begin with and the JSON Schema.
#[derive(Debug, clap::Subcommand)]
pub enum PolicyCommand {
    /// Check a policy as `PUT /policies` does; every fault is named with its place.
    Check {
        /// The policy, a JSON file.
        file: PathBuf,
    },
    /// Print the policy to begin with.
    Default,
    /// Print the JSON Schema of policies.
    Schema,
}

impl PolicyCommand {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<(), Failure> {
        match self {
            Self::Check { file } => check(&read(&file)?, output),
            Self::Default => show(DEFAULT, output),
            Self::Schema => show(SCHEMA, output),
        }
    }
}

/// A policy document from a file.
pub fn read(file: &PathBuf) -> Result<Value, Failure> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|it| Failure::unread(&name, &it))?;
    serde_json::from_str(&text).map_err(|it| Failure::Bad(format!("{name}: not JSON: {it}")))
}

fn show(text: &str, output: Output) -> Result<(), Failure> {
    let json = serde_json::from_str(text).map_err(|it| Failure::Bad(it.to_string()))?;
    output.print(text, &json);
    Ok(())
}

fn check(document: &Value, output: Output) -> Result<(), Failure> {
    match Policy::parse(document.clone()) {
        Ok(policy) => {
            let text = format!("good: {} receivers", policy.receivers.len());
            output.print(&text, &json!({ "faults": [] }));
            Ok(())
        }
        Err(faults) => {
            let lines: Vec<String> = faults
                .iter()
                .map(|it| {
                    let place = if it.path.is_empty() { "/" } else { it.path.as_str() };
                    format!("{place} {}: {}", it.code, it.detail)
                })
                .collect();
            output.print(&lines.join("\n"), &json!({ "faults": faults }));
            Err(Failure::Bad(format!("the policy has {} faults", faults.len())))
        }
    }
}
