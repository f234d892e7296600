//! Drives a guest beside its answer: the client has the answer at once, the guest may go on.

use crate::application::Inner;
use crate::body::{Answer, AnswerBody, problem};
use crate::component::Component;
use crate::events::{GuestEnded, TrapKind};
use crate::instance::{Call, Ended, Sent, run};
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};
use http_body_util::BodyExt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use wasmtime_wasi_http::WasiBody;

/// Runs a component for one request and returns its answer.
///
/// Most guests are done when they have answered: those run here to their end, on the task of the
/// connection, and their answer goes out whole. One that is not gets a task of its own.
pub(crate) async fn drive(
    application: &Arc<Inner>,
    component: &Arc<Component>,
    call: Call,
) -> Answer {
    let (sender, mut receiver) = oneshot::channel();
    let cut = Arc::new(AtomicBool::new(false));
    let guest = run(application.clone(), component.clone(), call, sender, cut.clone());
    let mut guest =
        Guest { run: Some(guest), application: application.clone(), component: component.clone() };
    let mut closed = false;
    let step = poll_fn(|context| {
        if let Poll::Ready(end) = guest.poll(context) {
            return Poll::Ready(Step::Ended(end));
        }
        if !closed && let Poll::Ready(sent) = Pin::new(&mut receiver).poll(context) {
            match sent {
                Ok(sent) => return Poll::Ready(Step::Sent(sent)),
                // The guest dropped its way to answer: what matters now is how it ends.
                Err(_) => closed = true,
            }
        }
        Poll::Pending
    })
    .await;
    match step {
        Step::Sent(sent) => {
            drop(guest); // Goes on by itself.
            match sent {
                Ok(response) => response.map(|body| AnswerBody::Streamed { body, cut }),
                Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "the component failed"),
            }
        }
        Step::Ended(Ok(())) => match receiver.try_recv() {
            Ok(Ok(response)) => whole(response).await,
            Ok(Err(_)) => problem(StatusCode::INTERNAL_SERVER_ERROR, "the component failed"),
            Err(_) => {
                let ended = Ended { kind: TrapKind::NoAnswer, reason: String::new() };
                report(application, component, &ended, false);
                refusal(ended.kind)
            }
        },
        Step::Ended(Err(ended)) => {
            report(application, component, &ended, false);
            refusal(ended.kind)
        }
    }
}

enum Step {
    Sent(Sent),
    Ended(Result<(), Ended>),
}

/// A running guest; dropped before its end it goes on in a task of its own.
struct Guest<F: Future<Output = Result<(), Ended>> + Send + Unpin + 'static> {
    run: Option<F>,
    application: Arc<Inner>,
    component: Arc<Component>,
}

impl<F: Future<Output = Result<(), Ended>> + Send + Unpin + 'static> Guest<F> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        let Some(run) = &mut self.run else {
            return Poll::Pending; // Not reached: nothing polls a guest after its end.
        };
        let end = Pin::new(run).poll(context);
        if end.is_ready() {
            self.run = None;
        }
        end
    }
}

impl<F: Future<Output = Result<(), Ended>> + Send + Unpin + 'static> Drop for Guest<F> {
    fn drop(&mut self) {
        // Without a runtime the process is on its way out and the guest with it.
        if let Some(run) = self.run.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let (application, component) = (self.application.clone(), self.component.clone());
            runtime.spawn(async move {
                if let Err(ended) = run.await {
                    report(&application, &component, &ended, true);
                }
            });
        }
    }
}

/// The answer of a guest that has ended: all of its body is here.
async fn whole(response: http::Response<WasiBody>) -> Answer {
    let (parts, mut body) = response.into_parts();
    let mut bytes = Bytes::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return problem(StatusCode::INTERNAL_SERVER_ERROR, "the component's answer is broken");
        };
        // Trailers of a whole answer are dropped: its length is known, so it has no place for them.
        let Ok(data) = frame.into_data() else { continue };
        if bytes.is_empty() {
            bytes = data;
        } else {
            let mut joined = BytesMut::from(bytes);
            joined.extend_from_slice(&data);
            bytes = joined.freeze();
        }
    }
    let bytes = (!bytes.is_empty()).then_some(bytes);
    http::Response::from_parts(parts, AnswerBody::Whole(bytes))
}

fn report(application: &Inner, component: &Component, ended: &Ended, answered: bool) {
    GuestEnded { component: &component.id, kind: ended.kind, answered, reason: &ended.reason }
        .emit(&application.runtime.metrics);
}

/// What the client hears of a guest that ended without an answer.
fn refusal(kind: TrapKind) -> Answer {
    match kind {
        TrapKind::NoInstance => busy(),
        TrapKind::Deadline | TrapKind::RequestTime => {
            problem(StatusCode::GATEWAY_TIMEOUT, "the component took too long")
        }
        TrapKind::Memory
        | TrapKind::Stack
        | TrapKind::Exit
        | TrapKind::Trap
        | TrapKind::Host
        | TrapKind::NoAnswer => problem(StatusCode::INTERNAL_SERVER_ERROR, "the component failed"),
    }
}

/// The answer when there is no room: come back in a second.
pub(crate) fn busy() -> Answer {
    let mut answer = problem(StatusCode::SERVICE_UNAVAILABLE, "too many requests in flight");
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}
