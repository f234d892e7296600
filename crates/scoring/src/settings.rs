//! What one patient needs differently: a versioned document, each part with its period.

use auscult_model::{Fault, Timestamp};
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::news2::{AGE_YEARS_MIN, SpO2Scale};
use crate::rules::{self, Reach, Rule, RuleSet};

/// Longest text of `ordered_by` and `reason`, in bytes: a name or a sentence, not a letter.
const TEXT_BYTES_MAX: usize = 500;
/// Most orders about rules in one document.
const ORDERS_MAX: usize = 50;

/// The document of `GET|PUT /patients/{id}/settings`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Which NEWS2 saturation scale was ordered; scale 1 without an order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spo2_scale: Option<Spo2Order>,
    /// NEWS2 does not apply during pregnancy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pregnant: Option<Pregnancy>,
    /// Rules of the tenant's set that are off or have other limits for this patient.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleOrder>,
}

/// A clinician's order that a rule is off or has other limits: a chemotherapy cycle, a known COPD.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleOrder {
    /// Name of the rule.
    pub rule: String,
    /// The rule does not run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub off: bool,
    /// Keys of the rule that are replaced.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub set: Map<String, Value>,
    /// Who ordered it.
    pub ordered_by: String,
    /// Why.
    pub reason: String,
    /// From when.
    pub from: Timestamp,
    /// Until when, this instant no longer included; null while it lasts.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// A clinician's order of a saturation scale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spo2Order {
    /// 1 or 2.
    pub scale: u8,
    /// Who ordered it.
    pub ordered_by: String,
    /// Why.
    pub reason: String,
    /// From when.
    pub from: Timestamp,
    /// Until when, this instant no longer included; null while it lasts.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// Whether, or when, the patient is pregnant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Pregnancy {
    /// At all times, or never.
    Always(bool),
    /// In this period.
    During {
        /// From when.
        from: Timestamp,
        /// Until when, this instant no longer included; null while it lasts.
        #[serde(default)]
        until: Option<Timestamp>,
    },
}

/// A period in milliseconds, both ends included.
pub type Span = (i64, i64);

fn span(from: Timestamp, until: Option<Timestamp>) -> Span {
    (from.unix_ms(), until.map_or(i64::MAX, |it| it.unix_ms().saturating_sub(1)))
}

fn holds(span: Option<Span>, at: Timestamp) -> bool {
    span.is_some_and(|(from, to)| (from..=to).contains(&at.unix_ms()))
}

impl Settings {
    /// The scale in force at an instant.
    #[must_use]
    pub fn spo2_order(&self, at: Timestamp) -> Option<&Spo2Order> {
        self.spo2_scale.as_ref().filter(|it| holds(Some(span(it.from, it.until)), at))
    }

    fn pregnancy(&self) -> Option<Span> {
        match self.pregnant {
            None | Some(Pregnancy::Always(false)) => None,
            Some(Pregnancy::Always(true)) => Some((i64::MIN, i64::MAX)),
            Some(Pregnancy::During { from, until }) => Some(span(from, until)),
        }
    }

    /// Whether the patient is known to be pregnant at an instant.
    #[must_use]
    pub fn pregnant_at(&self, at: Timestamp) -> bool {
        holds(self.pregnancy(), at)
    }

    /// The rule as it is at an instant: `None` when it is off, `Err` when an order does not fit the
    /// rule as it stands in the set now. Of two orders the later in the document counts.
    #[must_use]
    pub fn rule_at(&self, rule: &Rule, at: Timestamp) -> Option<Result<Rule, ()>> {
        let mut orders = self.rules.iter().rev().filter(|it| it.rule == rule.name);
        match orders.find(|it| holds(Some(span(it.from, it.until)), at)) {
            None => Some(Ok(rule.clone())),
            Some(order) if order.off => None,
            Some(order) => Some(order.applied(rule).map_err(|_| ())),
        }
    }

