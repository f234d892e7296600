//! Reads dates: the ISO forms that JSON texts become dates by, and the wider forms a timestamp may have.
//!
//! The zone of the machine never matters: a text without a zone is read as UTC.

use crate::moment::{Fields, Instant, Moment, TICKS_PER_SECOND, Zone, instant_of, weekday};

/// Two-digit years up to this one are of this century.
const TWO_DIGIT_YEAR_MAX: i64 = 49;
/// Longest text read as a date; the longest real form has about forty characters.
const DATE_TEXT_MAX: usize = 64;
/// Largest offset from UTC, in hours.
const OFFSET_HOURS_MAX: i64 = 14;

/// The date a JSON text becomes by its form alone: `yyyy-MM-ddTHH:mm:ss`, with up to seven fraction
/// digits and a zone, or `/Date(milliseconds)/`.
#[must_use]
pub fn newtonsoft(text: &str) -> Option<Moment> {
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'/') => milliseconds(text),
        Some(b'0'..=b'9') if bytes.get(10) == Some(&b'T') && (19..=40).contains(&bytes.len()) => {
            iso(bytes)
        }
        _ => None,
    }
}

fn milliseconds(text: &str) -> Option<Moment> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let zone_at = inner.get(1..)?.find(['+', '-']).map(|it| it + 1);
    let (number, zone) = match zone_at {
        Some(at) => (inner.get(..at)?, Zone::Offset),
        None => (inner, Zone::Utc),
    };
    let instant = Instant::from_unix_ms(number.parse().ok()?)?;
    Some(Moment { instant, zone })
}

fn digits(bytes: &[u8], at: usize, count: usize) -> Option<i64> {
    let slice = bytes.get(at..at + count)?;
    slice.iter().try_fold(0, |sum, it| it.is_ascii_digit().then(|| sum * 10 + i64::from(it - b'0')))
}

fn is(bytes: &[u8], at: usize, want: u8) -> Option<()> {
    (bytes.get(at) == Some(&want)).then_some(())
}

fn iso(bytes: &[u8]) -> Option<Moment> {
    let year = digits(bytes, 0, 4)?;
    is(bytes, 4, b'-')?;
    let month = digits(bytes, 5, 2)?;
    is(bytes, 7, b'-')?;
    let day = digits(bytes, 8, 2)?;
    is(bytes, 10, b'T')?;
    let hour = digits(bytes, 11, 2)?;
    is(bytes, 13, b':')?;
    let minute = digits(bytes, 14, 2)?;
    is(bytes, 16, b':')?;
    let second = digits(bytes, 17, 2)?;
    let mut at = 19;
    let mut fraction = 0;
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        let start = at;
        while at < start + 7 && bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        let count = at - start;
        if count == 0 {
            return None;
        }
        fraction = digits(bytes, start, count)? * 10_i64.pow(u32::try_from(7 - count).ok()?);
    }
    let local = instant_of(Fields { year, month, day, hour, minute, second, fraction })?;
    let (zone, offset_minutes, end) = iso_zone(bytes, at)?;
    if end != bytes.len() {
        return None;
    }
    let ticks = local.ticks() - offset_minutes * 60 * TICKS_PER_SECOND;
    // An offset may push the ends of the calendar out of range; they stay at the end then.
    Some(Moment { instant: Instant::from_ticks(ticks).unwrap_or(local), zone })
}

fn iso_zone(bytes: &[u8], at: usize) -> Option<(Zone, i64, usize)> {
    let sign = match bytes.get(at) {
        None => return Some((Zone::None, 0, at)),
        Some(b'Z' | b'z') => return Some((Zone::Utc, 0, at + 1)),
        Some(b'+') => 1,
        Some(b'-') => -1,
        Some(_) => return None,
    };
    let hours = digits(bytes, at + 1, 2)?;
    let mut end = at + 3;
    if bytes.get(end) == Some(&b':') {
        end += 1;
    }
    let minutes = digits(bytes, end, 2);
    if minutes.is_some() {
        end += 2;
    }
    Some((Zone::Offset, sign * (hours * 60 + minutes.unwrap_or_default()), end))
}

/// The date a text means as a timestamp: the ISO forms, month-first slashes, month names, RFC 1123.
/// Not read: epoch numbers, week and ordinal dates, and what would need today's date.
#[must_use]
pub fn general(text: &str) -> Option<Moment> {
    if let Some(moment) = newtonsoft(text).filter(|_| !text.starts_with('/')) {
        return Some(moment);
    }
    if text.len() > DATE_TEXT_MAX {
        return None;
    }
    Parts::read(text)?.moment()
}

