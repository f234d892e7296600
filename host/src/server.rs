//! A listener with its applications: start, answer, stop without losing what is in flight.

use crate::application::{Application, ApplicationOptions};
use crate::body::{Answer, problem, text};
use crate::connection;
use crate::drive::busy;
use crate::events;
use crate::instance::Call;
use crate::limits::Limits;
use crate::runtime::{Count, Host};
use crate::spin_headers::TIMER_HEADER;
use crate::start_error::StartError;
use crate::timer::Timers;
use http::StatusCode;
use http::header::{HOST, HeaderValue};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use wasmtime_wasi_http::Error;

/// Connections open at once; more wait in the system's queue. Below the usual limit on open files.
const CONNECTIONS_MAX: usize = 8192;
/// Pause after a failed accept, so that a lack of file handles does not become a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Where the applications of tenants are found: `/t/<tenant>/`.
const TENANT_PREFIX: &str = "/t/";
/// The format of `/metrics`.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Paths the host answers itself, before any route; none turns one off.
#[derive(Debug, Clone)]
pub struct HostPaths {
    /// The process is alive.
    pub health: Option<String>,
    /// The databases answer and the server is not stopping.
    pub ready: Option<String>,
    /// Counters for Prometheus.
    pub metrics: Option<String>,
    /// Spin's own health path.
    pub spin_health: Option<String>,
}

impl Default for HostPaths {
    fn default() -> Self {
        Self {
            health: Some("/healthz".to_owned()),
            ready: Some("/readyz".to_owned()),
            metrics: Some("/metrics".to_owned()),
            spin_health: Some("/.well-known/spin/health".to_owned()),
        }
    }
}

/// Everything needed to serve one application.
#[derive(Debug, Clone)]
pub struct HostOptions {
    /// The manifest.
    pub manifest: PathBuf,
    /// Where databases, compiled code and the times of timers are kept.
    pub data_dir: PathBuf,
    /// The address to listen on; port 0 takes any.
    pub listen: SocketAddr,
    /// Values of variables; they win over the environment and the defaults.
    pub variables: BTreeMap<String, String>,
    /// What may be spent.
    pub limits: Limits,
    /// Paths the host answers itself.
    pub paths: HostPaths,
}

impl HostOptions {
    /// The usual options: localhost, any port, default limits.
    pub fn new(manifest: impl Into<PathBuf>, data_dir: impl Into<PathBuf>) -> Self {
        Self {
            manifest: manifest.into(),
            data_dir: data_dir.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            variables: BTreeMap::new(),
            limits: Limits::default(),
            paths: HostPaths::default(),
        }
    }
}

/// The applications of one listener.
#[derive(Clone, Default)]
pub struct Mounts {
    /// The one at `/`.
    pub root: Option<Application>,
    /// Those at `/t/<name>/`.
    pub tenants: HashMap<String, Application>,
}

/// A running server.
pub struct Server {
    shared: Arc<Shared>,
    local_addr: SocketAddr,
    accepting: JoinHandle<()>,
    timers: Vec<Timers>,
}

/// What all connections of a server share.
pub(crate) struct Shared {
    pub(crate) host: Host,
    mounts: Mounts,
    paths: HostPaths,
    /// Becomes true when the server begins to stop.
    pub(crate) stopping: watch::Sender<bool>,
    /// Connections open.
    pub(crate) connections: Count,
}

impl Server {
    /// Loads one application and serves it at `/`.
    ///
    /// # Errors
    /// Tells every fault of the manifest, or what could not be opened.
    pub async fn start(options: HostOptions) -> Result<Self, StartError> {
        let host = Host::start(options.limits)?;
        let application = ApplicationOptions {
            manifest: options.manifest,
            data_dir: options.data_dir,
            variables: options.variables,
        };
        let application = Application::load(&host, application).await?;
        let mounts = Mounts { root: Some(application), tenants: HashMap::new() };
        Self::serve(host, mounts, options.listen, options.paths).await
    }

