//! A ward at the noise levels hospitals report: readings of monitors that slip, dance about their
//! limits and lose their sensors, and now and then a patient who is really in danger.
//!
//! Rates follow what is published. Drew et al. 2014 (PLoS ONE 9(10):e110274) counted 187 audible
//! alarms a bed and day and found 88.8 % of 12,671 annotated arrhythmia alarms false; on a general
//! ward 99 % of alarms asked for nothing (PMC4456276). So artefacts and limits that are danced about
//! make nearly all alarms here, sensor faults come several times a shift, and few patients are in
//! danger. What is made up is how these are spread over beds; it is stated at each constant.

use auscult_model::Timestamp;

use crate::dice::Dice;
use crate::physiology::{Body, Drift, Vitals};
use crate::scenario::Course;

/// How often a monitor reports, in milliseconds.
pub const MONITOR_MS: i64 = 30_000;
/// How often a cuff measures, a nurse charts, and a thermometer is used, in monitor reports.
const CUFF_EVERY: i64 = 60;
const CHART_EVERY: i64 = 120;
/// Streams of a bed for this ward; those of the plain ward are below 8.
const STREAM: u64 = 1 << 32;

/// What a noisy ward is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoisyOptions {
    /// Beds.
    pub beds: u32,
    /// How long, in hours.
    pub hours: i64,
    /// The same seed gives the same ward.
    pub seed: u64,
    /// When it begins.
    pub start: Timestamp,
}

/// One value as a device reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoisyReading {
    /// When.
    pub at: Timestamp,
    /// Whose bed, from 0.
    pub bed: u32,
    /// Canonical code.
    pub code: &'static str,
    /// UCUM unit.
    pub unit: &'static str,
    /// The number, as tenths when the code is a temperature; `None` when it is a word.
    pub value: i64,
    /// The word of the ACVPU scale.
    pub word: Option<&'static str>,
}

/// A sensor's own alarm condition begins or ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SensorFault {
    /// When.
    pub at: Timestamp,
    /// Whose bed.
    pub bed: u32,
    /// `leads-off`, `probe-off` or `battery-low`.
    pub kind: &'static str,
    /// Whether it begins.
    pub begins: bool,
}

/// A patient is in danger of life: a NEWS2 of 7 or more without any noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Danger {
    /// Whose bed.
    pub bed: u32,
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
}

/// Everything that happens on the ward, in order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoisyWard {
    /// What devices report.
    pub readings: Vec<NoisyReading>,
    /// What they say of themselves.
    pub faults: Vec<SensorFault>,
    /// What nobody may miss.
    pub dangers: Vec<Danger>,
}

/// How a bed is (made up): every third patient lives near a limit, every fourth moves a lot, every
/// third has a crisis on the day.
struct Bed {
    number: u32,
    body: Body,
    dice: Dice,
    drifts: [Drift; 3],
    near_limit: bool,
    restless: bool,
    crisis: Option<(i64, i64)>,
    probe_off: i64,
    leads_off: i64,
    battery_low: i64,
    artefact: (i64, usize),
}

/// The ward of these options.
#[must_use]
pub fn noisy_ward(options: NoisyOptions) -> NoisyWard {
    let mut ward = NoisyWard::default();
    let reports = options.hours * 3_600_000 / MONITOR_MS;
    for number in 0..options.beds {
        let mut bed = Bed::new(options.seed, number, reports);
        for report in 0..reports {
            bed.report(options.start, report, &mut ward);
        }
        if let Some((from, to)) = bed.crisis {
            let at = |report: i64| options.start.plus_ms(report * MONITOR_MS);
            ward.dangers.push(Danger { bed: number, from: at(from + RISE), to: at(to) });
        }
    }
    ward.readings.sort_by_key(|it| it.at);
    ward.faults.sort_by_key(|it| it.at);
    ward
}

/// Reports over which a crisis builds up: half an hour.
const RISE: i64 = 60;
/// Reports a crisis then lasts: 50 minutes.
const HOLD: i64 = 100;
/// Reports between two artefacts of a restless patient and of a quiet one, on average.
const ARTEFACT_RESTLESS: u32 = 14;
const ARTEFACT_QUIET: u32 = 45;

impl Bed {
    fn new(seed: u64, number: u32, reports: i64) -> Self {
        let mut dice = Dice::new(seed, STREAM + u64::from(number));
        let room = reports - RISE - HOLD;
        let crisis = (number % 3 == 1 && room > 0).then(|| {
            #[expect(clippy::cast_precision_loss, reason = "a day of reports is small")]
            #[expect(clippy::cast_possible_truncation, reason = "a day of reports is small")]
            let from = dice.between(0.0, room as f64) as i64;
            (from, from + RISE + HOLD)
        });
        Self {
            number,
            body: Body::new(seed, number, Course::Worsening),
            dice,
            drifts: [Drift::default(); 3],
            near_limit: number % 3 == 0,
            restless: number % 4 == 0,
            crisis,
            probe_off: 0,
            leads_off: 0,
            battery_low: 0,
            artefact: (0, 0),
        }
    }

