//! The channels that are one JSON or form request to a service.

use auscult_model::{Severity, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::channel::page::{Page, Stage};
use crate::channel::render::About;
use crate::channel::text::Text;
use crate::channel::{Request, Unsayable};
use crate::delivery::{signature, unix_seconds};

/// Longest SMS, in characters: ten segments in the larger alphabet.
const SMS_CHARS_MAX: usize = 670;
/// Longest `summary` of an event, in characters.
const SUMMARY_CHARS_MAX: usize = 1_024;

fn post(url: String, body: &Value) -> Request {
    let headers = vec![("content-type", "application/json".to_owned())];
    Request { method: "POST", url, headers, body: body.to_string() }
}

/// Standard Webhooks: the stored payload itself, signed.
pub fn webhook(
    url: &str,
    secret: &[u8],
    id: &str,
    body: &str,
    now: Timestamp,
) -> Result<Request, Unsayable> {
    let signature = signature(secret, id, now, body).ok_or(Unsayable::Signature)?;
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", unix_seconds(now).to_string()),
        ("webhook-signature", signature),
    ];
    Ok(Request { method: "POST", url: url.to_owned(), headers, body: body.to_owned() })
}

/// The links of a message, with what they are called.
fn links<'a>(page: &Page, about: &'a About) -> Vec<(&'static str, &'a str)> {
    let answer = about.answer.as_deref().filter(|_| page.stage() == Stage::Calls);
    let links = [answer.map(|it| ("Answer", it)), about.link.as_deref().map(|it| ("Open", it))];
    links.into_iter().flatten().collect()
}

/// An incoming webhook of Slack.
pub fn slack(url: &str, text: &Text, page: &Page, about: &About) -> Request {
    // Slack's three control characters.
    let escaped = |it: &str| it.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut blocks = vec![json!({
        "type": "section", "text": { "type": "mrkdwn", "text": escaped(&text.whole) },
    })];
    let buttons: Vec<Value> = links(page, about)
        .into_iter()
        .map(|(name, url)| {
            json!({ "type": "button", "url": url, "text": { "type": "plain_text", "text": name } })
        })
        .collect();
    if !buttons.is_empty() {
        blocks.push(json!({ "type": "actions", "elements": buttons }));
    }
    post(url.to_owned(), &json!({ "text": escaped(&text.title), "blocks": blocks }))
}

/// A Workflows webhook of Teams: one Adaptive Card.
pub fn teams(url: &str, text: &Text, page: &Page, about: &About) -> Request {
    let mut body = vec![json!({
        "type": "TextBlock", "text": text.title, "wrap": true, "weight": "Bolder", "size": "Medium",
    })];
    if let Some(rest) = text.whole.strip_prefix(&text.title).filter(|it| !it.trim().is_empty()) {
        body.push(json!({ "type": "TextBlock", "text": rest.trim(), "wrap": true }));
    } else if text.whole != text.title {
        body.push(json!({ "type": "TextBlock", "text": text.whole, "wrap": true }));
    }
    let actions: Vec<Value> = links(page, about)
        .into_iter()
        .map(|(name, url)| json!({ "type": "Action.OpenUrl", "title": name, "url": url }))
        .collect();
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard", "version": "1.4", "body": body, "actions": actions,
    });
    let kind = "application/vnd.microsoft.card.adaptive";
    let attachment = json!({ "contentType": kind, "contentUrl": null, "content": card });
    post(url.to_owned(), &json!({ "type": "message", "attachments": [attachment] }))
}

/// Events API v2: one incident per alert, acknowledged and resolved with it.
pub fn pagerduty(url: &str, key: &str, text: &Text, page: &Page, about: &About) -> Request {
    let url = format!("{url}/v2/enqueue");
    let alert = &page.data.alert;
    let action = match page.stage() {
        Stage::Calls => "trigger",
        Stage::Answered => "acknowledge",
        Stage::Over | Stage::Retracted => "resolve",
        Stage::Heartbeat => "trigger",
    };
    let dedup_key = if page.stage() == Stage::Heartbeat { "heartbeat" } else { alert };
    let mut event = json!({ "routing_key": key, "event_action": action, "dedup_key": dedup_key });
    if action == "trigger" {
        let severity = match page.severity() {
            Severity::Emergency => "critical",
            Severity::Urgent => "error",
            Severity::Routine => "warning",
            Severity::Technical => "info",
        };
        let summary: String = text.title.chars().take(SUMMARY_CHARS_MAX).collect();
        event["client"] = json!("Auscult");
        event["payload"] = json!({
            "summary": summary, "source": "auscult", "severity": severity,
            "timestamp": page.timestamp, "class": page.data.cause, "group": about.unit,
            "custom_details": { "page": page.data.page },
        });
        let links = links(page, about);
        let links = links.into_iter().map(|(text, href)| json!({ "href": href, "text": text }));
        event["links"] = links.collect();
    }
    post(url, &event)
}

/// Programmable Messaging.
pub fn sms(
    url: &str,
    (account, token): (&str, &str),
    (from, to): (&str, &str),
    text: &Text,
) -> Request {
    let body: String = text.whole.chars().take(SMS_CHARS_MAX).collect();
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("From", from).append_pair("To", to).append_pair("Body", &body);
    let login = STANDARD.encode(format!("{account}:{token}"));
    Request {
        method: "POST",
        url: format!("{url}/2010-04-01/Accounts/{account}/Messages.json"),
        headers: vec![
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("authorization", format!("Basic {login}")),
        ],
        body: form.finish(),
    }
}

/// Mail Send v3.
pub fn email(url: &str, key: &str, (from, to): (&str, &str), text: &Text, id: &str) -> Request {
    let mail = json!({
        "personalizations": [{ "to": [{ "email": to }], "custom_args": { "auscult_delivery": id } }],
        "from": { "email": from },
        "subject": text.title,
        "content": [{ "type": "text/plain", "value": text.whole }],
    });
    let mut request = post(format!("{url}/v3/mail/send"), &mail);
    request.headers.push(("authorization", format!("Bearer {key}")));
    request
}
