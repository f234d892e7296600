//! The event-time engine: makes the stored assessments agree with the readings a batch touches.
//!
//! An assessment stands at every instant at which the patient has an accepted observation with a
//! NEWS2 input, and is a function of the *set* of readings up to it. So each step recomputes a
//! stretch of time from the tables, compares, and writes what differs; order and repetition of
//! events cannot matter.

use std::collections::{BTreeMap, BTreeSet};

use auscult_model::events::RecordedObservation;
use auscult_model::{Assessment, PatientId, Timestamp, digest};
use auscult_store::{Database, StoreError, transaction};
use serde_json::value::RawValue;

use crate::error::ScoringError;
use crate::rules::engine::Span;
use crate::rules::series::kept;
use crate::rules::{self, RuleSet};
use crate::series::{SERIES, Value, place_of};
use crate::store::{self, Change, InputRow, Loaded};
use crate::touched::{Segment, Touch, segments, steps};
use crate::window::{LATE_DATA, Latest, Sample, assess, retraction};

/// Most assessments in one event, as for every event between stages.
pub const EVENT_ITEMS_MAX: usize = 1_000;

/// An assessment to send on, changed or not: the delivery before may have died after the commit.
#[derive(Debug, Clone)]
pub struct Emission {
    /// The assessment's id.
    pub id: String,
    /// The assessment as the API shows it.
    pub body: Box<RawValue>,
}

/// What a transaction has done, and what is left to do.
#[derive(Debug, Default)]
pub struct Progress {
    /// Everything touched, by patient and effective time.
    pub emissions: Vec<Emission>,
    /// How many assessments were written.
    pub n_changed: usize,
    /// Later steps, each a transaction of its own through [`step`].
    pub rest: Vec<Step>,
}

/// Work of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Stretches of time for NEWS2.
    News2(Vec<Segment>),
    /// Stretches of time for the other rules of the set.
    Rules(Vec<Span>),
}

/// The deterministic id of the event that carries these assessments.
#[must_use]
pub fn event_id(emissions: &[Emission]) -> String {
    let mut parts = vec!["assessment-changed"];
    parts.extend(emissions.iter().map(|it| it.id.as_str()));
    digest(&parts)
}

/// Takes recorded observations up and re-evaluates what they touch, in one transaction as far as a
/// step reaches. An item whose patient no longer has the observation withdraws its values.
///
/// # Errors
/// [`ScoringError::Store`] when the database fails; nothing has been written then.
pub fn record(
    db: &dyn Database,
    observations: &[RecordedObservation],
    now: Timestamp,
) -> Result<Progress, ScoringError> {
    let items: Vec<&RecordedObservation> =
        observations.iter().filter(|it| !it.inputs.is_empty()).collect();
    if items.is_empty() {
        return Ok(Progress::default());
    }
    transaction(db, |db| {
        let set = rules::store::current(db)?;
        let Touched { segments, lost, readings } = take_up(db, &set, &items)?;
        let segments = if set.news2() { steps(segments) } else { Vec::new() };
        let mut cut = segments.into_iter();
        let mut progress = match cut.next() {
            Some(first) => evaluate(db, &first, now)?,
            None => Progress::default(),
        };
        let withdrawn = withdrawn(db, &lost, &progress.emissions)?;
        progress.emissions.extend(withdrawn);
        progress.rest = cut.map(Step::News2).collect();
        let mut planned = rules::engine::plan(db, &set, &readings)?.into_iter();
        if let Some(Step::Rules(first)) = planned.next() {
            let ruled = rules::engine::evaluate(db, &set, &first, now)?;
            progress.emissions.extend(ruled.emissions);
            progress.n_changed += ruled.n_changed;
        }
        progress.rest.extend(planned);
        Ok(progress)
    })
}

/// One later step of a [`Progress`].
///
/// # Errors
/// [`ScoringError::Store`] when the database fails; nothing has been written then.
pub fn step(db: &dyn Database, step: &Step, now: Timestamp) -> Result<Progress, ScoringError> {
    transaction(db, |db| match step {
        Step::News2(segments) => evaluate(db, segments, now),
        Step::Rules(spans) => {
            let set = rules::store::current(db)?;
            Ok(rules::engine::evaluate(db, &set, spans, now)?)
        }
    })
}

/// What a batch touches.
struct Touched<'a> {
    segments: Vec<Segment>,
    /// Instants `(patient, effective)` at which a patient lost a reading.
    lost: BTreeSet<(&'a str, i64)>,
    /// Every reading `(patient, code, effective)` that came, changed or went.
    readings: BTreeSet<(&'a str, &'a str, i64)>,
}

