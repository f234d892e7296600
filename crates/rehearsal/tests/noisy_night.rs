//! A short noisy night: quiet, and nobody in danger is missed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use auscult_model::Timestamp;
use auscult_rehearsal::ward::{default_policy, play};
use auscult_ward::NoisyOptions;
use serde_json::json;

#[test]
fn a_short_noisy_night_is_quiet_and_nobody_in_danger_is_missed() {
    let start = Timestamp::parse("2026-11-20T04:00:00Z").unwrap();
    let options = NoisyOptions { beds: 6, hours: 5, seed: 11, start };
    let figures = play(options, default_policy().unwrap()).unwrap();
    println!("{figures:?}");
    assert_eq!((figures.dangers, figures.missed, figures.late), (2, 0, 0), "{figures:?}");
    assert!(figures.reduction_percent >= 80.0, "{figures:?}");
    assert!(figures.paged_per_bed_day > 0.0, "{figures:?}");
}

#[test]
fn a_policy_that_calls_nobody_in_time_is_found_out() {
    let start = Timestamp::parse("2026-11-20T04:00:00Z").unwrap();
    let options = NoisyOptions { beds: 2, hours: 3, seed: 11, start };
    let mut deaf = default_policy().unwrap();
    deaf["backfill_limit"] = json!("1s");
    let figures = play(options, deaf).unwrap();
    assert_eq!((figures.dangers, figures.missed), (1, 1), "{figures:?}");
}