/// A number as written: its value and how many digits it had.
#[derive(Debug, Clone, Copy)]
struct Number {
    value: i64,
    digits: usize,
}

/// What a date text is made of, before it is decided which number means what.
#[derive(Debug, Default)]
struct Parts {
    numbers: Vec<Number>,
    month: Option<i64>,
    // How many numbers stood before the month's name.
    before_month: usize,
    weekday: Option<i64>,
    time: Option<(i64, i64, i64, i64)>,
    afternoon: Option<bool>,
    zone: Option<(Zone, i64)>,
    // The letter T stood between date and time, which is the ISO form.
    iso: bool,
}

impl Parts {
    fn read(text: &str) -> Option<Self> {
        let mut parts = Self::default();
        let bytes = text.as_bytes();
        let mut at = 0;
        // Whether a separator that must be followed by a number was just read.
        let mut open = false;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b' ' | b'\t' | b',' => at += 1,
                b'0'..=b'9' => {
                    open = false;
                    at = parts.number(bytes, at)?;
                }
                b'+' | b'-' if parts.time.is_some() && parts.zone.is_none() => {
                    at = parts.offset(bytes, at)?;
                }
                b'/' | b'-' | b'.' if !parts.numbers.is_empty() || parts.month.is_some() => {
                    if open || parts.time.is_some() {
                        return None;
                    }
                    open = byte != b'.';
                    at += 1;
                }
                _ if byte.is_ascii_alphabetic() => {
                    let end = bytes.iter().skip(at).position(|it| !it.is_ascii_alphabetic());
                    let end = end.map_or(bytes.len(), |it| at + it);
                    open = false;
                    parts.word(text.get(at..end)?)?;
                    at = end;
                }
                _ => return None,
            }
        }
        (!open).then_some(parts)
    }

    fn number(&mut self, bytes: &[u8], at: usize) -> Option<usize> {
        let length = bytes.iter().skip(at).take_while(|it| it.is_ascii_digit()).count();
        // No field has more than nine digits.
        if length > 9 {
            return None;
        }
        let value = digits(bytes, at, length)?;
        let end = at + length;
        let meridiem = bytes.iter().skip(end).find(|it| **it != b' ');
        let is_hour = bytes.get(end) == Some(&b':');
        let bare_hour = matches!(meridiem, Some(b'a' | b'A' | b'p' | b'P'))
            && length <= 2
            && self.time.is_none()
            && self.numbers.len() + usize::from(self.month.is_some()) >= 3;
        if bare_hour {
            self.time = Some((value, 0, 0, 0));
            return Some(end);
        }
        if !is_hour {
            if self.time.is_some() || self.numbers.len() == 3 {
                // Only a zone may follow the time.
                return None;
            }
            self.numbers.push(Number { value, digits: length });
            return Some(end);
        }
        if self.time.is_some() || length > 2 {
            return None;
        }
        self.clock(bytes, value, end + 1)
    }

    fn clock(&mut self, bytes: &[u8], hour: i64, at: usize) -> Option<usize> {
        let count = |at: usize| bytes.iter().skip(at).take_while(|it| it.is_ascii_digit()).count();
        let length = count(at);
        if !(1..=2).contains(&length) {
            return None;
        }
        let minute = digits(bytes, at, length)?;
        let mut end = at + length;
        let (mut second, mut fraction) = (0, 0);
        if bytes.get(end) == Some(&b':') {
            let length = count(end + 1);
            if !(1..=2).contains(&length) {
                return None;
            }
            second = digits(bytes, end + 1, length)?;
            end += 1 + length;
            if bytes.get(end) == Some(&b'.') {
                let length = count(end + 1);
                if length == 0 {
                    return None;
                }
                fraction = rounded_fraction(bytes.get(end + 1..end + 1 + length)?);
                end += 1 + length;
            }
        }
        self.time = Some((hour, minute, second, fraction));
        Some(end)
    }

    fn offset(&mut self, bytes: &[u8], at: usize) -> Option<usize> {
        let sign = if bytes.get(at) == Some(&b'-') { -1 } else { 1 };
        let length = bytes.iter().skip(at + 1).take_while(|it| it.is_ascii_digit()).count();
        let value = digits(bytes, at + 1, length)?;
        let mut end = at + 1 + length;
        let minutes = match length {
            1 | 2 if bytes.get(end) == Some(&b':') => {
                let minutes = digits(bytes, end + 1, 2).filter(|it| *it < 60)?;
                end += 3;
                value * 60 + minutes
            }
            1 | 2 => value * 60,
            3 | 4 if value % 100 < 60 => value / 100 * 60 + value % 100,
            _ => return None,
        };
        if minutes > OFFSET_HOURS_MAX * 60 {
            return None;
        }
        self.zone = Some((Zone::Offset, sign * minutes));
        Some(end)
    }

    fn word(&mut self, word: &str) -> Option<()> {
        const MONTHS: [&str; 12] = [
            "january",
            "february",
            "march",
            "april",
            "may",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
        ];
        const DAYS: [&str; 7] =
            ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
        let word = word.to_ascii_lowercase();
        let named = |names: &[&str]| {
            names.iter().position(|name| *name == word || name.get(..3) == Some(word.as_str()))
        };
        let dated = self.numbers.len() + usize::from(self.month.is_some()) >= 3;
        match word.as_str() {
            "t" if dated && self.time.is_none() && !self.iso => self.iso = true,
            "z" | "gmt" | "utc" if self.time.is_some() && self.zone.is_none() => {
                if word == "utc" {
                    return None;
                }
                self.zone = Some((Zone::Offset, 0));
            }
            "am" | "a" if self.time.is_some() => self.afternoon = Some(false),
            "pm" | "p" if self.time.is_some() => self.afternoon = Some(true),
            _ => {
                if let (None, Some(month)) = (self.month, named(&MONTHS)) {
                    self.month = Some(i64::try_from(month).ok()? + 1);
                    self.before_month = self.numbers.len();
                } else if let (None, Some(day)) = (self.weekday, named(&DAYS)) {
                    self.weekday = Some(i64::try_from(day).ok()?);
                } else {
                    return None;
                }
            }
        }
        Some(())
    }

    fn date(&self) -> Option<(i64, i64, i64)> {
        let year = |it: &Number| match it.digits {
            1 | 2 if it.value <= TWO_DIGIT_YEAR_MAX => Some(2000 + it.value),
            1 | 2 => Some(1900 + it.value),
            3 | 4 => Some(it.value),
            _ => None,
        };
        let small = |it: &Number| (it.digits <= 2).then_some(it.value);
        match (self.month, self.numbers.as_slice()) {
            (None, [first, second, third]) if first.digits > 2 => {
                Some((year(first)?, small(second)?, small(third)?))
            }
            (None, [first, second, third]) => Some((year(third)?, small(first)?, small(second)?)),
            (None, [first, second]) if first.digits > 2 => Some((year(first)?, small(second)?, 1)),
            (None, [first, second]) if second.digits > 2 => Some((year(second)?, small(first)?, 1)),
            (Some(month), [first, second]) if first.digits > 2 => {
                Some((year(first)?, month, small(second)?))
            }
            (Some(month), [first, second]) => Some((year(second)?, month, small(first)?)),
            (Some(month), [only]) if only.digits > 2 => Some((year(only)?, month, 1)),
            // A day without a year, or a time without a day, would need today's date.
            _ => None,
        }
    }

    fn moment(&self) -> Option<Moment> {
        let (year, month, day) = self.date()?;
        if self.iso && self.time.is_none() {
            return None;
        }
        let (mut hour, minute, second, fraction) = self.time.unwrap_or_default();
        match self.afternoon {
            Some(_) if !(0..=12).contains(&hour) => return None,
            Some(true) if hour < 12 => hour += 12,
            Some(false) if hour == 12 => hour = 0,
            _ => {}
        }
        if hour == 24 && !self.iso {
            return None;
        }
        let fields = Fields { year, month, day, hour, minute, second, fraction: 0 };
        let local = instant_of(fields)?;
        if self.weekday.is_some_and(|it| it != weekday(year, month, day)) {
            return None;
        }
        let (zone, offset_minutes) = self.zone.unwrap_or((Zone::None, 0));
        let ticks = local.ticks() + fraction - offset_minutes * 60 * TICKS_PER_SECOND;
        Some(Moment { instant: Instant::from_ticks(ticks)?, zone })
    }
}

