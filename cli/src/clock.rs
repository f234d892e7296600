//! The one place where this program reads the clock.

use auscult_model::Timestamp;

/// The time now.
#[expect(clippy::disallowed_methods, reason = "the program reads the clock and hands it on")]
pub fn now() -> Timestamp {
    Timestamp::from_unix_ms(chrono::Utc::now().timestamp_millis())
}
