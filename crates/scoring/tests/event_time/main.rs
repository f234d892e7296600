//! The event-time engine on a real SQLite file.

mod common;
mod engine;
mod order;
mod rules;
mod settings;
