//! Codings of a reading, and the tokens a search finds them by.

use std::fmt::Write as _;

/// LOINC.
pub const LOINC: &str = "http://loinc.org";
/// IEEE 11073-10101 nomenclature.
pub const MDC: &str = "urn:iso:std:iso:11073:10101";
/// UCUM.
pub const UCUM: &str = "http://unitsofmeasure.org";
/// Names of the code table that have neither a LOINC nor an MDC code.
pub const OWN_CODES: &str = "urn:auscult:codes";
/// Levels of consciousness `A C V P U`.
pub const ACVPU: &str = "urn:auscult:acvpu";
/// FHIR's categories of Observation.
pub const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
/// FHIR's reasons why a value is missing.
pub const DATA_ABSENT: &str = "http://terminology.hl7.org/CodeSystem/data-absent-reason";

/// A code in a code system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coding<'a> {
    /// URI of the code system.
    pub system: &'a str,
    /// The code itself.
    pub code: &'a str,
    /// For people.
    pub display: Option<&'a str>,
}

/// A core vital-signs profile of FHIR R4 and what it fixes.
/// Source: <http://hl7.org/fhir/R4/observation-vitalsigns.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VitalSign {
    /// Last part of the canonical URL.
    pub name: &'static str,
    /// The LOINC code that an instance must carry.
    pub loinc: &'static str,
    /// Its display.
    pub display: &'static str,
    /// UCUM codes an instance may carry; empty for panels.
    pub ucum: &'static [&'static str],
}

/// The core vital-signs profiles.
#[rustfmt::skip]
pub(crate) const VITAL_SIGNS: [VitalSign; 9] = [
    VitalSign { name: "heartrate", loinc: "8867-4", display: "Heart rate", ucum: &["/min"] },
    VitalSign { name: "resprate", loinc: "9279-1", display: "Respiratory rate", ucum: &["/min"] },
    VitalSign { name: "oxygensat", loinc: "2708-6", display: "Oxygen saturation in Arterial blood", ucum: &["%"] },
    VitalSign { name: "bodytemp", loinc: "8310-5", display: "Body temperature", ucum: &["Cel", "[degF]"] },
    VitalSign { name: "bodyheight", loinc: "8302-2", display: "Body height", ucum: &["cm", "[in_i]"] },
    VitalSign { name: "headcircum", loinc: "9843-4", display: "Head Occipital-frontal circumference", ucum: &["cm", "[in_i]"] },
    VitalSign { name: "bodyweight", loinc: "29463-7", display: "Body weight", ucum: &["g", "kg", "[lb_av]"] },
    VitalSign { name: "bmi", loinc: "39156-5", display: "Body mass index (BMI) [Ratio]", ucum: &["kg/m2"] },
    VitalSign { name: "bp", loinc: BP_PANEL, display: "Blood pressure panel with all children optional", ucum: &[] },
];

/// Blood pressure panel.
pub(crate) const BP_PANEL: &str = "85354-9";
/// The components that the blood pressure profile demands.
pub(crate) const BP_COMPONENTS: [Coding<'static>; 2] = [
    Coding { system: LOINC, code: "8480-6", display: Some("Systolic blood pressure") },
    Coding { system: LOINC, code: "8462-4", display: Some("Diastolic blood pressure") },
];
/// Oxygen saturation by pulse oximetry, which US Core wants beside 2708-6.
pub(crate) const PULSE_OXIMETRY: &str = "59408-5";

/// Where FHIR's own profiles live.
pub(crate) const PROFILES: &str = "http://hl7.org/fhir/StructureDefinition/";

impl VitalSign {
    /// The profile that fixes this LOINC code.
    pub(crate) fn of_loinc(code: &str) -> Option<&'static Self> {
        VITAL_SIGNS.iter().find(|it| it.loinc == code)
    }

    /// The profile of this canonical URL.
    pub(crate) fn of_profile(url: &str) -> Option<&'static Self> {
        let name = url.strip_prefix(PROFILES)?;
        VITAL_SIGNS.iter().find(|it| it.name == name)
    }
}

/// The codings of one kind of reading, in the order FHIR wants them.
///
/// `loinc` is (code, display), `mdc` (code, reference id), `profile` the canonical URL of a core
/// vital-signs profile. The LOINC code that the profile fixes goes first, even when `loinc` is a more
/// specific one; then LOINC, then MDC. With neither, the canonical name in [`OWN_CODES`].
#[must_use]
pub fn codings<'a>(
    name: &'a str,
    loinc: Option<(&'a str, &'a str)>,
    mdc: Option<(&'a str, &'a str)>,
    profile: Option<&str>,
) -> Vec<Coding<'a>> {
    let mut codings = Vec::with_capacity(3);
    if let Some(fixed) = profile.and_then(VitalSign::of_profile)
        && loinc.is_none_or(|(code, _)| code != fixed.loinc)
    {
        codings.push(Coding { system: LOINC, code: fixed.loinc, display: Some(fixed.display) });
    }
    if let Some((code, display)) = loinc {
        codings.push(Coding { system: LOINC, code, display: Some(display) });
    }
    if let Some((code, reference_id)) = mdc {
        codings.push(Coding { system: MDC, code, display: Some(reference_id) });
    }
    if codings.is_empty() {
        codings.push(Coding { system: OWN_CODES, code: name, display: None });
    }
    codings
}

/// What stands between system and code in a token, which tells what the token is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// `Observation.code`: `system|code`.
    Code,
    /// `Observation.component.code`: `system~code`.
    Component,
    /// `Observation.category`: `system^code`.
    Category,
}

impl TokenKind {
    /// The character between system and code.
    #[must_use]
    pub const fn separator(self) -> char {
        match self {
            Self::Code => '|',
            Self::Component => '~',
            Self::Category => '^',
        }
    }
}

/// Appends `system|code` and a blank. Characters that mean something to tokens are percent-encoded.
pub(crate) fn push_token(tokens: &mut String, kind: TokenKind, system: &str, code: &str) {
    if tokens.is_empty() {
        tokens.push(' ');
    }
    push_part(tokens, system);
    tokens.push(kind.separator());
    push_part(tokens, code);
    tokens.push(' ');
}

/// Appends one half of a token.
pub(crate) fn push_part(tokens: &mut String, part: &str) {
    for letter in part.chars() {
        if matches!(letter, '|' | '~' | '^' | '%') || letter.is_whitespace() {
            // Writing to a String cannot fail.
            let _ = write!(tokens, "%{:02X}", u32::from(letter));
        } else {
            tokens.push(letter);
        }
    }
}
