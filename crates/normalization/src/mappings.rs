//! Mapping sets that senders name by `?source=`: compiled for use, checked and versioned when changed.

use std::collections::HashMap;

/// The compiled mapping sets of one batch.
#[derive(Debug, Default)]
pub struct MappingSets(HashMap<String, MappingSet>);

/// One compiled mapping set.
#[derive(Debug)]
pub struct MappingSet;

impl MappingSet {
    pub fn decode(&self, _m: &auscult_model::events::ReceivedMessage) -> Result<crate::Decoded, auscult_model::Problem> {
        Err(auscult_model::Problem::new(500, "x", "x"))
    }
}

impl MappingSets {
    /// The set of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&MappingSet> {
        self.0.get(name)
    }
    pub fn add(&mut self, _n: &str, _v: i64, _d: &str) {}
}
