//! End to end: the real program, the real components, real sockets.

mod alerts;
mod bad_input;
mod channels;
mod components;
mod console;
mod documents;
mod escalation;
mod fhir_model;
mod kill;
mod mapping_samples;
mod mapping_sets;
mod mapping_vendors;
mod order;
mod pipeline;
mod real_input;
mod scoring;
mod vitals;
