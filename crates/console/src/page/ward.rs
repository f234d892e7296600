//! Everybody at once, the most urgent first.

use auscult_model::{Assessment, Severity, Timestamp};
use maud::{Markup, html};

use super::frame::Shown;
use super::parts;
use crate::store::{PatientRow, Pipeline, WardPage};
use crate::{Vital, chart, words};

/// The ward page.
#[must_use]
pub fn ward(page: &WardPage) -> Shown {
    let body = html! {
        div.page-head {
            h1 { "Ward" }
            (counts(page))
            (pipeline(&page.pipeline, page.now))
            (parts::spans("/", page.span))
        }
        @if page.patients.is_empty() { (nobody()) }
        @if page.is_cut {
            p.note { "Only the first " (page.patients.len()) " patients by id are shown." }
        }
        ol.beds {
            @for patient in &page.patients { (row(patient, page)) }
        }
    };
    Shown { title: title(page), is_live: true, body }
}

/// How many need somebody now, so that a tab in the background tells it.
fn title(page: &WardPage) -> String {
    match page.patients.iter().filter(|it| it.unanswered().is_some()).count() {
        0 => "Ward".to_owned(),
        n => format!("({n}) Ward"),
    }
}

fn counts(page: &WardPage) -> Markup {
    let n_with = |severity: Severity| {
        page.patients.iter().filter(|it| it.unanswered() == Some(severity)).count()
    };
    html! {
        ul.counts {
            li { b { (page.patients.len()) } " patients" }
            @for severity in [Severity::Emergency, Severity::Urgent, Severity::Routine, Severity::Technical] {
                @let n = n_with(severity);
                @if n > 0 { li { b { (n) } " " (parts::severity(severity)) } }
            }
        }
    }
}

fn pipeline(pipeline: &Pipeline, now: Timestamp) -> Markup {
    html! {
        p.pipeline {
            @match &pipeline.newest {
                Some((id, received)) => {
                    "Last " a href=(format!("/ward/messages/{}", words::segment(id))) { "message" }
                    " " (parts::age(*received, now)) " ago"
                }
                None => "No message yet",
            }
            " · " (pipeline.n_waiting) " waiting"
            @if pipeline.n_refused > 0 { " · " span.refused { (pipeline.n_refused) " refused" } }
        }
    }
}

fn nobody() -> Markup {
    html! {
        section.empty {
            h2 { "Nobody here yet" }
            p { "A patient appears with a device assigned to them, or with their first reading." }
            p { "A simulated ward: " code { "auscult simulate" } }
        }
    }
}

fn row(patient: &PatientRow, page: &WardPage) -> Markup {
    let now = page.now;
    let id = &patient.person.id;
    let path = format!("/ward/patients/{}", words::segment(id));
    let assessment = patient.scored.as_ref().map(|it| &it.assessment);
    let is_stale = assessment.is_some_and(|it| parts::is_stale(it, now));
    let class = if is_stale { "none" } else { assessment.map_or("none", parts::band_class) };
    let alarm = patient.unanswered().map_or("", Severity::as_str);
    html! {
        li class=(format!("bed edge-{class} {alarm}")) data-key=(id) {
            div.news {
                (parts::score(assessment, is_stale))
                small.age {
                    "NEWS2"
                    @if let Some(it) = assessment { " · " (parts::age(it.effective, now)) }
                }
            }
            div.person {
                h2 { a href=(path) { (patient.person.name) } }
                p {
                    @if let Some(bed) = &patient.person.bed { strong { (bed) } " · " }
                    (patient.person.about)
                }
                @if let Some(it) = assessment { (missing(it)) }
            }
            dl.vitals {
                @for vital in Vital::ALL { (tile(vital, patient, assessment, now)) }
            }
            div.trend { (chart::trend(&patient.trend, page.span, chart::IN_A_ROW)) }
            div.alerts {
                @for alert in &patient.alerts { (parts::alert(alert, now, "/")) }
            }
        }
    }
}

fn missing(assessment: &Assessment) -> Markup {
    html! {
        @if !assessment.missing.is_empty() {
            ul.missing {
                @for it in &assessment.missing { li { (parts::code(&it.code)) ": " (it.reason) } }
            }
        }
    }
}

/// One vital sign: value, unit, the points it gave, its age; or why there is none.
fn tile(
    vital: Vital,
    patient: &PatientRow,
    assessment: Option<&Assessment>,
    now: Timestamp,
) -> Markup {
    let known = patient.vitals.get(&vital);
    let latest = known.and_then(|it| it.latest.as_ref());
    let is_stale = latest.is_some_and(|it| vital.is_stale(it.effective, now));
    // The points belong to the reading that was scored, and to no newer one.
    let points = latest.and_then(|latest| {
        let inputs = assessment?.inputs.iter();
        let of = |it: &&auscult_model::assessment::Input| {
            Vital::of(&it.code) == Some(vital) && it.effective == latest.effective
        };
        inputs.filter(of).map(|it| it.points).max()
    });
    let points = points.filter(|_| !is_stale).unwrap_or(0);
    let state = match latest {
        Some(_) if is_stale => " stale",
        Some(_) => "",
        None => " absent",
    };
    html! {
        div class=(format!("vital points-{points}{state}")) {
            dt {
                (vital.label())
                @if points > 0 { " " span.points title="Points in NEWS2" { "+" (points) } }
            }
            dd {
                @match latest {
                    Some(it) => {
                        span.value { (it.value) } " " span.unit { (it.unit) }
                        small.age {
                            @if is_stale { span.flag { "stale " } }
                            (parts::age(it.effective, now))
                        }
                    }
                    None => { span.value { "–" } small.age { "no reading" } }
                }
                @if let Some(it) = known.and_then(|it| it.distrusted) {
                    small.doubt { "⚠ " (words::distrust(it.quality)) " " (parts::age(it.effective, now)) }
                }
            }
        }
    }
}
