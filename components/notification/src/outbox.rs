//! Makes repeats that are due and posts pages to receivers. Runs after the caller has its answer.

use std::time::Duration;

use auscult_model::Timestamp;
use auscult_notification::delivery::{signature, unix_seconds};
use auscult_notification::policy::{Policy, Receiver};
use auscult_notification::store::{self, Claimed, Outcome};
use auscult_shell::{SpinSqlite, now};
use auscult_store::StoreError;
use futures::future::join_all;
use spin_sdk::http::{IncomingResponse, Method, Request, SendError};

/// How long a receiver may take: a third of the lease on its page.
const RECEIVER_TIME_MAX: Duration = Duration::from_secs(10);
/// Pages one round posts side by side.
const PAGES_MAX: u32 = 16;
/// Rounds of one call: its share; the next call or tick does the rest.
const ROUNDS_MAX: usize = 4;
/// Longest wait a receiver may ask for, in milliseconds: no longer than our own longest.
const WAIT_MS_MAX: i64 = 300_000;

/// A bounded share of what is due. Costs one read when nothing is.
pub async fn work(db: &SpinSqlite) {
    if let Err(error) = share(db).await {
        eprintln!("outbox: {error}");
    }
}

async fn share(db: &SpinSqlite) -> Result<(), StoreError> {
    for _ in 0..ROUNDS_MAX {
        let due = store::due(db, now())?;
        if due.alerts {
            store::repeat_due(db, now())?;
        }
        if !(due.alerts || due.deliveries) {
            return Ok(());
        }
        let pages = store::claim(db, now(), PAGES_MAX)?;
        if pages.is_empty() {
            return Ok(());
        }
        let policy = store::policy(db)?.map(|it| it.policy);
        let outcomes = join_all(pages.iter().map(|it| deliver(policy.as_ref(), it))).await;
        let done: Vec<(Claimed, Outcome)> = pages.into_iter().zip(outcomes).collect();
        store::record(db, &done, now())?;
    }
    Ok(())
}

async fn deliver(policy: Option<&Policy>, page: &Claimed) -> Outcome {
    match policy.and_then(|it| it.receiver(&page.receiver)) {
        Some(receiver) => post(receiver, page, now()).await,
        None => failed("receiver-unknown"),
    }
}

async fn post(receiver: &Receiver, page: &Claimed, sent: Timestamp) -> Outcome {
    let Some(signature) = signature(&receiver.secret, &page.id, sent, &page.body) else {
        return failed("unsignable");
    };
    let request = Request::builder()
        .method(Method::Post)
        .uri(receiver.url.as_str())
        .header("content-type", "application/json")
        // Named, so that receivers who read no chunks are served too.
        .header("content-length", page.body.len().to_string())
        .header("user-agent", "auscult")
        .header("webhook-id", page.id.as_str())
        .header("webhook-timestamp", unix_seconds(sent).to_string())
        .header("webhook-signature", signature)
        .body(page.body.as_str())
        .build();
    let answer = limit_to_receiver(spin_sdk::http::send::<_, IncomingResponse>(request)).await;
    match answer {
        None => failed("timeout"),
        Some(Err(error)) => failed(&reason(&error)),
        Some(Ok(response)) => match response.status() {
            200..=299 => Outcome::Delivered,
            status => {
                Outcome::Failed { code: format!("status-{status}"), wait_ms: wait(&response) }
            }
        },
    }
}

async fn limit_to_receiver<F: Future>(sending: F) -> Option<F::Output> {
    crate::limit::within(RECEIVER_TIME_MAX, sending).await
}

fn failed(code: &str) -> Outcome {
    Outcome::Failed { code: code.to_owned(), wait_ms: None }
}

/// `Retry-After` in seconds; its other form, a date, is not used by receivers of webhooks.
fn wait(response: &IncomingResponse) -> Option<i64> {
    let values = response.headers().get(&"retry-after".to_owned());
    let seconds: i64 = std::str::from_utf8(values.first()?).ok()?.trim().parse().ok()?;
    Some(seconds.clamp(0, WAIT_MS_MAX / 1_000) * 1_000)
}

/// The name of a transport failure as a stable code: `connection-refused`, `dns-timeout` …
fn reason(error: &SendError) -> String {
    let SendError::Http(code) = error else { return "unreachable".to_owned() };
    let shown = format!("{code:?}");
    let name = shown.rsplit("::").next().unwrap_or_default();
    let name = name.chars().take_while(char::is_ascii_alphanumeric);
    let mut words = String::new();
    for letter in name {
        if letter.is_ascii_uppercase() && !words.is_empty() && !words.ends_with(char::is_uppercase)
        {
            words.push('-');
        }
        words.push(letter.to_ascii_lowercase());
    }
    if words.is_empty() { "unreachable".to_owned() } else { words }
}
