//! Modified Early Warning Score (Subbe et al., QJM 2001;94:521).
//!
//! The print leaves heart rate 40, respiration rate 29/30 and systolic pressure 70 open; the closed
//! bands here are ours.

use rust_decimal::Decimal;

use crate::bands::{Band, Table, between, from, up_to};
use crate::news2::Acvpu;

/// Sum from which MEWS asks for a review.
pub const TRIGGER: u32 = 5;

const fn whole(bands: &'static [Band]) -> Table {
    Table { decimals: 0, bands }
}

/// mm\[Hg\].
pub const SYSTOLIC_BP: Table = whole(&[
    up_to(70, 3),
    between(71, 80, 2),
    between(81, 100, 1),
    between(101, 199, 0),
    from(200, 2),
]);
/// Beats a minute.
pub const HEART_RATE: Table = whole(&[
    up_to(40, 2),
    between(41, 50, 1),
    between(51, 100, 0),
    between(101, 110, 1),
    between(111, 129, 2),
    from(130, 3),
]);
/// Breaths a minute.
pub const RESPIRATION_RATE: Table =
    whole(&[up_to(8, 2), between(9, 14, 0), between(15, 20, 1), between(21, 29, 2), from(30, 3)]);
/// Tenths of a degree Celsius.
pub const TEMPERATURE: Table =
    Table { decimals: 1, bands: &[up_to(349, 2), between(350, 384, 0), from(385, 2)] };

/// What MEWS looks at; `None` where there is no fresh value.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Vitals {
    /// mm\[Hg\].
    pub systolic_bp: Option<Decimal>,
    /// Beats a minute.
    pub heart_rate: Option<Decimal>,
    /// Breaths a minute.
    pub respiration_rate: Option<Decimal>,
    /// Degrees Celsius.
    pub temperature: Option<Decimal>,
    /// New confusion counts as V, which MEWS has no letter for.
    pub consciousness: Option<Acvpu>,
}

/// The score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// Systolic pressure, heart rate, respiration rate, temperature, consciousness.
    pub points: [Option<u32>; 5],
    /// Their sum: a lower bound when a part is missing.
    pub total: u32,
    /// Whether the sum reaches [`TRIGGER`].
    pub triggered: bool,
}

/// Scores one set of vitals.
#[must_use]
pub fn score(vitals: &Vitals) -> Score {
    let points = [
        vitals.systolic_bp.map(|it| SYSTOLIC_BP.points(it)),
        vitals.heart_rate.map(|it| HEART_RATE.points(it)),
        vitals.respiration_rate.map(|it| RESPIRATION_RATE.points(it)),
        vitals.temperature.map(|it| TEMPERATURE.points(it)),
        vitals.consciousness.map(|it| match it {
            Acvpu::A => 0,
            Acvpu::C | Acvpu::V => 1,
            Acvpu::P => 2,
            Acvpu::U => 3,
        }),
    ];
    let total = points.iter().flatten().sum();
    Score { points, total, triggered: total >= TRIGGER }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_covers_every_value_once() {
        for table in [SYSTOLIC_BP, HEART_RATE, RESPIRATION_RATE, TEMPERATURE] {
            assert!(table.is_total(), "{table:?}");
        }
    }
}