    /// The rules that may say something else between two documents, each with when.
    #[must_use]
    pub fn changed_rules(&self, other: &Self) -> Vec<(String, Span)> {
        let only = |one: &Self, other: &Self| -> Vec<(String, Span)> {
            let missing = one.rules.iter().filter(|it| !other.rules.contains(it));
            missing.map(|it| (it.rule.clone(), span(it.from, it.until))).collect()
        };
        let mut changed = only(self, other);
        changed.extend(only(other, self));
        changed
    }

    /// Whether every order fits the rule set it is for.
    ///
    /// # Errors
    /// Every fault with its place.
    pub fn fits(&self, set: &RuleSet) -> Result<(), Vec<Fault>> {
        let mut faults = Vec::new();
        for (place, order) in self.rules.iter().enumerate() {
            let place = format!("/rules/{place}");
            match set.rules.iter().find(|it| it.name == order.rule) {
                None => {
                    let detail = "no rule of the rule set has this name";
                    faults.push(fault(&format!("{place}/rule"), "unknown-rule", detail));
                }
                Some(rule) => {
                    for it in order.applied(rule).err().into_iter().flatten() {
                        let path = it.path.strip_prefix("/rule").unwrap_or(&it.path);
                        faults.push(fault(&format!("{place}/set{path}"), &it.code, &it.detail));
                    }
                }
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// The period in which assessments may differ between two documents, `None` when none do.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<Span> {
        let mut spans = Vec::new();
        if self.spo2_scale != other.spo2_scale {
            let orders = [&self.spo2_scale, &other.spo2_scale].into_iter().flatten();
            spans.extend(orders.map(|it| span(it.from, it.until)));
        }
        if self.pregnancy() != other.pregnancy() {
            spans.extend([self.pregnancy(), other.pregnancy()].into_iter().flatten());
        }
        let from = spans.iter().map(|it| it.0).min()?;
        let to = spans.iter().map(|it| it.1).max()?;
        Some((from, to))
    }
}

impl RuleOrder {
    /// The rule with the order's keys in place of its own.
    fn applied(&self, rule: &Rule) -> Result<Rule, Vec<Fault>> {
        let mut document = rule.document.clone();
        if let Some(keys) = document.as_object_mut() {
            keys.extend(self.set.clone());
        }
        let mut faults = Vec::new();
        let made = rules::check::rule(&document, "/rule".to_owned(), &mut faults);
        let Some(made) = made.filter(|_| faults.is_empty()) else { return Err(faults) };
        let back = |it: &Rule| match it.kind.reach() {
            Reach::Own | Reach::Gap => 0,
            Reach::Window(back) | Reach::Days(back) => back,
        };
        let same = std::mem::discriminant(&made.kind) == std::mem::discriminant(&rule.kind);
        if !same || made.name != rule.name || made.codes != rule.codes || back(&made) > back(rule) {
            let detail =
                "an order may not change what a rule reads, nor look back further than the rule";
            return Err(vec![fault("/rule", "value", detail)]);
        }
        Ok(made)
    }
}

impl Spo2Order {
    /// The scale as the score takes it.
    #[must_use]
    pub const fn scale(&self) -> SpO2Scale {
        if self.scale == 2 { SpO2Scale::Two } else { SpO2Scale::One }
    }
}

/// Reads a document as sent. Unknown keys are refused: a misspelt order must not be lost quietly.
///
/// # Errors
/// Every fault with its place.
pub fn parse(document: &Value) -> Result<Settings, Vec<Fault>> {
    let mut faults = Vec::new();
    let Some(object) = document.as_object() else {
        return Err(vec![fault("", "type", "a JSON object is needed")]);
    };
    known(object, "", &["spo2_scale", "pregnant", "rules"], &mut faults);
    if let Some(order) = object.get("spo2_scale").filter(|it| !it.is_null()) {
        check_order(order, &mut faults);
    }
    match object.get("pregnant") {
        None | Some(Value::Null | Value::Bool(_)) => {}
        Some(Value::Object(period)) => {
            known(period, "/pregnant", &["from", "until"], &mut faults);
            check_period(period, "/pregnant", &mut faults);
        }
        Some(_) => faults.push(fault("/pregnant", "type", "true, false or a period is needed")),
    }
    match object.get("rules") {
        None | Some(Value::Null) => {}
        Some(Value::Array(orders)) if orders.len() <= ORDERS_MAX => {
            for (place, order) in orders.iter().enumerate() {
                check_rule_order(order, &format!("/rules/{place}"), &mut faults);
            }
        }
        Some(_) => {
            let detail = format!("an array of at most {ORDERS_MAX} orders is needed");
            faults.push(fault("/rules", "type", &detail));
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    serde_json::from_value(document.clone())
        .map_err(|_| vec![fault("", "type", "the document does not have the shape of settings")])
}

fn check_rule_order(order: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Some(order) = order.as_object() else {
        faults.push(fault(place, "type", "an object is needed"));
        return;
    };
    let keys = ["rule", "off", "set", "ordered_by", "reason", "from", "until"];
    known(order, place, &keys, faults);
    for key in ["rule", "ordered_by", "reason"] {
        check_text(order, place, key, faults);
    }
    let off = order.get("off").is_some_and(|it| *it == Value::Bool(true));
    let set = order.get("set").and_then(Value::as_object).is_some_and(|it| !it.is_empty());
    if off == set {
        let detail = "either `off` is true or `set` holds what is different";
        faults.push(fault(&format!("{place}/set"), "value", detail));
    }
    check_period(order, place, faults);
}

fn check_text(object: &Map<String, Value>, place: &str, key: &str, faults: &mut Vec<Fault>) {
    let text = object.get(key).and_then(Value::as_str).unwrap_or_default();
    if text.trim().is_empty() || text.len() > TEXT_BYTES_MAX {
        let detail = format!("a text of 1 to {TEXT_BYTES_MAX} bytes is needed");
        faults.push(fault(&format!("{place}/{key}"), "value", &detail));
    }
}

fn check_order(order: &Value, faults: &mut Vec<Fault>) {
    let place = "/spo2_scale";
    let Some(order) = order.as_object() else {
        faults.push(fault(place, "type", "an object is needed"));
        return;
    };
    known(order, place, &["scale", "ordered_by", "reason", "from", "until"], faults);
    if !matches!(order.get("scale").and_then(Value::as_u64), Some(1 | 2)) {
        faults.push(fault("/spo2_scale/scale", "value", "1 or 2 is needed"));
    }
    for key in ["ordered_by", "reason"] {
        check_text(order, place, key, faults);
    }
    check_period(order, place, faults);
}

fn check_period(object: &Map<String, Value>, place: &str, faults: &mut Vec<Fault>) {
    let at = |key: &str| object.get(key).and_then(Value::as_str).and_then(Timestamp::parse);
    let from = at("from");
    if from.is_none() {
        let detail = "an RFC 3339 date-time with offset is needed";
        faults.push(fault(&format!("{place}/from"), "value", detail));
    }
    if object.get("until").is_none_or(Value::is_null) {
        return;
    }
    let place = format!("{place}/until");
    match (from, at("until")) {
        (_, None) => faults.push(fault(&place, "value", "an RFC 3339 date-time or null is needed")),
        (Some(from), Some(until)) if until <= from => {
            faults.push(fault(&place, "value", "the period must end after it begins"));
        }
        _ => {}
    }
}

fn known(object: &Map<String, Value>, place: &str, keys: &[&str], faults: &mut Vec<Fault>) {
    for key in object.keys().filter(|it| !keys.contains(&it.as_str())) {
        let key = key.replace('~', "~0").replace('/', "~1");
        let detail = format!("unknown key; known are {}", keys.join(", "));
        faults.push(fault(&format!("{place}/{key}"), "unknown-key", &detail));
    }
}

fn fault(path: &str, code: &str, detail: &str) -> Fault {
    Fault { path: path.to_owned(), code: code.to_owned(), detail: detail.to_owned() }
}

/// Whether somebody born on that FHIR date (`2011`, `2011-05`, `2011-05-30`) is surely under the
/// age NEWS2 needs at an instant. Of a partial date the earliest day counts, and a date that cannot
/// be read says nothing: a score too many is safer than an adult without one.
#[must_use]
pub fn surely_too_young(birth_date: &str, at: Timestamp) -> bool {
    let mut parts = birth_date.splitn(3, '-').map(|it| it.parse::<i32>().ok());
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let part =
        |it: Option<Option<i32>>| it.map_or(Some(1), |it| it).and_then(|it| it.try_into().ok());
    let (Some(Some(year)), Some(month), Some(day)) = (year, part(month), part(day)) else {
        return false;
    };
    let (Some(born), Some(today)) = (NaiveDate::from_ymd_opt(year, month, day), at.to_utc()) else {
        return false;
    };
    today.date_naive().years_since(born).is_none_or(|it| it < AGE_YEARS_MIN) && year <= today.year()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn sixteen_begins_on_the_birthday() {
        let rows = [
            ("2010-11-21", "2026-11-20T23:59:59Z", true),
            ("2010-11-21", "2026-11-21T00:00:00Z", false),
            ("2010-12", "2026-11-21T00:00:00Z", true),
            ("2010", "2026-11-21T00:00:00Z", false),
            ("2011", "2026-11-21T00:00:00Z", true),
            ("1950-01-01", "2026-11-21T00:00:00Z", false),
            ("not a date", "2026-11-21T00:00:00Z", false),
            ("", "2026-11-21T00:00:00Z", false),
        ];
        for (birth, now, want) in rows {
            assert_eq!(surely_too_young(birth, at(now)), want, "{birth} {now}");
        }
    }

    #[test]
    fn an_order_needs_somebody_a_reason_and_a_period() {
        let good = json!({ "scale": 2, "ordered_by": "Dr Osei", "reason": "hypercapnia",
            "from": "2026-11-01T00:00:00Z", "until": null });
        let with = |key: &str, value: Value| {
            let mut order = good.clone();
            order[key] = value;
            parse(&json!({ "spo2_scale": order }))
        };
        assert!(parse(&json!({ "spo2_scale": good })).is_ok());
        assert_eq!(parse(&json!({})), Ok(Settings::default()));
        for (key, value) in [
            ("scale", json!(3)),
            ("ordered_by", json!(" ")),
            ("reason", json!(null)),
            ("from", json!("2026-11-01")),
            ("until", json!("2026-10-01T00:00:00Z")),
            ("scael", json!(2)),
        ] {
            let faults = with(key, value).unwrap_err();
            assert_eq!(faults[0].path, format!("/spo2_scale/{key}"));
        }
        assert_eq!(parse(&json!({ "pregnent": true })).unwrap_err()[0].code, "unknown-key");
    }

    #[test]
    fn documents_differ_only_in_the_periods_they_name() {
        let order = |from: &str, until: Option<&str>| {
            let until = until.map(at);
            let from = at(from);
            let (ordered_by, reason) = ("a".to_owned(), "b".to_owned());
            let scale = Some(Spo2Order { scale: 2, ordered_by, reason, from, until });
            Settings { spo2_scale: scale, ..Settings::default() }
        };
        let none = Settings::default();
        let one = order("1970-01-01T00:00:01Z", Some("1970-01-01T00:00:02Z"));
        let open = order("1970-01-01T00:00:05Z", None);
        assert_eq!(none.difference(&none), None);
        assert_eq!(none.difference(&one), Some((1_000, 1_999)));
        assert_eq!(one.difference(&open), Some((1_000, i64::MAX)));
    }
}
