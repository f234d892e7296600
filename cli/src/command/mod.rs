//! The commands, one file each.

#[cfg(feature = "bench")]
pub mod bench;
pub mod dead_letters;
pub mod map;
pub mod policy;
pub mod replay;
pub mod score;
pub mod simulate;
pub mod trace;
pub mod up;
