//! The cases of the bench as a plain program that prints microseconds a message: built for wasm it is what
//! `cargo bench --bench mapping_in_wasm` runs inside the engine that serves the components.

#[path = "../benches/cases.rs"]
mod cases;

use std::time::Instant;

/// Samples of one case; the median of them counts.
const SAMPLES: usize = 101;
/// Messages of one sample: enough that reading the clock does not matter.
const MESSAGES: u32 = 50;

fn main() {
    for (name, case) in cases::CASES {
        let case = case();
        assert_eq!(case(), 5, "{name}");
        let mut samples: Vec<f64> = (0..SAMPLES)
            .map(|_| {
                let started = Instant::now();
                for _ in 0..MESSAGES {
                    std::hint::black_box(case());
                }
                started.elapsed().as_secs_f64() * 1e6 / f64::from(MESSAGES)
            })
            .collect();
        samples.sort_by(f64::total_cmp);
        let median = samples.get(SAMPLES / 2).copied().unwrap_or_default();
        let fastest = samples.first().copied().unwrap_or_default();
        println!("{name} {median:.2} {fastest:.2}");
    }
}
