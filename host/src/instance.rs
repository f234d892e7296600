//! One request, one instance: what a guest's store holds, and how it is run and ended.

use crate::application::Inner;
use crate::component::Component;
use crate::events::TrapKind;
use crate::outbound::Outbound;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use wasmtime::component::ResourceTable;
use wasmtime::{PoolConcurrencyLimitError, ResourceLimiter, Store, Trap, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::{WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// Core instances, tables and memories one store may hold, all dependencies included.
const ENTITIES_MAX: usize = 200;
/// Elements one table may grow to.
const TABLE_ELEMENTS_MAX: usize = 100_000;

/// What a guest sends back through its out-parameter.
pub(crate) type Sent = Result<http::Response<WasiBody>, ErrorCode>;

/// A request on its way to a guest.
pub(crate) struct Call {
    /// The request.
    pub(crate) request: http::Request<WasiBody>,
    /// How many components called each other before this one.
    pub(crate) depth: u8,
    /// The place of an outer request, kept until the guest has ended.
    pub(crate) permit: Option<tokio::sync::OwnedSemaphorePermit>,
}

/// How a guest ended when it did not end well.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Why.
    pub(crate) kind: TrapKind,
    /// In the engine's words, without anything of the guest's data.
    pub(crate) reason: String,
}

/// Everything that belongs to one instance.
pub(crate) struct GuestState {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    /// Handles the guest holds.
    pub(crate) table: ResourceTable,
    /// Key-value stores the guest has open.
    pub(crate) n_stores: usize,
    outbound: Outbound,
    gate: MemoryGate,
    meter: Arc<Meter>,
}

impl GuestState {
    /// The component the guest is an instance of.
    pub(crate) fn component(&self) -> &Arc<Component> {
        self.outbound.component()
    }

    /// The application the component is part of.
    pub(crate) fn application(&self) -> &Arc<Inner> {
        self.outbound.application()
    }
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for GuestState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.outbound, table: &mut self.table, ctx: &mut self.http }
    }
}

/// Runs a component for one request until the guest returns, which may be long after it answered.
///
/// `cut` is set before anything of the guest is dropped when it did not end well.
pub(crate) fn run(
    application: Arc<Inner>,
    component: Arc<Component>,
    call: Call,
    sent: oneshot::Sender<Sent>,
    cut: Arc<AtomicBool>,
) -> impl Future<Output = Result<(), Ended>> + Send + 'static {
    let meter = Arc::new(Meter::default());
    let running = Running::start(&application);
    let guest = {
        let meter = meter.clone();
        async move {
            let (_running, _permit) = (running, call.permit);
            let request_time_max = application.runtime.limits.request_time_max;
            let state = match state(application, component, call.depth, meter) {
                Ok(state) => state,
                Err(error) => return Err(Ended::host(&error)),
            };
            let mut store = new_store(state);
            let work = serve(&mut store, call.request, sent);
            let result = match tokio::time::timeout(request_time_max, work).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => Err(Ended::from_error(&error, &store)),
                Err(_) => Err(Ended {
                    kind: TrapKind::RequestTime,
                    reason: format!("the request took longer than {request_time_max:?}"),
                }),
            };
            cut.store(true, Ordering::Release);
            result
        }
    };
    Metered { guest: Box::pin(guest), meter }
}

async fn serve(
    store: &mut Store<GuestState>,
    request: http::Request<WasiBody>,
    sent: oneshot::Sender<Sent>,
) -> wasmtime::Result<()> {
    let component = store.data().component().clone();
    let pre = component.pre()?;
    let begun = Instant::now();
    let proxy = pre.instantiate_async(&mut *store).await?;
    let metrics = &store.data().application().runtime.metrics;
    metrics.instantiate_seconds.observe(begun.elapsed().as_secs_f64());
    let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
    let answer = store.data_mut().http().new_response_outparam(sent)?;
    proxy.wasi_http_incoming_handler().call_handle(&mut *store, request, answer).await
}

