//! What a rule makes of a value: its words, its unit, and whether a living patient can have it.

use std::sync::Arc;

use octofhir_ucum::convert;
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};

use super::{Meaning, Refined, ValueRule};
use crate::device::{Measurement, MessageFault, MessageFaultCode};

/// Digits that a converted value keeps: no device measures more, and a double holds them.
const DIGITS: u32 = 10;

/// Applies the rules to the values of one measurement. A value that cannot be converted is a fault
/// and is left out; the others stay.
pub(super) fn refine(
    rules: &[ValueRule],
    mut measurement: Measurement,
    errors: &mut Vec<MessageFault>,
) -> Refined {
    if rules.is_empty() {
        let meanings = vec![Meaning::default(); measurement.properties.len()];
        return Refined { measurement, meanings };
    }
    let properties = std::mem::take(&mut measurement.properties);
    let mut meanings = Vec::with_capacity(properties.len());
    for (name, text) in properties {
        let rule = rules.iter().find(|it| it.is_about(&measurement.type_name, &name));
        match rule.map_or_else(|| Ok((text.clone(), Meaning::default())), |it| it.apply(&text)) {
            Ok((text, meaning)) => {
                measurement.properties.push((name, text));
                meanings.push(meaning);
            }
            Err(detail) => errors.push(MessageFault {
                template: measurement.template,
                type_name: measurement.type_name.to_string(),
                field: name.to_string(),
                code: MessageFaultCode::ConversionFailed,
                path: String::new(),
                detail,
                line: rule.map_or(0, |it| it.line),
                after: 0,
            }),
        }
    }
    Refined { measurement, meanings }
}

impl ValueRule {
    fn is_about(&self, type_name: &str, name: &str) -> bool {
        let typed = self.type_name.as_deref().is_none_or(|it| it.eq_ignore_ascii_case(type_name));
        typed && self.name == name
    }

    fn apply(&self, sent: &str) -> Result<(String, Meaning), String> {
        let synonym = self.synonyms.iter().find(|(word, _)| word.eq_ignore_ascii_case(sent.trim()));
        let text = synonym.map_or(sent, |(_, means)| means.as_str());
        let mut meaning =
            Meaning { code: self.code.clone(), unit: self.unit.clone(), ..Meaning::default() };
        let number = text.trim().parse::<Decimal>().ok();
        let (Some(from), Some(to)) = (&self.unit, &self.to) else {
            meaning.implausible = number.is_some_and(|it| !self.plausible(it));
            return Ok((text.to_owned(), meaning));
        };
        let number = number.ok_or_else(|| format!("it comes in {from}, but it is no number"))?;
        let converted = converted(number, from, to)
            .ok_or_else(|| format!("a value in {from} could not become one in {to}"))?;
        meaning.unit = Some(to.clone());
        meaning.native = Some((text.to_owned(), Arc::clone(from)));
        meaning.implausible = !self.plausible(converted);
        Ok((converted.to_string(), meaning))
    }

    fn plausible(&self, number: Decimal) -> bool {
        self.low.is_none_or(|low| low <= number) && self.high.is_none_or(|high| number <= high)
    }
}

/// The number in another unit of the same dimension.
pub(super) fn converted(number: Decimal, from: &str, to: &str) -> Option<Decimal> {
    if from == to {
        return Some(number);
    }
    let converted = convert(number.to_f64()?, from, to).ok()?;
    Decimal::from_f64(converted)?.round_sf(DIGITS).map(|it| it.normalize())
}
