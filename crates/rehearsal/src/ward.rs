//! A noisy ward under a policy, beside the same ward with plain thresholds.

use std::collections::{BTreeMap, VecDeque};

use anyhow::{Context as _, Result};
use auscult_model::events::{ObservedValue, RecordedObservation};
use auscult_model::{Quality, ReadingValue, Severity, Timestamp};
use auscult_notification::AnswerKind;
use auscult_ward::{Danger, NoisyOptions, NoisyReading, NoisyWard, SensorFault, noisy_ward};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Page, Rehearsal};

/// What arrives within this long is settled together, in milliseconds. A page is late by as much.
const STEP_MS: i64 = 15_000;
/// A page about a danger that takes longer counts as late, in milliseconds.
const LATE_MS: i64 = 30_000;
/// When a nurse answers a call, and when the device team does, in milliseconds.
const NURSE_MS: i64 = 4 * 60_000;
const DEVICE_TEAM_MS: i64 = 45 * 60_000;
/// Limits of a bedside monitor as they are commonly set when it is unpacked: what rings with plain
/// thresholds.
const LIMITS: [(&str, i64, i64); 4] = [
    ("heart_rate", 50, 120),
    ("respiratory_rate", 8, 30),
    ("spo2", 90, 100),
    ("systolic_bp", 90, 160),
];

/// What came of a day.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// Beds.
    pub beds: u32,
    /// Hours.
    pub hours: i64,
    /// Readings sent.
    pub readings: usize,
    /// Alarms a bed and day with plain thresholds: crossed limits and sensor alarms.
    pub plain_per_bed_day: f64,
    /// Of these, of sensors.
    pub plain_technical_per_bed_day: f64,
    /// Calls a bed and day under the policy, to anybody.
    pub paged_per_bed_day: f64,
    /// Of these, emergencies.
    pub emergencies_per_bed_day: f64,
    /// Of these, to the device team.
    pub technical_per_bed_day: f64,
    /// How many fewer, in percent.
    pub reduction_percent: f64,
    /// Patients in danger of life.
    pub dangers: usize,
    /// Of these, nobody was called.
    pub missed: usize,
    /// Of these, somebody was called more than 30 s after the reading that told of it.
    pub late: usize,
    /// The slowest of the rest, in seconds.
    pub slowest_seconds: f64,
    /// Pages held back, by reason.
    pub held: BTreeMap<String, i64>,
}

/// Plays a ward through; the nurses answer what calls them.
///
/// # Errors
/// When the policy has faults or the database fails.
pub fn play(options: NoisyOptions, policy: Value) -> Result<Figures> {
    let ward = noisy_ward(options);
    let rehearsal = Rehearsal::new(policy, options.start)?;
    let beds: Vec<Value> = (0..options.beds)
        .map(|bed| {
            json!({ "resourceType": "Patient", "id": patient(bed), "meta": { "tag": [
                { "system": "urn:auscult:unit", "code": "ward-1" },
            ] } })
        })
        .collect();
    rehearsal.admit(&beds)?;
    let pages = run(&rehearsal, &ward, options)?;
    figures(&rehearsal, &ward, options, &pages)
}

fn run(rehearsal: &Rehearsal, ward: &NoisyWard, options: NoisyOptions) -> Result<Vec<Page>> {
    let (mut readings, mut faults) = (ward.readings.as_slice(), ward.faults.as_slice());
    let mut nurses: VecDeque<(Timestamp, String)> = VecDeque::new();
    let mut device_team = nurses.clone();
    let mut pages = Vec::new();
    for step in 1..=options.hours * 3_600_000 / STEP_MS {
        let now = options.start.plus_ms(step * STEP_MS);
        let (due, later) = readings.split_at(readings.partition_point(|it| it.at < now));
        readings = later;
        let observations: Vec<RecordedObservation> = due.iter().map(observation).collect();
        rehearsal.observe(&observations, now)?;
        let (due, later) = faults.split_at(faults.partition_point(|it| it.at < now));
        faults = later;
        rehearsal.assess(&due.iter().map(fault).collect::<Vec<_>>(), now)?;
        for queue in [&mut nurses, &mut device_team] {
            while queue.front().is_some_and(|(at, _)| *at <= now) {
                let Some((_, alert)) = queue.pop_front() else { break };
                rehearsal.answer(&alert, AnswerKind::Acknowledge, now)?;
            }
        }
        rehearsal.tick(now)?;
        let new = rehearsal.pages(pages.len())?;
        for page in new.iter().filter(|it| it.calls) {
            match page.severity {
                Some(Severity::Technical) => {
                    device_team.push_back((now.plus_ms(DEVICE_TEAM_MS), page.alert.clone()));
                }
                _ => nurses.push_back((now.plus_ms(NURSE_MS), page.alert.clone())),
            }
        }
        pages.extend(new);
    }
    Ok(pages)
}

fn patient(bed: u32) -> String {
    format!("bed-{bed}")
}

