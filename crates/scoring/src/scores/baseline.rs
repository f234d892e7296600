//! Personal baselines: robust z-score against a patient's own days, and EWMA control charts.

use rust_decimal::Decimal;

use crate::stats::{decimal, mean, median};

/// Fewer values than this are no baseline.
pub const HISTORY_MIN: usize = 7;
/// Makes the median absolute deviation of normal values their standard deviation.
const MAD_FACTOR: Decimal = decimal(14_826, 4);
/// The same for the mean absolute deviation about the median, where the MAD is zero.
const MEAN_FACTOR: Decimal = decimal(12_533, 4);
const WATCH: Decimal = decimal(25, 1);
const ALERT: Decimal = decimal(35, 1);

/// A value against its baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RobustZ {
    /// Of the history.
    pub median: Decimal,
    /// What one is.
    pub scale: Decimal,
    /// Distance from the median in scales.
    pub z: Decimal,
    /// `ok`, `watch` or `alert`.
    pub state: &'static str,
}

/// Robust z-score of a value against a history that does not hold it; `None` while there are fewer
/// than [`HISTORY_MIN`] values or the scale is zero. `floor` is the least scale that means anything
/// for this vital.
#[must_use]
pub fn robust_z(history: &[Decimal], value: Decimal, floor: Decimal) -> Option<RobustZ> {
    if history.len() < HISTORY_MIN {
        return None;
    }
    let center = median(history)?;
    let deviations: Vec<Decimal> = history.iter().map(|it| (it - center).abs()).collect();
    let mad = median(&deviations)?;
    let spread = if mad.is_zero() { mean(&deviations)? * MEAN_FACTOR } else { mad * MAD_FACTOR };
    let scale = spread.max(floor);
    let z = (value - center).checked_div(scale)?;
    let state = if z.abs() >= ALERT {
        "alert"
    } else if z.abs() >= WATCH {
        "watch"
    } else {
        "ok"
    };
    Some(RobustZ { median: center, scale, z, state })
}

/// A control chart's parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chart {
    /// Mean while all is well.
    pub mean: Decimal,
    /// Standard deviation while all is well.
    pub deviation: Decimal,
    /// Weight of the newest value, 0 to 1.
    pub lambda: Decimal,
    /// Limits in deviations of the chart.
    pub limit: Decimal,
}

/// Exponentially weighted moving averages of a series, each with whether it lies beyond the limits.
#[must_use]
pub fn ewma(chart: &Chart, values: &[Decimal]) -> Vec<(Decimal, bool)> {
    let keep = Decimal::ONE - chart.lambda;
    let width = chart.limit * chart.deviation;
    let (mut average, mut decay) = (chart.mean, Decimal::ONE);
    values
        .iter()
        .map(|value| {
            average = chart.lambda * value + keep * average;
            decay *= keep * keep;
            let off = average - chart.mean;
            // The limit is width · √(λ / (2 − λ) · (1 − decay)); squared and multiplied out, so
            // that a value on the limit is not pushed over it by a root or a quotient.
            let square = width * width * chart.lambda * (Decimal::ONE - decay);
            (average, off * off * (Decimal::TWO - chart.lambda) > square)
        })
        .collect()
}
