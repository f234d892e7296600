//! The devices at a bed and the messages they write.

use auscult_model::Timestamp;
use serde_json::{Map, Number, Value, json};

use crate::dice::Dice;
use crate::physiology::{Body, Drift, Vitals};
use crate::scenario::Fault;

/// Milliseconds in a minute of patients' time.
const MINUTE_MS: i64 = 60_000;

/// The four devices of a bed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Heart rate, saturation, respiration, every minute.
    Monitor,
    /// Blood pressure, every 10 minutes.
    Cuff,
    /// The nurse's: consciousness and oxygen, every 15 minutes.
    Tablet,
    /// Temperature, every 30 minutes.
    Thermometer,
}

impl Kind {
    /// Every kind, in the order of a bed's streams.
    pub const ALL: [Self; 4] = [Self::Monitor, Self::Cuff, Self::Tablet, Self::Thermometer];

    /// What the Device resource calls it.
    pub const fn display(self) -> &'static str {
        match self {
            Self::Monitor => "Bedside monitor",
            Self::Cuff => "Blood pressure cuff",
            Self::Tablet => "Nurse's tablet",
            Self::Thermometer => "Thermometer",
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Monitor => "mon",
            Self::Cuff => "cuff",
            Self::Tablet => "tab",
            Self::Thermometer => "therm",
        }
    }

    const fn every_ms(self) -> i64 {
        match self {
            Self::Monitor => MINUTE_MS,
            Self::Cuff => 10 * MINUTE_MS,
            Self::Tablet => 15 * MINUTE_MS,
            Self::Thermometer => 30 * MINUTE_MS,
        }
    }
}

/// One device.
#[derive(Debug, Clone)]
pub struct Sensor {
    bed: u32,
    kind: Kind,
    fault: Fault,
    device: String,
    dice: Dice,
    drifts: [Drift; 3],
    oxygen_l_min: u32,
    silent_until_ms: i64,
}

impl Sensor {
    /// The device of that kind at that bed.
    pub fn new(seed: u64, bed: u32, kind: Kind, fault: Fault) -> Self {
        let dice = Dice::new(seed, u64::from(bed) * 8 + kind as u64);
        Self {
            bed,
            kind,
            fault,
            device: format!("{}-{}", kind.prefix(), bed + 1),
            dice,
            drifts: [Drift::default(); 3],
            oxygen_l_min: 0,
            silent_until_ms: if fault == Fault::Silences && kind == Kind::Thermometer {
                240 * MINUTE_MS
            } else {
                0
            },
        }
    }

    /// Whose bed, from 0.
    pub const fn bed(&self) -> u32 {
        self.bed
    }

    /// What it is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The logical id of its Device resource.
    pub fn device(&self) -> &str {
        &self.device
    }

    /// When it first speaks: beds take turns, so that a ward's messages spread over the minute.
    pub fn first_ms(&self) -> i64 {
        let turn = i64::from(self.bed % 20) * 3_000;
        turn + self.kind as i64 * 700
    }

    /// How long until it speaks again: no two devices keep in step for ever.
    pub fn pause_ms(&mut self) -> i64 {
        let every = self.kind.every_ms();
        let jitter = i64::from(self.kind != Kind::Monitor) * (every / 50);
        #[expect(clippy::cast_possible_truncation, reason = "at most a fiftieth of 30 minutes")]
        let late = (self.dice.unit() * jitter as f64) as i64;
        every + late
    }

