//! The ways to a person or a system: what each is told, and in whose words and format.
//!
//! [`settings`] reads a receiver's channel, [`render`] makes a [`Message`] of a stored page,
//! [`reply`] reads what came back. No I/O: the component carries messages.

pub mod fhir;
pub mod hl7;
pub mod mail;
pub mod page;
pub mod quiet;
mod render;
pub mod reply;
pub mod settings;
pub mod smtp;
pub mod text;
mod web;
pub mod words;

pub use page::Page;
pub use render::{About, render};
pub use settings::{Audience, Channel, Shows};

/// What goes over the wire, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// One HTTP request.
    Http(Request),
    /// One mail over SMTP.
    Smtp(mail::Mail),
    /// One HL7 v2 message over MLLP.
    Mllp(hl7::Hl7),
}

/// One HTTP request.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// `POST` or `PUT`.
    pub method: &'static str,
    /// Where to.
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// What.
    pub body: String,
}

impl std::fmt::Debug for Request {
    /// Shows no header and no body: they hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}

/// Why a message could not be made; such a page is given up at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsayable {
    /// The stored page cannot be read.
    #[error("page-unreadable")]
    Page,
    /// The template of the receiver fails on this page.
    #[error("template-failed")]
    Template,
    /// The signature cannot be made.
    #[error("unsignable")]
    Signature,
    /// The mail cannot be built.
    #[error("mail-unbuildable")]
    Mail,
}
