//! A receiver of webhooks on this machine that notes when each patient's page arrived.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::Result;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::ward::sick_number;

/// When the first page came that somebody is ill, and that they are well again.
type Arrivals = Arc<Mutex<HashMap<(u64, bool), Instant>>>;

/// Listens until dropped.
pub struct Receiver {
    /// Where to post.
    pub url: String,
    arrivals: Arrivals,
    listening: JoinHandle<()>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(rename = "type")]
    kind: String,
    data: Alert,
}

#[derive(Deserialize)]
struct Alert {
    patient: String,
}

impl Receiver {
    /// Listens on a free port.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/alerts", listener.local_addr()?);
        let arrivals = Arrivals::default();
        let kept = arrivals.clone();
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Our answers are one small segment each and must not wait for more.
                let _ = stream.set_nodelay(true);
                let kept = kept.clone();
                tokio::spawn(async move {
                    let service = service_fn(|it| take(it, kept.clone()));
                    // A caller that hangs up is no fault of ours.
                    let _ =
                        http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Ok(Self { url, arrivals, listening })
    }

    /// When the page arrived, if it did.
    pub fn arrival(&self, sick: u64, is_ill: bool) -> Option<Instant> {
        self.arrivals.lock().ok()?.get(&(sick, is_ill)).copied()
    }

    /// How many pages of one kind arrived.
    pub fn count(&self, is_ill: bool) -> usize {
        self.arrivals.lock().map_or(0, |it| it.keys().filter(|it| it.1 == is_ill).count())
    }

    /// Begins anew.
    pub fn clear(&self) {
        if let Ok(mut arrivals) = self.arrivals.lock() {
            arrivals.clear();
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn take(
    request: Request<Incoming>,
    kept: Arrivals,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.map(|it| it.to_bytes()).unwrap_or_default();
    let at = Instant::now();
    if let Ok(page) = serde_json::from_slice::<Page>(&body)
        && let Some(sick) = sick_number(&page.data.patient)
        && let Ok(mut arrivals) = kept.lock()
    {
        let is_ill = !matches!(page.kind.as_str(), "alert.resolved" | "alert.retracted");
        arrivals.entry((sick, is_ill)).or_insert(at);
    }
    let mut response = Response::new(Empty::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}