fn state(
    application: Arc<Inner>,
    component: Arc<Component>,
    depth: u8,
    meter: Arc<Meter>,
) -> wasmtime::Result<GuestState> {
    Ok(GuestState {
        wasi: component.wasi()?,
        http: WasiHttpCtx::new(),
        table: ResourceTable::new(),
        n_stores: 0,
        gate: MemoryGate { bytes_max: component.memory_bytes_max, bytes: 0, refused: false },
        outbound: Outbound::new(application, component, depth),
        meter,
    })
}

fn new_store(state: GuestState) -> Store<GuestState> {
    let engine = state.application().runtime.engine.clone();
    let mut store = Store::new(&engine, state);
    store.limiter(|state| &mut state.gate);
    // Look at the guest at every tick; it is ended by what it has used, not by the clock.
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|store| {
        let state = store.data();
        if state.meter.spent() > state.component().deadline {
            return Err(wasmtime::Error::new(DeadlineReached));
        }
        Ok(UpdateDeadline::Yield(1))
    });
    store
}

#[derive(Debug, thiserror::Error)]
#[error("the guest computed longer than its deadline")]
struct DeadlineReached;

impl Ended {
    /// Something of the host failed.
    pub(crate) fn host(error: &wasmtime::Error) -> Self {
        Self { kind: TrapKind::Host, reason: error.to_string() }
    }

    fn from_error(error: &wasmtime::Error, store: &Store<GuestState>) -> Self {
        let kind = if error.is::<DeadlineReached>() {
            TrapKind::Deadline
        } else if error.is::<PoolConcurrencyLimitError>() {
            TrapKind::NoInstance
        } else if store.data().gate.refused {
            TrapKind::Memory
        } else if let Some(trap) = error.downcast_ref::<Trap>() {
            if *trap == Trap::StackOverflow { TrapKind::Stack } else { TrapKind::Trap }
        } else if error.is::<wasmtime_wasi::I32Exit>() {
            TrapKind::Exit
        } else {
            TrapKind::Host
        };
        Self { kind, reason: error.root_cause().to_string() }
    }
}

/// Counts an instance as alive for as long as it exists.
struct Running {
    application: Arc<Inner>,
}

impl Running {
    fn start(application: &Arc<Inner>) -> Self {
        application.runtime.metrics.instances.inc();
        application.runtime.in_flight.enter();
        Self { application: application.clone() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.application.runtime.metrics.instances.dec();
        self.application.runtime.in_flight.leave();
    }
}

/// Refuses memory beyond the component's bound.
struct MemoryGate {
    bytes_max: u64,
    bytes: u64,
    refused: bool,
}

impl ResourceLimiter for MemoryGate {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // All memories of a composed component count together.
        let bytes = self.bytes.saturating_add(desired.saturating_sub(current) as u64);
        if bytes > self.bytes_max {
            self.refused = true;
            return Ok(false);
        }
        self.bytes = bytes;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX)
    }

    fn instances(&self) -> usize {
        ENTITIES_MAX
    }

    fn tables(&self) -> usize {
        ENTITIES_MAX
    }

    fn memories(&self) -> usize {
        ENTITIES_MAX
    }
}

/// Measures how long a guest has run, not counting the time it waited.
#[derive(Default)]
struct Meter {
    before_ns: AtomicU64,
    entered_ns: AtomicU64,
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

fn now_ns() -> u64 {
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

impl Meter {
    fn enter(&self) {
        self.entered_ns.store(now_ns(), Ordering::Relaxed);
    }

    fn leave(&self) {
        let run = now_ns().saturating_sub(self.entered_ns.load(Ordering::Relaxed));
        self.before_ns.fetch_add(run, Ordering::Relaxed);
    }

    /// Only meaningful while the guest runs.
    fn spent(&self) -> Duration {
        let run = now_ns().saturating_sub(self.entered_ns.load(Ordering::Relaxed));
        Duration::from_nanos(self.before_ns.load(Ordering::Relaxed).saturating_add(run))
    }
}

/// A guest whose every turn is measured.
struct Metered<F> {
    guest: Pin<Box<F>>,
    meter: Arc<Meter>,
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.meter.enter();
        let result = self.guest.as_mut().poll(context);
        self.meter.leave();
        result
    }
}
