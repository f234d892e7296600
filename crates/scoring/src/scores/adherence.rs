//! Proportion of days covered (Pharmacy Quality Alliance: 80 %, early refills carry over).

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

/// Percent from which somebody counts as adherent.
pub const ADHERENT_PERCENT: u32 = 80;

/// How well a period is covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// Days with supply.
    pub days: i64,
    /// Of the whole period, not rounded.
    pub percent: Decimal,
    /// 80 % or more, before rounding.
    pub adherent: bool,
}

/// Coverage of a period of that many days by fills `(day, days of supply)`; supply that overlaps is
/// used up later. `None` for a period without days.
#[must_use]
pub fn coverage(period_days: i64, fills: &[(i64, i64)]) -> Option<Coverage> {
    let mut fills = fills.to_vec();
    fills.sort_unstable();
    let (mut days, mut free) = (0_i64, i64::MIN);
    for (day, supply) in fills {
        let start = day.max(free);
        let end = start.saturating_add(supply.max(0));
        days += (end.min(period_days) - start.max(0)).max(0);
        free = end;
    }
    let all = Decimal::from_i64(period_days).filter(|it| *it > Decimal::ZERO)?;
    let percent = Decimal::from(days) * Decimal::ONE_HUNDRED / all;
    Some(Coverage { days, percent, adherent: percent >= Decimal::from(ADHERENT_PERCENT) })
}
