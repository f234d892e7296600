//! What guests ask of the writer.

use std::{sync::Arc, time::Instant};

use tokio::sync::{mpsc, oneshot};

use super::{Error, Value, physical::Outcome, statement::Statement};

/// One thing to do for the writer.
pub(super) enum Job {
    /// A statement that is its own transaction.
    Write(Write),
    /// An explicit transaction; its statements follow.
    Begin(Begin),
    /// End, with the log moved into the file.
    Close(oneshot::Sender<Result<(), Error>>),
}

/// A statement that is its own transaction.
pub(super) struct Write {
    pub statement: Arc<Statement>,
    pub text: Arc<str>,
    pub params: Vec<Value>,
    /// Whether the text is worth a place among the prepared statements.
    pub cached: bool,
    pub reply: oneshot::Sender<Result<Outcome, Error>>,
    pub queued: Instant,
}

/// An explicit transaction.
pub(super) struct Begin {
    pub statements: mpsc::Receiver<Step>,
    /// The savepoint that opened it, if it was not `BEGIN`: its statement and name.
    pub savepoint: Option<(Arc<str>, String)>,
    pub reply: oneshot::Sender<Result<(), Error>>,
    pub queued: Instant,
}

/// One statement of an explicit transaction.
pub(super) struct Step {
    pub statement: Arc<Statement>,
    pub text: Arc<str>,
    pub params: Vec<Value>,
    pub cached: bool,
    pub reply: oneshot::Sender<Stepped>,
}

/// The answer to a [`Step`].
pub(super) struct Stepped {
    pub result: Result<Outcome, Error>,
    /// Whether the transaction is still open.
    pub open: bool,
}
