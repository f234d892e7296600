//! `auscult trace`: one message through every stage.

use crate::client::Connection;
use crate::failure::Failure;
use crate::output::Output;

/// Follows one message by its id through every stage.
#[derive(Debug, clap::Args)]
pub struct Trace {
    /// The message's id, as in the answer to whoever sent it.
    id: String,
    #[command(flatten)]
    connection: Connection,
}

impl Trace {
    /// Prints the trace; a message nobody knows is exit 1.
    pub async fn run(self, output: Output) -> Result<(), Failure> {
        let trace = self.connection.operator()?.find(&["trace", &self.id], &[]).await?;
        match trace {
            Some(trace) => {
                output.show(&trace);
                Ok(())
            }
            None => Err(Failure::Bad("no message has that id".to_owned())),
        }
    }
}
