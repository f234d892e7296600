//! Why an application could not be started.

use crate::manifest::ManifestError;
use std::path::PathBuf;

/// Why the host could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The manifest is refused; every fault is told with its line.
    #[error("the manifest is refused:\n{0}")]
    Manifest(#[from] ManifestError),
    /// The data folder cannot be used.
    #[error("cannot use the data folder {}: {reason}", path.display())]
    Data {
        /// The folder or file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A database or store cannot be opened.
    #[error("cannot open {what} '{label}': {reason}")]
    Storage {
        /// `database` or `store`.
        what: &'static str,
        /// Its label.
        label: String,
        /// Why not.
        reason: String,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The WebAssembly engine cannot be made on this machine.
    #[error("cannot start the engine: {0}")]
    Engine(String),
}

impl StartError {
    pub(crate) fn engine(error: impl std::fmt::Display) -> Self {
        Self::Engine(format!("{error:#}"))
    }
}
