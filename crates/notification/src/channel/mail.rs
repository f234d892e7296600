//! One page as a mail.

use auscult_model::Timestamp;
use mail_builder::MessageBuilder;

use crate::channel::Unsayable;
use crate::channel::text::Text;

/// A mail and its envelope. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// Who sends.
    pub from: String,
    /// Who receives.
    pub to: String,
    /// User and password at the relay.
    pub login: Option<(String, String)>,
    /// Headers and text, lines ended by CR LF.
    pub data: String,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mail")
    }
}

/// Builds the mail. Its Message-ID is the page's, so that a repeated one can be dropped.
pub fn mail(
    from: &str,
    to: &str,
    login: Option<(String, String)>,
    text: &Text,
    id: &str,
    now: Timestamp,
) -> Result<Mail, Unsayable> {
    let domain = from.rsplit_once('@').map_or("auscult", |(_, domain)| domain);
    let data = MessageBuilder::new()
        .from(from)
        .to(to)
        .subject(text.title.as_str())
        .message_id(format!("{id}@{domain}"))
        .date(now.unix_ms().div_euclid(1_000))
        .text_body(text.whole.as_str())
        .write_to_string()
        .map_err(|_| Unsayable::Mail)?;
    Ok(Mail { from: from.to_owned(), to: to.to_owned(), login, data })
}
