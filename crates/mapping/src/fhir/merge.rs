//! An Observation that exists, with new values taken in.
//!
//! The stored `code`, references, identifier and `issued` stay. Series keep the period they were
//! stored with, and every series of the Observation is laid over the same window.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::observation::{Convention, draft_component, found, fresh, period, period_ticks};
use super::{
    CodeValue, ConvertError, ObservationGroup, Series, ValueKind, ValueType, sampled, text,
};
use crate::moment::Instant;

/// What became of a stored Observation.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// The Observation to store; the stored one when nothing changed.
    pub observation: Value,
    /// Whether there is something to store.
    pub changed: bool,
}

pub(super) fn merge(
    template: &CodeValue,
    window: &ObservationGroup,
    existing: &Value,
    convention: &Convention<'_>,
) -> Result<Merged, ConvertError> {
    let Value::Object(stored) = existing else { return Err(ConvertError::OtherValueType) };
    let (stored_start, stored_end) = effective(stored)?;
    let time = Time {
        stored_start,
        start: stored_start.min(window.start),
        end: stored_end.max(window.end),
        moved: window.start < stored_start || window.end > stored_end,
    };
    let mut merged = stored.clone();
    if template.categories.is_empty() {
        merged.remove("category");
    } else {
        merged.insert(
            "category".into(),
            json(|text| {
                text::categories(text, &template.categories);
                Ok(())
            })?,
        );
    }
    match found(template.value.as_ref(), window) {
        Some((value, series)) => take_in(&mut merged, value, series, &time)?,
        None => time.realign(&mut merged)?,
    }
    components(&mut merged, template, window, &time, convention)?;
    merged.remove("effectiveDateTime");
    merged.insert("effectivePeriod".into(), period(time.start, time.end));
    let changed = merged != *stored;
    if changed {
        merged.insert("status".into(), Value::from("amended"));
    }
    Ok(Merged { observation: Value::Object(merged), changed })
}

/// The window before and after.
struct Time {
    stored_start: Instant,
    start: Instant,
    end: Instant,
    moved: bool,
}

impl Time {
    /// Lays a stored series without new values over the new window, so that it does not shift.
    fn realign(&self, holder: &mut Map<String, Value>) -> Result<(), ConvertError> {
        if !self.moved {
            return Ok(());
        }
        let Some(Value::Object(data)) = holder.get_mut("valueSampledData") else { return Ok(()) };
        let Some(period) = stored_period(data) else { return Ok(()) };
        self.lay(data, &[], period)
    }

    fn lay(
        &self,
        data: &mut Map<String, Value>,
        new: &[(Instant, String)],
        period: i64,
    ) -> Result<(), ConvertError> {
        if data.get("dimensions").and_then(Value::as_i64).is_some_and(|it| it > 1) {
            return Err(ConvertError::Dimensions);
        }
        if period <= 0 {
            return Err(ConvertError::NoDefaultPeriod);
        }
        let text = data.get("data").and_then(Value::as_str).unwrap_or_default();
        let old = sampled::read(text, self.stored_start, period);
        let series = sampled::merge(&old, new);
        let text = sampled::build(&series, self.start, self.end, period)?;
        data.insert("data".into(), Value::from(text));
        Ok(())
    }
}

fn stored_period(data: &Map<String, Value>) -> Option<i64> {
    let text = data.get("period")?.to_string();
    text.parse::<Decimal>().ok().filter(|it| *it > Decimal::ZERO).map(period_ticks)
}

fn effective(stored: &Map<String, Value>) -> Result<(Instant, Instant), ConvertError> {
    let instant = |it: Option<&Value>| {
        it.and_then(Value::as_str).and_then(Instant::parse).ok_or(ConvertError::NoEffectiveTime)
    };
    if let Some(period) = stored.get("effectivePeriod") {
        return Ok((instant(period.get("start"))?, instant(period.get("end"))?));
    }
    let at = instant(stored.get("effectiveDateTime"))?;
    Ok((at, at))
}

/// Takes new values into the value a holder (the Observation or a component) has.
fn take_in(
    holder: &mut Map<String, Value>,
    value: &ValueType,
    series: &Series,
    time: &Time,
) -> Result<(), ConvertError> {
    let Some(stored) = holder.get_mut(value.kind.member()) else {
        return Err(ConvertError::OtherValueType);
    };
    match (&value.kind, stored) {
        (ValueKind::SampledData { period_ms, .. }, Value::Object(data)) => {
            let period = match stored_period(data) {
                Some(period) => period,
                None => period_ms.map(period_ticks).ok_or(ConvertError::NoDefaultPeriod)?,
            };
            time.lay(data, series, period)
        }
        (ValueKind::SampledData { .. }, _) => Err(ConvertError::OtherValueType),
        (_, stored) => {
            let made = fresh(value, series, time.start, time.end)?;
            *stored = json(|text| text::value(text, &made))?;
            Ok(())
        }
    }
}

fn components(
    merged: &mut Map<String, Value>,
    template: &CodeValue,
    window: &ObservationGroup,
    time: &Time,
    convention: &Convention<'_>,
) -> Result<(), ConvertError> {
    let mut stored = match merged.remove("component") {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    let mut taken = vec![false; stored.len()];
    for it in &template.components {
        let Some((value, series)) = found(it.value.as_ref(), window) else { continue };
        let at = stored.iter().position(|it| is_named(it, &value.name, convention));
        match at.and_then(|at| stored.get_mut(at)) {
            Some(Value::Object(holder)) => {
                take_in(holder, value, series, time)?;
                if let Some(flag) = at.and_then(|at| taken.get_mut(at)) {
                    *flag = true;
                }
            }
            _ => {
                let made = fresh(value, series, time.start, time.end)?;
                let made = draft_component(&it.codes, value, made, convention);
                stored.push(json(|text| text::component(text, &made))?);
                taken.push(true);
            }
        }
    }
    for (item, taken) in stored.iter_mut().zip(taken) {
        if let (Value::Object(holder), false) = (item, taken) {
            time.realign(holder)?;
        }
    }
    if !stored.is_empty() {
        merged.insert("component".into(), Value::Array(stored));
    }
    Ok(())
}

/// What is written, as JSON.
fn json(
    write: impl FnOnce(&mut String) -> Result<(), ConvertError>,
) -> Result<Value, ConvertError> {
    let mut text = String::new();
    write(&mut text)?;
    serde_json::from_str(&text).map_err(|_| ConvertError::QuantityInvalid)
}

/// Whether a component carries the code that names a value within the service.
fn is_named(component: &Value, name: &str, convention: &Convention<'_>) -> bool {
    let coding = component.pointer("/code/coding").and_then(Value::as_array);
    coding.into_iter().flatten().any(|it| {
        it.get("system").and_then(Value::as_str) == Some(convention.system)
            && it.get("code").and_then(Value::as_str) == Some(name)
    })
}
