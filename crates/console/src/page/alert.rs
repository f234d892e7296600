//! One alert with its whole history.

use auscult_model::alert::{Delivery, Transition};
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

/// Entries of a history shown at once; the older ones unfold.
const SHOWN_AT_ONCE: usize = 6;

/// Changes, pages sent and pages held back.
pub fn history(page: &AlertPage, now: Timestamp) -> Markup {
    let changes = page.transitions.iter().map(change).collect();
    let deliveries: Vec<Markup> = page.deliveries.iter().map(|it| sent(it, now)).collect();
    let held = page.held.iter().map(|it| {
        html! { (parts::date_time(it.at)) " " b { (it.reason) } ": " (it.detail) }
    });
    html! {
        h3 { "What happened" }
        (folded("changes", changes))
        h3 { "Pages sent" }
        @if deliveries.is_empty() {
            p { "None." @if page.alert.status == AlertStatus::Open { " No receiver is set up for it, or the page waits its turn." } }
        }
        (folded("deliveries", deliveries))
        @if !page.held.is_empty() {
            h3 { "Pages held back" }
            (folded("held", held.collect()))
        }
    }
}

fn change(it: &Transition) -> Markup {
    html! {
        (parts::date_time(it.at)) " "
        b { (words::status(it.to)) } " " (parts::severity(it.severity))
        " by " (it.by)
        @if !it.why.is_empty() { ": " (it.why) }
    }
}

fn sent(it: &Delivery, now: Timestamp) -> Markup {
    html! {
        (parts::date_time(it.created)) " to " (it.receiver) ": " b { (it.state) }
        " after " (it.attempts) @if it.attempts == 1 { " try" } @else { " tries" }
        @if let Some(at) = it.delivered { ", taken " (parts::age(at, now)) " ago" }
        @if let Some(error) = &it.last_error { ", last failure " (error) }
    }
}

fn folded(key: &str, mut entries: Vec<Markup>) -> Markup {
    let older = entries.split_off(entries.len().min(SHOWN_AT_ONCE));
    html! {
        ol.history { @for it in &entries { li { (it) } } }
        @if !older.is_empty() {
            details data-key=(format!("older-{key}")) {
                summary { (older.len()) " earlier" }
                ol.history { @for it in &older { li { (it) } } }
            }
        }
    }
}
