//! One loaded application: its components, its routes and its databases.

use crate::body::{Answer, problem};
use crate::component::Component;
use crate::drive::drive;
use crate::events;
use crate::instance::Call;
use crate::load;
use crate::metrics::{RouteMetrics, SqliteCounts};
use crate::router::Router;
use crate::runtime::{Host, Runtime};
use crate::spin_headers::RouteHeaders;
use crate::start_error::StartError;
use crate::timer::{TimerSpec, Timers};
use auscult_host_storage::{key_value, postgres, sqlite};
use http::StatusCode;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a database may take to answer before the application counts as not ready.
const READY_TIME_MAX: Duration = Duration::from_secs(2);

/// What one application is made of.
#[derive(Debug, Clone)]
pub struct ApplicationOptions {
    /// The manifest.
    pub manifest: PathBuf,
    /// Where databases, compiled code and the times of timers are kept.
    pub data_dir: PathBuf,
    /// Values of variables; they win over the environment and the defaults.
    pub variables: BTreeMap<String, String>,
}

/// A loaded application. Clones are the same application.
#[derive(Clone)]
pub struct Application(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) name: String,
    pub(crate) data_dir: PathBuf,
    pub(crate) components: HashMap<String, Arc<Component>>,
    pub(crate) router: Router,
    pub(crate) routes: Vec<RouteEntry>,
    /// Counters of calls that came from other components, by component.
    pub(crate) internal: HashMap<String, RouteMetrics>,
    pub(crate) databases: BTreeMap<String, sqlite::Database>,
    pub(crate) store: Option<key_value::Store>,
    pub(crate) postgres: postgres::Pools,
    pub(crate) timers: Vec<TimerSpec>,
}

/// What a route leads to.
pub(crate) struct RouteEntry {
    pub(crate) component: Arc<Component>,
    pub(crate) headers: RouteHeaders,
    pub(crate) metrics: RouteMetrics,
}

impl Application {
    /// Reads the manifest, compiles the components and opens the databases.
    ///
    /// # Errors
    /// Tells every fault of the manifest, or what could not be opened.
    pub async fn load(host: &Host, options: ApplicationOptions) -> Result<Self, StartError> {
        load::load(host.0.clone(), options).await.map(|inner| Self(Arc::new(inner)))
    }

    /// The application's name in its manifest.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether all databases answer.
    pub async fn is_ready(&self) -> bool {
        for database in self.0.databases.values() {
            let mut connection = database.connect();
            let asked = connection.execute("SELECT 1", Vec::new());
            if !matches!(tokio::time::timeout(READY_TIME_MAX, asked).await, Ok(Ok(_))) {
                return false;
            }
        }
        true
    }

    /// Starts the timers; they stop when what is returned is dropped or stopped.
    pub(crate) fn start_timers(&self) -> Timers {
        Timers::start(&self.0)
    }

    /// What the databases have done.
    pub(crate) fn sqlite_counts(&self, prefix: &str) -> Vec<SqliteCounts> {
        let counts = |(label, database): (&String, &sqlite::Database)| {
            let stats = database.stats();
            SqliteCounts {
                label: format!("{prefix}{label}"),
                statements: stats.statements,
                commits: stats.commits,
                syncs: stats.syncs,
                rolled_back: stats.rolled_back,
            }
        };
        self.0.databases.iter().map(counts).collect()
    }

    /// Closes the databases. Nothing may be in flight.
    pub(crate) async fn close(&self) {
        for (label, database) in &self.0.databases {
            if let Err(reason) = database.close().await {
                events::CloseFailed { label, reason: &reason }.emit();
            }
        }
        if let Some(store) = &self.0.store
            && let Err(reason) = store.close().await
        {
            events::CloseFailed { label: "key-value", reason: &reason }.emit();
        }
        self.0.postgres.close().await;
    }
}

impl Inner {
    /// Answers a request from outside. `base` is what of the path was already taken off.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        mut call: Call,
        base: &str,
        client: Option<SocketAddr>,
    ) -> Answer {
        let begun = Instant::now();
        let Some(found) = self.router.find(call.request.uri().path()) else {
            return problem(StatusCode::NOT_FOUND, "no such path");
        };
        let Some(route) = self.routes.get(found.index) else {
            return problem(StatusCode::NOT_FOUND, "no such path");
        };
        let told =
            route.headers.tell(&found, call.request.uri(), call.request.headers(), base, client);
        RouteHeaders::put(told, call.request.headers_mut());
        let answer = drive(self, &route.component, call).await;
        route.metrics.answered(answer.status(), begun.elapsed().as_secs_f64());
        answer
    }

    /// Answers a request another component (or a timer) makes to a component by its id.
    pub(crate) async fn chain(
        self: &Arc<Self>,
        component: Arc<Component>,
        mut call: Call,
    ) -> Answer {
        let begun = Instant::now();
        if call.depth > self.runtime.limits.chain_depth_max {
            return problem(StatusCode::LOOP_DETECTED, "components call each other too deeply");
        }
        RouteHeaders::tell_internal(&mut call.request);
        let answer = drive(self, &component, call).await;
        if let Some(metrics) = self.internal.get(&*component.id) {
            metrics.answered(answer.status(), begun.elapsed().as_secs_f64());
        }
        answer
    }

    /// Answers a request a component makes to the application's own routes.
    pub(crate) async fn route_internally(self: &Arc<Self>, call: Call) -> Answer {
        if call.depth > self.runtime.limits.chain_depth_max {
            return problem(StatusCode::LOOP_DETECTED, "components call each other too deeply");
        }
        // Boxed because an answer may lead here again.
        let answer: std::pin::Pin<Box<dyn Future<Output = Answer> + Send + '_>> =
            Box::pin(self.answer(call, "", None));
        answer.await
    }
}
