//! Metrics of continuous glucose monitoring (Battelino et al., Diabetes Care 2019;42:1593; GMI:
//! Bergenstal et al., Diabetes Care 2018;41:2275; MAGE after Service et al., Diabetes 1970;19:644).

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use crate::bands::rounded;
use crate::stats::{decimal, mean, square_root, variance};

/// mg/dL in one mmol/L: the molar mass of glucose, 180.156 g/mol, over ten.
pub const MG_DL_PER_MMOL_L: Decimal = decimal(180_156, 4);

const VERY_LOW_BELOW: Decimal = decimal(54, 0);
const LOW_BELOW: Decimal = decimal(70, 0);
const TIGHT_UP_TO: Decimal = decimal(140, 0);
const IN_RANGE_UP_TO: Decimal = decimal(180, 0);
const HIGH_UP_TO: Decimal = decimal(250, 0);
const GMI_INTERCEPT: Decimal = decimal(331, 2);
const GMI_SLOPE: Decimal = decimal(2_392, 5);

/// mmol/L as whole mg/dL, so that the consensus limits hold in both units (3.9 is 70).
#[must_use]
pub fn from_mmol_l(value: Decimal) -> Decimal {
    rounded(value * MG_DL_PER_MMOL_L, 0)
}

/// The consensus range a glucose lies in, in mg/dL.
#[must_use]
pub fn range(glucose: Decimal) -> &'static str {
    if glucose < VERY_LOW_BELOW {
        "tbr2"
    } else if glucose < LOW_BELOW {
        "tbr1"
    } else if glucose <= IN_RANGE_UP_TO {
        "tir"
    } else if glucose <= HIGH_UP_TO {
        "tar1"
    } else {
        "tar2"
    }
}

/// Metrics over the readings there are; percentages of available readings, nothing rounded.
#[derive(Debug, Clone, PartialEq)]
pub struct Metrics {
    /// How many readings.
    pub n: usize,
    /// mg/dL.
    pub mean: Decimal,
    /// Sample standard deviation; of one reading there is none.
    pub standard_deviation: Option<Decimal>,
    /// Coefficient of variation, percent.
    pub cv_percent: Option<Decimal>,
    /// Glucose management indicator, percent.
    pub gmi_percent: Decimal,
    /// Below 54.
    pub very_low_percent: Decimal,
    /// 54 to below 70.
    pub low_percent: Decimal,
    /// 70 to 180.
    pub in_range_percent: Decimal,
    /// Above 180 to 250.
    pub high_percent: Decimal,
    /// Above 250.
    pub very_high_percent: Decimal,
    /// 70 to 140.
    pub tight_range_percent: Decimal,
    /// Mean amplitude of glycaemic excursions; `None` when no excursion exceeds the deviation.
    pub mage: Option<Decimal>,
}

/// Metrics of readings in mg/dL in the order of time; `None` of nothing.
#[must_use]
pub fn metrics(glucose: &[Decimal]) -> Option<Metrics> {
    let mean = mean(glucose)?;
    let n = Decimal::from_usize(glucose.len())?;
    let percent = |holds: &dyn Fn(Decimal) -> bool| {
        let count = glucose.iter().filter(|it| holds(**it)).count();
        Decimal::from_usize(count).unwrap_or_default() * Decimal::ONE_HUNDRED / n
    };
    let deviation = variance(glucose).and_then(square_root);
    Some(Metrics {
        n: glucose.len(),
        mean,
        standard_deviation: deviation,
        cv_percent: deviation.and_then(|it| (it * Decimal::ONE_HUNDRED).checked_div(mean)),
        gmi_percent: GMI_INTERCEPT + GMI_SLOPE * mean,
        very_low_percent: percent(&|it| range(it) == "tbr2"),
        low_percent: percent(&|it| range(it) == "tbr1"),
        in_range_percent: percent(&|it| range(it) == "tir"),
        high_percent: percent(&|it| range(it) == "tar1"),
        very_high_percent: percent(&|it| range(it) == "tar2"),
        tight_range_percent: percent(&|it| it >= LOW_BELOW && it <= TIGHT_UP_TO),
        mage: mage(glucose),
    })
}

/// Mean amplitude of the excursions larger than one standard deviation, counted in the direction of
/// the first of them. Smaller ones are taken out one by one, the smallest first.
#[must_use]
pub fn mage(glucose: &[Decimal]) -> Option<Decimal> {
    let limit = variance(glucose)?;
    let mut points = turning_points(glucose);
    loop {
        let amplitudes = points.windows(2).map(|it| match it {
            [one, next] => (next - one).abs(),
            _ => Decimal::ZERO,
        });
        // `min_by_key` keeps the earliest of equals.
        let (place, smallest) = amplitudes.enumerate().min_by_key(|(_, it)| *it)?;
        // Squares are compared, so that no root has to be exact.
        if smallest * smallest > limit {
            break;
        }
        let last = points.len().saturating_sub(2);
        if place == 0 {
            points.remove(0);
        } else if place == last {
            points.pop();
        } else {
            points.drain(place..=place + 1);
        }
    }
    let steps: Vec<Decimal> = points
        .windows(2)
        .filter_map(|it| match it {
            [one, next] => Some(next - one),
            _ => None,
        })
        .collect();
    let up = steps.first()?.is_sign_positive();
    let counted: Vec<Decimal> =
        steps.iter().filter(|it| it.is_sign_positive() == up).map(Decimal::abs).collect();
    mean(&counted)
}

/// Both ends and every point where the direction turns; of equal neighbours one.
fn turning_points(glucose: &[Decimal]) -> Vec<Decimal> {
    let mut points: Vec<Decimal> = Vec::new();
    for value in glucose {
        if points.last() == Some(value) {
            continue;
        }
        if let [.., before, last] = points.as_slice()
            && (last > before) == (value > last)
        {
            points.pop();
        }
        points.push(*value);
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consensus_limits_hold_in_both_units() {
        let rows = [
            ("2.9", 52, "tbr2"),
            ("3.0", 54, "tbr1"),
            ("3.9", 70, "tir"),
            ("10.0", 180, "tir"),
            ("10.1", 182, "tar1"),
            ("13.9", 250, "tar1"),
            ("14.0", 252, "tar2"),
        ];
        for (mmol, mg, want) in rows {
            let converted = from_mmol_l(mmol.parse().unwrap());
            assert_eq!((converted, range(converted)), (mg.into(), want), "{mmol}");
        }
    }

    #[test]
    fn excursions_within_one_deviation_do_not_count() {
        let series = |text: &str| -> Vec<Decimal> {
            text.split(' ').map(|it| it.parse().unwrap()).collect()
        };
        assert_eq!(mage(&series("100 100 100")), None);
        assert_eq!(mage(&series("40 40 400 400")), Some(360.into()));
        assert_eq!(mage(&series("100 200 195 200 100 200")), Some(100.into()));
        assert_eq!(mage(&series("100")), None);
    }
}
