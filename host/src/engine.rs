//! The WebAssembly engine: how memory is set aside for instances, and the clock that lets endless
//! guests be stopped.

use crate::events;
use crate::limits::Limits;
use crate::manifest::MEMORY_BYTES_CEILING;
use std::time::Duration;
use wasmtime::{
    Config, Enabled, Engine, EngineWeak, InstanceAllocationStrategy, PoolingAllocationConfig,
};

/// How often running guests are looked at. Small enough that a guest in a loop lets others run,
/// large enough that the look costs nothing.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Memory of an instance that stays mapped for the next one: about what a small Rust guest
/// touches. Resetting it by copying is cheaper than giving the pages back and faulting them in.
const MEMORY_RESIDENT_BYTES: usize = 1 << 20;
/// The same for the stack host calls run on.
const STACK_RESIDENT_BYTES: usize = 64 << 10;
/// The same for tables.
const TABLE_RESIDENT_BYTES: usize = 16 << 10;
/// Elements of one table; Spin's own bound, and far above what compilers emit.
const TABLE_ELEMENTS: usize = 100_000;
/// Memories that one composed component may have: the component and its dependencies.
const MEMORIES_PER_COMPONENT: u32 = 16;
/// Core modules that one composed component may have; each component brings about four.
const CORE_INSTANCES_PER_COMPONENT: u32 = 100;
/// Tables that one composed component may have.
const TABLES_PER_COMPONENT: u32 = 32;
/// Stack of a guest; wasmtime's own default for the guest plus as much for host calls.
const STACK_BYTES: usize = 2 << 20;

/// Makes the engine, with a pool as large as can be had.
///
/// A small machine may not have the address space for the pool; then a smaller one is tried, and
/// at last none.
pub(crate) fn start(limits: &Limits) -> wasmtime::Result<Engine> {
    for share in [1, 8, 64] {
        let slots = (limits.instances_max / share).max(1);
        match Engine::new(&config(Some(pool(slots)))) {
            Ok(engine) => {
                start_ticking(engine.weak())?;
                return Ok(engine);
            }
            Err(_) => events::PoolTooLarge { slots }.emit(),
        }
    }
    let engine = Engine::new(&config(None))?;
    start_ticking(engine.weak())?;
    Ok(engine)
}

fn config(pool: Option<PoolingAllocationConfig>) -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true);
    // One request, one instance, one call: nothing runs concurrently inside a store.
    config.concurrency_support(false);
    config.epoch_interruption(true);
    config.memory_init_cow(true);
    config.signals_based_traps(true);
    config.async_stack_size(STACK_BYTES);
    // A trap is reported by its kind; collecting frames would cost time in every trap.
    config.wasm_backtrace_max_frames(None);
    if let Some(pool) = pool {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}

fn pool(slots: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_stacks(slots)
        .total_memories(slots.saturating_mul(2))
        .total_tables(slots.saturating_mul(4))
        .total_core_instances(slots.saturating_mul(8))
        .max_memories_per_component(MEMORIES_PER_COMPONENT)
        .max_tables_per_component(TABLES_PER_COMPONENT)
        .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        .max_memory_size(usize::try_from(MEMORY_BYTES_CEILING).unwrap_or(usize::MAX))
        .table_elements(TABLE_ELEMENTS)
        .linear_memory_keep_resident(MEMORY_RESIDENT_BYTES)
        .async_stack_keep_resident(STACK_RESIDENT_BYTES)
        .table_keep_resident(TABLE_RESIDENT_BYTES)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Advances the engine's epoch until the engine is gone.
fn start_ticking(engine: EngineWeak) -> wasmtime::Result<()> {
    std::thread::Builder::new().name("epoch".to_owned()).spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    })?;
    Ok(())
}
