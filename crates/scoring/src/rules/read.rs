//! Reading a document by hand: every fault is told with its place, not only the first.

use auscult_model::{Fault, Severity};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

/// Longest name and text.
const NAME_BYTES_MAX: usize = 64;
/// Longest duration: a year, so that sums with a time never overflow.
const DURATION_MS_MAX: i64 = 366 * 86_400_000;

/// One object of the document, the keys read so far, and the faults found.
pub struct Object<'a, 'f> {
    object: &'a Map<String, Value>,
    place: String,
    known: Vec<&'static str>,
    faults: &'f mut Vec<Fault>,
}

pub fn fault(path: impl Into<String>, code: &str, detail: impl Into<String>) -> Fault {
    Fault { path: path.into(), code: code.to_owned(), detail: detail.into() }
}

impl<'a, 'f> Object<'a, 'f> {
    /// The object at a place; a fault when there is none.
    pub fn new(value: &'a Value, place: String, faults: &'f mut Vec<Fault>) -> Option<Self> {
        let Some(object) = value.as_object() else {
            faults.push(fault(place, "type", "an object is needed"));
            return None;
        };
        Some(Self { object, place, known: Vec::new(), faults })
    }

    /// Notes a fault of a key.
    pub fn wrong(&mut self, key: &str, code: &str, detail: impl Into<String>) {
        self.faults.push(fault(format!("{}/{key}", self.place), code, detail));
    }

    /// The value of an optional key; null is absence.
    pub fn get(&mut self, key: &'static str) -> Option<&'a Value> {
        self.known.push(key);
        self.object.get(key).filter(|it| !it.is_null())
    }

    fn needed(&mut self, key: &'static str) -> Option<&'a Value> {
        let found = self.get(key);
        if found.is_none() {
            self.wrong(key, "missing", "this key is needed");
        }
        found
    }

    /// An optional text of 1 to 64 bytes.
    pub fn text(&mut self, key: &'static str) -> Option<&'a str> {
        let value = self.get(key)?;
        let text = value.as_str().filter(|it| !it.is_empty() && it.len() <= NAME_BYTES_MAX);
        if text.is_none() {
            self.wrong(key, "value", format!("a text of 1 to {NAME_BYTES_MAX} bytes is needed"));
        }
        text
    }

    /// A name: lower-case letters, digits, `_` and `-`.
    pub fn name(&mut self, key: &'static str) -> String {
        if self.needed(key).is_none() {
            return String::new();
        }
        let name = self.text(key).unwrap_or_default();
        let plain = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || b"_-".contains(&it);
        if !name.bytes().all(plain) {
            self.wrong(key, "value", "lower-case letters, digits, _ and - only");
        }
        name.to_owned()
    }

    /// A needed word out of a list.
    pub fn word(&mut self, key: &'static str, words: &[&'static str]) -> Option<&'static str> {
        let value = self.needed(key)?;
        let found = words.iter().find(|it| value.as_str() == Some(**it)).copied();
        if found.is_none() {
            self.wrong(key, "value", format!("one of {} is needed", words.join(", ")));
        }
        found
    }

    /// An optional number, exact to 15 digits.
    pub fn number(&mut self, key: &'static str) -> Option<Decimal> {
        let value = self.get(key)?;
        let number = value.as_number().and_then(|it| {
            let text = it.to_string();
            text.parse().ok().or_else(|| Decimal::from_scientific(&text).ok())
        });
        // Sums and differences of two limits must not overflow.
        let number = number.filter(|it: &Decimal| it.abs() <= Decimal::from(1_000_000_000_i64));
        if number.is_none() {
            self.wrong(key, "value", "a number of at most 1e9 is needed");
        }
        number
    }

    /// A needed number.
    pub fn number_needed(&mut self, key: &'static str) -> Decimal {
        if self.needed(key).is_none() {
            return Decimal::ZERO;
        }
        self.number(key).unwrap_or_default()
    }

    /// A whole number in a range, or what stands for none.
    pub fn whole(&mut self, key: &'static str, (low, high): (i64, i64), default: i64) -> i64 {
        let Some(value) = self.get(key) else { return default };
        let found = value.as_i64().filter(|it| (low..=high).contains(it));
        if found.is_none() {
            self.wrong(key, "value", format!("a whole number from {low} to {high} is needed"));
        }
        found.unwrap_or(default)
    }

    /// An optional duration such as `90s`, `15m`, `24h`, `7d`.
    pub fn duration(&mut self, key: &'static str) -> Option<i64> {
        let value = self.get(key)?;
        let found = value.as_str().and_then(duration);
        if found.is_none() {
            self.wrong(key, "value", "a duration is needed: 90s, 15m, 24h or 7d, at most 366d");
        }
        found
    }

    /// A needed duration.
    pub fn duration_needed(&mut self, key: &'static str) -> i64 {
        if self.needed(key).is_none() {
            return 1;
        }
        self.duration(key).unwrap_or(1)
    }

    /// One code under `code` or several under `codes`.
    pub fn codes(&mut self) -> Vec<String> {
        let (one, several) = (self.get("code"), self.get("codes"));
        let list: Vec<&Value> = match (one, several) {
            (Some(one), None) => vec![one],
            (None, Some(Value::Array(several))) => several.iter().collect(),
            _ => Vec::new(),
        };
        let codes: Option<Vec<String>> = list
            .iter()
            .map(|it| it.as_str().filter(|it| !it.is_empty() && it.len() <= NAME_BYTES_MAX))
            .map(|it| it.map(str::to_owned))
            .collect();
        let codes = codes.filter(|it| (1..=16).contains(&it.len()));
        if codes.is_none() {
            self.wrong("code", "value", "`code` with one canonical code or `codes` with 1 to 16");
        }
        codes.unwrap_or_default()
    }

    /// An optional severity.
    pub fn severity(&mut self) -> Option<Severity> {
        let value = self.get("severity")?;
        let found = serde_json::from_value(value.clone()).ok();
        if found.is_none() {
            self.wrong("severity", "value", "one of emergency, urgent, routine, technical");
        }
        found
    }

    /// Tells every key nobody asked for.
    pub fn end(self) {
        for key in self.object.keys().filter(|it| !self.known.contains(&it.as_str())) {
            let key = key.replace('~', "~0").replace('/', "~1");
            let detail = format!("unknown key; known are {}", self.known.join(", "));
            self.faults.push(fault(format!("{}/{key}", self.place), "unknown-key", detail));
        }
    }
}

fn duration(text: &str) -> Option<i64> {
    let (number, unit_ms) = [("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)]
        .into_iter()
        .find_map(|(unit, ms)| Some((text.strip_suffix(unit)?, ms)))?;
    let number = Some(number).filter(|it| it.bytes().all(|it| it.is_ascii_digit()))?;
    let total = number.parse::<i64>().ok()?.checked_mul(unit_ms)?;
    (1..=DURATION_MS_MAX).contains(&total).then_some(total)
}
