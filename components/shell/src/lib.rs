//! What every component shell needs: the database, the clock, CloudEvents in and out, problems as
//! answers, who is asking. No logic of any stage.

pub mod auth;
pub mod clock;
pub mod database;
pub mod events;
pub mod http;

pub use auth::operator;
pub use clock::now;
pub use database::SpinSqlite;
pub use http::{Call, Reply};
