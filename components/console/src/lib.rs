//! The console: reads a request, asks `auscult-console` for the page, sends it. Its one act, an
//! acknowledgement, goes to `notification` in the name of whoever is logged in.
#![allow(unsafe_code, reason = "the export that #[http_component] generates")]

mod visitor;

use auscult_console::page;
use auscult_console::route::NoRoute;
use auscult_console::session::{self, LoginError};
use auscult_console::store::{alert_page, message_page, patient_page, ward_page};
use auscult_console::{Frame, Route, Shown, Span, content_security_policy};
use auscult_model::Timestamp;
use auscult_shell::{Call, Reply, SpinSqlite, now};
use auscult_store::StoreError;
use spin_sdk::http::{IncomingRequest, Method, Request, Response, ResponseOutparam};
use spin_sdk::http_component;

use visitor::Visitor;

/// Forms hold a name, a token or a path: far less than this.
const BODY_BYTES_MAX: usize = 4_096;
/// Where acknowledgements go; a private route, and the only host the console may call.
const NOTIFICATION: &str = "http://notification.spin.internal/internal/alerts";
/// Author of an acknowledgement where nobody logs in.
const DEMO_NAME: &str = "console";

#[http_component]
async fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
    let reply = match Call::read(request, BODY_BYTES_MAX).await {
        Ok(call) => answer(&call).await,
        Err(problem) => problem.into(),
    };
    reply.send(response_out).await;
}

async fn answer(call: &Call) -> Reply {
    let now = now();
    let visitor = Visitor::of(call, now);
    let route = match Route::parse(&call.method, &call.segments()) {
        Ok(route) => route,
        Err(NoRoute::NotFound) => return auscult_shell::http::not_found().into(),
        Err(NoRoute::MethodNotAllowed) => return auscult_shell::http::method_not_allowed().into(),
    };
    if !visitor.may_see() && !route.is_public() {
        // A page already on screen asks for its part: it loads itself anew and lands on the login.
        let is_part = call.param("fragment").is_some();
        return if is_part { Reply::empty(401) } else { see_other("/ward/login") };
    }
    if call.method == "POST" && !is_own_form(call) {
        let title = "That form was not sent from this page";
        return notice(403, title, "Open the ward and try again.", &visitor, now);
    }
    match route {
        Route::SignIn => sign_in(call, now),
        Route::SignOut => {
            see_other("/ward/login").with("set-cookie", session::set_cookie("", is_secure(call)))
        }
        Route::Login => html(200, page::login(None), &visitor, now),
        Route::Acknowledge(id) => acknowledge(call, &id, &visitor, now).await,
        Route::Search => match call.param("id").filter(|it| !it.trim().is_empty()) {
            Some(id) => shown(call, &Route::Message(id.trim().to_owned()), &visitor, now),
            None => html(200, page::search(None), &visitor, now),
        },
        route => shown(call, &route, &visitor, now),
    }
}

/// A page made of stored rows.
fn shown(call: &Call, route: &Route, visitor: &Visitor, now: Timestamp) -> Reply {
    let span = call.param("span").and_then(|it| Span::parse(&it));
    match SpinSqlite::open().and_then(|db| drawn(&db, route, span, now)) {
        Ok(Some(shown)) if call.param("fragment").is_some() => {
            let title = format!("{} · Auscult", shown.title);
            let title: String = url_encoded(&title);
            secured(Reply::text(200, "text/html; charset=utf-8", shown.fragment()))
                .with("x-title", title)
        }
        Ok(Some(shown)) => html(200, shown, visitor, now),
        Ok(None) => match route {
            Route::Message(id) => html(404, page::search(Some(id)), visitor, now),
            _ => notice(404, "Nothing here", "Nothing is known under that id.", visitor, now),
        },
        Err(error) => {
            eprintln!("store: {error}");
            let title = "The database cannot be read now";
            notice(
                503,
                title,
                "The page tries again by itself when it is loaded anew.",
                visitor,
                now,
            )
        }
    }
}

