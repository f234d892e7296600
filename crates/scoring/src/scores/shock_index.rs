//! Shock index (Allgöwer and Burri, DMW 1967; Rady et al., Ann Emerg Med 1994;24:685). The bands are
//! a decision of this project.

use rust_decimal::Decimal;

use crate::bands::rounded;
use crate::stats::decimal;

/// Lowest index of each band but the first, highest band first.
const BANDS: [(Decimal, &str); 4] = [
    (decimal(100, 2), "critical"),
    (decimal(90, 2), "high"),
    (decimal(71, 2), "elevated"),
    (decimal(50, 2), "normal"),
];

/// Index to two decimals and its band; `None` when the pressure is zero.
#[must_use]
pub fn score(heart_rate: Decimal, systolic_bp: Decimal) -> Option<(Decimal, &'static str)> {
    let index = rounded(heart_rate, 0).checked_div(rounded(systolic_bp, 0))?;
    let index = rounded(index, 2);
    let band = BANDS.iter().find(|(from, _)| index >= *from).map_or("low", |(_, name)| name);
    Some((index, band))
}
