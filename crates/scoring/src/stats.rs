//! Exact statistics over decimals: a limit is never crossed by a rounding error of a binary float.

use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};

/// A decimal constant: `decimal(136, 2)` is 1.36.
#[must_use]
pub const fn decimal(digits: u32, decimals: u32) -> Decimal {
    Decimal::from_parts(digits, 0, 0, false, decimals)
}

fn count(n: usize) -> Decimal {
    Decimal::from_usize(n).unwrap_or(Decimal::MAX)
}

/// Arithmetic mean, `None` of nothing.
#[must_use]
pub fn mean(values: &[Decimal]) -> Option<Decimal> {
    values.iter().sum::<Decimal>().checked_div(count(values.len()))
}

/// Sample variance (n − 1), `None` of fewer than two values.
#[must_use]
pub fn variance(values: &[Decimal]) -> Option<Decimal> {
    let mean = mean(values)?;
    let squares: Decimal = values.iter().map(|it| (it - mean) * (it - mean)).sum();
    squares.checked_div(count(values.len().checked_sub(1)?))
}

/// Sample standard deviation (n − 1).
#[must_use]
pub fn standard_deviation(values: &[Decimal]) -> Option<Decimal> {
    square_root(variance(values)?)
}

/// Median: the mean of the middle two of an even number.
#[must_use]
pub fn median(values: &[Decimal]) -> Option<Decimal> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let upper = sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(*upper);
    }
    sorted.get(sorted.len() / 2 - 1).map(|lower| (lower + upper) / Decimal::TWO)
}

/// Square root to the last digits a decimal holds, `None` of a negative number.
#[must_use]
pub fn square_root(value: Decimal) -> Option<Decimal> {
    if value.is_zero() {
        return Some(value);
    }
    if value.is_sign_negative() {
        return None;
    }
    // A float is right to 15 digits; each Newton step doubles that.
    let mut root = Decimal::from_f64(value.to_f64()?.sqrt()).filter(|it| !it.is_zero())?;
    for _ in 0..2 {
        root = (root + value.checked_div(root)?) / Decimal::TWO;
    }
    Some(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<Decimal> {
        text.split(' ').map(|it| it.parse().unwrap()).collect()
    }

    #[test]
    fn roots_are_exact_where_they_can_be() {
        for (value, root) in [("0", "0"), ("0.25", "0.5"), ("144", "12"), ("1522756", "1234")] {
            let found = square_root(value.parse().unwrap()).unwrap();
            assert_eq!(found.round_dp(20), root.parse().unwrap());
        }
        let two = square_root(Decimal::TWO).unwrap();
        assert_eq!(two.round_dp(24).to_string(), "1.414213562373095048801689");
        assert_eq!(square_root(Decimal::NEGATIVE_ONE), None);
    }

    #[test]
    fn the_middle_and_the_spread_of_small_sets() {
        assert_eq!(median(&numbers("3 1 2")), Some(Decimal::TWO));
        assert_eq!(median(&numbers("4 1 2 3")), Some("2.5".parse().unwrap()));
        assert_eq!(median(&[]), None);
        assert_eq!(
            variance(&numbers("2 4 4 4 5 5 7 9")).unwrap().round_dp(4).to_string(),
            "4.5714"
        );
        assert_eq!(variance(&numbers("2")), None);
        assert_eq!(mean(&[]), None);
    }
}
