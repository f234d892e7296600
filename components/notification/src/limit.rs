//! A limit on how long a future may take, on the executor of the Spin SDK.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use spin_executor::{CancelOnDropToken, push_waker_and_get_token};
use wasi::clocks::monotonic_clock::{now, subscribe_instant};

/// What `future` gives, or `None` when that takes longer than `limit`.
pub async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let limit_ns = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
    let deadline = now().saturating_add(limit_ns);
    let mut future = pin!(future);
    // Held until the next poll: the executor watches it in between.
    let mut alarm: Option<CancelOnDropToken> = None;
    poll_fn(move |context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        if now() >= deadline {
            return Poll::Ready(None);
        }
        let pollable = subscribe_instant(deadline);
        let token = push_waker_and_get_token(pollable, context.waker().clone());
        drop(alarm.replace(CancelOnDropToken::from(token)));
        Poll::Pending
    })
    .await
}
