//! A noisy day of 30 beds, printed: `cargo run --release --example day [SEED]`.

use std::error::Error;

use auscult_model::Timestamp;
use auscult_rehearsal::ward::{default_policy, play};
use auscult_ward::NoisyOptions;

fn main() -> Result<(), Box<dyn Error>> {
    let seed = std::env::args().nth(1).map_or(Ok(1), |it| it.parse())?;
    let start = Timestamp::parse("2026-11-20T00:00:00Z").ok_or("no time")?;
    let options = NoisyOptions { beds: 30, hours: 24, seed, start };
    println!("{:#}", serde_json::to_value(play(options, default_policy()?)?)?);
    Ok(())
}
