//! The static tables made from `data/` at build time, and their lookups.

use rust_decimal::Decimal;

use crate::codes::{Code, DeviceType};
use crate::units::{Conversion, Rule, Unit};

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

/// A decimal constant: `decimal(22, 1)` is 2.2.
const fn decimal(mantissa: i64, scale: u32) -> Decimal {
    let size = mantissa.unsigned_abs();
    Decimal::from_parts(size as u32, (size >> 32) as u32, 0, mantissa < 0, scale)
}

fn find<T>(table: &'static [T], index: &[(&str, u16)], text: &str) -> Option<&'static T> {
    let place = index.binary_search_by(|(it, _)| (*it).cmp(text)).ok()?;
    index.get(place).and_then(|(_, row)| table.get(usize::from(*row)))
}

pub(crate) fn codes() -> &'static [Code] {
    CODES
}

pub(crate) fn by_name(folded: &str) -> Option<&'static Code> {
    find(CODES, NAMES, folded)
}

pub(crate) fn by_loinc(loinc: &str) -> Option<&'static Code> {
    find(CODES, LOINC, loinc)
}

pub(crate) fn by_mdc(number: u32) -> Option<&'static Code> {
    let place = MDC.binary_search_by_key(&number, |(it, _)| *it).ok()?;
    MDC.get(place).and_then(|(_, row)| CODES.get(usize::from(*row)))
}

pub(crate) fn by_refid(refid: &str) -> Option<&'static Code> {
    find(CODES, REFIDS, refid)
}

pub(crate) fn unit(text: &str) -> Option<&'static Unit> {
    find(UNITS, UNIT_TEXTS, text)
}

/// The unit of a text in another case, where only one unit has it.
pub(crate) fn unit_in_any_case(text: &str) -> Option<&'static Unit> {
    let mut found = UNIT_TEXTS.iter().filter(|(it, _)| it.eq_ignore_ascii_case(text));
    let (_, row) = found.next()?;
    found.all(|(_, other)| other == row).then(|| UNITS.get(usize::from(*row)))?
}

pub(crate) fn units() -> &'static [Unit] {
    UNITS
}

pub(crate) fn conversions() -> &'static [Rule] {
    CONVERSIONS
}

pub(crate) fn device_types() -> &'static [DeviceType] {
    DEVICE_TYPES
}