fn drawn(
    db: &SpinSqlite,
    route: &Route,
    span: Option<Span>,
    now: Timestamp,
) -> Result<Option<Shown>, StoreError> {
    Ok(match route {
        Route::Ward => Some(page::ward(&ward_page(db, span, now)?)),
        Route::Patient(id) => patient_page(db, id, span, now)?.map(|it| page::patient(&it)),
        Route::Alert(id) => alert_page(db, id, now)?.map(|it| page::alert(&it, now)),
        Route::Message(id) => message_page(db, id)?.map(|it| page::message(&it, now)),
        Route::Search | Route::Login | Route::SignIn | Route::SignOut | Route::Acknowledge(_) => {
            None
        }
    })
}

fn sign_in(call: &Call, now: Timestamp) -> Reply {
    let (name, token) = (field(call, "name"), field(call, "token"));
    let sha256 = visitor::token_sha256();
    let session = session::login(&name, &token, &sha256, now);
    match session.and_then(|it| it.seal(&sha256).ok_or(LoginError::Token)) {
        Ok(cookie) => {
            see_other("/").with("set-cookie", session::set_cookie(&cookie, is_secure(call)))
        }
        Err(error) => html(403, page::login(Some(error)), &Visitor::Nobody, now),
    }
}

async fn acknowledge(call: &Call, id: &str, visitor: &Visitor, now: Timestamp) -> Reply {
    let by = visitor.name().unwrap_or(DEMO_NAME);
    let mut request = Request::builder();
    request
        .method(Method::Post)
        .uri(format!("{NOTIFICATION}/{}/acknowledge", url_encoded(id)))
        .header("content-type", "application/json")
        .body(serde_json::json!({ "by": by }).to_string());
    let answer: Result<Response, _> = spin_sdk::http::send(request.build()).await;
    match answer.map(|it| *it.status()) {
        Ok(200..=299) => see_other(&local_path(&field(call, "back"))),
        Ok(404) => notice(404, "No such alert", "It may have been retracted.", visitor, now),
        Ok(409) => notice(409, "Nothing to acknowledge", "The alert is over.", visitor, now),
        Ok(_) | Err(_) => {
            let detail = "The alert is still open. Try again, and go to the patient meanwhile.";
            notice(503, "The acknowledgement was not stored", detail, visitor, now)
        }
    }
}

/// Where a form may lead afterwards: a path on this host, else the ward.
fn local_path(back: &str) -> String {
    let is_local = back.starts_with('/')
        && !back.starts_with("//")
        && !back.contains(|it: char| it.is_control() || it == '\\');
    if is_local { back.to_owned() } else { "/".to_owned() }
}

fn field(call: &Call, name: &str) -> String {
    let mut fields = form_urlencoded::parse(&call.body);
    fields.find(|(it, _)| it == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn is_own_form(call: &Call) -> bool {
    let host = call.header("host").or_else(|| asked_authority(call));
    session::is_own_form(call.header("origin"), call.header("sec-fetch-site"), host)
}

/// Host and port that were asked: WASI keeps `Host` from guests, Spin and our host tell the whole URL.
fn asked_authority(call: &Call) -> Option<&str> {
    let (_, rest) = call.header("spin-full-url")?.split_once("://")?;
    rest.split(['/', '?']).next()
}

/// Whether the browser came over TLS, ended by a proxy before us.
fn is_secure(call: &Call) -> bool {
    call.header("x-forwarded-proto").is_some_and(|it| it.eq_ignore_ascii_case("https"))
}

fn url_encoded(text: &str) -> String {
    auscult_console::path_segment(text)
}

fn see_other(path: &str) -> Reply {
    Reply::empty(303).with("location", path).with("cache-control", "no-store")
}

fn notice(status: u16, title: &str, detail: &str, visitor: &Visitor, now: Timestamp) -> Reply {
    html(status, page::notice(title, detail), visitor, now)
}

fn html(status: u16, shown: Shown, visitor: &Visitor, now: Timestamp) -> Reply {
    let frame = Frame { now, name: visitor.name().map(str::to_owned) };
    secured(Reply::text(status, "text/html; charset=utf-8", shown.page(&frame)))
        .with("content-security-policy", content_security_policy())
}

/// Pages hold patient data: no cache keeps them, no frame shows them, no link tells where they were.
fn secured(reply: Reply) -> Reply {
    reply
        .with("cache-control", "no-store")
        .with("x-content-type-options", "nosniff")
        .with("x-frame-options", "DENY")
        .with("referrer-policy", "same-origin")
}
