//! A component reached only by other components and by a timer.

use spin_sdk::http::{Params, Request, Response, Router};
use spin_sdk::http_component;
use spin_sdk::key_value::Store;

#[http_component]
fn back(request: Request) -> anyhow::Result<Response> {
    let mut router = Router::new();
    router.get("/text", text);
    router.get("/cycle", cycle);
    router.post("/tick", tick);
    Ok(router.handle(request))
}

fn text(_: Request, _: Params) -> anyhow::Result<Response> {
    Ok(Response::new(200, "from the back"))
}

/// Calls the front's `/cycle`, which calls this again.
fn cycle(_: Request, _: Params) -> anyhow::Result<Response> {
    let request = Request::get("http://front.spin.internal/cycle").build();
    let answer: Response = spin_sdk::http::run(spin_sdk::http::send(request))?;
    Ok(Response::new(*answer.status(), answer.into_body()))
}

/// Counts the timer's calls.
fn tick(request: Request, _: Params) -> anyhow::Result<Response> {
    let firing = request.header("x-auscult-timer").and_then(|value| value.as_str());
    if !matches!(firing, Some("first" | "again")) {
        return Ok(Response::new(403, "only the timer may call this"));
    }
    let store = Store::open_default()?;
    let count = store.get("ticks")?.and_then(|bytes| String::from_utf8(bytes).ok());
    let count: u64 = count.and_then(|text| text.parse().ok()).unwrap_or(0);
    store.set("ticks", (count + 1).to_string().as_bytes())?;
    Ok(Response::new(204, ()))
}
