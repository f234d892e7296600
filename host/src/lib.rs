//! A host that serves any plain Spin HTTP application from its `spin.toml`: one fresh WebAssembly
//! instance for each request, nothing allowed that the manifest does not allow.
//!
//! [`Server::start`] is all a program needs. A program that serves several applications makes one
//! [`Host`], loads each [`Application`] and hands them to [`Server::serve`].

mod allowed_hosts;
mod application;
mod bindings;
mod body;
mod compile;
mod component;
mod compose;
mod connection;
mod deny;
mod drive;
mod engine;
mod events;
mod files;
mod guest_log;
mod instance;
mod limits;
mod load;
pub mod manifest;
mod metrics;
mod outbound;
mod router;
mod runtime;
mod server;
mod spin_headers;
mod start_error;
mod timer;
mod variables;
mod wit_key_value;
mod wit_postgres;
mod wit_sqlite2;
mod wit_sqlite3;
mod wit_variables;

pub use application::{Application, ApplicationOptions};
pub use limits::Limits;
pub use manifest::{Fault, Manifest, ManifestError};
pub use runtime::Host;
pub use server::{CutShort, HostOptions, HostPaths, Mounts, Server};
pub use start_error::StartError;
