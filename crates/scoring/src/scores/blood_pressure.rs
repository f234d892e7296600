//! Blood pressure category (Whelton et al., ACC/AHA guideline, Hypertension 2018;71:e13).

use rust_decimal::Decimal;

use crate::bands::{Table, between, from, rounded, up_to};
use crate::stats::decimal;

/// Names of the categories; the places in it are what the tables below give.
pub const CATEGORIES: [&str; 5] = ["normal", "elevated", "stage1", "stage2", "crisis"];
/// mm\[Hg\].
pub const SYSTOLIC: Table = Table {
    decimals: 0,
    bands: &[
        up_to(119, 0),
        between(120, 129, 1),
        between(130, 139, 2),
        between(140, 180, 3),
        from(181, 4),
    ],
};
/// mm\[Hg\]; the diastolic pressure has no "elevated".
pub const DIASTOLIC: Table = Table {
    decimals: 0,
    bands: &[up_to(79, 0), between(80, 89, 2), between(90, 120, 3), from(121, 4)],
};
/// Below these the pressure is low; a decision of this project.
const LOW: (Decimal, Decimal) = (decimal(90, 0), decimal(60, 0));

/// The category of one reading: the higher of the two counts.
#[must_use]
pub fn category(systolic: Decimal, diastolic: Decimal) -> &'static str {
    let place = SYSTOLIC.points(systolic).max(DIASTOLIC.points(diastolic));
    usize::try_from(place).ok().and_then(|it| CATEGORIES.get(it)).copied().unwrap_or_default()
}

/// Systolic below 90 or diastolic below 60.
#[must_use]
pub fn is_low(systolic: Decimal, diastolic: Decimal) -> bool {
    rounded(systolic, 0) < LOW.0 || rounded(diastolic, 0) < LOW.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_covers_every_value_once() {
        assert!(SYSTOLIC.is_total() && DIASTOLIC.is_total());
    }
}
