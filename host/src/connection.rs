//! One HTTP/1.1 connection, from its first byte to a close the client can follow.

use crate::server::Shared;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a client may go on sending what nobody reads, after its answer has been sent. Closing
/// at once would make the system drop the answer before the client has read it.
const LINGER: Duration = Duration::from_secs(5);
/// A client that sends nothing for this long has read its answer.
const LINGER_QUIET: Duration = Duration::from_millis(500);
/// The least hyper wants for its buffer.
const BUFFER_BYTES_MIN: usize = 8192;

/// Serves one connection until either side closes it or the server stops.
pub(crate) async fn serve(shared: Arc<Shared>, stream: TcpStream, peer: SocketAddr) {
    // Without this a small answer in two segments waits 40 ms for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    let limits = &shared.host.0.limits;
    let service = {
        let shared = shared.clone();
        service_fn(move |request| {
            let shared = shared.clone();
            Box::pin(async move { Ok::<_, Infallible>(shared.answer(request, peer).await) })
        })
    };
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time_max)
        .max_buf_size(limits.header_bytes_max.max(BUFFER_BYTES_MIN))
        .serve_connection(TokioIo::new(stream), service);
    let mut stopping = shared.stopping.subscribe();
    let mut is_stopping = false;
    let result = loop {
        tokio::select! {
            biased;
            result = poll_fn(|context| connection.poll_without_shutdown(context)) => break result,
            _ = stopping.wait_for(|stop| *stop), if !is_stopping => {
                is_stopping = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    if result.is_ok() {
        linger(connection.into_parts().io.into_inner()).await;
    }
}

/// Closes our side, then reads on for a while so that the client can read the answer.
async fn linger(mut stream: TcpStream) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut unread = [0; 4096];
    let reading = async {
        while let Ok(Ok(1..)) = tokio::time::timeout(LINGER_QUIET, stream.read(&mut unread)).await {
        }
    };
    let _ = tokio::time::timeout(LINGER, reading).await;
}
