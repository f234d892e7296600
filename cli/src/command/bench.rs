//! `auscult bench`: how fast the pipeline is, beside what nothing could beat and beside Spin.

mod alerts;
mod floor;
mod host;
mod load;
mod machine;
mod pipeline;
mod program;
mod receiver;
mod report;
mod scoring;
mod table;
mod ward;

use std::path::PathBuf;
use std::time::Duration;

use crate::failure::Failure;
use crate::output::Output;
use machine::Machine;
use report::Report;

/// Measures the pipeline and the host on this machine; prints tables and writes JSON.
#[derive(Debug, clap::Args)]
pub struct Bench {
    /// How long each row is measured.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Where the figures go as JSON.
    #[arg(long, default_value = "target/bench.json")]
    out: PathBuf,
    /// The pipeline's manifest.
    #[arg(long, default_value = "spin.toml")]
    app: PathBuf,
    /// Only these tables; may be given several times.
    #[arg(long, value_enum, alias = "only")]
    suite: Vec<Suite>,
}

/// Tables that are measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Suite {
    /// The pipeline and its floor.
    Pipeline,
    /// The host alone.
    Host,
    /// Who is paged on a noisy ward.
    Alerts,
    /// Scoring alone, native and as the component.
    Scoring,
}

impl Bench {
    /// Measures everything; takes about five minutes unless told otherwise.
    pub async fn run(self, output: Output) -> Result<(), Failure> {
        let report = self.measure().await.map_err(|it| Failure::Bad(format!("{it:#}")))?;
        let json = report.json();
        let unwritten = |it: std::io::Error| Failure::unread(&self.out.display().to_string(), &it);
        if let Some(folder) = self.out.parent() {
            std::fs::create_dir_all(folder).map_err(unwritten)?;
        }
        std::fs::write(&self.out, format!("{json:#}\n")).map_err(unwritten)?;
        output.print(&format!("{}\nJSON: {}", report.text(), self.out.display()), &json);
        Ok(())
    }

    fn wants(&self, suite: Suite) -> bool {
        self.suite.is_empty() || self.suite.contains(&suite)
    }

    async fn measure(&self) -> anyhow::Result<Report> {
        let machine = Machine::here();
        let time = Duration::from_secs(self.seconds);
        let folder = tempfile::tempdir()?;
        let mut report = Report {
            machine,
            seconds: self.seconds,
            pipeline: None,
            floor: Vec::new(),
            host: Vec::new(),
            alerts: Vec::new(),
            scoring: Vec::new(),
        };
        if self.wants(Suite::Pipeline) {
            let measured =
                pipeline::measure(&self.app, &folder.path().join("pipeline"), time).await?;
            report.floor = floor::plain_sql(&measured.database, folder.path(), time).await?;
            let native = folder.path().to_owned();
            report
                .floor
                .extend(tokio::task::spawn_blocking(move || floor::cores(&native, time)).await??);
            report.pipeline = Some(measured);
        }
        if self.wants(Suite::Host) {
            report.host = host::measure(folder.path(), time).await?;
        }
        if self.wants(Suite::Alerts) {
            report.alerts = alerts::measure().await?;
        }
        if self.wants(Suite::Scoring) {
            report.scoring = scoring::measure(&self.app, folder.path(), time).await?;
        }
        Ok(report)
    }
}
