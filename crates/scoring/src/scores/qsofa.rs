//! Quick SOFA (Singer et al., Sepsis-3, JAMA 2016;315:801).

use rust_decimal::Decimal;

use crate::bands::rounded;

/// Points from which the screen is positive.
pub const POSITIVE: u32 = 2;
const RESPIRATION_RATE_FROM: u32 = 22;
const SYSTOLIC_BP_UP_TO: u32 = 100;
const GCS_FULL: u32 = 15;

/// The screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// 22 breaths a minute or more.
    pub respiration: bool,
    /// Systolic pressure of 100 mm\[Hg\] or less.
    pub pressure: bool,
    /// Altered mentation.
    pub mentation: bool,
    /// How many of the three.
    pub total: u32,
    /// Whether two or more.
    pub positive: bool,
}

/// Whether a Glasgow Coma Scale sum means altered mentation; of ACVPU anything but A does.
#[must_use]
pub fn altered(gcs: Decimal) -> bool {
    gcs < Decimal::from(GCS_FULL)
}

/// Screens one set of values.
#[must_use]
pub fn score(respiration_rate: Decimal, systolic_bp: Decimal, altered_mentation: bool) -> Score {
    let respiration = rounded(respiration_rate, 0) >= Decimal::from(RESPIRATION_RATE_FROM);
    let pressure = rounded(systolic_bp, 0) <= Decimal::from(SYSTOLIC_BP_UP_TO);
    let total = [respiration, pressure, altered_mentation].into_iter().map(u32::from).sum();
    Score {
        respiration,
        pressure,
        mentation: altered_mentation,
        total,
        positive: total >= POSITIVE,
    }
}
