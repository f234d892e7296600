//! The one place where a component reads the clock.

use auscult_model::Timestamp;

/// The time of this call, read from WASI.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "shells read the clock and hand it to the cores")]
pub fn now() -> Timestamp {
    Timestamp::from_unix_ms(chrono::Utc::now().timestamp_millis())
}
