//! Keeps time for components: calls a path at an interval, also across restarts of the host.

use crate::application::Inner;
use crate::component::Component;
use crate::events;
use crate::instance::Call;
use crate::spin_headers::TIMER_HEADER;
use bytes::Bytes;
use http::header::{HOST, HeaderValue};
use http_body_util::{BodyExt, Empty};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A failing timer waits up to this many intervals.
const BACKOFF_MAX: u32 = 10;
/// How often the times of the last firings are written, at most.
const WRITE_EVERY: Duration = Duration::from_secs(1);
const FILE: &str = "timers.json";

/// One timer of an application.
pub(crate) struct TimerSpec {
    pub(crate) component: Arc<Component>,
    pub(crate) path: String,
    pub(crate) every: Duration,
}

/// The running timers of one application.
pub(crate) struct Timers {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    ledger: Arc<Ledger>,
}

/// When each timer last fired.
struct Ledger {
    path: PathBuf,
    last_ms: Mutex<(BTreeMap<String, u64>, bool)>,
}

impl Timers {
    /// Starts all timers of an application.
    pub(crate) fn start(application: &Arc<Inner>) -> Self {
        let (stop, stopping) = watch::channel(false);
        let ledger = Arc::new(Ledger::read(application.data_dir.join(FILE)));
        let mut tasks = Vec::new();
        for index in 0..application.timers.len() {
            let (application, ledger) = (application.clone(), ledger.clone());
            tasks.push(tokio::spawn(keep(application, index, ledger, stopping.clone())));
        }
        if !tasks.is_empty() {
            tasks.push(tokio::spawn(write_regularly(ledger.clone(), stopping)));
        }
        Self { stop, tasks, ledger }
    }

    /// Lets no timer fire again, and writes down when each last did.
    ///
    /// What a timer has set off may still be in flight.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(true);
        for task in self.tasks {
            let _ = task.await;
        }
        self.ledger.write();
    }
}

/// Fires one timer until it is stopped; one firing at a time.
async fn keep(
    application: Arc<Inner>,
    index: usize,
    ledger: Arc<Ledger>,
    mut stopping: watch::Receiver<bool>,
) {
    let Some(timer) = application.timers.get(index) else { return };
    let name = format!("{} {}", timer.component.id, timer.path);
    let mut wait = ledger.wait(&name, timer.every, now_ms());
    let mut failures = 0u32;
    // Tells a component that whoever ran before is gone: no instance outlives its host.
    let mut firing = "first";
    loop {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        let begun = tokio::time::Instant::now();
        ledger.fired(&name, now_ms());
        let status = fire(&application, timer, firing);
        firing = "again";
        let status = tokio::select! {
            status = status => status,
            // The instance goes on and is waited for with all others.
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        events::TimerFired { component: &timer.component.id, path: &timer.path, status }
            .emit(&application.runtime.metrics);
        failures = if (200..300).contains(&status) { 0 } else { failures.saturating_add(1) };
        let factor = 2u32.saturating_pow(failures).min(BACKOFF_MAX);
        wait = timer.every.saturating_mul(factor).saturating_sub(begun.elapsed());
    }
}

async fn fire(application: &Arc<Inner>, timer: &TimerSpec, firing: &'static str) -> u16 {
    let id = &timer.component.id;
    let body = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
    let request = http::Request::builder()
        .method(http::Method::POST)
        .uri(format!("http://{id}.spin.internal{}", timer.path))
        .header(HOST, format!("{id}.spin.internal"))
        .header(TIMER_HEADER, HeaderValue::from_static(firing))
        .body(body);
    let Ok(request) = request else { return 0 };
    let answer =
        application.chain(timer.component.clone(), Call { request, depth: 0, permit: None }).await;
    let status = answer.status().as_u16();
    // The firing is over when the answer is.
    let _ = answer.into_body().collect().await;
    status
}

async fn write_regularly(ledger: Arc<Ledger>, mut stopping: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(WRITE_EVERY) => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        let ledger = ledger.clone();
        let _ = tokio::task::spawn_blocking(move || ledger.write()).await;
    }
}

impl Ledger {
    /// What was written down, or nothing: then all timers begin anew.
    fn read(path: PathBuf) -> Self {
        let last = std::fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        Self { path, last_ms: Mutex::new((last.unwrap_or_default(), false)) }
    }

    /// How long until a timer is due; a timer that never fired begins with a whole interval.
    fn wait(&self, name: &str, every: Duration, now_ms: u64) -> Duration {
        let last = self.last_ms.lock().unwrap_or_else(PoisonError::into_inner);
        // A last firing in the future means that the clock was set back: it counts as just now.
        let Some(last_ms) = last.0.get(name) else { return every };
        every.saturating_sub(Duration::from_millis(now_ms.saturating_sub(*last_ms)))
    }

    fn fired(&self, name: &str, now_ms: u64) {
        let mut last = self.last_ms.lock().unwrap_or_else(PoisonError::into_inner);
        last.0.insert(name.to_owned(), now_ms);
        last.1 = true;
    }

    fn write(&self) {
        let text = {
            let mut last = self.last_ms.lock().unwrap_or_else(PoisonError::into_inner);
            if !std::mem::take(&mut last.1) {
                return;
            }
            serde_json::to_string_pretty(&last.0)
        };
        let written = text.map_err(Into::into).and_then(|text| replace(&self.path, &text));
        if let Err(error) = written {
            events::TimersNotWritten { reason: &error.to_string() }.emit();
        }
    }
}

fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let temporary = path.with_extension("json.new");
    std::fs::write(&temporary, text)?;
    std::fs::rename(&temporary, path)
}

#[expect(clippy::disallowed_methods, reason = "the host keeps the time")]
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overdue_timer_fires_at_once_and_a_new_one_after_its_interval() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let every = Duration::from_secs(60);
        let ledger = Ledger::read(path.clone());
        assert_eq!(ledger.wait("a /x", every, 1_000_000), every);
        ledger.fired("a /x", 1_000_000);
        ledger.write();
        let again = Ledger::read(path);
        assert_eq!(again.wait("a /x", every, 1_010_000), Duration::from_secs(50));
        assert_eq!(again.wait("a /x", every, 2_000_000), Duration::ZERO);
    }
}
