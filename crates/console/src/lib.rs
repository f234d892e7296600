//! The pages: the ward, one patient, one alert, one message through every stage.
//!
//! Read from the tables of the other stages through [`auscult_store::Database`], one query per kind
//! for the whole ward; drawn with `maud`, which escapes every value. Nothing here writes.

pub mod chart;
pub mod page;
pub mod route;
pub mod session;
pub mod span;
pub mod store;
pub mod vital;
mod words;

pub use page::{Frame, Shown, content_security_policy};
pub use route::Route;
pub use session::{Access, Session};
pub use span::Span;
pub use vital::Vital;
pub use words::segment as path_segment;
