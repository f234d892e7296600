//! Everything the host offers a component, one route each, and every way to misbehave.

use spin_sdk::http::{
    Headers, IncomingRequest, OutgoingResponse, Params, Request, Response, ResponseOutparam, Router,
};
use spin_sdk::http_component;
use spin_sdk::key_value::Store;
use spin_sdk::sqlite::{Connection, Value};

mod bindings {
    wit_bindgen::generate!({ path: "../wit", world: "caller" });
}

#[http_component]
async fn front(request: IncomingRequest, out: ResponseOutparam) {
    // These answer in their own way and not through the router.
    let path = request.path_with_query().unwrap_or_default();
    match path.as_str() {
        "/text" => return respond(out, Response::new(200, "hello")).await,
        "/first-answer-then-work" => return answer_then_work(out).await,
        "/large" => return large(out).await,
        "/stops-halfway" => return stops_halfway(out).await,
        "/refuses-unread" => return respond(out, Response::new(413, "too large")).await,
        _ => {}
    }
    let request: Request =
        match spin_sdk::http::conversions::TryFromIncomingRequest::try_from_incoming_request(
            request,
        )
        .await
        {
            Ok(request) => request,
            Err(_) => return respond(out, Response::new(400, "unreadable")).await,
        };
    let answer = handle(request).await;
    respond(out, answer).await;
}

async fn respond(out: ResponseOutparam, answer: Response) {
    let headers: Vec<(String, Vec<u8>)> = answer
        .headers()
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
        .collect();
    let status = *answer.status();
    let Ok(fields) = Headers::from_list(&headers) else { return };
    let outgoing = OutgoingResponse::new(fields);
    let _ = outgoing.set_status_code(status);
    let _ = out.set_with_body(outgoing, answer.into_body()).await;
}

async fn handle(request: Request) -> Response {
    let mut router = Router::new();
    router.get("/variable", variable);
    router.get("/undeclared", undeclared);
    router.get("/environment", environment);
    router.get("/file", file);
    router.get("/headers", headers);
    router.get("/named/:id", headers);
    router.get("/key-value/:key", key_value_get);
    router.put("/key-value/:key", key_value_set);
    router.get("/key-value-denied", key_value_denied);
    router.get("/sqlite", sqlite);
    router.get("/sqlite-denied", sqlite_denied);
    router.get("/sqlite-left-open", sqlite_left_open);
    router.get("/chain", chain);
    router.get("/cycle", cycle);
    router.get("/denied", denied);
    router.get("/self", own);
    router.get("/fetch/:port", fetch);
    router.get("/dependency", dependency);
    router.get("/steal", steal);
    router.post("/echo", echo);
    router.get("/loop", endless);
    router.get("/memory", memory);
    router.get("/trap", trap);
    router.get("/wait/:ms", wait);
    router.get("/compute/:ms", compute);
    router.handle(request)
}

type Result<T = Response> = anyhow::Result<T>;

fn send(url: &str) -> std::result::Result<Response, spin_sdk::http::SendError> {
    spin_sdk::http::run(spin_sdk::http::send(Request::get(url).build()))
}

fn variable(_: Request, _: Params) -> Result {
    Ok(Response::new(200, spin_sdk::variables::get("greeting")?))
}

fn undeclared(_: Request, _: Params) -> Result {
    Ok(Response::new(200, format!("{:?}", spin_sdk::variables::get("other"))))
}

fn environment(_: Request, _: Params) -> Result {
    Ok(Response::new(200, std::env::var("PLACE").unwrap_or_default()))
}

fn file(_: Request, _: Params) -> Result {
    let text = std::fs::read_to_string("/assets/note.txt")?;
    let written = std::fs::write("/assets/note.txt", "changed").is_ok();
    Ok(Response::new(200, format!("{} written={written}", text.trim())))
}

fn headers(request: Request, _: Params) -> Result {
    let mut lines: Vec<String> = request
        .headers()
        .filter(|(name, _)| name.starts_with("spin-") || name.starts_with("x-"))
        .map(|(name, value)| format!("{name}: {}", value.as_str().unwrap_or_default()))
        .collect();
    lines.sort();
    Ok(Response::new(200, lines.join("\n")))
}

fn key_value_get(_: Request, params: Params) -> Result {
    let value = Store::open_default()?.get(params.get("key").unwrap_or_default())?;
    Ok(match value {
        Some(value) => Response::new(200, value),
        None => Response::new(404, ()),
    })
}

fn key_value_set(request: Request, params: Params) -> Result {
    Store::open_default()?.set(params.get("key").unwrap_or_default(), request.body())?;
    Ok(Response::new(204, ()))
}

fn key_value_denied(_: Request, _: Params) -> Result {
    let error = Store::open("other").err().map(|error| error.to_string());
    Ok(Response::new(200, error.unwrap_or_default()))
}

