//! The mapping engine's own bench, inside an engine set as the host sets the one that serves the components:
//! `cargo bench --bench mapping_in_wasm`. The native figures are `cargo bench -p auscult-mapping`.

use std::process::Command as Process;

use anyhow::{Result, ensure};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

const TARGET: &str = "wasm32-wasip2";

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

fn main() -> Result<()> {
    let root = auscult_tests::root();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Process::new(cargo)
        .current_dir(&root)
        .args(["build", "--release", "--package", "auscult-mapping", "--example", "speed"])
        .args(["--target", TARGET])
        .status()?;
    ensure!(built.success(), "the bench does not build for {TARGET}");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    let file = target.join(TARGET).join("release/examples/speed.wasm");

    let mut config = Config::new();
    config.wasm_component_model(true).epoch_interruption(true).concurrency_support(false);
    let engine = Engine::new(&config)?;
    let component = Component::from_file(&engine, &file)?;
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    let wasi = WasiCtx::builder().inherit_stdout().inherit_stderr().build();
    let mut store = Store::new(&engine, State { wasi, table: ResourceTable::new() });
    store.set_epoch_deadline(1_000_000);
    println!("in wasm: case, median and fastest in µs a message");
    let command = Command::instantiate(&mut store, &component, &linker)?;
    let ended = command.wasi_cli_run().call_run(&mut store)?;
    ensure!(ended.is_ok(), "the bench failed");
    Ok(())
}
