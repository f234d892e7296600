//! What a service's HTTP answer means for a page.

use auscult_model::Timestamp;
use chrono::DateTime;
use serde_json::Value;

use crate::delivery::{Outcome, Receipt};

/// Longest wait a receiver may ask for, in milliseconds.
const WAIT_MS_MAX: i64 = 300_000;
/// Longest provider's id kept, in characters.
const ID_CHARS_MAX: usize = 200;
/// Statuses among the 4xx that another try may mend.
const PASSING: [u16; 6] = [408, 409, 421, 423, 425, 429];

/// The outcome of an answer. `header` looks one up by its lower-case name.
pub fn outcome(
    status: u16,
    header: impl Fn(&str) -> Option<String>,
    body: &[u8],
    now: Timestamp,
) -> Outcome {
    if (200..300).contains(&status) {
        let id = provider_id(&header, body);
        return Outcome::Delivered(Receipt { status: status.to_string(), id });
    }
    Outcome::Failed {
        code: format!("status-{status}"),
        wait_ms: header("retry-after").and_then(|it| wait_ms(&it, now)),
        permanent: (400..500).contains(&status) && !PASSING.contains(&status),
    }
}

/// `Retry-After` in seconds or as a date.
fn wait_ms(value: &str, now: Timestamp) -> Option<i64> {
    let value = value.trim();
    let wait = match value.parse::<i64>() {
        Ok(seconds) => seconds.saturating_mul(1_000),
        Err(_) => DateTime::parse_from_rfc2822(value).ok()?.timestamp_millis() - now.unix_ms(),
    };
    Some(wait.clamp(0, WAIT_MS_MAX))
}

/// The service's own name for what it took.
fn provider_id(header: &impl Fn(&str) -> Option<String>, body: &[u8]) -> Option<String> {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let field = |key: &str| {
        let found = json.as_ref()?.get(key)?.as_str()?;
        Some(found.to_owned())
    };
    let found = field("sid")
        .or_else(|| field("dedup_key"))
        .or_else(|| header("x-message-id"))
        .or_else(|| header("location"))
        .or_else(|| header("etag"))
        .or_else(|| field("id"))?;
    Some(found.chars().filter(|it| !it.is_control()).take(ID_CHARS_MAX).collect())
}
