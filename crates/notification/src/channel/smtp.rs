//! The client's side of SMTP (RFC 5321) without any I/O: replies in, lines out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::channel::mail::Mail;

/// Longest reply taken, in bytes.
pub const REPLY_BYTES_MAX: usize = 16 * 1024;

/// A server's reply: its code and its last line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Three digits.
    pub code: u16,
    /// Text of the last line.
    pub text: String,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send this and wait for a reply.
    Send(String),
    /// The server took the mail and said this.
    Done(String),
    /// It did not.
    Failed {
        /// Stable code.
        code: String,
        /// Whether another try is in vain.
        permanent: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Greeting,
    Hello,
    Login,
    From,
    To,
    Data,
    Text,
}

/// One mail on its way through one connection.
#[derive(Debug)]
pub struct Dialogue<'a> {
    mail: &'a Mail,
    at: At,
}

/// The first whole reply in `bytes` and its length; `None` while it is not whole.
///
/// # Errors
/// A stable code when this is no SMTP.
pub fn reply(bytes: &[u8]) -> Result<Option<(Reply, usize)>, &'static str> {
    let mut start = 0;
    while let Some(rest) = bytes.get(start..) {
        let Some(end) = rest.windows(2).position(|it| it == b"\r\n") else { break };
        let line = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
        start += end + 2;
        let code = line.get(..3).and_then(|it| it.parse().ok()).ok_or("smtp-unreadable")?;
        match line.as_bytes().get(3) {
            Some(b'-') => {}
            None | Some(b' ') => {
                let text = line.get(4..).unwrap_or_default().to_owned();
                return Ok(Some((Reply { code, text }, start)));
            }
            Some(_) => return Err("smtp-unreadable"),
        }
    }
    if bytes.len() > REPLY_BYTES_MAX { Err("smtp-too-long") } else { Ok(None) }
}

impl<'a> Dialogue<'a> {
    /// Begins; the server speaks first.
    #[must_use]
    pub const fn new(mail: &'a Mail) -> Self {
        Self { mail, at: At::Greeting }
    }

    /// What a reply leads to.
    pub fn next(&mut self, reply: &Reply) -> Step {
        let expected = match self.at {
            At::Greeting => reply.code == 220,
            At::Login => reply.code == 235,
            At::Data => reply.code == 354,
            At::Hello | At::From | At::Text => reply.code == 250,
            At::To => matches!(reply.code, 250 | 251),
        };
        if !expected {
            // 5yz is for good, but a refused login is ours to mend and the page must not be lost.
            let permanent =
                (500..600).contains(&reply.code) && matches!(self.at, At::To | At::Text);
            return Step::Failed { code: format!("smtp-{}", reply.code), permanent };
        }
        let (at, line) = match self.at {
            At::Greeting => (At::Hello, "EHLO auscult\r\n".to_owned()),
            At::Hello => match &self.mail.login {
                Some((user, password)) => {
                    let secret = STANDARD.encode(format!("\0{user}\0{password}"));
                    (At::Login, format!("AUTH PLAIN {secret}\r\n"))
                }
                None => (At::From, format!("MAIL FROM:<{}>\r\n", self.mail.from)),
            },
            At::Login => (At::From, format!("MAIL FROM:<{}>\r\n", self.mail.from)),
            At::From => (At::To, format!("RCPT TO:<{}>\r\n", self.mail.to)),
            At::To => (At::Data, "DATA\r\n".to_owned()),
            At::Data => (At::Text, stuffed(&self.mail.data)),
            At::Text => return Step::Done(reply.text.clone()),
        };
        self.at = at;
        Step::Send(line)
    }
}

/// The mail with its end: lines that begin with a dot get another.
fn stuffed(data: &str) -> String {
    let mut out = String::with_capacity(data.len() + 16);
    for line in data.lines() {
        if line.starts_with('.') {
            out.push('.');
        }
        out.push_str(line);
        out.push_str("\r\n");
    }
    out.push_str(".\r\n");
    out
}
