//! The host alone, with a plain Spin application, on the routes whose figures for Spin are known.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use super::load::{self, Call, Plan};
use super::program::Program;

/// The application every route is served from.
const APP: &str = "tests/spin-app/spin.toml";
/// Each row runs on a new data folder: a table that grows with the row count would slow the count.
const CONNECTIONS: [usize; 3] = [1, 16, 64];

/// Spin 4.0.2 (spin-sdk 5.2, WASI 0.2) on another 2-core machine, wrk on the same cores, 10 s each.
const SPIN: [Route; 3] = [
    Route {
        path: "/text",
        name: "text",
        rates: [1_759.0, 4_150.0, 3_999.0],
        p99_ms: [2.0, 7.6, 27.0],
        aim: 2.0,
    },
    Route {
        path: "/sqlite",
        name: "insert + count",
        rates: [213.0, 164.0, 81.0],
        p99_ms: [82.0, 1_680.0, 5_030.0],
        aim: 20.0,
    },
    Route {
        path: "/chain",
        name: "chain",
        rates: [924.0, 2_115.0, 1_863.0],
        p99_ms: [2.1, 14.0, 61.0],
        aim: 2.0,
    },
];

struct Route {
    path: &'static str,
    name: &'static str,
    rates: [f64; 3],
    p99_ms: [f64; 3],
    /// How many times Spin's rate we aim at.
    aim: f64,
}

/// One row of the table.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What the route does.
    pub route: &'static str,
    /// Connections.
    pub connections: usize,
    /// Requests a second.
    pub rate: f64,
    /// 99 of 100 answers, in milliseconds.
    pub p99_ms: f64,
    /// Requests not answered with 200.
    pub errors: u64,
    /// Spin's requests a second.
    pub spin_rate: f64,
    /// Spin's 99 of 100, in milliseconds.
    pub spin_p99_ms: f64,
    /// Ours over Spin's.
    pub ratio: f64,
    /// What we aim at.
    pub aim: f64,
    /// Mean time to make an instance, in microseconds.
    pub instance_us: f64,
    /// Resident memory after the row.
    pub resident_mb: f64,
}

/// Measures with data folders under `folder`.
pub async fn measure(folder: &Path, time: Duration) -> Result<Vec<Row>> {
    let app = Path::new(APP);
    let variables = ["token=t"];
    let warm = folder.join("warm");
    Program::start(app, &warm, &variables).await?.0.stop().await?;
    let mut rows = Vec::new();
    for route in &SPIN {
        let spin = CONNECTIONS.iter().zip(route.rates).zip(route.p99_ms);
        for ((&connections, spin_rate), spin_p99_ms) in spin {
            eprintln!("host: {}, {connections} connections", route.name);
            let data = folder.join(format!("{}-{connections}", route.path.trim_start_matches('/')));
            copy_compiled(&warm, &data)?;
            let (program, _) = Program::start(app, &data, &variables).await?;
            let plan = Plan { address: program.address, connections, time, every: None };
            let path = route.path;
            let next = Arc::new(move || Some(Call::get(path)));
            let done = load::run(plan, next, |status, _| (status == 200).then_some(1)).await?;
            let rate = done.answered as f64 / done.took.as_secs_f64().max(0.001);
            rows.push(Row {
                route: route.name,
                connections,
                rate,
                p99_ms: done.ms(0.99),
                errors: done.failed(),
                spin_rate,
                spin_p99_ms,
                ratio: rate / spin_rate,
                aim: route.aim,
                instance_us: instance_us(&program).await?,
                resident_mb: program.resident_mb()?,
            });
            program.stop().await?;
        }
    }
    Ok(rows)
}

/// Gives a new data folder the compiled code of another, with the key it was signed with.
fn copy_compiled(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to.join("cache"))?;
    std::fs::copy(from.join("host.key"), to.join("host.key"))?;
    for file in std::fs::read_dir(from.join("cache"))? {
        let file = file?;
        std::fs::copy(file.path(), to.join("cache").join(file.file_name()))?;
    }
    Ok(())
}

/// Read from the host's own metrics.
pub async fn instance_us(program: &Program) -> Result<f64> {
    let metrics = reqwest::get(format!("http://{}/metrics", program.address)).await?.text().await?;
    let value = |name: &str| {
        let name = format!("auscult_host_instantiate_seconds_{name} ");
        let line = metrics.lines().find_map(|it| it.strip_prefix(&name));
        line.and_then(|it| it.trim().parse::<f64>().ok()).unwrap_or_default()
    };
    Ok(1e6 * value("sum") / value("count").max(1.0))
}
