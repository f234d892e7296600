//! The way in.

use maud::html;

use super::frame::Shown;
use crate::session::{LoginError, NAME_BYTES_MAX};

/// The login form, with what was wrong the last time.
#[must_use]
pub fn login(error: Option<LoginError>) -> Shown {
    let body = html! {
        section.card.login {
            h1 { "Log in" }
            @if let Some(error) = error { p.problem role="alert" { (error) "." } }
            form action="/ward/login" method="post" {
                label for="name" { "Your name" }
                input #name name="name" autocomplete="name" maxlength=(NAME_BYTES_MAX) required autofocus;
                p.hint { "It stands beside every alert you acknowledge." }
                label for="token" { "Operator token" }
                input #token name="token" type="password" autocomplete="current-password" required;
                p.hint { "In the file that " code { "auscult up" } " names when it starts." }
                button { "Log in" }
            }
        }
    };
    Shown { title: "Log in".to_owned(), is_live: false, body }
}
