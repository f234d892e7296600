//! A component made ready to serve: compiled, linked, with everything it may use.

use crate::allowed_hosts::AllowedHosts;
use crate::guest_log::GuestLog;
use crate::instance::GuestState;
use auscult_host_storage::{key_value, sqlite};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use wasmtime_wasi::sockets::SocketAddrUse;
use wasmtime_wasi::{FsPerms, WasiCtx};
use wasmtime_wasi_http::p2::bindings::ProxyPre;

/// A component and all it is given.
pub(crate) struct Component {
    /// Its id in the manifest.
    pub(crate) id: Arc<str>,
    /// Ready to be instantiated; none if nothing ever calls it.
    pub(crate) pre: Option<ProxyPre<GuestState>>,
    /// Its environment.
    pub(crate) environment: Vec<(String, String)>,
    /// The folder it may read, as its root.
    pub(crate) files: Option<PathBuf>,
    /// Variables it may read.
    pub(crate) variables: BTreeMap<String, String>,
    /// Where it may connect to.
    pub(crate) allowed_hosts: AllowedHosts,
    /// Databases it may open, by label.
    pub(crate) sqlite: HashMap<String, sqlite::Database>,
    /// Stores it may open, by label.
    pub(crate) key_value: HashMap<String, key_value::Store>,
    /// Memory of one instance.
    pub(crate) memory_bytes_max: u64,
    /// Time one instance may compute.
    pub(crate) deadline: Duration,
}

impl Component {
    /// What makes instances.
    pub(crate) fn pre(&self) -> wasmtime::Result<&ProxyPre<GuestState>> {
        self.pre.as_ref().ok_or_else(|| wasmtime::Error::msg("the component has no HTTP trigger"))
    }

    /// What one instance sees of the system: its log, its environment, its files.
    pub(crate) fn wasi(&self) -> wasmtime::Result<WasiCtx> {
        let mut wasi = WasiCtx::builder();
        wasi.stdout(GuestLog::new(self.id.clone(), false));
        wasi.stderr(GuestLog::new(self.id.clone(), true));
        wasi.envs(&self.environment);
        // Sockets know addresses only: an entry must name one, with any scheme, as in Spin.
        let allowed = self.allowed_hosts.clone();
        wasi.allow_tcp(true).allow_udp(false).socket_addr_check(move |address, usage| {
            let host = address.ip().to_string();
            let allowed = match usage {
                SocketAddrUse::TcpConnect => allowed.allows("*", &host, address.port()),
                // The system binds what connects to a port of its choice.
                SocketAddrUse::TcpBind => address.ip().is_unspecified() && address.port() == 0,
                _ => false,
            };
            Box::pin(std::future::ready(allowed))
        });
        if let Some(folder) = &self.files {
            wasi.preopened_dir(folder, "/", FsPerms::ReadOnly)?;
        }
        Ok(wasi.build())
    }
}
