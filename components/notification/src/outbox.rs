//! Makes repeats that are due and sends pages to receivers. Runs after the caller has its answer.

use std::collections::HashMap;
use std::time::Duration;

use auscult_notification::channel::{
    About, Audience, Channel, Message, Page, Request, hl7, mail, render, reply, smtp,
};
use auscult_notification::delivery::Receipt;
use auscult_notification::policy::{Policy, Receiver};
use auscult_notification::store::{self, Claimed, Outcome};
use auscult_shell::{SpinSqlite, now};
use auscult_store::StoreError;
use futures::future::join_all;
use spin_sdk::http::{IncomingResponse, Method, SendError};

use crate::tcp::Connection;

/// How long a receiver may take: a third of the lease on its page.
const RECEIVER_TIME_MAX: Duration = Duration::from_secs(10);
/// Pages one round sends side by side.
const PAGES_MAX: u32 = 16;
/// Rounds of one call: its share; the next call or tick does the rest.
const ROUNDS_MAX: usize = 4;
/// Most bytes of a receiver's answer that are read for its receipt.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A bounded share of what is due. Costs one read when nothing is.
pub async fn work(db: &SpinSqlite) {
    if let Err(error) = share(db).await {
        eprintln!("outbox: {error}");
    }
}

async fn share(db: &SpinSqlite) -> Result<(), StoreError> {
    for _ in 0..ROUNDS_MAX {
        let due = store::due(db, now())?;
        if due.alerts {
            store::repeat_due(db, now())?;
        }
        if !(due.alerts || due.deliveries) {
            return Ok(());
        }
        let pages = store::claim(db, now(), PAGES_MAX)?;
        if pages.is_empty() {
            return Ok(());
        }
        let policy = store::policy(db)?.map(|it| it.policy);
        let known = store::about(db, &pages)?;
        let links = Links::of(db)?;
        let outcomes =
            join_all(pages.iter().map(|it| deliver(policy.as_ref(), it, &known, &links))).await;
        let done: Vec<(Claimed, Outcome)> = pages.into_iter().zip(outcomes).collect();
        store::record(db, &done, now())?;
    }
    Ok(())
}

/// What links in messages are made of.
struct Links {
    /// Where people reach this application; without it messages hold no link.
    url: Option<String>,
}

impl Links {
    fn of(_db: &SpinSqlite) -> Result<Self, StoreError> {
        let url = spin_sdk::variables::get("public_url").ok();
        let url = url.map(|it| it.trim_end_matches('/').to_owned()).filter(|it| !it.is_empty());
        Ok(Self { url })
    }

    fn add(&self, about: About, page: &Page) -> About {
        let Some(url) = &self.url else { return about };
        let path = Some(&page.data.link).filter(|it| !it.is_empty());
        About { link: path.map(|it| format!("{url}{it}")), ..about }
    }
}

async fn deliver(
    policy: Option<&Policy>,
    page: &Claimed,
    known: &HashMap<String, About>,
    links: &Links,
) -> Outcome {
    let Some(receiver) = policy.and_then(|it| it.receiver(&page.receiver)) else {
        return failed("receiver-unknown");
    };
    let sent = now();
    let Some(read) = Page::read(&page.body) else { return never("page-unreadable") };
    if let Some(until) = receiver.left_alone(&read, sent) {
        return Outcome::Later(until);
    }
    let mut about = known.get(&page.alert).cloned().unwrap_or_default();
    if receiver.audience == Audience::Staff {
        about = links.add(about, &read);
    }
    let sending = async {
        match render(receiver, page, &about, sent) {
            Err(error) => never(&error.to_string()),
            Ok(message) => carry(receiver, message).await,
        }
    };
    let outcome = crate::limit::within(RECEIVER_TIME_MAX, sending).await;
    outcome.unwrap_or_else(|| failed("timeout"))
}

async fn carry(receiver: &Receiver, message: Message) -> Outcome {
    match (message, &receiver.channel) {
        (Message::Http(request), _) => post(request).await,
        (Message::Smtp(mail), Channel::Smtp { host, port, .. }) => {
            send_mail(host, *port, &mail).await.unwrap_or_else(|code| failed(&code))
        }
        (Message::Mllp(message), Channel::Hl7 { host, port, .. }) => {
            send_hl7(host, *port, &message).await.unwrap_or_else(|code| failed(&code))
        }
        // The core makes the message of the channel it was given.
        _ => never("wrong-channel"),
    }
}

