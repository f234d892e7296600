//! Published score tables as data: closed bands over rounded values.

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

/// One row of a published table. Both ends belong to the band; `None` is an open end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    /// Lowest value, in steps of the table's resolution.
    pub low: Option<i32>,
    /// Highest value, in steps of the table's resolution.
    pub high: Option<i32>,
    /// What a value in here scores.
    pub points: u32,
}

/// A parameter's bands and how many decimals values are rounded to before they are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// 0 for whole numbers; 1 when `low` and `high` are tenths.
    pub decimals: u32,
    /// Ascending, without gap or overlap.
    pub bands: &'static [Band],
}

/// Everything up to and including `high`.
#[must_use]
pub const fn up_to(high: i32, points: u32) -> Band {
    Band { low: None, high: Some(high), points }
}

/// `low` to `high`, both included.
#[must_use]
pub const fn between(low: i32, high: i32, points: u32) -> Band {
    Band { low: Some(low), high: Some(high), points }
}

/// Everything from `low`.
#[must_use]
pub const fn from(low: i32, points: u32) -> Band {
    Band { low: Some(low), high: None, points }
}

/// Rounds half away from zero, the rounding of every score here.
#[must_use]
pub fn rounded(value: Decimal, decimals: u32) -> Decimal {
    value.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero)
}

impl Table {
    /// The points of a value: rounded first, then banded. A value beyond a device's measuring range
    /// (`<70`, `>400`) is given as that limit.
    #[must_use]
    pub fn points(&self, value: Decimal) -> u32 {
        let steps = self.steps(value);
        self.bands.iter().find(|it| it.holds(steps)).map_or(0, |it| it.points)
    }

    fn steps(&self, value: Decimal) -> i64 {
        let beyond = if value.is_sign_negative() { i64::MIN } else { i64::MAX };
        rounded(value, self.decimals)
            .checked_mul(Decimal::from(10_i64.pow(self.decimals)))
            .and_then(|it| it.to_i64())
            .unwrap_or(beyond)
    }

    /// Whether the bands cover every value once; every table of this crate is tested for it.
    #[must_use]
    pub fn is_total(&self) -> bool {
        let ends = (self.bands.first().map(|it| it.low), self.bands.last().map(|it| it.high));
        let meets = |pair: &[Band]| match pair {
            [one, next] => one.high.zip(next.low).is_some_and(|(high, low)| high + 1 == low),
            _ => false,
        };
        ends == (Some(None), Some(None)) && self.bands.windows(2).all(meets)
    }
}

impl Band {
    fn holds(&self, steps: i64) -> bool {
        self.low.is_none_or(|it| i64::from(it) <= steps)
            && self.high.is_none_or(|it| steps <= i64::from(it))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENTHS: Table =
        Table { decimals: 1, bands: &[up_to(-1, 1), between(0, 380, 0), from(381, 2)] };
    const GAP: Table = Table { decimals: 0, bands: &[up_to(8, 3), from(10, 0)] };
    const CLOSED: Table = Table { decimals: 0, bands: &[up_to(8, 3), between(9, 10, 0)] };

    #[test]
    fn values_round_half_away_from_zero_before_they_are_banded() {
        for (value, want) in [("38.04", 0), ("38.05", 2), ("-0.05", 1), ("-0.04", 0)] {
            assert_eq!(TENTHS.points(value.parse().unwrap()), want, "{value}");
        }
        assert_eq!(TENTHS.points(Decimal::MAX), 2);
        assert_eq!(TENTHS.points(Decimal::MIN), 1);
    }

    #[test]
    fn a_table_with_a_gap_is_not_total() {
        assert!(TENTHS.is_total());
        assert!(!GAP.is_total() && !CLOSED.is_total());
    }
}
