//! Pieces that several pages share.

use auscult_model::{Assessment, AssessmentStatus, ReadingValue, Severity, Timestamp};
use maud::{Markup, html};

use crate::store::AlertRow;
use crate::{Span, Vital, words};
use auscult_model::AlertStatus;

/// A time of day, in UTC until the page's script writes it in local time.
pub fn clock(at: Timestamp) -> Markup {
    html! { time datetime=(at) data-clock { (words::clock(at)) } }
}

/// A date and time, in UTC until the page's script writes it in local time.
pub fn date_time(at: Timestamp) -> Markup {
    html! { time datetime=(at) data-clock="date" { (words::date_time(at)) } }
}

/// How long ago, with the exact time for whoever asks.
pub fn age(at: Timestamp, now: Timestamp) -> Markup {
    html! { time datetime=(at) title=(words::date_time(at)) { (words::age(at, now)) } }
}

/// The class that colours a band.
pub fn band_class(assessment: &Assessment) -> &'static str {
    match (assessment.status, assessment.band.as_deref()) {
        (AssessmentStatus::NotApplicable | AssessmentStatus::Failed, _) => "none",
        (_, Some("high")) => "high",
        (_, Some("medium")) => "medium",
        (_, Some("low-medium")) => "low-medium",
        (_, Some("low")) => "low",
        _ => "none",
    }
}

/// The score in its colour, with the word for the band: `≥5 Medium` when inputs are missing.
pub fn score(assessment: Option<&Assessment>, is_stale: bool) -> Markup {
    let Some(it) = assessment else {
        return html! {
            span.score.none { b { "–" } small { "No score" } }
        };
    };
    let is_partial = it.status == AssessmentStatus::Incomplete;
    let band = if is_stale { "none" } else { band_class(it) };
    let partial = if is_partial { " partial" } else { "" };
    let said = match it.status {
        AssessmentStatus::NotApplicable => "Not applicable",
        AssessmentStatus::Failed => "Failed",
        AssessmentStatus::Complete | AssessmentStatus::Incomplete if is_stale => "Old",
        AssessmentStatus::Complete | AssessmentStatus::Incomplete => {
            it.band.as_deref().map_or("Score", words::band)
        }
    };
    html! {
        span class=(format!("score {band}{partial}")) {
            b {
                @if is_partial && it.value.is_some() { span.at-least title="At least: inputs are missing" { "≥" } }
                @match it.value { Some(value) => (value), None => "–" }
            }
            small { (said) }
        }
    }
}

/// Severity by shape, colour and word.
pub fn severity(severity: Severity) -> Markup {
    html! {
        span class=(format!("severity {}", severity.as_str())) {
            span aria-hidden="true" { (words::severity_sign(severity)) } " " (words::severity(severity))
        }
    }
}

/// One alert: what, since when, and a button while nobody has answered. `back` is where the button
/// leads afterwards.
pub fn alert(alert: &AlertRow, now: Timestamp, back: &str) -> Markup {
    html! {
        div class=(format!("alert {} {}", alert.severity.as_str(), alert.status.as_str())) data-key=(alert.id) {
            p.alert-head {
                (severity(alert.severity))
                " " a href=(format!("/ward/alerts/{}", words::segment(&alert.id))) {
                    (words::cause(&alert.cause)) " " (words::status(alert.status))
                }
                " " small { (age(alert.opened, now)) }
            }
            @if !alert.why.is_empty() { p.why { (alert.why) } }
            @match (alert.status, &alert.acknowledged) {
                (AlertStatus::Open, _) => (acknowledge(alert, back)),
                (AlertStatus::Acknowledged, Some((by, at))) => {
                    p.answer { "✓ " (by) ", " (age(*at, now)) " ago" }
                }
                _ => {}
            }
        }
    }
}

/// The button that says "I am coming".
pub fn acknowledge(alert: &AlertRow, back: &str) -> Markup {
    let action = format!("/ward/alerts/{}/acknowledge", words::segment(&alert.id));
    html! {
        form.acknowledge action=(action) method="post" {
            input type="hidden" name="back" value=(back);
            button id=(format!("acknowledge-{}", alert.id)) { "Acknowledge" }
        }
    }
}

/// Links to the other spans.
pub fn spans(path: &str, chosen: Span) -> Markup {
    html! {
        nav.spans aria-label="Time shown" {
            @for span in Span::ALL {
                a href=(format!("{path}?span={}", span.as_str())) aria-current=[(span == chosen).then_some("true")] {
                    (span.as_str())
                }
            }
        }
    }
}

/// A value and unit of any code, as people write it.
pub fn value(code: &str, value: &ReadingValue, unit: &str) -> String {
    let text = match value {
        ReadingValue::Number(number) => number.normalize().to_string(),
        ReadingValue::Text(text) => text.clone(),
    };
    let known = words::unit(unit);
    let unit = if known.is_empty() { unit } else { known };
    let is_air = Vital::of(code) == Some(Vital::Oxygen) && text == "0";
    match (is_air, unit) {
        (true, _) => "Air".to_owned(),
        (_, "") => text,
        (_, unit) => format!("{text} {unit}"),
    }
}

/// A code for people: `Respiration rate` where it is a vital sign, else its words.
pub fn code(code: &str) -> String {
    match (code, Vital::of(code)) {
        ("systolic_bp", _) => "Systolic pressure".to_owned(),
        ("diastolic_bp", _) => "Diastolic pressure".to_owned(),
        ("spo2_scale", _) => "SpO₂ scale".to_owned(),
        (_, Some(vital)) => vital.name().to_owned(),
        (code, None) => code.replace('_', " "),
    }
}

/// Whether a score speaks for the past only: the limit of a continuous vital sign.
pub const fn is_stale(assessment: &Assessment, now: Timestamp) -> bool {
    Vital::Pulse.is_stale(assessment.effective, now)
}
