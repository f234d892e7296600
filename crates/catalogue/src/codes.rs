//! The code table: every measurement the catalogue knows, with the names it goes by.

use rust_decimal::Decimal;

use crate::tables;

/// One measurement of the code table.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Canonical name: `heart_rate`.
    pub name: &'static str,
    /// The kind of device it usually comes from: `vitals`, `scale`, `cgm` …
    pub device_class: &'static str,
    /// LOINC code and display.
    pub loinc: Option<(&'static str, &'static str)>,
    /// ISO/IEEE 11073-10101 code (32 bits: partition and term) and reference id; the latter is
    /// empty where only the number is known.
    pub mdc: Option<(u32, &'static str)>,
    /// UCUM unit of its values; empty for coded values and containers.
    pub ucum: &'static str,
    /// UCUM units it may arrive in. One that no rule converts is kept as it is.
    pub accepted: &'static [&'static str],
    /// Lowest and highest value a living patient can have, both inclusive, in `ucum`.
    pub plausible: Option<(Decimal, Decimal)>,
    /// A faster change than this within five minutes is questionable.
    pub change_per_min_max: Option<Decimal>,
    /// FHIR profile of an Observation of its own.
    pub profile: Option<&'static str>,
    /// Canonical name of the Observation it is a component of: `blood_pressure` for a systolic.
    pub panel: Option<&'static str>,
    /// FHIR observation category; empty for what speaks of the device itself.
    pub category: &'static str,
    /// Other names, folded: lower case without `_`, `-` and space.
    pub synonyms: &'static [&'static str],
}

/// An MDC device specialisation, for `Device.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceType {
    /// Our name: `pulse_oximeter`.
    pub name: &'static str,
    /// ISO/IEEE 11073-10101 code.
    pub mdc: u32,
    /// Its reference id.
    pub refid: &'static str,
}

impl Code {
    /// Whether its values are codes or texts rather than numbers.
    #[must_use]
    pub fn is_coded(&self) -> bool {
        self.ucum.is_empty()
    }

    /// The LOINC code that the FHIR vital-signs profile of this code demands as first coding.
    ///
    /// Differs from `loinc` where that one is more specific (oral temperature, pulse oximetry).
    /// Source: FHIR R4, vital-signs profiles.
    #[must_use]
    pub fn profile_loinc(&self) -> Option<(&'static str, &'static str)> {
        match self.profile?.rsplit('/').next()? {
            "heartrate" => Some(("8867-4", "Heart rate")),
            "resprate" => Some(("9279-1", "Respiratory rate")),
            "oxygensat" => Some(("2708-6", "Oxygen saturation in Arterial blood")),
            "bodytemp" => Some(("8310-5", "Body temperature")),
            "bodyheight" => Some(("8302-2", "Body height")),
            "bodyweight" => Some(("29463-7", "Body weight")),
            "bmi" => Some(("39156-5", "Body mass index (BMI) [Ratio]")),
            "bp" => Some(("85354-9", "Blood pressure panel with all children optional")),
            _ => None,
        }
    }
}

/// The whole table.
#[must_use]
pub fn codes() -> &'static [Code] {
    tables::codes()
}

/// The MDC device specialisations.
#[must_use]
pub fn device_types() -> &'static [DeviceType] {
    tables::device_types()
}

/// The code of that canonical name.
#[must_use]
pub fn code(name: &str) -> Option<&'static Code> {
    by_name(name).filter(|it| it.name == name)
}

/// Synonyms that mean something else in most messages. They count only where the device class is
/// known to be theirs.
const NEED_CLASS: [&str; 5] = ["rate", "position", "t", "ii", "location"];

/// The code that goes by this name, compared without case, `_`, `-` and space. A few short names
/// (`rate`, `t`) are resolved only inside the device class they belong to.
#[must_use]
pub fn synonym(text: &str, device_class: Option<&str>) -> Option<&'static Code> {
    let mut room = [0; NAME_BYTES_MAX];
    let folded = fold(text, &mut room)?;
    let code = tables::by_name(folded)?;
    let known = !NEED_CLASS.contains(&folded) || device_class == Some(code.device_class);
    known.then_some(code)
}

/// The code with this LOINC code; the first of several (`8867-4` is `heart_rate`).
#[must_use]
pub fn by_loinc(loinc: &str) -> Option<&'static Code> {
    tables::by_loinc(loinc)
}

/// The code with this MDC number, aliases included.
#[must_use]
pub fn by_mdc(number: u32) -> Option<&'static Code> {
    tables::by_mdc(number)
}

/// The code with this MDC reference id, aliases included.
#[must_use]
pub fn by_refid(refid: &str) -> Option<&'static Code> {
    tables::by_refid(refid)
}

/// A name as a person or standard may write it: canonical, synonym, LOINC, MDC number or id.
#[must_use]
pub fn by_any_name(text: &str, device_class: Option<&str>) -> Option<&'static Code> {
    synonym(text, device_class)
        .or_else(|| by_loinc(text))
        .or_else(|| by_refid(text))
        .or_else(|| by_mdc(text.parse().ok()?))
}

/// The code that goes by this name in any device class.
pub(crate) fn by_name(text: &str) -> Option<&'static Code> {
    let mut room = [0; NAME_BYTES_MAX];
    tables::by_name(fold(text, &mut room)?)
}

/// No name of the table is longer when folded (a test holds that), so a longer text is none.
pub(crate) const NAME_BYTES_MAX: usize = 56;

/// The text in lower case without `_`, `-` and space, in a buffer of the caller; `None` when it is
/// not ASCII or longer than any name.
pub(crate) fn fold<'a>(text: &str, room: &'a mut [u8; NAME_BYTES_MAX]) -> Option<&'a str> {
    let mut length = 0;
    for byte in text.bytes() {
        if matches!(byte, b'_' | b'-' | b' ') {
            continue;
        }
        *room.get_mut(length)? = byte.to_ascii_lowercase();
        length += 1;
    }
    std::str::from_utf8(room.get(..length)?).ok().filter(|it| it.is_ascii() && !it.is_empty())
}
