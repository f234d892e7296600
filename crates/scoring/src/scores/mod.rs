//! The other scores and rules, each a pure function with its published table as data.

pub mod adherence;
pub mod baseline;
pub mod blood_pressure;
pub mod cgm;
pub mod cgm_events;
pub mod cluster;
pub mod ears;
pub mod inactivity;
pub mod inhaler;
pub mod lace;
pub mod mews;
pub mod missing_data;
pub mod pews;
pub mod qsofa;
pub mod sepsis;
pub mod shock_index;
pub mod sirs;
pub mod weight;
