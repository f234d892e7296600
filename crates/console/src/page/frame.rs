//! What every page has around it: head, header, search, and the promise that nothing is loaded from
//! elsewhere.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use auscult_model::Timestamp;

use super::parts;

const STYLE: &str = include_str!("../console.css");
const SCRIPT: &str = include_str!("../console.js");
/// A heart line, drawn here so that no file is asked for.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='7' fill='%230f4c5c'/%3E%3Cpath d='M4 17h6l3-9 6 17 3-8h6' fill='none' stroke='%23fff' stroke-width='2.6' stroke-linecap='round' stroke-linejoin='round'/%3E%3C/svg%3E";
/// How often a page without script loads itself anew, in seconds.
const RELOAD_S: u8 = 5;

/// Who looks, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The time of the request.
    pub now: Timestamp,
    /// Whose session it is; `None` where the console is open to everybody.
    pub name: Option<String>,
}

/// A page, or the part of it that changes.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Short, for the tab.
    pub title: String,
    /// Whether it keeps itself up to date.
    pub is_live: bool,
    /// What changes.
    pub body: Markup,
}

impl Shown {
    /// The part that changes, for a page already on screen.
    #[must_use]
    pub fn fragment(self) -> String {
        self.body.into_string()
    }

    /// The whole page.
    #[must_use]
    pub fn page(self, frame: &Frame) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="same-origin";
                    title { (self.title) " · Auscult" }
                    link rel="icon" href=(PreEscaped(ICON));
                    style { (PreEscaped(STYLE)) }
                    @if self.is_live {
                        noscript { meta http-equiv="refresh" content=(RELOAD_S); }
                    }
                }
                body {
                    a.skip href="#main" { "Skip to the content" }
                    (header(frame))
                    @if self.is_live {
                        p #offline role="alert" hidden {
                            strong { "Not updating. " }
                            "What you see is from " span #offline-since {} ". Check the connection; do not rely on this page."
                        }
                    }
                    main #main data-live[self.is_live] { (self.body) }
                    @if self.is_live { script { (PreEscaped(SCRIPT)) } }
                }
            }
        };
        page.into_string()
    }
}

fn header(frame: &Frame) -> Markup {
    html! {
        header.top {
            a.brand href="/" {
                svg aria-hidden="true" viewBox="0 0 32 32" {
                    rect width="32" height="32" rx="7" {}
                    path d="M4 17h6l3-9 6 17 3-8h6" {}
                }
                "Auscult"
            }
            nav aria-label="Pages" {
                a href="/" { "Ward" }
            }
            form.search action="/ward/messages" method="get" role="search" {
                label for="message-id" { "Message" }
                input #message-id name="id" type="search" placeholder="Message id" autocomplete="off" spellcheck="false" maxlength="200" required;
                button { "Follow" }
            }
            p.clock { (parts::clock(frame.now)) }
            @if let Some(name) = &frame.name {
                form.who action="/ward/logout" method="post" {
                    span { (name) }
                    button { "Log out" }
                }
            }
        }
    }
}

/// The `Content-Security-Policy` of every page: its own style and script by digest, nothing else.
#[must_use]
pub fn content_security_policy() -> String {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; \
         img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        digest(STYLE),
        digest(SCRIPT)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_no_style_or_script_beyond_the_two_that_are_allowed() {
        let frame = Frame { now: Timestamp::from_unix_ms(0), name: Some("N".to_owned()) };
        let shown = Shown { title: "T".to_owned(), is_live: true, body: html! { p { "x" } } };
        let page = shown.page(&frame);
        assert_eq!(page.matches("<style").count(), 1);
        assert_eq!(page.matches("<script").count(), 1);
        for forbidden in [" style=", " onclick=", " onsubmit=", "javascript:", "src="] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        // What is digested is byte for byte what stands between the tags.
        assert!(page.contains(&format!("<style>{STYLE}</style>")));
        assert!(page.contains(&format!("<script>{SCRIPT}</script>")));
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</"));
    }
}