    /// From 0 to 1: up over half an hour, 50 minutes at the top, and treated at once.
    fn illness(&self, report: i64) -> f64 {
        let Some((from, to)) = self.crisis else { return 0.0 };
        if !(from..to).contains(&report) {
            return 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "at most sixty")]
        let risen = (report - from).min(RISE) as f64 / RISE as f64;
        risen
    }

    fn report(&mut self, start: Timestamp, report: i64, ward: &mut NoisyWard) {
        // Beds take turns within the half minute.
        let at = start.plus_ms(report * MONITOR_MS + i64::from(self.number % 30) * 1_000);
        let illness = self.illness(report);
        let mut vitals = self.body.at_illness(illness);
        if self.near_limit && illness == 0.0 {
            // An old lung and a fast heart: the usual limits of 90 % and 120/min are danced about.
            vitals.spo2 -= 6.4;
            vitals.heart_rate += 43.0;
        }
        self.sensors(at, ward);
        self.monitor(at, &vitals, ward);
        let own = i64::from(self.number * 7);
        if (report + own) % CUFF_EVERY == 0 || report == 0 || self.rises(report) {
            self.cuff(at, &vitals, ward);
        }
        if (report + own) % CHART_EVERY == 0 || report == 0 || self.rises(report) {
            self.chart(at, illness, &vitals, ward);
        }
    }

    /// A nurse who comes to a patient in a crisis measures and charts.
    fn rises(&self, report: i64) -> bool {
        self.crisis.is_some_and(|(from, _)| report == from + RISE)
    }

    /// Probes fall off about every three hours for minutes, electrodes every five, batteries run low
    /// twice a day.
    fn sensors(&mut self, at: Timestamp, ward: &mut NoisyWard) {
        let bed = self.number;
        let mut step =
            |left: &mut i64, kind: &'static str, one_in: u32, lasts: i64, dice: &mut Dice| {
                let was = *left > 0;
                *left = (*left - 1).max(0);
                if *left == 0 && !was && dice.one_in(one_in) {
                    *left = lasts;
                    ward.faults.push(SensorFault { at, bed, kind, begins: true });
                } else if was && *left == 0 {
                    ward.faults.push(SensorFault { at, bed, kind, begins: false });
                }
            };
        step(&mut self.probe_off, "probe-off", 360, 6, &mut self.dice);
        step(&mut self.leads_off, "leads-off", 600, 10, &mut self.dice);
        step(&mut self.battery_low, "battery-low", 1_440, 60, &mut self.dice);
    }

    fn monitor(&mut self, at: Timestamp, vitals: &Vitals, ward: &mut NoisyWard) {
        let [mut heart, mut spo2, mut breath] = self.noise();
        heart += vitals.heart_rate;
        spo2 += vitals.spo2;
        breath += vitals.respiration_rate;
        // An artefact lasts one to three reports and reads worse than the patient is.
        let every = if self.restless { ARTEFACT_RESTLESS } else { ARTEFACT_QUIET };
        if self.artefact.0 == 0 && self.dice.one_in(every) {
            let lasts = 1 + i64::from(self.dice.one_in(3)) + i64::from(self.dice.one_in(4));
            let which = if self.dice.one_in(3) { 0 } else { 1 + usize::from(self.dice.one_in(2)) };
            self.artefact = (lasts, which);
        }
        if self.artefact.0 > 0 {
            self.artefact.0 -= 1;
            match self.artefact.1 {
                0 => heart = self.dice.between(150.0, 210.0),
                1 => spo2 = self.dice.between(68.0, 86.0),
                _ => breath = self.dice.between(32.0, 48.0),
            }
        }
        if self.leads_off == 0 {
            let heart = ("heart_rate", "/min", whole(heart, 20, 250));
            let breath = ("respiratory_rate", "/min", whole(breath, 4, 70));
            push(ward, at, self.number, heart);
            push(ward, at, self.number, breath);
        }
        if self.probe_off == 0 {
            push(ward, at, self.number, ("spo2", "%", whole(spo2, 50, 100)));
        }
    }

    fn noise(&mut self) -> [f64; 3] {
        let mut made = [0.0; 3];
        let spreads = if self.near_limit { [3.5, 0.9, 0.8] } else { [2.0, 0.5, 0.7] };
        for (slot, (drift, spread)) in made.iter_mut().zip(self.drifts.iter_mut().zip(spreads)) {
            *slot = drift.next(&mut self.dice, spread);
        }
        made
    }

    fn cuff(&mut self, at: Timestamp, vitals: &Vitals, ward: &mut NoisyWard) {
        let systolic = vitals.systolic_bp + 2.5 * self.dice.normal();
        push(ward, at, self.number, ("systolic_bp", "mm[Hg]", whole(systolic, 50, 240)));
    }

    fn chart(&mut self, at: Timestamp, illness: f64, vitals: &Vitals, ward: &mut NoisyWard) {
        push(ward, at, self.number, ("inhaled_oxygen_flow", "L/min", 0));
        let tenths = whole(vitals.temperature * 10.0, 300, 420);
        push(ward, at, self.number, ("body_temperature", "Cel", tenths));
        let word = if illness < 0.85 { "A" } else { "C" };
        ward.readings.push(NoisyReading {
            at,
            bed: self.number,
            code: "consciousness_acvpu",
            unit: "",
            value: 0,
            word: Some(word),
        });
    }
}

fn push(
    ward: &mut NoisyWard,
    at: Timestamp,
    bed: u32,
    (code, unit, value): (&'static str, &'static str, i64),
) {
    ward.readings.push(NoisyReading { at, bed, code, unit, value, word: None });
}

fn whole(value: f64, low: i64, high: i64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "held to a few hundred by the clamp")]
    let rounded = value.round() as i64;
    rounded.clamp(low, high)
}
