//! One message through every stage.

use auscult_model::{Problem, Quality, Timestamp};
use maud::{Markup, html};

use super::frame::Shown;
use super::parts;
use crate::store::{MadeObservation, MessagePage};
use crate::{Vital, words};

/// How far a stage is with the message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Done,
    Waiting,
    Refused,
    Nothing,
}

impl Mark {
    const fn sign(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Done => ("done", "✓", "done"),
            Self::Waiting => ("waiting", "…", "waiting"),
            Self::Refused => ("refused", "✕", "refused"),
            Self::Nothing => ("nothing", "–", "nothing to do"),
        }
    }
}

/// The page of one message.
#[must_use]
pub fn message(page: &MessagePage, now: Timestamp) -> Shown {
    let is_moving = page.state == "pending";
    let next = |n: usize| match (n, is_moving) {
        (1.., _) => Mark::Done,
        (0, true) => Mark::Waiting,
        (0, false) => Mark::Nothing,
    };
    let body = html! {
        div.page-head {
            h1 { "One message" }
            p.about.id { (page.id) }
        }
        ol.stages {
            (stage("Received", "ingest", received_mark(page), &received(page, now)))
            (stage("Made into Observations", "normalization", normalized_mark(page), &normalized(page)))
            (stage("Scored", "scoring", next(page.used_by.len()), &scored(page)))
            (stage("Alerted", "notification", next(page.alerts.len()), &alerted(page, now)))
        }
    };
    Shown { title: "One message".to_owned(), is_live: true, body }
}

fn stage(title: &str, name: &str, mark: Mark, body: &Markup) -> Markup {
    let (class, sign, said) = mark.sign();
    html! {
        li class=(format!("card {class}")) {
            h2 {
                span.mark aria-hidden="true" { (sign) }
                (title) " " small { (name) ", " (said) }
            }
            (body)
        }
    }
}

fn received_mark(page: &MessagePage) -> Mark {
    match page.state.as_str() {
        "rejected" => Mark::Refused,
        _ => Mark::Done,
    }
}

fn received(page: &MessagePage, now: Timestamp) -> Markup {
    html! {
        dl.facts {
            dt { "When" } dd { (parts::date_time(page.received)) ", " (parts::age(page.received, now)) " ago" }
            dt { "Device" } dd { (page.device.as_deref().unwrap_or("not named in the message")) }
            @if let Some(source) = &page.source { dt { "Source" } dd { (source) } }
            dt { "State" } dd {
                (said_of_state(&page.state))
                @if page.attempts > 1 { ", moved on " (page.attempts) " times" }
            }
        }
        @if let Some(problem) = &page.problem { (faults(problem)) }
        details {
            summary { "The message as it came" }
            pre { code { (page.body) } }
        }
    }
}

fn said_of_state(state: &str) -> &str {
    match state {
        "pending" => "stored, on its way through the stages",
        "done" => "every stage has it",
        "dead" => "given up on: in the dead letters",
        "rejected" => "rejected",
        other => other,
    }
}

fn normalized_mark(page: &MessagePage) -> Mark {
    match &page.outcome {
        Some(it) if it.status == "rejected" => Mark::Refused,
        Some(_) => Mark::Done,
        None if page.state == "pending" => Mark::Waiting,
        None => Mark::Nothing,
    }
}

fn normalized(page: &MessagePage) -> Markup {
    html! {
        @match &page.outcome {
            Some(it) => {
                p {
                    (it.n_observations) @if it.n_observations == 1 { " Observation" } @else { " Observations" }
                    @if let Some(mapping) = &it.mapping { " by " (mapping) } ", " (parts::date_time(it.at))
                }
                @if let Some(problem) = &it.problem { (faults(problem)) }
            }
            None => p { "Not seen yet." },
        }
        @if !page.observations.is_empty() { (observations(&page.observations)) }
    }
}

fn observations(observations: &[MadeObservation]) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "What" } th scope="col" { "Value" } th scope="col" { "Measured" }
                    th scope="col" { "Patient" } th scope="col" { "FHIR" }
                }
            }
            tbody {
                @for it in observations {
                    tr {
                        th scope="row" { (parts::code(&it.code)) }
                        td { (values(it)) }
                        td { (parts::date_time(it.effective)) }
                        td {
                            @match &it.patient {
                                Some(id) => a href=(format!("/ward/patients/{}", words::segment(id))) { (id) },
                                None => "unassigned",
                            }
                        }
                        td { a.id href=(format!("/fhir/Observation/{}", words::segment(&it.id))) { (it.id.get(..8).unwrap_or(&it.id)) } }
                    }
                }
            }
        }
    }
}

/// The values of an Observation that may be believed; else why they are not shown.
fn values(observation: &MadeObservation) -> Markup {
    html! {
        @if observation.quality == Some(Quality::Accepted) {
            @match Vital::of(&observation.code).and_then(|it| it.shown(&observation.values)) {
                Some((value, unit)) => { (value) " " (unit) }
                None => {
                    @for (place, it) in observation.values.iter().enumerate() {
                        @if place > 0 { ", " }
                        @if observation.values.len() > 1 { (parts::code(&it.code)) " " }
                        (parts::value(&it.code, &it.value, &it.unit))
                    }
                }
            }
        } @else {
            span.doubt { "⚠ " (observation.quality.map_or("not accepted", words::distrust)) ", not scored" }
        }
    }
}

fn scored(page: &MessagePage) -> Markup {
    html! {
        @if page.used_by.is_empty() { p { "No score has used it." } }
        @else {
            table {
                thead {
                    tr {
                        th scope="col" { "Rule" } th scope="col" { "For" } th scope="col" { "Result" }
                        th scope="col" { "Stands" }
                    }
                }
                tbody {
                    @for it in &page.used_by {
                        tr {
                            th scope="row" { (words::cause(&it.assessment.rule)) }
                            td { (parts::date_time(it.assessment.effective)) }
                            td { (parts::score(Some(&it.assessment), false)) }
                            td { @if it.is_current { "yes" } @else { "no, corrected since" } }
                        }
                    }
                }
            }
        }
    }
}

fn alerted(page: &MessagePage, now: Timestamp) -> Markup {
    let back = format!("/ward/messages/{}", words::segment(&page.id));
    html! {
        @if page.alerts.is_empty() { p { "No alert was changed by it." } }
        @for it in &page.alerts { (parts::alert(it, now, &back)) }
    }
}

fn faults(problem: &Problem) -> Markup {
    html! {
        div.problem {
            p { b { (problem.title) } " " code { (problem.code()) } @if !problem.detail.is_empty() { ": " (problem.detail) } }
            @if !problem.errors.is_empty() {
                ul {
                    @for it in &problem.errors {
                        li { code { (it.path) } " " code { (it.code) } ": " (it.detail) }
                    }
                }
            }
        }
    }
}

/// The search box without a result: nothing asked yet, or no message of that id.
#[must_use]
pub fn search(asked: Option<&str>) -> Shown {
    let body = html! {
        div.page-head { h1 { "Follow a message" } }
        section.card {
            @if let Some(id) = asked {
                p { "No message has the id " code.id { (id) } "." }
            }
            p { "Every message that was sent has an id, in the answer to whoever sent it. It leads through every stage: what was stored, which Observations came of it, which scores used them, which alerts changed." }
        }
    };
    Shown { title: "Follow a message".to_owned(), is_live: false, body }
}
