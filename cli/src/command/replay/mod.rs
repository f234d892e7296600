//! `auscult replay`: what would have been different.

mod episodes;
mod rules;

use std::path::PathBuf;

use auscult_model::Timestamp;

use crate::failure::Failure;
use crate::output::Output;

/// Runs stored readings through another rule set and tells what would have been different. Reads the
/// data folder only; nothing is changed and nobody is paged.
#[derive(Debug, clap::Args)]
pub struct Replay {
    /// Folder of `auscult up --data`.
    #[arg(long, default_value = ".auscult")]
    data: PathBuf,
    /// First instant, RFC 3339.
    #[arg(long, value_parser = instant)]
    from: Timestamp,
    /// Last instant, RFC 3339.
    #[arg(long, value_parser = instant)]
    to: Timestamp,
    /// The rule set to try, a JSON file as `PUT /rules` takes it.
    #[arg(long)]
    rules: PathBuf,
}

fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "an RFC 3339 date-time with offset is needed".to_owned())
}

impl Replay {
    /// Does what was asked.
    pub async fn run(self, output: Output) -> Result<(), Failure> {
        // The database is read by a runtime of its own.
        let work = tokio::task::spawn_blocking(move || {
            rules::compare(&self.data, &self.rules, (self.from, self.to))
        });
        let report = work.await.map_err(|it| Failure::Bad(it.to_string()))??;
        output.print(&report.text(), &report.json());
        Ok(())
    }
}
