//! The pages as HTML.

mod alert;
mod frame;
mod login;
mod message;
mod notice;
mod parts;
mod patient;
mod ward;

pub use alert::alert;
pub use frame::{Frame, Shown, content_security_policy};
pub use login::login;
pub use message::{message, search};
pub use notice::notice;
pub use patient::patient;
pub use ward::ward;