    /// Serves loaded applications; their timers begin.
    ///
    /// # Errors
    /// Fails if the address cannot be listened on.
    pub async fn serve(
        host: Host,
        mounts: Mounts,
        listen: SocketAddr,
        paths: HostPaths,
    ) -> Result<Self, StartError> {
        let begun = Instant::now();
        let failed = |source| StartError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let local_addr = listener.local_addr().map_err(failed)?;
        let (stopping, _) = watch::channel(false);
        let connections = Count::default();
        let shared = Arc::new(Shared { host, mounts, paths, stopping, connections });
        let timers = shared.applications().map(|(_, app)| app.start_timers()).collect();
        let accepting = tokio::spawn(accept(shared.clone(), listener));
        events::Listening {
            address: local_addr,
            application: shared.mounts.root.as_ref().map_or("", |app| app.name()),
            millis: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
        .emit();
        Ok(Self { shared, local_addr, accepting, timers })
    }

    /// The address listened on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// How many instances are in flight.
    pub fn in_flight(&self) -> usize {
        self.shared.host.0.in_flight.number()
    }

    /// Stops: takes no more connections, finishes what is in flight (work after an answer
    /// included) for at most `within`, then closes the databases.
    ///
    /// # Errors
    /// Tells how many instances were cut when the time was up.
    pub async fn shutdown(self, within: Duration) -> Result<(), CutShort> {
        let Self { shared, accepting, timers, .. } = self;
        let runtime = shared.host.0.clone();
        events::Draining { in_flight: runtime.in_flight.number() }.emit();
        shared.stopping.send_replace(true);
        let finish = async {
            let _ = accepting.await;
            for timers in timers {
                timers.stop().await;
            }
            shared.connections.until_none().await;
            runtime.in_flight.until_none().await;
        };
        let _ = tokio::time::timeout(within, finish).await;
        let instances = runtime.in_flight.number();
        for (_, application) in shared.applications() {
            application.close().await;
        }
        events::Stopped { cut: instances }.emit();
        if instances > 0 { Err(CutShort { instances }) } else { Ok(()) }
    }
}

/// The time to stop was up before everything was finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{instances} instances did not finish in time")]
pub struct CutShort {
    /// How many were still running.
    pub instances: usize,
}

async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut stopping = shared.stopping.subscribe();
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                shared.connections.enter();
                let shared = shared.clone();
                tokio::spawn(async move {
                    let _place = place;
                    let _open = Open(shared.clone());
                    connection::serve(shared, stream, peer).await;
                });
            }
            Err(reason) => {
                events::AcceptFailed { reason: &reason }.emit();
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Counts a connection as open for as long as it exists.
struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.leave();
    }
}

impl Shared {
    /// Answers one request.
    pub(crate) async fn answer(
        &self,
        request: http::Request<Incoming>,
        peer: SocketAddr,
    ) -> Answer {
        if let Some(answer) = self.host_answer(request.uri().path()).await {
            return answer;
        }
        let Some((application, request, base)) = self.mounted(request) else {
            return problem(StatusCode::NOT_FOUND, "no such path");
        };
        let runtime = &self.host.0;
        let Ok(permit) = runtime.outer.clone().try_acquire_owned() else {
            runtime.metrics.refused.inc();
            return busy();
        };
        let mut request = request.map(|body| body.map_err(Error::from).boxed_unsync());
        let headers = request.headers_mut();
        headers.remove(TIMER_HEADER); // Only the host's own timers may carry it.
        if !headers.contains_key(HOST) {
            headers.insert(HOST, HeaderValue::from_static("localhost"));
        }
        let call = Call { request, depth: 0, permit: Some(permit) };
        application.0.answer(call, &base, Some(peer)).await
    }

    async fn host_answer(&self, path: &str) -> Option<Answer> {
        let is = |own: &Option<String>| own.as_deref() == Some(path);
        if is(&self.paths.health) || is(&self.paths.spin_health) {
            return Some(text(StatusCode::OK, "text/plain", "OK"));
        }
        if is(&self.paths.ready) {
            return Some(self.readiness().await);
        }
        if is(&self.paths.metrics) {
            let mut counts = Vec::new();
            for (name, application) in self.applications() {
                counts.extend(application.sqlite_counts(name));
            }
            let metrics = self.host.0.metrics.text(&counts).unwrap_or_default();
            return Some(text(StatusCode::OK, METRICS_TYPE, metrics));
        }
        None
    }

    async fn readiness(&self) -> Answer {
        if *self.stopping.borrow() {
            return problem(StatusCode::SERVICE_UNAVAILABLE, "stopping");
        }
        for (_, application) in self.applications() {
            if !application.is_ready().await {
                return problem(StatusCode::SERVICE_UNAVAILABLE, "a database does not answer");
            }
        }
        text(StatusCode::OK, "text/plain", "OK")
    }

    /// The application a request is for, and the request as it sees it.
    fn mounted(
        &self,
        request: http::Request<Incoming>,
    ) -> Option<(&Application, http::Request<Incoming>, String)> {
        if !self.mounts.tenants.is_empty()
            && let Some(rest) = request.uri().path().strip_prefix(TENANT_PREFIX)
        {
            let name = rest.split('/').next().unwrap_or_default();
            let application = self.mounts.tenants.get(name)?;
            let base = format!("{TENANT_PREFIX}{name}");
            let request = without_base(request, &base)?;
            return Some((application, request, base));
        }
        Some((self.mounts.root.as_ref()?, request, String::new()))
    }

    /// All applications, each with what tells it apart from others.
    fn applications(&self) -> impl Iterator<Item = (&str, &Application)> {
        let root = self.mounts.root.iter().map(|application| ("", application));
        let tenants = self.mounts.tenants.iter();
        root.chain(tenants.map(|(name, application)| (name.as_str(), application)))
    }
}

fn without_base(
    mut request: http::Request<Incoming>,
    base: &str,
) -> Option<http::Request<Incoming>> {
    let whole = request.uri().path_and_query()?.as_str();
    let rest = whole.strip_prefix(base)?;
    let rest = if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
    *request.uri_mut() = rest.parse().ok()?;
    Some(request)
}
