//! Makes the message of a page for a receiver.

use auscult_model::Timestamp;

use crate::channel::page::Page;
use crate::channel::text::text;
use crate::channel::{Channel, Message, Unsayable, fhir, hl7, mail, web};
use crate::delivery::Claimed;
use crate::policy::Receiver;

/// What is known beside the page itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Where the patient lies.
    pub unit: Option<String>,
    /// The patient's name.
    pub name: Option<String>,
    /// The patient's language, a BCP 47 tag.
    pub language: Option<String>,
    /// Where the alert is on the console.
    pub link: Option<String>,
    /// Where it can be answered without login.
    pub answer: Option<String>,
}

/// The message of a stored page for a receiver.
///
/// # Errors
/// [`Unsayable`] when it cannot be made, now or ever.
pub fn render(
    receiver: &Receiver,
    claimed: &Claimed,
    about: &About,
    now: Timestamp,
) -> Result<Message, Unsayable> {
    let page = Page::read(&claimed.body).ok_or(Unsayable::Page)?;
    let text = text(receiver, &page, about)?;
    let id = claimed.id.as_str();
    Ok(match &receiver.channel {
        Channel::Webhook { url, secret } => {
            Message::Http(web::webhook(url, secret, id, &claimed.body, now)?)
        }
        Channel::Slack { url } => Message::Http(web::slack(url, &text, &page, about)),
        Channel::Teams { url } => Message::Http(web::teams(url, &text, &page, about)),
        Channel::PagerDuty { url, routing_key } => {
            Message::Http(web::pagerduty(url, routing_key, &text, &page, about))
        }
        Channel::Sms { url, account, token, from, to } => {
            Message::Http(web::sms(url, (account, token), (from, to), &text))
        }
        Channel::Email { url, key, from, to } => {
            Message::Http(web::email(url, key, (from, to), &text, id))
        }
        Channel::Smtp { from, to, login, .. } => {
            Message::Smtp(mail::mail(from, to, login.clone(), &text, id, now)?)
        }
        Channel::Fhir { url, token, resource, recipient } => {
            let to = fhir::Ehr {
                url,
                token: token.as_deref(),
                resource: *resource,
                recipient: recipient.as_deref(),
            };
            Message::Http(fhir::request(&to, receiver, &page, &text, id))
        }
        Channel::Hl7 { application, facility, .. } => {
            Message::Mllp(hl7::alert(application, facility, receiver, &page, about, id))
        }
    })
}
