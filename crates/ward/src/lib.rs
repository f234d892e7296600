//! A simulated ward of devices: messages of real, plain shapes, reproducible from a seed.
//!
//! ```
//! use auscult_model::Timestamp;
//! use auscult_ward::{Options, Scenario, Ward};
//!
//! let start = Timestamp::from_unix_ms(1_790_000_000_000);
//! let ward = Ward::new(Options { patients: 4, scenario: Scenario::Mixed, seed: 7, start });
//! let first_hour: Vec<_> = ward.take_while(|it| it.at < start.plus_ms(3_600_000)).collect();
//! assert!(first_hour.len() > 4 * 60);
//! ```
//!
//! Only additions, products and quotients of `f64` are used, which IEEE 754 rounds the same way
//! everywhere, so a seed gives the same bytes on every machine.

mod dice;
mod noise;
mod physiology;
mod provisioning;
mod scenario;
mod sensors;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use auscult_model::Timestamp;
use serde_json::Value;

pub use noise::{
    Danger, MONITOR_MS, NoisyOptions, NoisyReading, NoisyWard, SensorFault, noisy_ward,
};
pub use scenario::Scenario;

use physiology::Body;
use sensors::{Kind, Sensor};

/// What ward to simulate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Beds, each with one patient and four devices.
    pub patients: u32,
    /// What happens to the patients.
    pub scenario: Scenario,
    /// The same seed gives the same messages.
    pub seed: u64,
    /// Time of the first possible reading.
    pub start: Timestamp,
}

/// One message of one device.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// When the device measured and sends it; also inside the message.
    pub at: Timestamp,
    /// Logical id of the Device resource, as in the message.
    pub device: String,
    /// The message as the device writes it.
    pub message: Value,
}

/// A ward whose devices never stop: an endless iterator in order of time.
#[derive(Debug, Clone)]
pub struct Ward {
    options: Options,
    /// How many times faster than life the patients' courses run.
    speed: u32,
    bodies: Vec<Body>,
    sensors: Vec<Sensor>,
    /// Minute (in patients' time, as milliseconds) at which each sensor speaks next.
    due: BinaryHeap<Reverse<(i64, usize)>>,
}

impl Ward {
    /// The ward of these options, at the pace of life.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let mut bodies = Vec::new();
        let mut sensors = Vec::new();
        for bed in 0..options.patients {
            let (course, fault) = options.scenario.story(bed);
            bodies.push(Body::new(options.seed, bed, course));
            sensors.extend(Kind::ALL.map(|kind| Sensor::new(options.seed, bed, kind, fault)));
        }
        let due =
            sensors.iter().enumerate().map(|(place, it)| Reverse((it.first_ms(), place))).collect();
        Self { options, speed: 1, bodies, sensors, due }
    }

    /// The same ward with the patients' time running `speed` times faster (0 counts as 1).
    ///
    /// The devices' clocks stay right: an hour of illness is told in a minute of messages at speed
    /// 60, each stamped with the moment it is due. So nothing is ever stamped in the future.
    #[must_use]
    pub fn at_speed(mut self, speed: u32) -> Self {
        self.speed = speed.max(1);
        self
    }

    /// The logical ids of all devices, four per bed.
    #[must_use]
    pub fn devices(&self) -> Vec<String> {
        self.sensors.iter().map(|it| it.device().to_owned()).collect()
    }

    /// The logical ids of all patients.
    #[must_use]
    pub fn patients(&self) -> Vec<String> {
        (0..self.options.patients).map(provisioning::patient_id).collect()
    }

    /// A FHIR R4 transaction Bundle that puts every Patient, Device and `DeviceUseStatement` of this
    /// ward, worn since `worn_since`. All names are invented; putting it twice changes nothing.
    #[must_use]
    pub fn provisioning(&self, worn_since: Timestamp) -> Value {
        provisioning::bundle(0..self.options.patients, &self.sensors, worn_since)
    }

    /// The same in Bundles of at most `beds` beds (0 counts as 1), nine resources each: no reference
    /// leads from one to another, so each may be put on its own.
    pub fn provisioning_by_beds(
        &self,
        beds: u32,
        worn_since: Timestamp,
    ) -> impl Iterator<Item = Value> {
        let beds = beds.max(1);
        (0..self.options.patients).step_by(beds as usize).map(move |first| {
            let last = first.saturating_add(beds).min(self.options.patients);
            provisioning::bundle(first..last, &self.sensors, worn_since)
        })
    }
}

impl Iterator for Ward {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        loop {
            let Reverse((elapsed_ms, place)) = self.due.pop()?;
            let sensor = self.sensors.get_mut(place)?;
            let body = self.bodies.get(sensor.bed() as usize)?;
            self.due.push(Reverse((elapsed_ms + sensor.pause_ms(), place)));
            let at = self.options.start.plus_ms(elapsed_ms / i64::from(self.speed));
            if let Some(message) = sensor.message(body, elapsed_ms, at) {
                return Some(Step { at, device: sensor.device().to_owned(), message });
            }
        }
    }
}

/// Patients' time in minutes.
fn minutes(elapsed_ms: i64) -> f64 {
    // Exact: a simulation shorter than 285,000 years stays below 2^53.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let ms = elapsed_ms as f64;
    ms / 60_000.0
}

#[cfg(test)]
mod tests;
