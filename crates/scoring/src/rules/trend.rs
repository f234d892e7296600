//! Theil–Sen slope with its confidence interval (Theil 1950; Sen, JASA 1968;63:1379).

use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive as _, ToPrimitive as _};

use crate::stats::median;

/// A slope and the interval it lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slope {
    /// Median of the slopes of all pairs.
    pub slope: Decimal,
    /// Lower bound.
    pub low: Decimal,
    /// Upper bound.
    pub high: Decimal,
}

/// The slope through points `(x, y)` of different `x`; `None` of fewer than three. Without ties in
/// `y` the interval is Sen's; ties make it no narrower.
pub fn slope(points: &[(i64, Decimal)], confidence: u8) -> Option<Slope> {
    let n = points.len();
    let mut slopes = Vec::with_capacity(n * n / 2);
    for (place, (x, y)) in points.iter().enumerate() {
        for (other_x, other_y) in points.iter().skip(place + 1) {
            slopes.extend((other_y - y).checked_div(Decimal::from(other_x - x)));
        }
    }
    slopes.sort_unstable();
    if n < 3 || slopes.is_empty() {
        return None;
    }
    // Quantiles of the normal distribution, two-sided.
    let z = match confidence {
        90 => 1.644_854,
        99 => 2.575_829,
        _ => 1.959_964,
    };
    let n = f64::from_usize(n)?;
    let width = z * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    let pairs = f64::from_usize(slopes.len())?;
    // Ranks count from one; beyond the ends the interval is open, and the outermost stands for that.
    let low = ((pairs - width) / 2.0).floor().max(1.0).to_usize()? - 1;
    let high = (((pairs + width) / 2.0).ceil() + 1.0).min(pairs).to_usize()? - 1;
    Some(Slope { slope: median(&slopes)?, low: *slopes.get(low)?, high: *slopes.get(high)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::decimal;

    fn points(values: &[i64]) -> Vec<(i64, Decimal)> {
        values.iter().enumerate().map(|(x, y)| (x as i64, Decimal::from(*y))).collect()
    }

    #[test]
    fn one_wild_value_does_not_bend_the_slope() {
        let found = slope(&points(&[0, 2, 4, 6, 90, 10, 12, 14]), 95).unwrap();
        assert_eq!(found.slope, decimal(2, 0));
        assert!(found.low > Decimal::ZERO, "{found:?}");
    }

    #[test]
    fn no_trend_lies_on_both_sides_of_zero() {
        let found = slope(&points(&[5, 3, 6, 4, 5, 3, 6, 4, 5]), 95).unwrap();
        assert!(found.low < Decimal::ZERO && found.high > Decimal::ZERO, "{found:?}");
    }

    #[test]
    fn the_interval_agrees_with_ranks_worked_out_by_hand() {
        // n = 5: 10 pairs, width 1.959964 * sqrt(5*4*15/18) = 8.0018, ranks 1 and 10 (of 11.0 cut).
        let found = slope(&points(&[1, 3, 2, 5, 4]), 95).unwrap();
        let want = Slope {
            slope: decimal(875, 3),
            low: decimal(1, 0) * -Decimal::ONE,
            high: decimal(3, 0),
        };
        assert_eq!((found.low, found.high), (want.low, want.high));
    }
}
