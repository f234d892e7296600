//! Counters and timings in Prometheus' words.

use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
};

/// Edges of request times in seconds: from one small instance to the longest allowed request.
const REQUEST_SECONDS: [f64; 12] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];
/// Edges of instantiation times in seconds: from a warm pool slot to a cold one.
const INSTANTIATE_SECONDS: [f64; 8] =
    [0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.01];

/// Everything the host counts.
pub(crate) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    /// Outer requests refused because too many are in flight.
    pub(crate) refused: IntCounter,
    /// Instances that are alive.
    pub(crate) instances: IntGauge,
    /// Time to make an instance.
    pub(crate) instantiate_seconds: Histogram,
    /// Guests that were ended, by component and kind.
    pub(crate) traps: IntCounterVec,
    /// Connections that were not allowed, by component.
    pub(crate) outbound_denied: IntCounterVec,
    /// Firings of timers, by component and outcome.
    pub(crate) timer_runs: IntCounterVec,
    sqlite: IntGaugeVec,
}

/// The counters of one route, found once so that a request only adds.
pub(crate) struct RouteMetrics {
    by_class: [IntCounter; 5],
    seconds: Histogram,
}

/// What one database has done, as counted by itself.
pub(crate) struct SqliteCounts {
    /// The database's label.
    pub(crate) label: String,
    /// Statements run.
    pub(crate) statements: u64,
    /// Commits guests saw.
    pub(crate) commits: u64,
    /// Commits synced to disk.
    pub(crate) syncs: u64,
    /// Transactions rolled back.
    pub(crate) rolled_back: u64,
}

impl Metrics {
    /// Makes all counters, at zero.
    pub(crate) fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let metrics = Self {
            requests: IntCounterVec::new(
                Opts::new("auscult_host_requests_total", "Requests answered by components."),
                &["component", "route", "status"],
            )?,
            request_seconds: HistogramVec::new(
                HistogramOpts::new("auscult_host_request_seconds", "Time until the answer began.")
                    .buckets(REQUEST_SECONDS.to_vec()),
                &["component", "route"],
            )?,
            refused: IntCounter::new(
                "auscult_host_requests_refused_total",
                "Requests refused because too many were in flight.",
            )?,
            instances: IntGauge::new("auscult_host_instances", "Instances in flight.")?,
            instantiate_seconds: Histogram::with_opts(
                HistogramOpts::new("auscult_host_instantiate_seconds", "Time to make an instance.")
                    .buckets(INSTANTIATE_SECONDS.to_vec()),
            )?,
            traps: IntCounterVec::new(
                Opts::new(
                    "auscult_host_traps_total",
                    "Guests that were ended by a trap or a limit.",
                ),
                &["component", "kind"],
            )?,
            outbound_denied: IntCounterVec::new(
                Opts::new(
                    "auscult_host_outbound_denied_total",
                    "Connections that were not allowed.",
                ),
                &["component"],
            )?,
            timer_runs: IntCounterVec::new(
                Opts::new("auscult_host_timer_runs_total", "Firings of timers."),
                &["component", "outcome"],
            )?,
            sqlite: IntGaugeVec::new(
                Opts::new("auscult_host_sqlite_total", "What databases have done since the start."),
                &["database", "what"],
            )?,
            registry,
        };
        let build = IntGaugeVec::new(
            Opts::new("auscult_host_build_info", "The program that runs."),
            &["version"],
        )?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let registry = &metrics.registry;
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.request_seconds.clone()))?;
        registry.register(Box::new(metrics.refused.clone()))?;
        registry.register(Box::new(metrics.instances.clone()))?;
        registry.register(Box::new(metrics.instantiate_seconds.clone()))?;
        registry.register(Box::new(metrics.traps.clone()))?;
        registry.register(Box::new(metrics.outbound_denied.clone()))?;
        registry.register(Box::new(metrics.timer_runs.clone()))?;
        registry.register(Box::new(metrics.sqlite.clone()))?;
        registry.register(Box::new(build))?;
        Ok(metrics)
    }

    /// The counters of one route.
    pub(crate) fn route(&self, component: &str, template: &str) -> RouteMetrics {
        let class = |class| self.requests.with_label_values(&[component, template, class]);
        RouteMetrics {
            by_class: [class("1xx"), class("2xx"), class("3xx"), class("4xx"), class("5xx")],
            seconds: self.request_seconds.with_label_values(&[component, template]),
        }
    }

    /// Everything as Prometheus text.
    pub(crate) fn text(&self, databases: &[SqliteCounts]) -> prometheus::Result<String> {
        for counts in databases {
            let set = |what, count: u64| {
                let gauge = self.sqlite.with_label_values(&[counts.label.as_str(), what]);
                gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
            };
            set("statements", counts.statements);
            set("commits", counts.commits);
            set("syncs", counts.syncs);
            set("rolled_back", counts.rolled_back);
        }
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

impl RouteMetrics {
    /// Counts one answer.
    pub(crate) fn answered(&self, status: http::StatusCode, seconds: f64) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = self.by_class.get(class) {
            counter.inc();
        }
        self.seconds.observe(seconds);
    }
}
