//! LACE index of readmission (van Walraven et al., CMAJ 2010;182:551).

use rust_decimal::Decimal;

use crate::bands::{Table, between, from, up_to};

/// Completed days in hospital.
pub const LENGTH_OF_STAY: Table = Table {
    decimals: 0,
    bands: &[
        up_to(0, 0),
        between(1, 1, 1),
        between(2, 2, 2),
        between(3, 3, 3),
        between(4, 6, 4),
        between(7, 13, 5),
        from(14, 7),
    ],
};
/// Charlson comorbidity index.
pub const COMORBIDITY: Table = Table {
    decimals: 0,
    bands: &[up_to(0, 0), between(1, 1, 1), between(2, 2, 2), between(3, 3, 3), from(4, 5)],
};
/// Visits to the emergency department in six months, without the one that led here.
pub const EMERGENCY_VISITS: Table = Table {
    decimals: 0,
    bands: &[up_to(0, 0), between(1, 1, 1), between(2, 2, 2), between(3, 3, 3), from(4, 4)],
};
const ACUTE: u32 = 3;
const HIGH: u32 = 10;
const MODERATE: u32 = 5;

/// The index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// Length of stay, acuity, comorbidity, emergency visits.
    pub points: [u32; 4],
    /// 0 to 19.
    pub total: u32,
    /// `low`, `moderate` or `high`.
    pub risk: &'static str,
}

/// Scores one stay.
#[must_use]
pub fn score(days: Decimal, acute: bool, charlson: Decimal, emergency_visits: Decimal) -> Score {
    let points = [
        LENGTH_OF_STAY.points(days.floor()),
        if acute { ACUTE } else { 0 },
        COMORBIDITY.points(charlson),
        EMERGENCY_VISITS.points(emergency_visits),
    ];
    let total = points.iter().sum();
    let risk = match total {
        HIGH.. => "high",
        MODERATE.. => "moderate",
        _ => "low",
    };
    Score { points, total, risk }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_covers_every_value_once() {
        for table in [LENGTH_OF_STAY, COMORBIDITY, EMERGENCY_VISITS] {
            assert!(table.is_total(), "{table:?}");
        }
    }
}
