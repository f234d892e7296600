//! The `auscult` program, started for one test and stopped with it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

/// How long a start may take: the first one on a machine compiles every component.
const START_MAX: Duration = Duration::from_secs(120);

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or_else(|| here.to_owned(), Path::to_owned)
}

/// Data shared between projects beside the repository, where it is present; says so where it is not.
#[must_use]
pub fn shared(path: &str) -> Option<PathBuf> {
    let full = root().join("../shared").join(path);
    if full.exists() {
        return Some(full);
    }
    println!("not present, so not read: shared/{path}");
    None
}

/// The program that `cargo xtask test` built.
#[must_use]
pub fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("AUSCULT_PROGRAM") {
        return named.into();
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join("release/auscult")
}

/// A running program with its data directory.
pub struct Program {
    child: Child,
    /// `http://127.0.0.1:<port>`.
    pub url: String,
    data: PathBuf,
    port: u16,
    http: reqwest::Client,
    /// The operator's token.
    pub operator: String,
}

/// A status and what came with it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body as JSON, or as a JSON string when it is something else.
    pub body: Value,
}

impl Answer {
    /// The last part of a problem's type.
    #[must_use]
    pub fn code(&self) -> &str {
        code(&self.body)
    }

    /// Status and problem code of every line of an ingest answer.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let lines = self.body.pointer("/results").and_then(Value::as_array);
        lines
            .into_iter()
            .flatten()
            .map(|it| {
                let status = it.pointer("/status").and_then(Value::as_str).unwrap_or_default();
                match it.pointer("/problem") {
                    Some(problem) => format!("{status}: {}", code(problem)),
                    None => status.to_owned(),
                }
            })
            .collect()
    }

    /// Items of a list.
    #[must_use]
    pub fn items(&self) -> Vec<Value> {
        self.body.pointer("/items").and_then(Value::as_array).cloned().unwrap_or_default()
    }
}

fn code(problem: &Value) -> &str {
    let urn = problem.pointer("/type").and_then(Value::as_str).unwrap_or_default();
    urn.rsplit(':').next().unwrap_or_default()
}

impl Program {
    /// Starts on a data directory (kept by the caller) and waits until it is ready.
    pub async fn start(data: &Path) -> Result<Self> {
        compiled_once(data).await?;
        Self::start_on(data, free_port()?).await
    }

    /// Starts with values for variables of the application.
    pub async fn start_with(data: &Path, variables: &[(&str, &str)]) -> Result<Self> {
        compiled_once(data).await?;
        Self::spawn(data, free_port()?, variables).await
    }

    /// Starts on a given port, as a restart does.
    pub async fn start_on(data: &Path, port: u16) -> Result<Self> {
        Self::spawn(data, port, &[]).await
    }

    async fn spawn(data: &Path, port: u16, variables: &[(&str, &str)]) -> Result<Self> {
        let log = std::fs::File::options().create(true).append(true).open(data.join("log.txt"))?;
        let child =
            Command::new(program())
                .current_dir(root())
                .args(["up", "--listen", &format!("127.0.0.1:{port}"), "--data"])
                .arg(data)
                .envs(variables.iter().map(|(name, value)| {
                    (format!("SPIN_VARIABLE_{}", name.to_uppercase()), *value)
                }))
                .stdout(Stdio::from(log.try_clone()?))
                .stderr(Stdio::from(log))
                .spawn()
                .with_context(|| {
                    format!("cannot start {}: run `cargo xtask test`", program().display())
                })?;
        let mut this = Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            data: data.to_owned(),
            port,
            http: reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?,
            operator: String::new(),
        };
        this.wait_until_ready().await?;
        this.operator = std::fs::read_to_string(data.join("operator.token"))?.trim().to_owned();
        Ok(this)
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < START_MAX {
            if let Some(status) = self.child.try_wait()? {
                bail!("the program ended with {status}: {}", self.log());
            }
            let ready = self.http.get(format!("{}/readyz", self.url)).send().await;
            if ready.is_ok_and(|it| it.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("not ready after {START_MAX:?}: {}", self.log())
    }

    /// Everything it logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data.join("log.txt")).unwrap_or_default()
    }

