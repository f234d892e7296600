//! What all applications of one process share: the engine, the host functions, the counters.

use crate::bindings;
use crate::engine;
use crate::instance::GuestState;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::start_error::StartError;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Notify, Semaphore};
use wasmtime::Engine;
use wasmtime::component::Linker;

/// The part of the host that applications share. Clones are the same host.
#[derive(Clone)]
pub struct Host(pub(crate) Arc<Runtime>);

impl Host {
    /// Makes the engine and the host functions.
    ///
    /// # Errors
    /// Fails if the engine cannot be made on this machine.
    pub fn start(limits: Limits) -> Result<Self, StartError> {
        let engine = engine::start(&limits).map_err(StartError::engine)?;
        let linker = bindings::linker(&engine).map_err(StartError::engine)?;
        let metrics = Metrics::new().map_err(StartError::engine)?;
        let outer = Arc::new(Semaphore::new(limits.in_flight_max));
        let in_flight = Count::default();
        Ok(Self(Arc::new(Runtime { engine, linker, metrics, limits, outer, in_flight })))
    }
}

pub(crate) struct Runtime {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<GuestState>,
    pub(crate) metrics: Metrics,
    pub(crate) limits: Limits,
    /// One permit for each outer request in flight.
    pub(crate) outer: Arc<Semaphore>,
    /// Instances alive.
    pub(crate) in_flight: Count,
}

/// A number of things that are going on, and a way to wait until none is.
#[derive(Default)]
pub(crate) struct Count {
    number: AtomicUsize,
    none: Notify,
}

impl Count {
    /// One more.
    pub(crate) fn enter(&self) {
        self.number.fetch_add(1, Ordering::AcqRel);
    }

    /// One less.
    pub(crate) fn leave(&self) {
        if self.number.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.none.notify_waiters();
        }
    }

    /// How many there are.
    pub(crate) fn number(&self) -> usize {
        self.number.load(Ordering::Acquire)
    }

    /// Waits until there is none.
    pub(crate) async fn until_none(&self) {
        loop {
            let none = self.none.notified();
            tokio::pin!(none);
            none.as_mut().enable();
            if self.number() == 0 {
                return;
            }
            none.await;
        }
    }
}
