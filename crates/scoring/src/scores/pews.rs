//! Bedside Paediatric Early Warning System score (Parshuram et al., Crit Care 2009;13:R135).
//!
//! Age bands are read as completed months; `>150` and `<50` in two cells of the print are read as
//! `≥150` and `≤50`, as in every other cell.

use rust_decimal::Decimal;

use crate::bands::{Band, Table, between, from, rounded, up_to};
use crate::stats::decimal;

/// Sum from which a review is asked for.
pub const TRIGGER: u32 = 8;
const REFILL_SLOW_FROM_S: Decimal = decimal(3, 0);

/// One row of the chart: heart rate, systolic pressure and respiration rate of one age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgeGroup {
    /// As printed.
    pub name: &'static str,
    /// Completed months, this one included.
    pub months_up_to: u32,
    /// Beats a minute.
    pub heart_rate: Table,
    /// mm\[Hg\].
    pub systolic_bp: Table,
    /// Breaths a minute.
    pub respiration_rate: Table,
}

const fn whole(bands: &'static [Band]) -> Table {
    Table { decimals: 0, bands }
}

/// The bands of one cell, from its limits: 4 up to and from the outer pair, then 2, then 1, else 0.
macro_rules! cell {
    (4: $f_le:literal $f_ge:literal, 2: $t_le:literal $t_ge:literal, 1: $o_le:literal $o_ge:literal) => {
        whole(&[
            up_to($f_le, 4),
            between($f_le + 1, $t_le, 2),
            between($t_le + 1, $o_le, 1),
            between($o_le + 1, $o_ge - 1, 0),
            between($o_ge, $t_ge - 1, 1),
            between($t_ge, $f_ge - 1, 2),
            from($f_ge, 4),
        ])
    };
}

/// The chart.
pub const AGE_GROUPS: [AgeGroup; 5] = [
    AgeGroup {
        name: "0-<3mo",
        months_up_to: 2,
        heart_rate: cell!(4: 80 190, 2: 90 180, 1: 110 150),
        systolic_bp: cell!(4: 45 130, 2: 50 100, 1: 60 80),
        respiration_rate: cell!(4: 15 91, 2: 19 81, 1: 29 61),
    },
    AgeGroup {
        name: "3-<12mo",
        months_up_to: 11,
        heart_rate: cell!(4: 70 180, 2: 80 170, 1: 100 150),
        systolic_bp: cell!(4: 60 150, 2: 70 120, 1: 80 100),
        respiration_rate: cell!(4: 15 81, 2: 19 71, 1: 24 51),
    },
    AgeGroup {
        name: "1-4y",
        months_up_to: 59,
        heart_rate: cell!(4: 60 170, 2: 70 150, 1: 90 120),
        systolic_bp: cell!(4: 65 160, 2: 75 125, 1: 90 110),
        respiration_rate: cell!(4: 12 71, 2: 15 61, 1: 19 41),
    },
    AgeGroup {
        name: "5-12y",
        months_up_to: 144,
        heart_rate: cell!(4: 50 150, 2: 60 130, 1: 70 110),
        systolic_bp: cell!(4: 70 170, 2: 80 140, 1: 90 120),
        respiration_rate: cell!(4: 10 51, 2: 14 41, 1: 19 31),
    },
    AgeGroup {
        name: ">12y",
        months_up_to: u32::MAX,
        heart_rate: cell!(4: 40 140, 2: 50 120, 1: 60 100),
        systolic_bp: cell!(4: 75 190, 2: 85 150, 1: 100 130),
        respiration_rate: cell!(4: 9 30, 2: 10 23, 1: 11 17),
    },
];

/// Percent.
pub const SPO2: Table = whole(&[up_to(90, 2), between(91, 94, 1), from(95, 0)]);

/// Work of breathing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Normal.
    Normal,
    /// Mildly increased.
    Mild,
    /// Moderately increased.
    Moderate,
    /// Severely increased, or any apnoea.
    Severe,
}

/// Oxygen therapy. When flow and concentration disagree the higher band counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oxygen {
    /// None.
    Air,
    /// Less than 4 L/min or 50 %.
    Low,
    /// 4 L/min or 50 % and more.
    High,
}

/// What the score looks at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Values {
    /// Age in months; completed ones count.
    pub age_months: Decimal,
    /// Beats a minute.
    pub heart_rate: Decimal,
    /// mm\[Hg\].
    pub systolic_bp: Decimal,
    /// Seconds, not rounded.
    pub capillary_refill_s: Decimal,
    /// Breaths a minute.
    pub respiration_rate: Decimal,
    /// Work of breathing.
    pub effort: Effort,
    /// Percent.
    pub spo2: Decimal,
    /// Oxygen therapy.
    pub oxygen: Oxygen,
}

/// The score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// The row of the chart that was used.
    pub age_group: &'static str,
    /// Heart rate, systolic pressure, refill, respiration rate, effort, saturation, oxygen.
    pub points: [u32; 7],
    /// 0 to 26.
    pub total: u32,
    /// Whether the sum reaches [`TRIGGER`].
    pub triggered: bool,
}

/// Scores one set of values; `None` for a negative age.
#[must_use]
pub fn score(values: &Values) -> Option<Score> {
    if values.age_months.is_sign_negative() && !values.age_months.is_zero() {
        return None;
    }
    let months = values.age_months.floor();
    let group = AGE_GROUPS.iter().find(|it| months <= Decimal::from(it.months_up_to))?;
    let points = [
        group.heart_rate.points(values.heart_rate),
        group.systolic_bp.points(values.systolic_bp),
        if values.capillary_refill_s >= REFILL_SLOW_FROM_S { 4 } else { 0 },
        group.respiration_rate.points(values.respiration_rate),
        match values.effort {
            Effort::Normal => 0,
            Effort::Mild => 1,
            Effort::Moderate => 2,
            Effort::Severe => 4,
        },
        SPO2.points(rounded(values.spo2, 0)),
        match values.oxygen {
            Oxygen::Air => 0,
            Oxygen::Low => 2,
            Oxygen::High => 4,
        },
    ];
    let total = points.iter().sum();
    Some(Score { age_group: group.name, points, total, triggered: total >= TRIGGER })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_of_the_chart_covers_every_value_once() {
        for group in AGE_GROUPS {
            for table in [group.heart_rate, group.systolic_bp, group.respiration_rate] {
                assert!(table.is_total(), "{}: {table:?}", group.name);
            }
        }
        assert!(SPO2.is_total());
    }
}