    /// The port it listens on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The database file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.data.join("sqlite/default.db")
    }

    /// kill -9.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, and the exit code.
    pub async fn stop(&mut self) -> Result<Option<i32>> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        for _ in 0..3_000 {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.code());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        bail!("still running 30 s after SIGTERM")
    }

    /// Whether it still runs.
    pub fn running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer> {
        let response = request.send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status, body })
    }

    /// GET as the operator.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        let url = format!("{}{path}", self.url);
        self.send(self.http.get(url).bearer_auth(&self.operator)).await
    }

    /// PUT as the operator.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Answer> {
        let url = format!("{}{path}", self.url);
        self.send(self.http.put(url).bearer_auth(&self.operator).json(body)).await
    }

    /// POST as the operator.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        let url = format!("{}{path}", self.url);
        self.send(self.http.post(url).bearer_auth(&self.operator).json(body)).await
    }

    /// DELETE as the operator.
    pub async fn delete(&self, path: &str) -> Result<Answer> {
        let url = format!("{}{path}", self.url);
        self.send(self.http.delete(url).bearer_auth(&self.operator)).await
    }

    /// POST to `/ingest` with a device's token.
    pub async fn ingest(
        &self,
        token: &str,
        media_type: &str,
        body: impl Into<String>,
    ) -> Result<Answer> {
        self.ingest_at("/ingest", token, media_type, body).await
    }

    /// The same with a query.
    pub async fn ingest_at(
        &self,
        path: &str,
        token: &str,
        media_type: &str,
        body: impl Into<String>,
    ) -> Result<Answer> {
        let request = self
            .http
            .post(format!("{}{path}", self.url))
            .bearer_auth(token)
            .header("content-type", media_type)
            .body(body.into());
        self.send(request).await
    }

    /// A patient who has worn these devices since 2020, and a gateway token for them.
    pub async fn provision(&self, patient: &str, devices: &[&str]) -> Result<String> {
        self.patient(patient).await?;
        for device in devices {
            self.assign(patient, device).await?;
        }
        self.token(&format!("gateway-{patient}"), devices).await
    }

    /// A patient without devices.
    pub async fn patient(&self, patient: &str) -> Result<()> {
        let body = json!({
            "resourceType": "Patient", "id": patient, "birthDate": "1950-01-01",
            "name": [{ "family": "Example", "given": [patient] }],
        });
        let answer = self.put(&format!("/fhir/Patient/{patient}"), &body).await?;
        expect_written(&answer)
    }

    /// A device, worn by the patient since 2020.
    pub async fn assign(&self, patient: &str, device: &str) -> Result<()> {
        let body = json!({ "resourceType": "Device", "id": device });
        expect_written(&self.put(&format!("/fhir/Device/{device}"), &body).await?)?;
        let body = json!({
            "resourceType": "DeviceUseStatement", "id": format!("use-{device}"), "status": "active",
            "subject": { "reference": format!("Patient/{patient}") },
            "device": { "reference": format!("Device/{device}") },
            "timingPeriod": { "start": "2020-01-01T00:00:00Z" },
        });
        expect_written(&self.put(&format!("/fhir/DeviceUseStatement/use-{device}"), &body).await?)
    }

    /// A token for these devices.
    pub async fn token(&self, gateway: &str, devices: &[&str]) -> Result<String> {
        let body = json!({ "label": gateway, "devices": devices });
        let answer = self.post(&format!("/devices/{gateway}/credentials"), &body).await?;
        let token = answer.body.pointer("/token").and_then(Value::as_str);
        token.map(str::to_owned).with_context(|| format!("no token: {answer:?}"))
    }

    /// Asks until `enough` says so, at most ten seconds; returns the last answer.
    pub async fn until(&self, path: &str, enough: impl Fn(&Answer) -> bool) -> Result<Answer> {
        let started = Instant::now();
        loop {
            let answer = self.get(path).await?;
            if enough(&answer) {
                return Ok(answer);
            }
            if started.elapsed() > Duration::from_secs(10) {
                bail!("never came at {path}: {answer:?}\n{}", self.log());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until every stored message has moved on.
    pub async fn drained(&self) -> Result<()> {
        let started = Instant::now();
        let options =
            sqlx::sqlite::SqliteConnectOptions::new().filename(self.database()).read_only(true);
        let pool = sqlx::SqlitePool::connect_with(options).await?;
        loop {
            let waiting: i64 =
                sqlx::query_scalar("SELECT count(*) FROM inbox WHERE state = 'pending'")
                    .fetch_one(&pool)
                    .await?;
            if waiting == 0 {
                return Ok(());
            }
            if started.elapsed() > Duration::from_secs(60) {
                bail!("{waiting} messages still wait: {}", self.log());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Gives a new data directory the machine code that the first start of this run compiled.
async fn compiled_once(data: &Path) -> Result<()> {
    static WARM: tokio::sync::OnceCell<tempfile::TempDir> = tokio::sync::OnceCell::const_new();
    let warm = WARM
        .get_or_try_init(|| async {
            let folder = tempfile::tempdir()?;
            let mut first = Program::start_on(folder.path(), free_port()?).await?;
            first.stop().await?;
            anyhow::Ok(folder)
        })
        .await?;
    std::fs::copy(warm.path().join("host.key"), data.join("host.key"))?;
    std::fs::create_dir(data.join("cache"))?;
    for file in std::fs::read_dir(warm.path().join("cache"))? {
        let file = file?;
        std::fs::copy(file.path(), data.join("cache").join(file.file_name()))?;
    }
    Ok(())
}

fn expect_written(answer: &Answer) -> Result<()> {
    if matches!(answer.status, 200 | 201) {
        return Ok(());
    }
    bail!("not written: {answer:?}")
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
