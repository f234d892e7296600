//! One patient: the score and its parts, vital signs over time, alerts.

use auscult_model::{Assessment, AssessmentStatus, Timestamp};
use maud::{Markup, html};

use super::frame::Shown;
use super::{alert, parts};
use crate::store::{PatientPage, Plot};
use crate::{Vital, chart, words};

/// The page of one patient.
#[must_use]
pub fn patient(page: &PatientPage) -> Shown {
    let path = format!("/ward/patients/{}", words::segment(&page.person.id));
    let assessment = page.scored.as_ref().map(|it| &it.assessment);
    let is_stale = assessment.is_some_and(|it| parts::is_stale(it, page.now));
    let body = html! {
        div.page-head {
            h1 { (page.person.name) }
            p.about {
                @if let Some(bed) = &page.person.bed { strong { (bed) } " · " }
                (page.person.about)
            }
            (parts::spans(&path, page.span))
        }
        div.columns {
            section.card aria-labelledby="score" {
                h2 #score { "NEWS2" }
                div.score-head {
                    (parts::score(assessment, is_stale))
                    (chart::trend(&page.trend, page.span, chart::ON_ITS_OWN))
                }
                @match assessment {
                    Some(it) => (breakdown(it, page.now)),
                    None => p { "No score yet: nothing that NEWS2 reads has arrived." },
                }
            }
            section.card aria-labelledby="alerts" {
                h2 #alerts { "Alerts" }
                @if page.alerts.is_empty() { p { "None, now or before." } }
                @for it in &page.alerts { (parts::alert(it, page.now, &path)) }
                @if let Some(latest) = &page.latest_alert { (alert::history(latest, page.now)) }
            }
        }
        h2 { "Vital signs, the last " (page.span.words()) }
        div.charts {
            @for vital in Vital::ALL {
                @if vital != Vital::Consciousness { (card(vital, page)) }
            }
        }
    };
    Shown { title: page.person.name.clone(), is_live: true, body }
}

fn card(vital: Vital, page: &PatientPage) -> Markup {
    let latest = page.vitals.get(&vital).and_then(|it| it.latest.as_ref());
    let doubted = page.vitals.get(&vital).and_then(|it| it.distrusted);
    let none = Plot { vital, cells: Vec::new() };
    let plot = page.plots.iter().find(|it| it.vital == vital).unwrap_or(&none);
    html! {
        section.card.plot data-key=(vital.name()) {
            h3 {
                (vital.name())
                @match latest {
                    Some(it) => {
                        " " span.value { (it.value) } " " span.unit { (it.unit) }
                        " " small.age {
                            @if vital.is_stale(it.effective, page.now) { span.flag { "stale " } }
                            (parts::age(it.effective, page.now))
                        }
                        " " a.source href=(format!("/ward/messages/{}", words::segment(&it.message))) { "message" }
                    }
                    None => { " " small.age { "no reading" } }
                }
                @if let Some(it) = doubted {
                    " " small.doubt { "⚠ " (words::distrust(it.quality)) " " (parts::age(it.effective, page.now)) }
                }
            }
            (chart::vital(plot, page.span, page.now))
        }
    }
}

/// Every input with its age and points, and every one that was not there.
pub fn breakdown(assessment: &Assessment, now: Timestamp) -> Markup {
    html! {
        p.summary {
            (summary(assessment)) " Computed for " (parts::clock(assessment.effective)) ", "
            (parts::age(assessment.effective, now)) " ago"
            @if let Some(reason) = &assessment.reason { ", again because of " (reason.replace('-', " ")) }
            ". Rule " (assessment.rule) " " (assessment.version) "."
        }
        table {
            thead {
                tr {
                    th scope="col" { "Input" }
                    th scope="col" { "Value" }
                    th scope="col" { "Age then" }
                    th.number scope="col" { "Points" }
                }
            }
            tbody {
                @for it in &assessment.inputs {
                    tr class=(format!("points-{}", it.points)) {
                        th scope="row" { (parts::code(&it.code)) }
                        td { (parts::value(&it.code, &it.value, &it.unit)) }
                        td { (words::seconds(it.age_seconds)) }
                        td.number { (it.points) }
                    }
                }
                @for it in &assessment.missing {
                    tr.absent {
                        th scope="row" { (parts::code(&it.code)) }
                        td colspan="2" { (it.reason) }
                        td.number { "–" }
                    }
                }
            }
        }
    }
}

fn summary(assessment: &Assessment) -> &'static str {
    match assessment.status {
        AssessmentStatus::Complete => "Every input was there and fresh.",
        AssessmentStatus::Incomplete => "A lower bound: inputs are missing.",
        AssessmentStatus::NotApplicable => "Not meant for this patient.",
        AssessmentStatus::Failed => "The rule failed.",
    }
}
