//! PostgreSQL's `numeric`: base-10000 digits on the wire, a decimal text for guests.

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xc000;
const INFINITE: u16 = 0xd000;
const NEGATIVE_INFINITE: u16 = 0xf000;
/// Digits of a number, on both sides of its point together; PostgreSQL's own limit is higher.
const DIGITS_MAX: usize = 10_000;

/// The wire form of a plain decimal number, or `None` if `text` is not one.
pub(super) fn encode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("nan") {
        return Some(wire(&[], 0, NAN, 0));
    }
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let empty = whole.is_empty() && fraction.is_empty();
    if empty || !digits(whole) || !digits(fraction) || text.len() > DIGITS_MAX {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let pad = (4 - whole.len() % 4) % 4;
    let mut all = "0".repeat(pad) + whole;
    let groups_before = all.len() / 4;
    all.push_str(fraction);
    let tail = (4 - all.len() % 4) % 4;
    all.push_str(&"0".repeat(tail));
    let mut groups: Vec<u16> = all
        .as_bytes()
        .chunks(4)
        .map(|four| four.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
        .collect();
    let mut weight = i16::try_from(groups_before).ok()? - 1;
    let leading = groups.iter().take_while(|group| **group == 0).count();
    groups.drain(..leading);
    weight -= i16::try_from(leading).ok()?;
    while groups.last() == Some(&0) {
        groups.pop();
    }
    let (sign, weight) = match groups.is_empty() {
        true => (0, 0),
        false => (if negative { NEGATIVE } else { 0 }, weight),
    };
    Some(wire(&groups, weight, sign, u16::try_from(fraction.len()).ok()?))
}

fn wire(groups: &[u16], weight: i16, sign: u16, scale: u16) -> Vec<u8> {
    let count = u16::try_from(groups.len()).unwrap_or(u16::MAX);
    let mut bytes = Vec::with_capacity(8 + 2 * groups.len());
    bytes.extend(count.to_be_bytes());
    bytes.extend(weight.to_be_bytes());
    bytes.extend(sign.to_be_bytes());
    bytes.extend(scale.to_be_bytes());
    groups.iter().for_each(|group| bytes.extend(group.to_be_bytes()));
    bytes
}

/// The decimal text of a number from the wire.
pub(super) fn decode(bytes: &[u8]) -> Option<String> {
    let at = |index: usize| {
        Some(u16::from_be_bytes(bytes.get(2 * index..2 * index + 2)?.try_into().ok()?))
    };
    let (count, weight, sign, scale) = (at(0)?, at(1)?.cast_signed(), at(2)?, at(3)?);
    match sign {
        NAN => return Some("NaN".into()),
        INFINITE => return Some("Infinity".into()),
        NEGATIVE_INFINITE => return Some("-Infinity".into()),
        _ => {}
    }
    let group = |position: i32| {
        // Position 0 is the group just before the point.
        let index = i32::from(weight) - position;
        match usize::try_from(index) {
            Ok(index) if index < usize::from(count) => at(4 + index),
            _ => Some(0),
        }
    };
    let mut whole = String::new();
    for position in (0..=i32::from(weight).max(0)).rev() {
        whole.push_str(&format!("{:04}", group(position)?));
    }
    let whole = whole.trim_start_matches('0');
    let mut fraction = String::new();
    let mut position = -1;
    while fraction.len() < usize::from(scale) {
        fraction.push_str(&format!("{:04}", group(position)?));
        position -= 1;
    }
    fraction.truncate(usize::from(scale));
    let mut text = String::from(if sign == NEGATIVE { "-" } else { "" });
    text.push_str(if whole.is_empty() { "0" } else { whole });
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(&fraction);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_as_they_were() {
        for text in [
            "0",
            "1",
            "-1",
            "9999",
            "10000",
            "123456789.987654321",
            "0.0001",
            "0.00000001",
            "-0.10",
            "100000000",
            "36.60",
            "10000.0001",
            "12345678901234567890123456789012345.6",
        ] {
            assert_eq!(encode(text).and_then(|bytes| decode(&bytes)).as_deref(), Some(text));
        }
        assert_eq!(encode("+007.50").and_then(|bytes| decode(&bytes)).as_deref(), Some("7.50"));
        assert_eq!(encode("NaN").and_then(|bytes| decode(&bytes)).as_deref(), Some("NaN"));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", ".", "-", "1e5", "1,5", "--1", "x"] {
            assert_eq!(encode(text), None, "{text}");
        }
    }
}
