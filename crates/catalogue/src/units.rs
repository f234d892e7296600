//! Units: what a unit text means, and the conversion of a value to the unit of its code.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::codes::Code;
use crate::tables;

/// A unit of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct Unit {
    /// UCUM code.
    pub ucum: &'static str,
    /// For people.
    pub display: &'static str,
    /// ISO/IEEE 11073-10101 unit code.
    pub mdc: Option<u32>,
}

/// How a rule computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversion {
    /// value × factor
    Multiply,
    /// value ÷ factor
    Divide,
    /// (value + offset) ÷ factor
    ShiftThenDivide,
    /// value × factor + offset
    MultiplyThenShift,
}

/// One conversion between two units.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name in the table: `CONV-G1`.
    pub id: &'static str,
    /// UCUM unit of the argument.
    pub from: &'static str,
    /// UCUM unit of the result.
    pub to: &'static str,
    /// How it computes.
    pub conversion: Conversion,
    /// See [`Conversion`].
    pub factor: Decimal,
    /// See [`Conversion`].
    pub offset: Decimal,
    /// Decimals of the value shown.
    pub digits: u32,
}

/// A value in the unit of its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Converted {
    /// As exact as 28 digits allow: what scores, limits and plausibility use.
    pub exact: Decimal,
    /// Rounded as the rule says, half away from zero; as sent when nothing was converted.
    pub shown: Decimal,
    /// UCUM.
    pub unit: &'static str,
    /// Whether a rule was applied.
    pub converted: bool,
}

/// Why a value has no meaning in the unit of its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnitFault {
    /// The table has no such unit.
    #[error("this unit is not known")]
    Unknown,
    /// The unit is known, but not one of this measurement.
    #[error("a value in {from} cannot become one in {to}")]
    NotForCode {
        /// UCUM unit that came.
        from: &'static str,
        /// UCUM unit of the code.
        to: &'static str,
    },
    /// A ratio that becomes a percentage must lie between 0 and 1.
    #[error("a ratio lies between 0 and 1")]
    NotARatio,
    /// The result needs more digits than a decimal has.
    #[error("the converted value is out of range")]
    OutOfRange,
}

/// Every unit the table knows.
#[must_use]
pub fn units() -> &'static [Unit] {
    tables::units()
}

/// Every conversion rule.
#[must_use]
pub fn conversions() -> &'static [Rule] {
    tables::conversions()
}

/// The unit a text means: UCUM, the spellings devices use, MDC unit codes and ids. Case is
/// significant in texts of one and two letters (`m`, `M`) and in `Cal`.
#[must_use]
pub fn unit(text: &str) -> Option<&'static Unit> {
    let text = text.trim();
    let in_any_case = || (text.len() > 2 && !text.eq_ignore_ascii_case("cal")).then_some(text);
    tables::unit(text).or_else(|| tables::unit_in_any_case(in_any_case()?))
}

/// The value of that code in the code's own unit. An empty unit text means the code's unit.
///
/// # Errors
/// [`UnitFault`] when the text is no unit, or one that cannot become the code's.
pub fn convert(code: &Code, value: Decimal, unit_text: &str) -> Result<Converted, UnitFault> {
    let as_sent = |unit| Converted { exact: value, shown: value, unit, converted: false };
    if unit_text.is_empty() || unit_text == code.ucum {
        return Ok(as_sent(code.ucum));
    }
    let own = |text: &str| code.accepted.iter().copied().find(|it| *it == text);
    let known = unit(unit_text).map(|it| it.ucum);
    let from = known.or_else(|| own(unit_text)).ok_or(UnitFault::Unknown)?;
    if from == code.ucum || counts(from) && annotation(code.ucum) {
        return Ok(as_sent(code.ucum));
    }
    let Some(rule) = rule(from, code.ucum) else {
        // A unit the table accepts without a rule (a tablet, a millilitre of a drug) stays.
        return own(from).map(as_sent).ok_or(UnitFault::NotForCode { from, to: code.ucum });
    };
    if rule.from == "1" && !(Decimal::ZERO..=Decimal::ONE).contains(&value) {
        return Err(UnitFault::NotARatio);
    }
    let exact = rule.apply(value).ok_or(UnitFault::OutOfRange)?;
    Ok(Converted { exact, shown: rounded(exact, rule.digits), unit: code.ucum, converted: true })
}

/// Whether a living patient can have this value, given in the code's unit. Always true for codes
/// without a range.
#[must_use]
pub fn plausible(code: &Code, value: Decimal) -> bool {
    code.plausible.is_none_or(|(low, high)| low <= value && value <= high)
}

/// The number rounded half away from zero.
#[must_use]
pub fn rounded(value: Decimal, digits: u32) -> Decimal {
    value.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)
}

/// The rule between two UCUM units.
#[must_use]
pub fn rule(from: &str, to: &str) -> Option<&'static Rule> {
    tables::conversions().iter().find(|it| it.from == from && it.to == to)
}

impl Rule {
    /// The converted value, unrounded; `None` beyond the range of a decimal.
    #[must_use]
    pub fn apply(&self, value: Decimal) -> Option<Decimal> {
        match self.conversion {
            Conversion::Multiply => value.checked_mul(self.factor),
            Conversion::Divide => value.checked_div(self.factor),
            Conversion::ShiftThenDivide => value.checked_add(self.offset)?.checked_div(self.factor),
            Conversion::MultiplyThenShift => {
                value.checked_mul(self.factor)?.checked_add(self.offset)
            }
        }
        .map(|it| it.normalize())
    }
}

/// A unit that is only a word for what is counted: `{steps}`.
fn annotation(ucum: &str) -> bool {
    ucum.starts_with('{') && ucum.ends_with('}')
}

/// A unit that counts without saying what.
fn counts(ucum: &str) -> bool {
    ucum == "1" || annotation(ucum)
}
