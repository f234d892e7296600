//! What the end-to-end tests stand on: the real program with the real components, started in a new
//! directory, and a receiver of webhooks. Everything goes over real sockets on this machine.

mod program;
mod receiver;
mod sink;

pub use program::{Answer, Program, program, root, shared};
pub use receiver::{Page, Receiver};
pub use sink::Sink;
