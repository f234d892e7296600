//! Puts measurements together: by device and type, then by window of time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::load::PERIODS;
use super::{ConvertError, Series};
use crate::device::Measurement;
use crate::moment::{Instant, TICKS_PER_DAY, TICKS_PER_SECOND};

/// 100-nanosecond steps in an hour.
const TICKS_PER_HOUR: i64 = 3600 * TICKS_PER_SECOND;

/// One measurement of a group: its time and its named values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// When it was measured.
    pub occurred: Instant,
    /// Value names and values, as measured.
    pub properties: Vec<(Arc<str>, String)>,
}

/// Measurements of one device and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The type, as the device mapping spells it.
    pub type_name: Arc<str>,
    /// Of the device.
    pub device_id: String,
    /// Of the message, when it names one.
    pub patient_id: Option<String>,
    /// Of the message, when it names one.
    pub encounter_id: Option<String>,
    /// Of the message, when it names one.
    pub correlation_id: Option<String>,
    /// In order of arrival.
    pub readings: Vec<Reading>,
}

/// A group, and which measurements it was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouped {
    /// The group.
    pub group: Group,
    /// Indexes of the measurements that were kept, in order of arrival.
    pub kept: Vec<usize>,
}

/// Groups a batch by device, type, patient, encounter and correlation id, compared one by one;
/// absent and empty are the same. Of measurements at the same instant the one that came in last
/// is kept whole, the first of them when they came at the same time.
#[must_use]
pub fn measurement_groups(batch: &[(Measurement, Option<Instant>)]) -> Vec<Grouped> {
    type Key<'a> = [&'a str; 5];
    let mut groups: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut by_key: HashMap<Key<'_>, usize, RandomState> = HashMap::default();
    let mut by_instant: HashMap<(usize, Instant), usize, RandomState> = HashMap::default();
    for (at, (it, ingested)) in batch.iter().enumerate() {
        let key = [
            it.device_id.as_str(),
            &*it.type_name,
            it.patient_id.as_deref().unwrap_or_default(),
            it.encounter_id.as_deref().unwrap_or_default(),
            it.correlation_id.as_deref().unwrap_or_default(),
        ];
        let group = *by_key.entry(key).or_insert_with(|| {
            groups.push((at, Vec::new()));
            groups.len() - 1
        });
        let Some((_, kept)) = groups.get_mut(group) else { continue };
        match by_instant.entry((group, it.occurred)) {
            Entry::Vacant(slot) => {
                slot.insert(kept.len());
                kept.push(at);
            }
            Entry::Occupied(slot) => {
                if let Some(held) = kept.get_mut(*slot.get())
                    && batch.get(*held).is_none_or(|(_, earlier)| ingested > earlier)
                {
                    *held = at;
                }
            }
        }
    }
    groups
        .into_iter()
        .filter_map(|(first, kept)| {
            let (first, _) = batch.get(first)?;
            let readings = kept.iter().filter_map(|at| batch.get(*at)).map(|(it, _)| Reading {
                occurred: it.occurred,
                properties: it.properties.clone(),
            });
            let group = Group {
                type_name: first.type_name.clone(),
                device_id: first.device_id.clone(),
                patient_id: first.patient_id.clone(),
                encounter_id: first.encounter_id.clone(),
                correlation_id: first.correlation_id.clone(),
                readings: readings.collect(),
            };
            Some(Grouped { group, kept })
        })
        .collect()
}

/// The values of one window, which become one Observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservationGroup {
    /// First instant of the window.
    pub start: Instant,
    /// Last instant of the window, included.
    pub end: Instant,
    /// Names the window in the identifier of the Observation.
    pub id_segment: String,
    /// Values by name, each in time order; of two at one instant the first.
    pub values: Vec<(Arc<str>, Series)>,
}

impl ObservationGroup {
    /// The values of that name.
    #[must_use]
    pub fn series(&self, name: &str) -> Option<&Series> {
        self.values.iter().find(|(it, _)| **it == *name).map(|(_, series)| series)
    }

    fn add(&mut self, reading: &Reading) {
        for (name, value) in &reading.properties {
            let at = self.values.iter().position(|(it, _)| it == name).unwrap_or_else(|| {
                self.values.push((name.clone(), Vec::new()));
                self.values.len() - 1
            });
            let Some((_, series)) = self.values.get_mut(at) else { continue };
            if let Err(at) = series.binary_search_by(|(time, _)| time.cmp(&reading.occurred)) {
                series.insert(at, (reading.occurred, value.clone()));
            }
        }
    }
}

/// Cuts measurements into windows, in the order they are first seen: by instant (0), UTC hour (60),
/// UTC day (1440), or all in one by correlation id (-1).
///
/// # Errors
/// Any other period, and a missing correlation id where it is needed.
pub fn observation_groups(
    period_interval: i64,
    correlation_id: Option<&str>,
    readings: &[Reading],
) -> Result<Vec<ObservationGroup>, ConvertError> {
    if !PERIODS.contains(&period_interval) {
        return Err(ConvertError::PeriodInterval);
    }
    let correlation_id = correlation_id.filter(|it| !it.trim().is_empty());
    if period_interval == -1 && correlation_id.is_none() {
        return Err(ConvertError::CorrelationIdMissing);
    }
    let times = readings.iter().map(|it| it.occurred);
    let whole = times.clone().min().zip(times.max());
    let mut groups: Vec<ObservationGroup> = Vec::new();
    let mut by_start: HashMap<Instant, usize, RandomState> = HashMap::default();
    for reading in readings {
        let window = |length: i64| {
            let start = reading.occurred.ticks().div_euclid(length) * length;
            let end = Instant::from_ticks(start + length - 1).unwrap_or(reading.occurred);
            (Instant::from_ticks(start).unwrap_or(reading.occurred), end)
        };
        let (start, end) = match period_interval {
            60 => window(TICKS_PER_HOUR),
            1440 => window(TICKS_PER_DAY),
            -1 => whole.unwrap_or((reading.occurred, reading.occurred)),
            _ => (reading.occurred, reading.occurred),
        };
        let at = *by_start.entry(start).or_insert_with(|| {
            let id_segment = match (period_interval, correlation_id) {
                (-1, Some(id)) => id.to_owned(),
                _ => {
                    let mut id = String::with_capacity("yyyyMMddHHmmssZ.yyyyMMddHHmmssZ".len());
                    start.push_compact(&mut id);
                    id.push('.');
                    end.push_compact(&mut id);
                    id
                }
            };
            groups.push(ObservationGroup { start, end, id_segment, values: Vec::new() });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(at) {
            group.add(reading);
        }
    }
    Ok(groups)
}

/// The partition a device's measurements go to: a hash of its id in lower case, below `range`.
#[must_use]
pub fn partition_hash(device_id: &str, range: u32) -> u32 {
    let lower = device_id.to_lowercase();
    let hash = lower
        .encode_utf16()
        .fold(0_i32, |hash, it| hash.wrapping_mul(31).wrapping_add(i32::from(it)));
    hash.unsigned_abs() % range.max(1)
}
