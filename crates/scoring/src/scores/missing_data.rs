//! Whether a source still delivers. A decision of this project.

use rust_decimal::Decimal;

/// State of a source whose last reading is `age` old and that is expected every `interval` with so
/// much `grace`, all in the same unit of time: `on_time`, `late` or `missing`.
#[must_use]
pub fn state(age: Decimal, interval: Decimal, grace: Decimal) -> &'static str {
    if age <= interval + grace {
        "on_time"
    } else if age <= interval + interval + grace {
        "late"
    } else {
        "missing"
    }
}
