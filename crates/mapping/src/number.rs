//! Numbers as text: the shortest decimal that reads back as the same double.

/// From this decimal exponent up a double is written with an exponent.
const EXPONENT_FROM: i32 = 17;
/// Below this decimal exponent a double is written with an exponent.
const EXPONENT_BELOW: i32 = -4;

/// The text of a double: `60`, `60.5`, `1E-05`, `1.5E+20`, `NaN`, `Infinity`.
#[must_use]
pub fn float_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.into();
    }
    // `{:e}` writes the shortest digits that round-trip: `-9.86e1`.
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (EXPONENT_BELOW..EXPONENT_FROM).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}E{sign}{:02}", exponent.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_have_their_shortest_text() {
        #[rustfmt::skip]
        let rows = [
            (60.0, "60"), (60.50, "60.5"), (1e3, "1000"), (-0.0, "-0"), (0.0001, "0.0001"),
            (0.00001, "1E-05"), (1e16, "10000000000000000"), (1e17, "1E+17"),
            (123_456_789_012_345_680_000.0, "1.2345678901234568E+20"),
            (0.1 + 0.2, "0.30000000000000004"), (f64::NAN, "NaN"), (f64::NEG_INFINITY, "-Infinity"),
            (1e-100, "1E-100"), (0.0, "0"),
        ];
        for (value, want) in rows {
            assert_eq!(float_text(value), want);
        }
    }
}
