//! A receiver of webhooks: a real HTTP server that keeps what it gets and answers as it is told.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

/// One delivery as it arrived.
#[derive(Debug, Clone)]
pub struct Page {
    /// When.
    pub at: Instant,
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`.
    pub timestamp: String,
    /// `webhook-signature`.
    pub signature: String,
    /// Exact bytes.
    pub bytes: Vec<u8>,
    /// The body as JSON.
    pub body: Value,
    /// Path of the request.
    pub path: String,
    /// `authorization`.
    pub authorization: String,
    /// The status it was answered with, 0 when it was not.
    pub answered: u16,
}

/// Listens on a port of its own until dropped.
pub struct Receiver {
    /// Where to post.
    pub url: String,
    pages: Arc<Mutex<Vec<Page>>>,
    status: Arc<AtomicU16>,
    next: Arc<Mutex<VecDeque<u16>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    /// Starts and answers 204.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/alerts", listener.local_addr()?);
        let pages = Arc::new(Mutex::new(Vec::new()));
        let status = Arc::new(AtomicU16::new(204));
        let next: Arc<Mutex<VecDeque<u16>>> = Arc::default();
        let (kept, answer, first) = (pages.clone(), status.clone(), next.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, answer, first) = (kept.clone(), answer.clone(), first.clone());
                tokio::spawn(async move {
                    let service = service_fn(|it| {
                        let told = first.lock().ok().and_then(|mut it| it.pop_front());
                        let told = told.unwrap_or_else(|| answer.load(Ordering::SeqCst));
                        serve(it, kept.clone(), told)
                    });
                    let _ =
                        http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Ok(Self { url, pages, status, next, task })
    }

    /// From now on answers with this status.
    pub fn answer_with(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// Answers the next requests with these, 0 being no answer at all, before all others.
    pub fn answer_next_with(&self, statuses: &[u16]) {
        if let Ok(mut next) = self.next.lock() {
            next.extend(statuses);
        }
    }

    /// What arrived and was taken.
    #[must_use]
    pub fn taken(&self) -> Vec<Page> {
        let mut pages = self.pages();
        pages.retain(|it| (200..300).contains(&it.answered));
        pages
    }

    /// Everything that arrived.
    #[must_use]
    pub fn pages(&self) -> Vec<Page> {
        self.pages.lock().map(|it| it.clone()).unwrap_or_default()
    }

    /// Waits until `enough` pages arrived.
    pub async fn wait(&self, enough: usize, within: Duration) -> Result<Vec<Page>> {
        let started = Instant::now();
        loop {
            let pages = self.pages();
            if pages.len() >= enough {
                return Ok(pages);
            }
            if started.elapsed() > within {
                bail!("{} of {enough} pages within {within:?}", pages.len());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    request: Request<Incoming>,
    pages: Arc<Mutex<Vec<Page>>>,
    answered: u16,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let header = |name: &str| {
        let value = request.headers().get(name).and_then(|it| it.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let signature = header("webhook-signature");
    let path = request.uri().path().to_owned();
    let authorization = header("authorization");
    let bytes = request.into_body().collect().await.map(|it| it.to_bytes()).unwrap_or_default();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let page = Page {
        at: Instant::now(),
        id,
        timestamp,
        signature,
        bytes: bytes.to_vec(),
        body,
        path,
        authorization,
        answered,
    };
    if let Ok(mut pages) = pages.lock() {
        pages.push(page);
    }
    if answered == 0 {
        // Longer than any sender waits.
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    let text = if answered == 201 { r#"{"sid":"SM-1"}"# } else { "" };
    let mut response = Response::new(Full::from(text));
    if answered == 429 {
        response.headers_mut().insert("retry-after", hyper::header::HeaderValue::from_static("1"));
    }
    if let Ok(status) = hyper::StatusCode::from_u16(answered) {
        *response.status_mut() = status;
    }
    Ok(response)
}
