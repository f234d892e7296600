//! A page that says what went wrong.

use maud::html;

use super::frame::Shown;

/// One sentence and the way back.
#[must_use]
pub fn notice(title: &str, detail: &str) -> Shown {
    let body = html! {
        section.card.empty {
            h1 { (title) }
            p { (detail) }
            p { a href="/" { "Back to the ward" } }
        }
    };
    Shown { title: title.to_owned(), is_live: false, body }
}
