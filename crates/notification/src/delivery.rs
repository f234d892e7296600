//! What leaves for a receiver: the payload, its signature after Standard Webhooks, and when a
//! failed try is made again.

use auscult_model::{PatientId, Severity, Timestamp, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::channel::page::{Page, Stage};
use crate::fold::State;
use crate::page::SendReason;
use crate::policy::Receiver;
use crate::policy::receiver::{Fallback, Retry};

/// Tries before a delivery is `failed`. With [`retry_after_ms`] that is about two hours: longer
/// than a receiver's restart or a short outage, shorter than a page stays useful.
pub const TRIES_MAX: u32 = 30;
/// First wait after a failure, in milliseconds.
pub const BACKOFF_MS: i64 = 1_000;
/// Longest wait, in milliseconds: a receiver that comes back hears within five minutes.
pub const BACKOFF_MS_MAX: i64 = 300_000;

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
pub fn retry_after_ms(retry: Retry, id: &str, tries: u32) -> i64 {
    let doublings = tries.saturating_sub(1).min(20);
    let doubled = retry.first_ms.checked_mul(1 << doublings).unwrap_or(retry.most_ms);
    let wait = doubled.min(retry.most_ms);
    let spread = digest(&["retry", id, &tries.to_string()]);
    let part = spread.get(..4).and_then(|it| i64::from_str_radix(it, 16).ok()).unwrap_or(0);
    wait + wait * part / (4 * 0xffff)
}

/// A page this call may send, and nobody else until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The receiver's idempotency key, the same for every try.
    pub id: String,
    /// Alert id.
    pub alert: String,
    /// Name in the policy.
    pub receiver: String,
    /// The payload.
    pub body: String,
    /// Number of this try, from 1.
    pub tries: u32,
    /// When the page was made.
    pub created: Timestamp,
}

/// What a receiver said when it took a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// HTTP status, SMTP text, or the code of an HL7 acknowledgement.
    pub status: String,
    /// The receiver's own name for the page, when it gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// What became of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver took it.
    Delivered(Receipt),
    /// It did not; the text is a stable code such as `status-500`, `timeout`, `unreachable`.
    Failed {
        /// The code.
        code: String,
        /// The receiver's own wish when to try again, in milliseconds.
        wait_ms: Option<i64>,
        /// Whether another try is in vain.
        permanent: bool,
    },
    /// It was not tried, because the receiver is to be left alone until then.
    Later(Timestamp),
}

/// Where a page stands after a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// `pending`, `delivered`, `failed`.
    pub state: &'static str,
    /// When it is tried again, if pending.
    pub due: Timestamp,
    /// Who is told too: with a page that calls, everything behind it as well.
    pub fallback: Option<String>,
    /// Whether the fall-back hears of it only if it was told of the alert before.
    pub if_told: bool,
}

/// Decides where a page stands after a try. Without a receiver (the policy names it no more) the
/// usual waits hold.
#[must_use]
pub fn settle(
    receiver: Option<&Receiver>,
    page: &Claimed,
    outcome: &Outcome,
    now: Timestamp,
) -> Settled {
    let fallback = receiver.and_then(|it| it.fallback.as_ref());
    let name = |it: &Fallback| it.receiver.clone();
    match outcome {
        Outcome::Later(until) => {
            Settled { state: "pending", due: *until, fallback: None, if_told: false }
        }
        Outcome::Delivered(_) => {
            let read = Page::read(&page.body);
            let ends = read.is_some_and(|it| it.stage() != Stage::Calls);
            let fallback = fallback.filter(|_| ends).map(name);
            Settled { state: "delivered", due: now, fallback, if_told: true }
        }
        Outcome::Failed { wait_ms, permanent, .. } => {
            let retry = receiver.map_or_else(Retry::default, |it| it.retry);
            let given_up = *permanent || page.tries >= retry.tries;
            let wait = retry_after_ms(retry, &page.id, page.tries).max(wait_ms.unwrap_or(0));
            let emergency =
                Page::read(&page.body).is_some_and(|it| it.severity() == Severity::Emergency);
            // Half of everything when a life may hang on it.
            let sooner = if emergency { 2 } else { 1 };
            let fallback = fallback.filter(|it| {
                given_up
                    || page.tries.saturating_mul(sooner) >= it.after_tries
                    || now.since_ms(page.created) * i64::from(sooner) >= it.after_ms
            });
            Settled {
                state: if given_up { "failed" } else { "pending" },
                due: now.plus_ms(wait),
                fallback: fallback.map(name),
                if_told: false,
            }
        }
    }
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
            let wait = retry_after_ms(Retry::default(), "a", tries);
            assert!((least..=least + least / 4).contains(&wait), "{tries}: {wait}");
            assert_eq!(wait, retry_after_ms(Retry::default(), "a", tries));
        }
        let total: i64 = (1..TRIES_MAX).map(|it| retry_after_ms(Retry::default(), "a", it)).sum();
        assert!(total > 100 * 60_000, "a receiver may be down for an hour and more: {total}");
    }

    #[test]
    fn two_receivers_of_one_page_have_two_ids() {
        assert_ne!(delivery_id("a", 1, "ward"), delivery_id("a", 1, "biomed"));
        assert_ne!(delivery_id("a", 1, "ward"), delivery_id("a", 2, "ward"));
        assert_eq!(delivery_id("a", 1, "ward"), delivery_id("a", 1, "ward"));
    }
}
