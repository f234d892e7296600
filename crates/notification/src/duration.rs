//! Durations as people write them in a policy: `90s`, `15m`, `1h30m`, `7d`.

/// Longest duration accepted, in milliseconds: 366 days, so that sums with a time never overflow.
pub const DURATION_MS_MAX: i64 = 366 * DAY_MS;

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Milliseconds of a text such as `15m` or `1h30m`. Units are `ms s m h d w`, largest first, each
/// at most once. `None` for anything else, for zero, and beyond [`DURATION_MS_MAX`].
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total: i64 = 0;
    let mut unit_before = i64::MAX;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|it: char| it.is_ascii_digit()).len();
        let (number, after) = rest.split_at_checked(digits)?;
        let letters =
            after.len() - after.trim_start_matches(|it: char| it.is_ascii_lowercase()).len();
        let (unit, after) = after.split_at_checked(letters)?;
        let unit_ms = match unit {
            "ms" => 1,
            "s" => SECOND_MS,
            "m" => MINUTE_MS,
            "h" => HOUR_MS,
            "d" => DAY_MS,
            "w" => 7 * DAY_MS,
            _ => return None,
        };
        if unit_ms >= unit_before {
            return None;
        }
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(unit_ms)?)?;
        unit_before = unit_ms;
        rest = after;
    }
    (1..=DURATION_MS_MAX).contains(&total).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_names_its_units_largest_first() {
        let rows = [
            ("500ms", Some(500)),
            ("90s", Some(90_000)),
            ("15m", Some(900_000)),
            ("1h30m", Some(5_400_000)),
            ("7d", Some(604_800_000)),
            ("1w", Some(604_800_000)),
            ("0s", None),
            ("", None),
            ("15", None),
            ("m", None),
            ("-1m", None),
            ("1.5h", None),
            ("15 m", None),
            ("15M", None),
            ("30m1h", None),
            ("1m1m", None),
            ("367d", None),
            ("99999999999999999999d", None),
            ("1é", None),
        ];
        for (text, want) in rows {
            assert_eq!(parse(text), want, "{text}");
        }
    }
}