/// A fraction of a second in 100 ns, rounded to the nearest step.
fn rounded_fraction(digits: &[u8]) -> i64 {
    let mut ticks = 0;
    for at in 0..7 {
        ticks = ticks * 10 + digits.get(at).map_or(0, |it| i64::from(it - b'0'));
    }
    let rest = digits.get(7..).unwrap_or_default();
    let up = match rest.first() {
        Some(b'6'..=b'9') => true,
        Some(b'5') => rest.iter().skip(1).any(|it| *it != b'0') || ticks % 2 == 1,
        _ => false,
    };
    ticks + i64::from(up)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_in_every_accepted_form() {
        #[rustfmt::skip]
        let rows = [
            ("2020-01-02T03:04:05Z",            Some("2020-01-02T03:04:05.0000000Z")),
            ("2020-01-02T03:04:05.6789012Z",    Some("2020-01-02T03:04:05.6789012Z")),
            ("2020-01-02T03:04:05.678901234Z",  Some("2020-01-02T03:04:05.6789012Z")),
            ("2020-01-02T03:04:05.99999999Z",   Some("2020-01-02T03:04:06.0000000Z")),
            ("2020-01-02T03:04:05+05:30",       Some("2020-01-01T21:34:05.0000000Z")),
            ("2020-01-02T03:04:05",             Some("2020-01-02T03:04:05.0000000Z")),
            ("2020-01-02T03:04Z",               Some("2020-01-02T03:04:00.0000000Z")),
            ("2020-01-02t03:04:05z",            Some("2020-01-02T03:04:05.0000000Z")),
            ("2020-01-02T24:00:00Z",            Some("2020-01-03T00:00:00.0000000Z")),
            ("2020-01-02",                      Some("2020-01-02T00:00:00.0000000Z")),
            ("2020-01-02 03:04:05",             Some("2020-01-02T03:04:05.0000000Z")),
            ("2020-01-02 03:04:05Z",            Some("2020-01-02T03:04:05.0000000Z")),
            ("2020-01-02 03:04:05 +02:00",      Some("2020-01-02T01:04:05.0000000Z")),
            ("2020-01",                         Some("2020-01-01T00:00:00.0000000Z")),
            ("Jan 2 2020",                      Some("2020-01-02T00:00:00.0000000Z")),
            ("2 January 2020 3:04 PM",          Some("2020-01-02T15:04:00.0000000Z")),
            ("01/02/2020",                      Some("2020-01-02T00:00:00.0000000Z")),
            ("1/2/2020 3:04:05 PM",             Some("2020-01-02T15:04:05.0000000Z")),
            ("Thu, 02 Jan 2020 03:04:05 GMT",   Some("2020-01-02T03:04:05.0000000Z")),
            ("Fri, 02 Jan 2020 03:04:05 GMT",   None),
            ("1577934245",                      None),
            ("1577934245678",                   None),
            ("20200102",                        None),
            ("20200102T030405Z",                None),
            ("2020-W01-4",                      None),
            ("2020-002",                        None),
            ("2016-12-31T23:59:60Z",            None),
            ("2020-02-30",                      None),
            ("31/12/2020",                      None),
            ("2020-01-02T24:30:00Z",            None),
            ("2020-01-02 24:00:00",             None),
            ("not a date", None), ("", None), (" ", None), ("2020", None), ("12:30", None),
        ];
        for (text, want) in rows {
            let found = general(text).map(|it| it.instant.to_string());
            assert_eq!(found.as_deref(), want, "{text}");
        }
    }

    #[test]
    fn only_the_full_iso_form_makes_a_json_text_a_date() {
        let dates = [
            "2020-01-02T03:04:05",
            "2020-01-02T03:04:05Z",
            "2020-01-02T03:04:05.1234567+02:00",
            "/Date(1583298367000)/",
            "2020-01-02T24:00:00Z",
            "2020-01-02T03:04:05+0530",
        ];
        let texts = [
            "2020-01-02",
            "2020-01-02 03:04:05",
            "2020-01-02t03:04:05Z",
            "2020-01-02T03:04Z",
            "2020-01-02T03:04:05.12345678Z",
            "2020-13-02T03:04:05Z",
            "/Date(x)/",
            "/",
            "",
            "2020-01-02T03:04:05Z ",
            "2020-01-02T24:00:01Z",
        ];
        for text in dates {
            assert!(newtonsoft(text).is_some(), "{text}");
        }
        for text in texts {
            assert!(newtonsoft(text).is_none(), "{text}");
        }
    }
}
