//! What moves on next, how often it is tried, and when it is given up.

use auscult_model::digest::digest;
use auscult_model::events::{MessageReceived, ReceivedMessage};
use auscult_model::{Problem, Timestamp};

use crate::store::Pending;

/// Messages in one event. Larger batches cost less per message, smaller ones let an alert through sooner.
pub const BATCH_MAX: usize = 250;

/// Bytes of messages in one event: a stage's body limit is four times this.
pub const BATCH_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Tries before a message is a dead letter: about an hour with the backoff below.
pub const TRIES_MAX: u32 = 20;

/// How long one holder may keep the relay without a sign of life, in ms. Longer than the slowest batch.
pub const LEASE_MS: i64 = 15_000;

/// Rounds one holder makes before it lets another request take over.
pub const ROUNDS_MAX: usize = 40;

const BACKOFF_FIRST_MS: i64 = 500;
const BACKOFF_MAX_MS: i64 = 300_000;

/// How the chain behind answered for a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// All of it is durable there.
    Taken,
    /// The same batch will be refused again.
    Refused(u16),
    /// A fault of some item is likely: the stage broke.
    Broke,
    /// The stage is busy or away.
    Away,
}

/// What to do with the messages of a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// Done.
    Done,
    /// Try again, alone, at once: one of them may be the cause.
    Alone,
    /// Try again later.
    Later,
    /// Give up: a dead letter with this reason.
    Dead(Problem),
}

/// Decides from the answer, the size of the batch and the tries so far (this one included).
#[must_use]
pub fn fate(answer: Answer, batch: usize, tries: u32) -> Fate {
    let dead = |code: &str, title: &str| Problem::new(500, code, title);
    match answer {
        Answer::Taken => Fate::Done,
        Answer::Refused(_) | Answer::Broke if batch > 1 => Fate::Alone,
        Answer::Refused(status) => Fate::Dead(
            dead("stage-refused", "A later stage refused the message for good")
                .detail(format!("status {status}")),
        ),
        Answer::Broke | Answer::Away if tries >= TRIES_MAX => Fate::Dead(
            dead("tries-exhausted", "A later stage could not take the message")
                .detail(format!("{tries} tries")),
        ),
        Answer::Broke | Answer::Away => Fate::Later,
    }
}

/// When to try again: doubling from half a second to five minutes, spread by up to a quarter.
#[must_use]
pub fn due(id: &str, tries: u32, now: Timestamp) -> Timestamp {
    let doubled = BACKOFF_FIRST_MS.saturating_mul(1_i64 << tries.saturating_sub(1).min(20));
    let wait = doubled.min(BACKOFF_MAX_MS);
    // Spread by the message's own name: no randomness, yet no two retry in step.
    let spread = digest(&[id, &tries.to_string()]).bytes().next().map_or(0, i64::from);
    now.plus_ms(wait + wait * spread / 1_024)
}

/// Cuts what is pending into batches: fresh messages together, those that failed before alone.
#[must_use]
pub fn batches(pending: Vec<Pending>) -> Vec<Vec<Pending>> {
    let mut batches: Vec<Vec<Pending>> = Vec::new();
    let (mut open, mut bytes) = (Vec::new(), 0);
    for message in pending {
        if message.alone {
            batches.push(vec![message]);
            continue;
        }
        if open.len() >= BATCH_MAX || (bytes + message.body.len() > BATCH_BYTES_MAX && bytes > 0) {
            batches.push(std::mem::take(&mut open));
            bytes = 0;
        }
        bytes += message.body.len();
        open.push(message);
    }
    if !open.is_empty() {
        batches.insert(0, open);
    }
    batches
}

/// The event of one batch, and its deterministic id.
///
/// # Errors
/// The place of the first message whose stored text is not JSON, which cannot be but is not trusted.
pub fn event(batch: &[Pending]) -> Result<(String, MessageReceived), usize> {
    let ids: Vec<&str> = batch.iter().map(|it| it.id.as_str()).collect();
    let messages = batch
        .iter()
        .enumerate()
        .map(|(place, it)| {
            let body = serde_json::value::RawValue::from_string(it.body.clone());
            Ok(ReceivedMessage {
                id: it.id.clone(),
                device: it.device.clone(),
                allowed: it.allowed.clone(),
                source: it.source.clone(),
                received: it.received,
                body: body.map_err(|_| place)?,
            })
        })
        .collect::<Result<_, usize>>()?;
    Ok((digest(&ids), MessageReceived { messages }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_to_a_batch_follows_from_the_answer() {
        let dead = |code: &str| format!("dead: {code}");
        #[rustfmt::skip]
        let rows = [
            // answer, batch, tries, want
            (Answer::Taken,        250, 1,  "done".to_owned()),
            (Answer::Refused(400), 250, 1,  "alone".to_owned()),
            (Answer::Refused(400), 1,   1,  dead("stage-refused")),
            (Answer::Broke,        250, 1,  "alone".to_owned()),
            (Answer::Broke,        1,   1,  "later".to_owned()),
            (Answer::Broke,        1,   20, dead("tries-exhausted")),
            (Answer::Away,         250, 1,  "later".to_owned()),
            (Answer::Away,         250, 19, "later".to_owned()),
            (Answer::Away,         1,   20, dead("tries-exhausted")),
        ];
        for (answer, batch, tries, want) in rows {
            let got = match fate(answer, batch, tries) {
                Fate::Done => "done".to_owned(),
                Fate::Alone => "alone".to_owned(),
                Fate::Later => "later".to_owned(),
                Fate::Dead(problem) => dead(problem.code()),
            };
            assert_eq!(got, want, "{answer:?} {batch} {tries}");
        }
    }

    #[test]
    fn waiting_doubles_up_to_five_minutes_and_spreads() {
        let wait = |tries| due("m", tries, Timestamp::from_unix_ms(0)).unix_ms();
        for (tries, from) in [(1, 500), (2, 1_000), (5, 8_000), (11, 300_000), (60, 300_000)] {
            assert!((from..=from + from / 4).contains(&wait(tries)), "{tries}: {}", wait(tries));
        }
    }
}
