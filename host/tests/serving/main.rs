//! Starts the server on the application in `tests/spin-app/` and talks to it over real sockets.
//!
//! The guests are built first, by cargo, into `target/` of the repository (or the folder that
//! `AUSCULT_WASM_TARGET_DIR` names); without the target `wasm32-wasip2` the tests fail.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail like tests")]

mod app;
mod client;
mod features;
mod limits;
mod refusals;
mod restart;
mod stopping;
mod tenants;
