//! Noise control: whether a call that has a reason still has to wait, and for what.
//!
//! *Invariant:* an emergency passes, unless a person silenced just that or the policy names its
//! cause under `inhibit`.

use auscult_model::{Severity, Timestamp};

use crate::page::{HoldReason, Rules, SendReason};
use crate::policy::Noise;
use crate::policy::matching::Subject;
use crate::silence::Silence;

/// What happens around the alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scene<'a> {
    /// The alert's id.
    pub alert: &'a str,
    /// The patient's id.
    pub patient: &'a str,
    /// What the policy can ask of it.
    pub subject: Subject<'a>,
    /// What the policy holds back.
    pub noise: Option<&'a Noise>,
    /// Every silence.
    pub silences: &'a [Silence],
    /// The patient's standing alerts, this one included.
    pub standing: &'a [Standing],
    /// When somebody was last called about this patient.
    pub last_call: Option<Timestamp>,
    /// Pages the unit had in this shift.
    pub spent: i64,
}

/// An alert that is open or acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its id.
    pub alert: String,
    /// Its cause.
    pub cause: String,
    /// Its severity.
    pub severity: Severity,
}

/// A call about an open alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call<'a> {
    /// Why.
    pub reason: SendReason,
    /// Since when the cause stands.
    pub standing: Timestamp,
    /// When it last opened, this time included.
    pub openings: &'a [Timestamp],
    /// Whether it was put off for the budget before and that time is over.
    pub put_off: bool,
}

/// Why the call has to wait, and until when if a clock can tell.
#[must_use]
pub fn gate(
    rules: Rules<'_>,
    call: Call<'_>,
    scene: Scene<'_>,
    now: Timestamp,
) -> Option<(HoldReason, Option<Timestamp>)> {
    if let Some(silence) = scene.silenced(now) {
        return Some((HoldReason::Silenced, Some(silence.until)));
    }
    if scene.inhibited() {
        // Whoever closes the other alert has this one looked at again.
        return Some((HoldReason::Inhibited, None));
    }
    if scene.subject.severity == Severity::Emergency {
        return None;
    }
    let opening = matches!(call.reason, SendReason::First | SendReason::Reopened);
    if opening && let Some(until) = later(call.standing.plus_ms(rules.delay_ms), now) {
        return Some((HoldReason::Delay, Some(until)));
    }
    let noise = scene.noise?;
    if opening
        && let Some(flapping) = noise.flapping
        && flaps(call.openings, flapping.openings, flapping.within_ms, now)
        && let Some(until) = later(call.standing.plus_ms(flapping.steady_ms), now)
    {
        return Some((HoldReason::Flapping, Some(until)));
    }
    let quiet =
        |it: &&crate::policy::noise::Quiet| it.of.takes(scene.subject) && it.hours.contain(now);
    if let Some(quiet) = noise.quiet_hours.iter().find(quiet) {
        return Some((HoldReason::QuietHours, Some(quiet.hours.end_after(now))));
    }
    if let Some(budget) = noise.budget(scene.subject.unit)
        && scene.spent >= budget.pages
        && !call.put_off
    {
        return Some((HoldReason::Budget, Some(budget.shifts.end_of(now))));
    }
    // What is told at the same instant goes out together and does not wait for itself.
    let gathers = opening || call.reason == SendReason::Repeat;
    let last = scene.last_call.filter(|it| gathers && *it < now);
    let until = last.and_then(|it| later(it.plus_ms(rules.group_ms), now))?;
    Some((HoldReason::Grouped, Some(until)))
}

fn later(at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    (at > now).then_some(at)
}

fn flaps(openings: &[Timestamp], most: u32, within_ms: i64, now: Timestamp) -> bool {
    let recent = openings.iter().filter(|it| now.since_ms(**it) <= within_ms).count();
    recent >= usize::try_from(most).unwrap_or(usize::MAX)
}

impl Scene<'_> {
    fn silenced(&self, now: Timestamp) -> Option<&Silence> {
        let covering = self.silences.iter().filter(|it| it.covers(self, now));
        covering.max_by_key(|it| it.until)
    }

    fn inhibited(&self) -> bool {
        let Some(noise) = self.noise else { return false };
        let others = || self.standing.iter().filter(|it| it.alert != self.alert);
        noise.inhibit.iter().any(|rule| {
            others().any(|it| {
                let source = Subject { severity: it.severity, cause: &it.cause, ..self.subject };
                // Of two that would silence each other, the worse stands, then the first by id.
                let mutual = rule.applies(self.subject, source);
                let stands = (it.severity, self.alert) > (self.subject.severity, it.alert.as_str());
                rule.applies(source, self.subject) && (!mutual || stands)
            })
        })
    }
}

#[cfg(test)]
mod tests;