fn observation(it: &NoisyReading) -> RecordedObservation {
    let value = match it.word {
        Some(word) => ReadingValue::Text(word.to_owned()),
        None if it.code == "body_temperature" => {
            let text = format!("{}.{}", it.value / 10, it.value % 10);
            text.parse().map_or_else(|_| ReadingValue::Text(text), ReadingValue::Number)
        }
        None => ReadingValue::Number(it.value.into()),
    };
    let bed = patient(it.bed);
    RecordedObservation {
        id: auscult_model::digest(&[&bed, it.code, &it.at.to_string()]),
        patient: bed,
        code: it.code.to_owned(),
        effective: it.at,
        quality: Quality::Accepted,
        received: it.at,
        inputs: vec![ObservedValue { code: it.code.to_owned(), value, unit: it.unit.to_owned() }],
    }
}

/// A sensor's alarm as an assessment of its own, as a mapping of the monitor's alarm messages makes.
fn fault(it: &SensorFault) -> Value {
    let rule = format!("sensor-{}", it.kind);
    json!({
        "id": auscult_model::digest(&[&rule, &it.bed.to_string(), &it.at.to_string()]),
        "patient": patient(it.bed), "rule": rule, "version": "1", "effective": it.at,
        "status": "complete", "value": null, "band": null,
        "severity": it.begins.then_some("technical"),
    })
}

/// How often limits are crossed from within, and sensors ring: what a monitor makes audible.
fn plain(ward: &NoisyWard) -> (usize, usize) {
    let mut outside: BTreeMap<(u32, &str), bool> = BTreeMap::new();
    let mut crossed = 0;
    for it in &ward.readings {
        let Some((_, low, high)) = LIMITS.iter().find(|(code, ..)| *code == it.code) else {
            continue;
        };
        let is_out = it.value < *low || it.value > *high;
        let was_out = outside.insert((it.bed, it.code), is_out).unwrap_or(false);
        crossed += usize::from(is_out && !was_out);
    }
    (crossed, ward.faults.iter().filter(|it| it.begins).count())
}

fn figures(
    rehearsal: &Rehearsal,
    ward: &NoisyWard,
    options: NoisyOptions,
    pages: &[Page],
) -> Result<Figures> {
    #[expect(clippy::cast_precision_loss, reason = "counts of a day are small")]
    let a_bed_day =
        |n: usize| n as f64 * 24.0 / options.hours as f64 / f64::from(options.beds.max(1));
    let (crossed, technical) = plain(ward);
    let calls: Vec<&Page> = pages.iter().filter(|it| it.calls && it.leads).collect();
    let of = |severity| calls.iter().filter(|it| it.severity == Some(severity)).count();
    let (mut missed, mut late, mut slowest) = (0, 0, 0);
    for danger in &ward.dangers {
        match delay(rehearsal, pages, *danger)? {
            None => missed += 1,
            Some(ms) if ms > LATE_MS => late += 1,
            Some(ms) => slowest = slowest.max(ms),
        }
    }
    let (before, after) = (a_bed_day(crossed + technical), a_bed_day(calls.len()));
    #[expect(clippy::cast_precision_loss, reason = "at most 30,000 ms")]
    let slowest_seconds = slowest as f64 / 1e3;
    Ok(Figures {
        beds: options.beds,
        hours: options.hours,
        readings: ward.readings.len(),
        plain_per_bed_day: before,
        plain_technical_per_bed_day: a_bed_day(technical),
        paged_per_bed_day: after,
        emergencies_per_bed_day: a_bed_day(of(Severity::Emergency)),
        technical_per_bed_day: a_bed_day(of(Severity::Technical)),
        reduction_percent: 100.0 * (1.0 - after / before.max(f64::MIN_POSITIVE)),
        dangers: ward.dangers.len(),
        missed,
        late,
        slowest_seconds,
        held: rehearsal.held()?.into_iter().collect(),
    })
}

/// From the first reading that makes a NEWS2 emergency of a danger to the call about it, in
/// milliseconds; 0 when a call about this very emergency stands already. `None` when none came.
fn delay(rehearsal: &Rehearsal, pages: &[Page], danger: Danger) -> Result<Option<i64>> {
    let bed = patient(danger.bed);
    let told = rehearsal.emergencies(&bed)?;
    // While it builds up a first emergency may come before its height: that is the one to tell of.
    let from = danger.from.plus_ms(-30 * 60_000);
    let Some(first) = told.iter().find(|it| (from..danger.to).contains(*it)) else {
        return Ok(None);
    };
    let emergency =
        |it: &&Page| it.patient == bed && it.calls && it.severity == Some(Severity::Emergency);
    let mut standing = None;
    for page in pages.iter().filter(|it| it.patient == bed && it.at <= *first) {
        standing = if emergency(&page) {
            Some(page.at)
        } else if page.calls {
            standing
        } else {
            None
        };
    }
    if standing.is_some() {
        return Ok(Some(0));
    }
    let call = pages.iter().find(|it| emergency(it) && it.at >= *first && it.at < danger.to);
    Ok(call.map(|it| it.at.since_ms(*first)))
}

/// The policy `auscult policy default` prints.
///
/// # Errors
/// When it is no JSON, which a test excludes.
pub fn default_policy() -> Result<Value> {
    serde_json::from_str(auscult_notification::policy::DEFAULT).context("the default policy")
}
