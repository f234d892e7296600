//! Who is paged on a noisy ward of 30 beds over a day: plain thresholds beside the default policy.

use anyhow::{Context as _, Result};
use auscult_model::Timestamp;
use auscult_ward::NoisyOptions;

use super::table::table;
use auscult_rehearsal::ward::{Figures, default_policy, play};

const BEDS: u32 = 30;
const HOURS: i64 = 24;
/// Each a ward of its own; one would prove little.
const SEEDS: [u64; 2] = [1, 2];
/// When the day begins: any day, so that a seed always gives the same figures.
const START: &str = "2026-11-20T00:00:00Z";

/// Plays the wards, one after the other.
pub async fn measure() -> Result<Vec<(u64, Figures)>> {
    let start = Timestamp::parse(START).context("the day's start")?;
    let mut all = Vec::new();
    for seed in SEEDS {
        eprintln!("alerts: {BEDS} beds over {HOURS} h, seed {seed}");
        let options = NoisyOptions { beds: BEDS, hours: HOURS, seed, start };
        // The native database brings a runtime of its own.
        let played = tokio::task::spawn_blocking(move || play(options, default_policy()?));
        all.push((seed, played.await??));
    }
    Ok(all)
}

/// For people.
pub fn text(all: &[(u64, Figures)]) -> String {
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|(seed, it)| {
            vec![
                seed.to_string(),
                it.readings.to_string(),
                format!("{:.0}", it.plain_per_bed_day),
                format!("{:.1}", it.paged_per_bed_day),
                format!("{:.1} %", it.reduction_percent),
                format!("{:.1}", it.emergencies_per_bed_day),
                format!("{:.1}", it.technical_per_bed_day),
                format!("{} of {}", it.missed, it.dangers),
                it.late.to_string(),
                format!("{:.0}", it.slowest_seconds),
            ]
        })
        .collect();
    let head = [
        "seed",
        "readings",
        "plain thresholds",
        "default policy",
        "fewer",
        "emergencies",
        "technical",
        "missed dangers",
        "late (> 30 s)",
        "slowest s",
    ];
    let mut text = format!(
        "\nAlerts: {BEDS} beds, {HOURS} h, pages a bed and day. Noise after Drew 2014 (187 audible alarms a \
         bed and day) and PMC4456276; simulated clock, cores of scoring and notification.\n\n{}",
        table(&head, &rows)
    );
    for (seed, it) in all {
        let held: Vec<String> = it.held.iter().map(|(reason, n)| format!("{reason} {n}")).collect();
        text.push_str(&format!("Held back, seed {seed}: {}\n", held.join(", ")));
    }
    text
}
