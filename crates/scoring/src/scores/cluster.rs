//! Fever clusters on a unit (after the CDC rule for influenza-like illness in long-term care: two or
//! more within 72 hours).

use std::collections::BTreeSet;

/// How far back fevers count, both ends included.
pub const WINDOW_H: i64 = 72;
/// So many patients are a cluster.
pub const PATIENTS: usize = 2;
/// A unit alarms again at the earliest after this.
pub const QUIET_H: i64 = 24;

/// One fever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fever<'a> {
    /// When, in hours.
    pub hour: i64,
    /// Where.
    pub unit: &'a str,
    /// Who.
    pub patient: &'a str,
}

/// A cluster noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm<'a> {
    /// Hour of the fever that completed it.
    pub hour: i64,
    /// Where.
    pub unit: &'a str,
    /// Patients with fever in the window up to then.
    pub n_patients: usize,
}

/// Every alarm, in the order of time; fevers of one hour count in the order given.
#[must_use]
pub fn alarms<'a>(fevers: &[Fever<'a>]) -> Vec<Alarm<'a>> {
    let mut sorted: Vec<&Fever<'a>> = fevers.iter().collect();
    sorted.sort_by_key(|it| it.hour);
    let mut alarms: Vec<Alarm<'a>> = Vec::new();
    for (place, fever) in sorted.iter().enumerate() {
        let window = sorted.iter().take(place + 1);
        let patients: BTreeSet<&str> = window
            .filter(|it| it.unit == fever.unit && fever.hour - it.hour <= WINDOW_H)
            .map(|it| it.patient)
            .collect();
        let last = alarms.iter().rev().find(|it| it.unit == fever.unit);
        let quiet = last.is_some_and(|it| fever.hour - it.hour < QUIET_H);
        if patients.len() >= PATIENTS && !quiet {
            alarms.push(Alarm { hour: fever.hour, unit: fever.unit, n_patients: patients.len() });
        }
    }
    alarms
}
