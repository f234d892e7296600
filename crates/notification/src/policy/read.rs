//! Reads a JSON document piece by piece and notes every fault with its place.

use auscult_model::Fault;
use serde_json::{Map, Value};

use crate::duration;

/// Longest name or URL, in bytes.
const TEXT_BYTES_MAX: usize = 2_000;
/// Most texts in one list of a match.
const TEXTS_MAX: usize = 500;

/// Every fault found so far.
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// Notes one.
    pub fn add(&mut self, path: &str, code: &str, detail: &str) {
        self.0.push(Fault {
            path: path.to_owned(),
            code: code.to_owned(),
            detail: detail.to_owned(),
        });
    }

    /// One text, or a list of at least one, each with its place.
    pub fn texts<'a>(&mut self, value: Option<&'a Value>, path: &str) -> Vec<(&'a str, String)> {
        match value {
            None => Vec::new(),
            Some(Value::Array(list)) if !list.is_empty() && list.len() <= TEXTS_MAX => {
                let mut texts = Vec::with_capacity(list.len());
                for (at, value) in list.iter().enumerate() {
                    let place = format!("{path}/{at}");
                    if let Some(text) = self.text(Some(value), &place) {
                        texts.push((text, place));
                    }
                }
                texts
            }
            Some(value) => {
                self.text(Some(value), path).map(|it| (it, path.to_owned())).into_iter().collect()
            }
        }
    }

    /// A duration of at least `least_ms`; absent is no fault.
    pub fn duration(&mut self, value: Option<&Value>, path: &str, least_ms: i64) -> Option<i64> {
        let text = self.text(Some(value?), path)?;
        let found = duration::parse(text).filter(|it| *it >= least_ms);
        if found.is_none() {
            self.add(path, "bad-duration", "a duration such as 15m, 1h30m or 7d is needed");
        }
        found
    }

    /// A text that is not blank; absent is a fault.
    pub fn text<'a>(&mut self, value: Option<&'a Value>, path: &str) -> Option<&'a str> {
        match value {
            None => self.add(path, "missing", "this key is needed"),
            Some(Value::String(text)) if text.trim().is_empty() => {
                self.add(path, "blank", "a text that is not blank is needed");
            }
            Some(Value::String(text)) if text.len() > TEXT_BYTES_MAX => {
                self.add(path, "too-long", "the text is too long");
            }
            Some(Value::String(text)) => return Some(text),
            Some(_) => self.add(path, "wrong-type", "a text is needed"),
        }
        None
    }

    /// A list of at most `most`; absent is a fault.
    pub fn list<'a>(
        &mut self,
        value: Option<&'a Value>,
        path: &str,
        most: usize,
    ) -> Option<&'a [Value]> {
        match value {
            None => self.add(path, "missing", "this key is needed"),
            Some(Value::Array(list)) if list.len() > most => {
                self.add(path, "too-many", "the list is too long");
            }
            Some(Value::Array(list)) => return Some(list),
            Some(_) => self.add(path, "wrong-type", "a list is needed"),
        }
        None
    }

    /// An object that has no other keys than the `known`.
    pub fn object<'a>(
        &mut self,
        value: &'a Value,
        path: &str,
        known: &[&str],
    ) -> Option<&'a Map<String, Value>> {
        let Some(keys) = value.as_object() else {
            self.add(path, "wrong-type", "an object is needed");
            return None;
        };
        for key in keys.keys().filter(|it| !known.contains(&it.as_str())) {
            let key = key.replace('~', "~0").replace('/', "~1");
            self.add(&format!("{path}/{key}"), "unknown-key", "this key means nothing here");
        }
        Some(keys)
    }
}