async fn post(message: Request) -> Outcome {
    let mut request = spin_sdk::http::Request::builder();
    request
        .method(if message.method == "PUT" { Method::Put } else { Method::Post })
        .uri(message.url.as_str())
        // Named, so that receivers who read no chunks are served too.
        .header("content-length", message.body.len().to_string())
        .header("user-agent", "auscult");
    for (name, value) in message.headers {
        request.header(name, value);
    }
    let request = request.body(message.body).build();
    match spin_sdk::http::send::<_, IncomingResponse>(request).await {
        Err(error) => failed(&reason(&error)),
        Ok(response) => {
            let status = response.status();
            let headers = response.headers();
            let header = |name: &str| {
                let values = headers.get(&name.to_owned());
                values.first().and_then(|it| String::from_utf8(it.clone()).ok())
            };
            let length: Option<usize> = header("content-length").and_then(|it| it.parse().ok());
            // The page has arrived; a body that is huge, endless or broken takes nothing from that.
            let body = match length {
                Some(length) if length > 0 && length <= ANSWER_BYTES_MAX => {
                    response.into_body().await.unwrap_or_default()
                }
                _ => Vec::new(),
            };
            reply::outcome(status, header, &body, now())
        }
    }
}

async fn send_mail(host: &str, port: u16, mail: &mail::Mail) -> Result<Outcome, String> {
    let connection = Connection::to(host, port).await?;
    let mut dialogue = smtp::Dialogue::new(mail);
    let mut read = Vec::new();
    loop {
        let Some((said, length)) = smtp::reply(&read)? else {
            let more = connection.read().await?;
            if more.is_empty() {
                return Err("connection-closed".to_owned());
            }
            read.extend(more);
            continue;
        };
        read.drain(..length);
        match dialogue.next(&said) {
            smtp::Step::Send(line) => connection.write(line.as_bytes()).await?,
            smtp::Step::Done(text) => {
                // A courtesy; the mail is the relay's already.
                let _ = connection.write(b"QUIT\r\n").await;
                return Ok(Outcome::Delivered(Receipt { status: text, id: None }));
            }
            smtp::Step::Failed { code, permanent } => {
                return Ok(Outcome::Failed { code, wait_ms: None, permanent });
            }
        }
    }
}

async fn send_hl7(host: &str, port: u16, message: &hl7::Hl7) -> Result<Outcome, String> {
    let connection = Connection::to(host, port).await?;
    connection.write(&hl7::framed(&message.text)).await?;
    let mut read = Vec::new();
    loop {
        if let Some(answer) = hl7::unframed(&read) {
            return Ok(match hl7::acknowledged(answer, &message.control) {
                Ok(status) => Outcome::Delivered(Receipt { status, id: None }),
                Err((code, permanent)) => Outcome::Failed { code, wait_ms: None, permanent },
            });
        }
        let more = connection.read().await?;
        if more.is_empty() || read.len() > ANSWER_BYTES_MAX {
            return Err("ack-missing".to_owned());
        }
        read.extend(more);
    }
}

fn failed(code: &str) -> Outcome {
    Outcome::Failed { code: code.to_owned(), wait_ms: None, permanent: false }
}

fn never(code: &str) -> Outcome {
    Outcome::Failed { code: code.to_owned(), wait_ms: None, permanent: true }
}

/// The name of a transport failure as a stable code: `connection-refused`, `dns-timeout` …
fn reason(error: &SendError) -> String {
    let SendError::Http(code) = error else { return "unreachable".to_owned() };
    let shown = format!("{code:?}");
    let name = shown.rsplit("::").next().unwrap_or_default();
    let name = name.chars().take_while(char::is_ascii_alphanumeric);
    let mut words = String::new();
    for letter in name {
        if letter.is_ascii_uppercase() && !words.is_empty() && !words.ends_with(char::is_uppercase)
        {
            words.push('-');
        }
        words.push(letter.to_ascii_lowercase());
    }
    if words.is_empty() { "unreachable".to_owned() } else { words }
}
