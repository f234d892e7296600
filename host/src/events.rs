//! What an operator should hear: each event is a struct that owns its log line and its counter.
//!
//! No event holds a URL, a header, a body or a value of a guest, only names the manifest gave.

use crate::metrics::Metrics;
use std::fmt;
use tracing::{debug, error, info, warn};

/// The address space for the wanted pool is not to be had.
pub(crate) struct PoolTooLarge {
    pub(crate) slots: u32,
}

impl PoolTooLarge {
    pub(crate) fn emit(self) {
        warn!(event = "pool-too-large", slots = self.slots, "trying a smaller instance pool");
    }
}

/// Cached machine code was not taken.
pub(crate) struct CacheRefused<'a> {
    pub(crate) component: &'a str,
    pub(crate) reason: &'a str,
}

impl CacheRefused<'_> {
    pub(crate) fn emit(self) {
        warn!(
            event = "cache-refused",
            component = self.component,
            reason = self.reason,
            "cached machine code was refused; compiling again"
        );
    }
}

/// Machine code could not be cached.
pub(crate) struct CacheNotWritten<'a> {
    pub(crate) component: &'a str,
    pub(crate) reason: &'a str,
}

impl CacheNotWritten<'_> {
    pub(crate) fn emit(self) {
        warn!(
            event = "cache-not-written",
            component = self.component,
            reason = self.reason,
            "machine code could not be cached"
        );
    }
}

/// How a guest was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TrapKind {
    /// It computed longer than its component may.
    Deadline,
    /// Its request took longer than any may.
    RequestTime,
    /// It wanted more memory than its component may have.
    Memory,
    /// It recursed too deeply.
    Stack,
    /// It ended itself with an error code.
    Exit,
    /// It panicked or did something WebAssembly forbids.
    Trap,
    /// A host function failed in a way that is not the guest's fault.
    Host,
    /// No instance was free.
    NoInstance,
    /// It ended without an answer.
    NoAnswer,
}

impl TrapKind {
    /// The name in logs and metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Deadline => "deadline",
            Self::RequestTime => "request-time",
            Self::Memory => "memory",
            Self::Stack => "stack",
            Self::Exit => "exit",
            Self::Trap => "trap",
            Self::Host => "host",
            Self::NoInstance => "no-instance",
            Self::NoAnswer => "no-answer",
        }
    }
}

/// A guest was ended.
pub(crate) struct GuestEnded<'a> {
    pub(crate) component: &'a str,
    pub(crate) kind: TrapKind,
    pub(crate) answered: bool,
    pub(crate) reason: &'a dyn fmt::Display,
}

impl GuestEnded<'_> {
    pub(crate) fn emit(self, metrics: &Metrics) {
        metrics.traps.with_label_values(&[self.component, self.kind.name()]).inc();
        warn!(
            event = "guest-ended",
            component = self.component,
            kind = self.kind.name(),
            answered = self.answered,
            reason = %self.reason,
            "a guest was ended"
        );
    }
}

/// A guest tried to connect to where it may not.
pub(crate) struct OutboundDenied<'a> {
    pub(crate) component: &'a str,
    pub(crate) host: &'a str,
}

impl OutboundDenied<'_> {
    pub(crate) fn emit(self, metrics: &Metrics) {
        metrics.outbound_denied.with_label_values(&[self.component]).inc();
        warn!(
            event = "outbound-denied",
            component = self.component,
            host = self.host,
            "a connection was denied: the host is not in allowed_outbound_hosts"
        );
    }
}

/// A guest tried to open a database, store or variable its component does not list.
pub(crate) struct LabelDenied<'a> {
    pub(crate) component: &'a str,
    pub(crate) kind: &'static str,
}

impl LabelDenied<'_> {
    pub(crate) fn emit(self) {
        warn!(
            event = "label-denied",
            component = self.component,
            kind = self.kind,
            "a label was denied: the component does not list it"
        );
    }
}

/// A line a guest wrote to its standard output or error.
pub(crate) struct GuestLine<'a> {
    pub(crate) component: &'a str,
    pub(crate) line: &'a str,
    pub(crate) is_error: bool,
}

impl GuestLine<'_> {
    pub(crate) fn emit(self) {
        if self.is_error {
            info!(event = "guest", component = self.component, stream = "stderr", line = self.line);
        } else {
            debug!(
                event = "guest",
                component = self.component,
                stream = "stdout",
                line = self.line
            );
        }
    }
}

/// A timer fired.
pub(crate) struct TimerFired<'a> {
    pub(crate) component: &'a str,
    pub(crate) path: &'a str,
    pub(crate) status: u16,
}

impl TimerFired<'_> {
    pub(crate) fn emit(self, metrics: &Metrics) {
        let failed = !(200..300).contains(&self.status);
        let outcome = if failed { "failed" } else { "done" };
        metrics.timer_runs.with_label_values(&[self.component, outcome]).inc();
        if failed {
            warn!(
                event = "timer-failed",
                component = self.component,
                path = self.path,
                status = self.status,
                "a timer's request failed; the next waits longer"
            );
        }
    }
}

/// The times of the last firings could not be kept.
pub(crate) struct TimersNotWritten<'a> {
    pub(crate) reason: &'a str,
}

impl TimersNotWritten<'_> {
    pub(crate) fn emit(self) {
        warn!(event = "timers-not-written", reason = self.reason, "timers.json was not written");
    }
}

/// A component was made ready.
pub(crate) struct ComponentReady<'a> {
    pub(crate) component: &'a str,
    pub(crate) millis: u64,
}

impl ComponentReady<'_> {
    pub(crate) fn emit(self) {
        debug!(
            event = "component-ready",
            component = self.component,
            millis = self.millis,
            "a component is ready"
        );
    }
}

/// The server serves.
pub(crate) struct Listening<'a> {
    pub(crate) address: std::net::SocketAddr,
    pub(crate) application: &'a str,
    pub(crate) millis: u64,
}

impl Listening<'_> {
    pub(crate) fn emit(self) {
        info!(
            event = "listening",
            address = %self.address,
            application = self.application,
            millis = self.millis,
            "serving"
        );
    }
}

/// Connections cannot be taken for the moment.
pub(crate) struct AcceptFailed<'a> {
    pub(crate) reason: &'a std::io::Error,
}

impl AcceptFailed<'_> {
    pub(crate) fn emit(self) {
        error!(event = "accept-failed", reason = %self.reason, "a connection could not be taken");
    }
}

/// The server begins to stop.
pub(crate) struct Draining {
    pub(crate) in_flight: usize,
}

impl Draining {
    pub(crate) fn emit(self) {
        info!(event = "draining", in_flight = self.in_flight, "finishing what is in flight");
    }
}

/// The server has stopped.
pub(crate) struct Stopped {
    pub(crate) cut: usize,
}

impl Stopped {
    pub(crate) fn emit(self) {
        if self.cut == 0 {
            info!(event = "stopped", "everything in flight was finished");
        } else {
            warn!(event = "stopped", cut = self.cut, "time was up; instances were cut");
        }
    }
}

/// A database could not be closed as it should.
pub(crate) struct CloseFailed<'a> {
    pub(crate) label: &'a str,
    pub(crate) reason: &'a dyn fmt::Display,
}

impl CloseFailed<'_> {
    pub(crate) fn emit(self) {
        error!(
            event = "close-failed",
            database = self.label,
            reason = %self.reason,
            "a database was not closed cleanly"
        );
    }
}
