//! This program itself, started as a child the way an operator starts it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use super::load::{Call, Connection};

/// A start compiles every component when nothing is cached; slow machines take long.
const START_WITHIN: Duration = Duration::from_secs(180);
/// A stop finishes what is in flight.
const STOP_WITHIN: Duration = Duration::from_secs(40);
/// Ticks of `/proc/<id>/stat` in a second, on every Linux there is.
const TICKS_A_SECOND: f64 = 100.0;

/// A running `auscult up`. Killed when dropped.
pub struct Program {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    data: PathBuf,
}

impl Program {
    /// Starts on a free port. It may not answer yet.
    pub fn spawn(app: &Path, data: &Path, variables: &[&str]) -> Result<Self> {
        std::fs::create_dir_all(data)?;
        let free = std::net::TcpListener::bind("127.0.0.1:0")?;
        let address = free.local_addr()?;
        drop(free);
        let log = std::fs::File::options().create(true).append(true).open(data.join("log.txt"))?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("up").arg("--app").arg(app).arg("--data").arg(data);
        command.args(["--listen", &address.to_string()]).env("RUST_LOG", "warn");
        for variable in variables {
            command.args(["--variable", variable]);
        }
        let child =
            command.stdout(Stdio::from(log.try_clone()?)).stderr(Stdio::from(log)).spawn()?;
        Ok(Self { child, address, data: data.to_owned() })
    }

    /// Starts and waits until it is ready. Returns how long that took.
    pub async fn start(app: &Path, data: &Path, variables: &[&str]) -> Result<(Self, Duration)> {
        let started = Instant::now();
        let mut program = Self::spawn(app, data, variables)?;
        program.first(started, || Call::get("/readyz"), 200).await?;
        Ok((program, started.elapsed()))
    }

    /// Sends the same request until it is answered with this status.
    pub async fn first(
        &mut self,
        since: Instant,
        call: impl Fn() -> Call,
        want: u16,
    ) -> Result<()> {
        let mut connection = Connection::new(self.address);
        loop {
            if connection.send(call()).await.is_ok_and(|it| it.0 == want) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("auscult up ended with {status}: {}", self.log());
            }
            if since.elapsed() > START_WITHIN {
                bail!("auscult up is not ready after {START_WITHIN:?}: {}", self.log());
            }
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
    }

    /// Its log so far.
    fn log(&self) -> String {
        std::fs::read_to_string(self.data.join("log.txt")).unwrap_or_default()
    }

    /// The operator's token.
    pub fn token(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.data.join("operator.token"))?.trim().to_owned())
    }

    /// Its database, for reading.
    pub async fn database(&self) -> Result<SqlitePool> {
        let file = self.data.join("sqlite/default.db");
        Ok(SqlitePool::connect_with(SqliteConnectOptions::new().filename(file).read_only(true))
            .await?)
    }

    /// Resident memory, in MB.
    pub fn resident_mb(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|it| it.starts_with("VmRSS:")).context("no VmRSS")?;
        let kb: f64 = line.split_whitespace().nth(1).context("no VmRSS")?.parse()?;
        Ok(kb * 1_024.0 / 1e6)
    }

    /// Processor time it has used.
    pub fn cpu(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // Fields are counted after the name, which may hold anything: user and system time.
        let rest = stat.rsplit_once(')').context("no name in stat")?.1;
        let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
        let ticks: f64 = ticks.sum::<Result<f64, _>>()?;
        Ok(Duration::from_secs_f64(ticks / TICKS_A_SECOND))
    }

    /// SIGTERM, and waits for the end.
    pub async fn stop(mut self) -> Result<()> {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        let asked = Instant::now();
        while asked.elapsed() < STOP_WITHIN {
            if let Some(status) = self.child.try_wait()? {
                if !status.success() {
                    bail!("auscult up ended with {status}: {}", self.log());
                }
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("auscult up still runs {STOP_WITHIN:?} after SIGTERM")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already, or the benchmark failed and must not leave it behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
