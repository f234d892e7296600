//! The ward of the demo, played in this process against its own address.

use std::time::Duration;

use auscult_ward::Scenario;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

use crate::client::Client;
use crate::failure::Failure;
use crate::player::{self, Play};

/// Sent at once, so that the trend lines have a past: a round of illness and recovery at the usual
/// speed, and half a minute more, which puts the first patient on the way to an emergency.
const HISTORY: Duration = Duration::from_secs(240);

/// What the demo plays.
#[derive(Debug, Clone, clap::Args)]
pub struct DemoWard {
    /// With --demo: beds.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    patients: u32,
    /// With --demo: how many times faster than life illness runs.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    speed: u32,
    /// With --demo: the same seed gives the same readings.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// A ward that is being played.
pub struct Demo {
    stopping: watch::Sender<bool>,
    playing: JoinHandle<()>,
}

impl Demo {
    /// Begins to play. What goes wrong is logged: the server goes on without a ward.
    pub fn start(url: &str, token: &str, ward: DemoWard) -> Result<Self, Failure> {
        let url = Url::parse(url).map_err(|it| Failure::unread(url, &it))?;
        let operator = Client::new(&url, token)?;
        let play = Play {
            patients: ward.patients,
            scenario: Scenario::Mixed,
            seed: ward.seed,
            speed: ward.speed,
            gateway: "demo-gateway".to_owned(),
            history: HISTORY,
            duration: None,
            is_only_player: true,
        };
        let (stopping, stop) = watch::channel(false);
        let playing = tokio::spawn(async move {
            if let Err(failure) = player::play(&operator, &play, stop).await {
                tracing::error!(%failure, "the simulated ward stopped");
            }
        });
        Ok(Self { stopping, playing })
    }

    /// Stops playing and waits until the last request is answered.
    pub async fn stop(self) {
        self.stopping.send_replace(true);
        // A panic of the player is in the log already.
        let _ = self.playing.await;
    }
}
