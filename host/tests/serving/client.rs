//! A small HTTP client: one connection for each request.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub text: String,
}

/// Sends a GET request.
pub async fn get(server: SocketAddr, path: &str) -> Reply {
    send(server, "GET", path, "", &[]).await.unwrap()
}

/// Sends a GET request and expects 200 with a text.
#[track_caller]
pub fn get_text(server: SocketAddr, path: &str) -> impl Future<Output = String> {
    let caller = std::panic::Location::caller();
    async move {
        let reply = get(server, path).await;
        assert_eq!(reply.status, 200, "{path} at {caller}: {}", reply.text);
        reply.text
    }
}

/// Sends any request; an answer that breaks off is an error.
pub async fn send(
    server: SocketAddr,
    method: &str,
    path: &str,
    body: impl Into<Bytes>,
    headers: &[(&str, &str)],
) -> Result<Reply, hyper::Error> {
    let stream = TcpStream::connect(server).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut request = http::Request::builder().method(method).uri(path).header("host", "test");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = sender.send_request(request.body(Full::new(body.into())).unwrap()).await?;
    let (parts, body) = answer.into_parts();
    let text = body.collect().await?.to_bytes();
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, text })
}
