//! One alert with its whole history.

use auscult_model::{AlertStatus, Timestamp};
use maud::{Markup, html};

use super::frame::Shown;
use super::parts;
use crate::store::AlertPage;
use crate::words;

/// The page of one alert.
#[must_use]
pub fn alert(page: &AlertPage, now: Timestamp) -> Shown {
    let alert = &page.alert;
    let path = format!("/ward/alerts/{}", words::segment(&alert.id));
    let patient = format!("/ward/patients/{}", words::segment(&alert.patient));
    let body = html! {
        div.page-head {
            h1 { (words::cause(&alert.cause)) " alert" }
            p.about {
                a href=(patient) { (page.person.name) }
                @if let Some(bed) = &page.person.bed { " · " (bed) }
            }
        }
        section.card {
            (parts::alert(alert, now, &path))
            (history(page, now))
        }
    };
    Shown { title: format!("{} alert", words::cause(&alert.cause)), is_live: true, body }
}

/// Changes, pages held back and pages sent.
pub fn history(page: &AlertPage, now: Timestamp) -> Markup {
    html! {
        h3 { "What happened" }
        ol.history {
            @for it in &page.transitions {
                li {
                    (parts::date_time(it.at)) " "
                    b { (words::status(it.to)) } " " (parts::severity(it.severity))
                    " by " (it.by)
                    @if !it.why.is_empty() { ": " (it.why) }
                }
            }
        }
        h3 { "Pages sent" }
        @if page.deliveries.is_empty() {
            p { "None. " @if page.alert.status == AlertStatus::Open { "No receiver is set up for it, or the page waits its turn." } }
        }
        ol.history {
            @for it in &page.deliveries {
                li {
                    (parts::date_time(it.created)) " to " (it.receiver) ": " b { (it.state) }
                    " after " (it.attempts) @if it.attempts == 1 { " try" } @else { " tries" }
                    @if let Some(at) = it.delivered { ", taken " (parts::age(at, now)) " ago" }
                    @if let Some(error) = &it.last_error { ", last failure " (error) }
                }
            }
        }
        @if !page.held.is_empty() {
            h3 { "Pages held back" }
            ol.history {
                @for it in &page.held {
                    li { (parts::date_time(it.at)) " " b { (it.reason) } ": " (it.detail) }
                }
            }
        }
    }
}
