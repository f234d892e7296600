//! Log lines to stderr.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// How a log line is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// For people.
    Text,
}

/// What is logged unless `RUST_LOG` says otherwise: the engine's own notes only when they warn.
const DEFAULT_FILTER: &str = "info,wasmtime=warn,cranelift=warn,hyper=warn,reqwest=warn,sqlx=warn";

/// Starts logging for the whole process.
pub fn start(format: LogFormat) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Json => lines.json().flatten_event(true).init(),
        LogFormat::Text => lines.init(),
    }
}
