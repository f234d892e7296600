//! The commands, one file each.

pub mod dead_letters;
pub mod map;
pub mod simulate;
pub mod trace;
pub mod up;
