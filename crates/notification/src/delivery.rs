//! What leaves for a receiver: the payload, its signature after Standard Webhooks, and when a
//! failed try is made again.

use auscult_model::{PatientId, Timestamp, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde::Serialize;
use sha2::Sha256;

use crate::fold::State;
use crate::page::SendReason;

/// Tries before a delivery is `failed`. With [`retry_after_ms`] that is about two hours: longer
/// than a receiver's restart or a short outage, shorter than a page stays useful.
pub const TRIES_MAX: u32 = 30;
/// First wait after a failure, in milliseconds.
const BACKOFF_MS: i64 = 1_000;
/// Longest wait, in milliseconds: a receiver that comes back hears within five minutes.
const BACKOFF_MS_MAX: i64 = 300_000;

/// What a receiver is sent. It says who by the patient's id and nothing else about the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Payload<'a> {
    /// `alert.opened` …
    #[serde(rename = "type")]
    pub event: &'static str,
    /// When the page was made.
    pub timestamp: Timestamp,
    /// What it is about.
    pub data: PayloadData<'a>,
}

/// The alert inside a [`Payload`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PayloadData<'a> {
    /// Alert id.
    pub alert: &'a str,
    /// Logical id of the patient.
    pub patient: &'a str,
    /// The rule.
    pub cause: &'a str,
    /// How fast somebody must come.
    pub severity: &'static str,
    /// Status of the alert.
    pub status: &'static str,
    /// Score behind it.
    pub value: Option<i64>,
    /// Band of the score.
    pub band: Option<&'a str>,
    /// Event time of the assessment behind it.
    pub effective: Timestamp,
    /// Event time at which it opened.
    pub opened: Timestamp,
    /// Counts the pages of this alert from 1.
    pub page: u32,
    /// Path of the alert on the console.
    pub link: String,
    /// Alerts that this page tells of too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Also>,
}

/// Another alert a page tells of: of the same patient, or of the same digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Also {
    /// Alert id.
    pub alert: String,
    /// Logical id of the patient.
    pub patient: String,
    /// The rule.
    pub cause: String,
    /// How fast somebody must come.
    pub severity: &'static str,
    /// Score behind it.
    pub value: Option<i64>,
    /// Path of the alert on the console.
    pub link: String,
}

impl<'a> Payload<'a> {
    /// The payload for page number `page` about `state`.
    #[must_use]
    pub fn new(
        alert: &'a str,
        patient: &'a PatientId,
        cause: &'a str,
        state: &'a State,
        reason: SendReason,
        page: u32,
        now: Timestamp,
    ) -> Self {
        let status = match reason {
            SendReason::Retracted => auscult_model::AlertStatus::Retracted,
            _ => state.status(),
        };
        let data = PayloadData {
            alert,
            patient: patient.reveal(),
            cause,
            severity: state.severity.as_str(),
            status: status.as_str(),
            value: state.value,
            band: state.band.as_deref(),
            effective: state.effective,
            opened: state.opened,
            page,
            link: format!("/ward/alerts/{alert}"),
            also: Vec::new(),
        };
        Self { event: reason.event(), timestamp: now, data }
    }
}

/// The id of page `page` of `alert` to `receiver`: the same for every try.
#[must_use]
pub fn delivery_id(alert: &str, page: u32, receiver: &str) -> String {
    digest(&["page", alert, &page.to_string(), receiver])
}

/// The value of `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
/// `None` only for a key no HMAC takes, which does not exist.
#[must_use]
pub fn signature(key: &[u8], id: &str, sent: Timestamp, body: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(format!("{id}.{}.{body}", unix_seconds(sent)).as_bytes());
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// The value of `webhook-timestamp`.
#[must_use]
pub const fn unix_seconds(sent: Timestamp) -> i64 {
    sent.unix_ms().div_euclid(1_000)
}

/// How long to wait after the failed try number `tries` (from 1), in milliseconds: doubling, with
/// up to a quarter more, taken from a digest so that receivers are not met by a herd.
#[must_use]
pub fn retry_after_ms(id: &str, tries: u32) -> i64 {
    let doubled = BACKOFF_MS.checked_shl(tries.saturating_sub(1).min(20)).unwrap_or(BACKOFF_MS_MAX);
    let wait = doubled.min(BACKOFF_MS_MAX);
    let spread = digest(&["retry", id, &tries.to_string()]);
    let part = spread.get(..4).and_then(|it| i64::from_str_radix(it, 16).ok()).unwrap_or(0);
    wait + wait * part / (4 * 0xffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_agrees_with_the_published_example_of_standard_webhooks() {
        // standard-webhooks.com, libraries' shared test vector.
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let sent = Timestamp::from_unix_ms(1_614_265_330_999);
        let got = signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", sent, r#"{"test": 2432232314}"#);
        assert_eq!(got.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn waits_double_up_to_five_minutes_and_a_quarter() {
        for (tries, least) in
            [(1, 1_000), (2, 2_000), (3, 4_000), (9, 256_000), (10, 300_000), (30, 300_000)]
        {
            let wait = retry_after_ms("a", tries);
            assert!((least..=least + least / 4).contains(&wait), "{tries}: {wait}");
            assert_eq!(wait, retry_after_ms("a", tries));
        }
        let total: i64 = (1..TRIES_MAX).map(|it| retry_after_ms("a", it)).sum();
        assert!(total > 100 * 60_000, "a receiver may be down for an hour and more: {total}");
    }

    #[test]
    fn two_receivers_of_one_page_have_two_ids() {
        assert_ne!(delivery_id("a", 1, "ward"), delivery_id("a", 1, "biomed"));
        assert_ne!(delivery_id("a", 1, "ward"), delivery_id("a", 2, "ward"));
        assert_eq!(delivery_id("a", 1, "ward"), delivery_id("a", 1, "ward"));
    }
}
