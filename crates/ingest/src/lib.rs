//! The first stage: takes what a device sends, names it, stores it once, and moves it on.
//!
//! Read in this order: [`read`] cuts a request into messages, [`admit`] decides on each, [`store`]
//! keeps them, [`relay`] decides what to try next, [`credential`] says who may speak for which device.

pub mod admit;
pub mod credential;
pub mod dead_letters;
pub mod read;
pub mod relay;
pub mod store;

pub use admit::{Admitted, Verdict, admit};
pub use credential::Credential;
pub use read::{Form, Incoming, read};