/// Brings `score_input` in line with the observations and tells what that touches.
fn take_up<'a>(
    db: &dyn Database,
    set: &RuleSet,
    items: &[&'a RecordedObservation],
) -> Result<Touched<'a>, StoreError> {
    let asked: Vec<(&str, &str)> =
        items.iter().map(|it| (it.id.as_str(), it.patient.as_str())).collect();
    let mut readings: Vec<(&str, &str, i64)> = items
        .iter()
        .flat_map(|item| {
            let codes = item.inputs.iter().filter_map(|it| place_of(&it.code));
            let codes = codes.filter_map(|it| SERIES.get(it)).map(|it| it.code);
            codes.map(|code| (item.patient.as_str(), code, item.effective.unix_ms()))
        })
        .collect();
    readings.sort_unstable();
    readings.dedup();
    let patients: BTreeSet<&str> = readings.iter().map(|it| it.0).collect();
    let patients: Vec<&str> = patients.into_iter().collect();
    let mut all: BTreeSet<(&str, &str, i64)> = BTreeSet::new();
    let probe = store::probe(db, &asked, &readings, &patients)?;

    let mut keep: Vec<InputRow<'_>> = Vec::with_capacity(items.len());
    let mut gone = Vec::new();
    let mut lost = BTreeSet::new();
    for (place, item) in items.iter().enumerate() {
        let (patient, at) = (item.patient.as_str(), item.effective.unix_ms());
        let Some(values) = probe.mine.get(&place) else {
            // Any code may have been kept, so every series lets go of this observation.
            let codes = SERIES
                .iter()
                .map(|it| it.code)
                .chain(item.inputs.iter().map(|it| it.code.as_str()));
            let codes: BTreeSet<&str> = codes.collect();
            gone.extend(codes.into_iter().map(|it| (patient, it, at, item.id.as_str())));
            all.extend(item.inputs.iter().map(|it| (patient, it.code.as_str(), at)));
            lost.insert((patient, at));
            continue;
        };
        all.extend(item.inputs.iter().map(|it| (patient, it.code.as_str(), at)));
        for value in values {
            let series = place_of(&value.code).and_then(|it| SERIES.get(it));
            let kept = match series {
                Some(series) => series.accept(&value.value, &value.unit).map(Value::store),
                None => kept(&value.value, &value.unit),
            };
            if let Some(kept) = kept {
                keep.push((patient, value.code.as_str(), at, item.id.as_str(), kept));
            }
        }
    }
    store::keep(db, &keep)?;
    store::drop_lost(db, &gone)?;

    let touches: Vec<Touch<'_>> = readings
        .iter()
        .zip(&probe.next_ms)
        .map(|((patient, _, at), next)| Touch { patient, at_ms: *at, next_ms: *next })
        .collect();
    let last: BTreeMap<&str, i64> = patients
        .iter()
        .zip(&probe.last_ms)
        .filter_map(|(patient, last)| last.map(|it| (*patient, it)))
        .collect();
    all.retain(|it| set.reads(it.1));
    Ok(Touched { segments: segments(&touches, &last), lost, readings: all })
}

/// Load, decide, write.
fn evaluate(
    db: &dyn Database,
    segments: &[Segment],
    now: Timestamp,
) -> Result<Progress, ScoringError> {
    let loaded = store::load(db, segments)?;
    let mut aside = Vec::new();
    let mut decided = Vec::new();
    for (segment, loaded) in segments.iter().zip(&loaded) {
        let Some(patient) = PatientId::parse(&segment.patient) else { continue };
        decide(&patient, segment, loaded, &mut aside, &mut decided);
    }
    let mut emissions = Vec::with_capacity(decided.len());
    for it in &decided {
        let body = serde_json::value::to_raw_value(&it.assessment).map_err(StoreError::from)?;
        emissions.push(Emission { id: it.assessment.id.clone(), body });
    }
    let changes: Vec<Change<'_>> = decided
        .iter()
        .zip(&emissions)
        .filter_map(|(it, emission)| {
            let current = match it.verdict {
                Verdict::Same => return None,
                Verdict::New => 1,
                Verdict::Gone => 0,
            };
            Some(Change { assessment: &it.assessment, body: &emission.body, current })
        })
        .collect();
    store::write(db, &aside, &changes, now)?;
    let n_changed = changes.len();
    Ok(Progress { emissions, n_changed, rest: Vec::new() })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Stands already.
    Same,
    /// To be written, in place of another or not.
    New,
    /// No reading is left at this instant.
    Gone,
}

struct Decided {
    assessment: Assessment,
    verdict: Verdict,
}

/// Recomputes every instant of a segment and compares with what stands.
fn decide(
    patient: &PatientId,
    segment: &Segment,
    loaded: &Loaded,
    aside: &mut Vec<i64>,
    decided: &mut Vec<Decided>,
) {
    let mut samples: Vec<&Sample> = loaded.samples.iter().collect();
    samples.sort_unstable_by_key(|it| it.effective);
    let mut latest = Latest::default();
    let mut retired = loaded.stored.clone();
    let mut samples = samples.into_iter().peekable();
    while let Some(sample) = samples.next() {
        latest.take(sample);
        let at = sample.effective;
        let more = samples.peek().is_some_and(|it| it.effective == at);
        if more || at.unix_ms() < segment.from_ms {
            continue;
        }
        let mut assessment = assess(patient, &loaded.context, &latest, at);
        let verdict = match retired.remove(&at.unix_ms()) {
            Some(stands) if stands.id == assessment.id => {
                assessment.reason = stands.supersedes.as_ref().map(|_| LATE_DATA.to_owned());
                assessment.supersedes = stands.supersedes;
                Verdict::Same
            }
            Some(stands) => {
                aside.push(stands.seq);
                assessment.reason = Some(LATE_DATA.to_owned());
                assessment.supersedes = Some(stands.id);
                Verdict::New
            }
            None => Verdict::New,
        };
        decided.push(Decided { assessment, verdict });
    }
    for (at, stands) in retired {
        aside.push(stands.seq);
        let assessment = retraction(patient, Timestamp::from_unix_ms(at), &stands.id);
        decided.push(Decided { assessment, verdict: Verdict::Gone });
    }
}

/// Retractions written before: a repeat of the event that caused them sends them again.
fn withdrawn(
    db: &dyn Database,
    lost: &BTreeSet<(&str, i64)>,
    sent: &[Emission],
) -> Result<Vec<Emission>, StoreError> {
    if lost.is_empty() {
        return Ok(Vec::new());
    }
    let at: Vec<(&str, i64)> = lost.iter().copied().collect();
    let found = store::retractions(db, &at)?.into_iter().map(|(id, body)| Emission { id, body });
    // Whatever was retired just now is among the emissions already.
    Ok(found.filter(|it| sent.iter().all(|sent| sent.id != it.id)).collect())
}
