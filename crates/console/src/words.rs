//! Ages, times, units and names as people read them.

use auscult_model::{AlertStatus, Quality, Severity, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What RFC 3986 lets stand in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An id as one segment of a path.
pub fn segment(id: &str) -> String {
    utf8_percent_encode(id, SEGMENT).to_string()
}

/// How long ago: `12 s`, `3 min`, `2 h 5 min`, `3 d`. A time ahead of now counts as now.
pub fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.since_ms(at).max(0) / 1_000;
    let minutes = seconds / 60;
    let hours = minutes / 60;
    match (seconds, minutes, hours) {
        (..60, _, _) => format!("{seconds} s"),
        (_, ..60, _) => format!("{minutes} min"),
        (_, _, ..10) if minutes % 60 > 0 => format!("{hours} h {} min", minutes % 60),
        (_, _, ..48) => format!("{hours} h"),
        _ => format!("{} d", hours / 24),
    }
}

/// An age given in seconds.
pub fn seconds(seconds: i64) -> String {
    age(Timestamp::from_unix_ms(0), Timestamp::from_unix_ms(seconds.saturating_mul(1_000)))
}

/// Time of day in UTC: `08:14:02 UTC`; the page's script writes it in local time instead.
pub fn clock(at: Timestamp) -> String {
    at.to_utc().map_or_else(|| at.to_string(), |it| it.format("%H:%M:%S UTC").to_string())
}

/// Date and time of day in UTC.
pub fn date_time(at: Timestamp) -> String {
    at.to_utc().map_or_else(|| at.to_string(), |it| it.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// A UCUM unit as people write it.
pub fn unit(ucum: &str) -> &'static str {
    match ucum {
        "/min" => "/min",
        "%" => "%",
        "mm[Hg]" => "mmHg",
        "Cel" => "°C",
        "[degF]" => "°F",
        "L/min" => "L/min",
        "kPa" => "kPa",
        _ => "",
    }
}

/// The band of a NEWS2 score.
pub fn band(band: &str) -> &'static str {
    match band {
        "low" => "Low",
        "low-medium" => "Low–medium",
        "medium" => "Medium",
        "high" => "High",
        _ => "Score",
    }
}

/// How fast somebody must come.
pub const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Emergency => "Emergency",
        Severity::Urgent => "Urgent",
        Severity::Routine => "Routine",
        Severity::Technical => "Technical",
    }
}

/// A shape for each severity, so that colour is never the only sign.
pub const fn severity_sign(severity: Severity) -> &'static str {
    match severity {
        Severity::Emergency => "▲",
        Severity::Urgent => "◆",
        Severity::Routine => "●",
        Severity::Technical => "■",
    }
}

/// Where an alert stands.
pub const fn status(status: AlertStatus) -> &'static str {
    match status {
        AlertStatus::Pending => "waiting",
        AlertStatus::Open => "open",
        AlertStatus::Acknowledged => "acknowledged",
        AlertStatus::Resolved => "resolved",
        AlertStatus::Retracted => "retracted",
    }
}

/// Why a reading is not shown as a value.
pub const fn distrust(quality: Quality) -> &'static str {
    match quality {
        Quality::Accepted => "accepted",
        Quality::OutOfPlausibleRange => "implausible",
        Quality::FutureTime => "clock ahead",
        Quality::DeviceInvalid => "invalid",
        Quality::Summary => "a summary",
    }
}

/// The name of a rule or alert cause.
pub fn cause(cause: &str) -> &str {
    match cause {
        "news2" => "NEWS2",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short_and_exact_enough() {
        let rows = [
            (-5, "0 s"),
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (7_500, "2 h 5 min"),
            (13 * 3_600, "13 h"),
            (3 * 86_400, "3 d"),
        ];
        for (age_s, want) in rows {
            assert_eq!(seconds(age_s), want, "{age_s}");
        }
    }

    #[test]
    fn an_id_with_a_slash_stays_one_segment() {
        assert_eq!(segment("gw/1 a+ü"), "gw%2F1%20a%2B%C3%BC");
        assert_eq!(segment("patient-1"), "patient-1");
    }
}
