//! Sepsis screen on NEWS2, only where infection is suspected (NICE NG51, 2024).

/// NEWS2 from which, with suspected infection, somebody is told; a decision of this project.
pub const TRIGGER: u32 = 5;

/// What the screen says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    /// `very_low`, `low`, `moderate`, `high`; `<band>_consider_<next>` where a single parameter of 3
    /// asks a clinician to decide; `not_applicable` without suspected infection.
    pub band: String,
    /// Whether somebody is told.
    pub triggered: bool,
}

/// Screens one NEWS2 result.
#[must_use]
pub fn screen(news2: u32, any_single_3: bool, suspected_infection: bool) -> Screen {
    if !suspected_infection {
        return Screen { band: "not_applicable".to_owned(), triggered: false };
    }
    let (band, next) = match news2 {
        0 => ("very_low", Some("low")),
        1..=4 => ("low", Some("moderate")),
        5..=6 => ("moderate", Some("high")),
        _ => ("high", None),
    };
    let band = match next.filter(|_| any_single_3) {
        Some(next) => format!("{band}_consider_{next}"),
        None => band.to_owned(),
    };
    Screen { band, triggered: news2 >= TRIGGER }
}
