//! HTTP load over keep-alive connections, from one thread: what the client burns, the server cannot.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// An answer that takes longer counts as an error: no device waits longer.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// One request to send.
#[derive(Debug, Clone)]
pub struct Call {
    /// GET or POST.
    pub method: Method,
    /// Path with query.
    pub path: &'static str,
    /// Bearer token.
    pub token: Option<Arc<str>>,
    /// JSON.
    pub body: String,
}

impl Call {
    /// A GET without anything.
    pub fn get(path: &'static str) -> Self {
        Self { method: Method::GET, path, token: None, body: String::new() }
    }

    /// A POST of messages.
    pub fn ingest(token: &Arc<str>, body: String) -> Self {
        Self { method: Method::POST, path: "/ingest", token: Some(token.clone()), body }
    }

    fn request(self, address: SocketAddr) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(self.method)
            .uri(self.path)
            .header("host", address.to_string());
        if let Some(token) = &self.token {
            request = request
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", "application/json");
        }
        Ok(request.body(Full::new(Bytes::from(self.body)))?)
    }
}

/// One kept-alive connection; opened anew when the server closed it.
pub struct Connection {
    address: SocketAddr,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// Opens with the first request.
    pub const fn new(address: SocketAddr) -> Self {
        Self { address, sender: None }
    }

    /// Sends and reads the whole answer.
    pub async fn send(&mut self, call: Call) -> Result<(u16, Bytes)> {
        let sent = tokio::time::timeout(ANSWER_WITHIN, self.exchange(call)).await;
        let answer = sent.context("no answer in time").flatten();
        if answer.is_err() {
            self.sender = None;
        }
        answer
    }

    async fn exchange(&mut self, call: Call) -> Result<(u16, Bytes)> {
        let mut sender = match self.sender.take().filter(|it| !it.is_closed()) {
            Some(sender) => sender,
            None => self.open().await?,
        };
        sender.ready().await?;
        let answer = sender.send_request(call.request(self.address)?).await?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await?.to_bytes();
        self.sender = Some(sender);
        Ok((status, body))
    }

    async fn open(&self) -> Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

/// How long and how hard.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Where.
    pub address: SocketAddr,
    /// Connections, each with one request under way at most.
    pub connections: usize,
    /// Sends until then.
    pub time: Duration,
    /// Each connection starts a request this often; `None`: as soon as the last is answered.
    pub every: Option<Duration>,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Requests answered as wanted.
    pub answered: u64,
    /// What `count` found in their answers.
    pub counted: u64,
    /// Everything else, by status or kind.
    pub errors: BTreeMap<String, u64>,
    /// From the first request to the last answer.
    pub took: Duration,
    /// Microseconds from request to answer, sorted; of the requests answered as wanted.
    pub micros: Vec<u32>,
}

impl Outcome {
    /// Requests that did not go well.
    pub fn failed(&self) -> u64 {
        self.errors.values().sum()
    }

    /// Milliseconds that this share of requests stayed under.
    pub fn ms(&self, share: f64) -> f64 {
        f64::from(percentile(&self.micros, share)) / 1e3
    }

    fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.counted += other.counted;
        self.micros.extend(other.micros);
        for (kind, times) in other.errors {
            *self.errors.entry(kind).or_default() += times;
        }
    }
}

/// The smallest of the sorted values that `share` of them do not exceed; 0 of none.
pub fn percentile(sorted: &[u32], share: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in a list"
    )]
    let place = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or_default()
}

/// Makes the next request; `None` ends the load.
pub type Next = Arc<dyn Fn() -> Option<Call> + Send + Sync>;
/// Says how much an answer is worth; `None` for an answer that is an error.
pub type Count = fn(u16, &[u8]) -> Option<u64>;

/// Runs the plan on a thread of its own.
pub async fn run(plan: Plan, next: Next, count: Count) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let work = move || {
        let outcome = runtime.block_on(all(plan, next, count));
        runtime.shutdown_background();
        outcome
    };
    tokio::task::spawn_blocking(work).await?
}

async fn all(plan: Plan, next: Next, count: Count) -> Result<Outcome> {
    let start = Instant::now();
    let connections: Vec<_> = (0..plan.connections)
        .map(|place| tokio::spawn(one(plan, place, start, next.clone(), count)))
        .collect();
    let mut total = Outcome::default();
    for connection in connections {
        total.add(connection.await?);
    }
    total.took = start.elapsed();
    total.micros.sort_unstable();
    Ok(total)
}

async fn one(plan: Plan, place: usize, start: Instant, next: Next, count: Count) -> Outcome {
    let mut connection = Connection::new(plan.address);
    let mut outcome = Outcome::default();
    let mut due = start;
    if let Some(every) = plan.every {
        // Connections take turns, so that a paced load is even.
        due += every.mul_f64(place as f64 / plan.connections as f64);
    }
    loop {
        if plan.every.is_some() {
            if due.duration_since(start) >= plan.time {
                return outcome;
            }
            tokio::time::sleep_until(due.into()).await;
        }
        if start.elapsed() >= plan.time {
            return outcome;
        }
        let Some(call) = next() else { return outcome };
        let sent = Instant::now();
        let failed = match connection.send(call).await {
            Ok((status, body)) => match count(status, &body) {
                Some(counted) => {
                    outcome.answered += 1;
                    outcome.counted += counted;
                    outcome
                        .micros
                        .push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
                    None
                }
                None => Some(format!("status {status}")),
            },
            Err(_) => Some("no answer".to_owned()),
        };
        if let Some(kind) = failed {
            *outcome.errors.entry(kind).or_default() += 1;
            // Whoever is refused comes back later, as a device would.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        if let Some(every) = plan.every {
            due += every;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<u32> = (1..=200).collect();
        for (share, want) in [(0.5, 100), (0.99, 198), (1.0, 200), (0.0, 1)] {
            assert_eq!(percentile(&values, share), want, "{share}");
        }
        assert_eq!(percentile(&[], 0.99), 0);
    }
}
