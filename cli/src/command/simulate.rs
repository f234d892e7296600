//! `auscult simulate`: a ward of devices against a running server.

use std::time::Duration;

use auscult_ward::Scenario;
use serde_json::json;
use tokio::sync::watch;

use crate::client::Connection;
use crate::failure::Failure;
use crate::output::Output;
use crate::player::{self, Play};

/// Plays a ward of simulated devices against a running server.
#[derive(Debug, clap::Args)]
pub struct Simulate {
    /// Beds, each with one patient and four devices.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    patients: u32,
    /// steady, deteriorating, recovering, noisy-sensor, gaps or mixed.
    #[arg(long, default_value_t = Scenario::Mixed)]
    scenario: Scenario,
    /// How many times faster than life illness runs; readings keep the time of the clock.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    speed: u32,
    /// The same seed gives the same readings.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stop after this many seconds; without it, on an interrupt.
    #[arg(long, value_name = "SECONDS")]
    duration: Option<u64>,
    #[command(flatten)]
    connection: Connection,
}

impl Simulate {
    /// Plays, then prints what became of the messages.
    pub async fn run(self, output: Output) -> Result<(), Failure> {
        let operator = self.connection.operator()?;
        let play = Play {
            patients: self.patients,
            scenario: self.scenario,
            seed: self.seed,
            speed: self.speed,
            gateway: format!("simulated-gateway-{}", self.seed),
            history: Duration::ZERO,
            duration: self.duration.map(Duration::from_secs),
            is_only_player: false,
        };
        let (stopping, stop) = watch::channel(false);
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                stopping.send_replace(true);
            }
            // Kept alive: a sender that is gone would count as a stop.
            std::future::pending::<()>().await;
        });
        let counts = player::play(&operator, &play, stop).await?;
        let text = format!(
            "{} accepted, {} duplicate, {} rejected",
            counts.accepted, counts.duplicate, counts.rejected
        );
        output.print(&text, &json!({ "messages": counts.json() }));
        match counts.rejected {
            0 => Ok(()),
            n => Err(Failure::Bad(format!("{n} messages were rejected"))),
        }
    }
}