    /// What it says now, `None` while it is silent.
    pub fn message(&mut self, body: &Body, elapsed_ms: i64, at: Timestamp) -> Option<Value> {
        if self.fault == Fault::Silences && self.kind == Kind::Monitor && self.dice.one_in(60) {
            self.silent_until_ms = elapsed_ms + 90 * MINUTE_MS;
        }
        if elapsed_ms < self.silent_until_ms {
            return None;
        }
        let vitals = body.vitals(elapsed_ms);
        let mut message = Map::new();
        message.insert("device".to_owned(), json!(self.device));
        message.insert("ts".to_owned(), json!(at.to_string()));
        match self.kind {
            Kind::Monitor => self.monitor(&vitals, &mut message),
            Kind::Cuff => self.cuff(&vitals, &mut message),
            Kind::Tablet => self.tablet(&vitals, body.severity(elapsed_ms), &mut message),
            Kind::Thermometer => self.thermometer(&vitals, &mut message),
        }
        Some(Value::Object(message))
    }

    fn noise(&mut self, place: usize, spread: f64) -> f64 {
        self.drifts.get_mut(place).map_or(0.0, |it| it.next(&mut self.dice, spread))
    }

    fn artefact(&mut self, one_in: u32) -> bool {
        self.fault == Fault::Artefacts && self.dice.one_in(one_in)
    }

    fn monitor(&mut self, vitals: &Vitals, message: &mut Map<String, Value>) {
        let oxygen_helps = f64::from(self.oxygen_l_min) * 0.2;
        let heart_rate = whole(vitals.heart_rate + self.noise(0, 2.0), 25, 220);
        let spo2 = whole(vitals.spo2 + oxygen_helps + self.noise(1, 0.5), 70, 100);
        let rr = whole(vitals.respiration_rate + self.noise(2, 0.7), 5, 60);
        // A loose electrode counts noise, a slipped finger clip sees the lamp of the room.
        let heart_rate = if self.artefact(12) { 342 } else { heart_rate };
        let spo2 = if self.artefact(8) { 12 } else { spo2 };
        message.insert("HR".to_owned(), json!(heart_rate));
        message.insert("SpO2".to_owned(), json!(spo2));
        message.insert("rr".to_owned(), json!(rr));
    }

    fn cuff(&mut self, vitals: &Vitals, message: &mut Map<String, Value>) {
        let systolic = whole(vitals.systolic_bp + self.noise(0, 2.5), 55, 240);
        let diastolic = whole(vitals.diastolic_bp + self.noise(1, 2.0), 30, 130);
        message.insert("sys".to_owned(), json!(systolic));
        message.insert("dia".to_owned(), json!(diastolic.min(systolic - 15)));
    }

    /// Oxygen as a nurse gives it: more when the saturation falls, less once it is back.
    fn tablet(&mut self, vitals: &Vitals, severity: f64, message: &mut Map<String, Value>) {
        self.oxygen_l_min = match vitals.spo2 {
            it if it < 90.5 => 6,
            it if it < 93.0 => 4,
            it if it < 95.0 => 2,
            _ => 0,
        };
        let acvpu = match severity {
            it if it < 0.85 => "A",
            it if it < 0.97 => "C",
            _ => "V",
        };
        message.insert("acvpu".to_owned(), json!(acvpu));
        message.insert("o2_flow".to_owned(), json!(self.oxygen_l_min));
    }

    fn thermometer(&mut self, vitals: &Vitals, message: &mut Map<String, Value>) {
        let celsius = vitals.temperature + self.noise(0, 0.1);
        let fahrenheit = self.bed % 2 == 1;
        let (value, unit) = if fahrenheit {
            (tenths(celsius * 1.8 + 32.0), if self.artefact(2) { "C" } else { "F" })
        } else {
            (tenths(celsius), "C")
        };
        message.insert("temp".to_owned(), json!({ "value": value, "unit": unit }));
    }
}

/// Rounded, and held inside what the device can show.
fn whole(value: f64, low: i64, high: i64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "held to a few hundred by the clamp")]
    let rounded = value.round() as i64;
    rounded.clamp(low, high)
}

/// One decimal, as written on a display: `38.4`.
fn tenths(value: f64) -> Value {
    let text = format!("{:.1}", (value * 10.0).round() / 10.0);
    text.parse::<Number>().map_or(Value::Null, Value::Number)
}
