//! SIGTERM and interrupts: the first asks to finish, the second ends the process.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Failure;

/// What a shell reports for a process that ended by an interrupt.
const ENDED_BY_SIGNAL: i32 = 130;

/// The signals this process listens to.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes the signals over.
    pub fn listen() -> Result<Self, Failure> {
        let take = |kind| signal(kind).map_err(|it| Failure::unread("signals", &it));
        Ok(Self {
            terminate: take(SignalKind::terminate())?,
            interrupt: take(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next signal.
    pub async fn first(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// From now on a signal ends the process at once.
    pub fn exit_on_next(mut self) {
        tokio::spawn(async move {
            self.first().await;
            std::process::exit(ENDED_BY_SIGNAL);
        });
    }
}