/// The route the figures of Spin are for: create if absent, insert, count.
fn sqlite(_: Request, _: Params) -> Result {
    let database = Connection::open_default()?;
    database.execute("CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT)", &[])?;
    database.execute("INSERT INTO note (text) VALUES (?)", &[Value::Text("x".to_owned())])?;
    let result = database.execute("SELECT count(*) AS n FROM note", &[])?;
    let count = result.rows().next().and_then(|row| row.get::<i64>("n")).unwrap_or(0);
    Ok(Response::new(200, count.to_string()))
}

fn sqlite_denied(_: Request, _: Params) -> Result {
    let error = Connection::open("other").err().map(|error| error.to_string());
    Ok(Response::new(200, error.unwrap_or_default()))
}

/// Leaves a transaction open: its row must not stay.
fn sqlite_left_open(_: Request, _: Params) -> Result {
    let database = Connection::open_default()?;
    database.execute("CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT)", &[])?;
    database.execute("BEGIN", &[])?;
    database.execute("INSERT INTO note (text) VALUES ('lost')", &[])?;
    std::mem::forget(database);
    Ok(Response::new(200, ()))
}

fn chain(_: Request, _: Params) -> Result {
    let answer = send("http://back.spin.internal/text")?;
    Ok(Response::new(*answer.status(), answer.into_body()))
}

fn cycle(_: Request, _: Params) -> Result {
    let answer = send("http://back.spin.internal/cycle")?;
    Ok(Response::new(*answer.status(), answer.into_body()))
}

fn denied(_: Request, _: Params) -> Result {
    Ok(match send("http://127.0.0.1:9/secret/path") {
        Ok(_) => Response::new(200, "it was sent"),
        Err(error) => Response::new(200, format!("{error:?}")),
    })
}

/// Fetches from another server on this machine.
fn fetch(_: Request, params: Params) -> Result {
    let port = params.get("port").unwrap_or_default();
    Ok(match send(&format!("http://127.0.0.1:{port}/text")) {
        Ok(answer) => Response::new(*answer.status(), answer.into_body()),
        Err(error) => Response::new(502, format!("{error:?}")),
    })
}

fn own(_: Request, _: Params) -> Result {
    let answer = send("http://self/text")?;
    Ok(Response::new(*answer.status(), answer.into_body()))
}

fn dependency(_: Request, _: Params) -> Result {
    Ok(Response::new(200, bindings::test::calc::ops::add(40, 2).to_string()))
}

fn steal(_: Request, _: Params) -> Result {
    Ok(Response::new(200, bindings::test::calc::ops::steal()))
}

fn echo(request: Request, _: Params) -> Result {
    Ok(Response::new(200, request.into_body()))
}

fn endless(_: Request, _: Params) -> Result {
    let mut n = 0u64;
    loop {
        n = std::hint::black_box(n.wrapping_add(1));
    }
}

fn memory(_: Request, _: Params) -> Result {
    let mut all: Vec<Vec<u8>> = Vec::new();
    loop {
        all.push(std::hint::black_box(vec![1; 1 << 20]));
    }
}

fn trap(_: Request, _: Params) -> Result {
    panic!("as asked")
}

fn millis(params: &Params) -> std::time::Duration {
    let millis = params.get("ms").and_then(|text| text.parse().ok()).unwrap_or(0);
    std::time::Duration::from_millis(millis)
}

fn wait(_: Request, params: Params) -> Result {
    std::thread::sleep(millis(&params));
    Ok(Response::new(200, "waited"))
}

fn compute(_: Request, params: Params) -> Result {
    let (begun, time) = (std::time::Instant::now(), millis(&params));
    let mut n = 0u64;
    while begun.elapsed() < time {
        n = std::hint::black_box(n.wrapping_add(1));
    }
    Ok(Response::new(200, "computed"))
}

/// Answers at once, and writes a value half a second later.
async fn answer_then_work(out: ResponseOutparam) {
    let outgoing = OutgoingResponse::new(Headers::new());
    let _ = outgoing.set_status_code(202);
    let _ = out.set_with_body(outgoing, b"accepted".to_vec()).await;
    std::thread::sleep(std::time::Duration::from_millis(500));
    if let Ok(store) = Store::open_default() {
        let _ = store.set("later", b"done");
    }
}

/// Many megabytes, in pieces.
async fn large(out: ResponseOutparam) {
    use futures::SinkExt;
    let outgoing = OutgoingResponse::new(Headers::new());
    let mut body = outgoing.take_body();
    out.set(outgoing);
    for _ in 0..64 {
        if body.send(vec![b'x'; 256 << 10]).await.is_err() {
            return;
        }
    }
}

/// Part of a body, then a panic: the client must not take it for the whole.
async fn stops_halfway(out: ResponseOutparam) {
    use futures::SinkExt;
    let outgoing = OutgoingResponse::new(Headers::new());
    let mut body = outgoing.take_body();
    out.set(outgoing);
    for _ in 0..8 {
        let _ = body.send(vec![b'x'; 256 << 10]).await;
    }
    panic!("halfway")
}
