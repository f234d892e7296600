//! The bytes of a characteristic: little-endian numbers, medical floats, clocks.

use chrono::{NaiveDate, NaiveDateTime};
use rust_decimal::Decimal;

/// The frame ended too early, or did not end.
pub(super) struct Cut;

/// A frame and how far it was read.
pub(super) struct Frame<'a> {
    rest: &'a [u8],
}

/// A medical float, or what stands in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Float {
    /// A number.
    Number(Decimal),
    /// NaN or "not at this resolution": the device has no value.
    Absent,
    /// An infinity: beyond what the device can measure.
    Beyond,
}

/// A GATT date and time, without zone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    year: u16,
    rest: [u8; 5],
    /// Minutes to add, from a record's time offset.
    pub(super) offset_min: i64,
}

impl Clock {
    /// The wall-clock time; `None` when the device does not know it.
    pub(super) fn local(self) -> Option<NaiveDateTime> {
        let [month, day, hour, minute, second] = self.rest.map(u32::from);
        NaiveDate::from_ymd_opt(i32::from(self.year), month, day)?
            .and_hms_opt(hour, minute, second)?
            .checked_add_signed(chrono::TimeDelta::minutes(self.offset_min))
            .filter(|_| self.year != 0)
    }
}

impl<'a> Frame<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Cut> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(Cut)?;
        self.rest = rest;
        Ok(*head)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Cut> {
        let [byte] = self.take()?;
        Ok(byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Cut> {
        self.take().map(u16::from_le_bytes)
    }

    pub(super) fn i16(&mut self) -> Result<i16, Cut> {
        self.take().map(i16::from_le_bytes)
    }

    pub(super) fn u24(&mut self) -> Result<u32, Cut> {
        let [low, middle, high] = self.take()?;
        Ok(u32::from_le_bytes([low, middle, high, 0]))
    }

    /// SFLOAT: 4 bits of exponent, 12 bits of mantissa, both signed.
    pub(super) fn sfloat(&mut self) -> Result<Float, Cut> {
        let raw = self.u16()?;
        Ok(match raw & 0x0FFF {
            0x07FF..=0x0801 => Float::Absent,
            0x07FE | 0x0802 => Float::Beyond,
            mantissa => {
                let signed = i64::from(mantissa) - if mantissa & 0x0800 == 0 { 0 } else { 0x1000 };
                let exponent = i32::from(raw >> 12);
                number(signed, exponent - if exponent & 0x8 == 0 { 0 } else { 0x10 })
            }
        })
    }

    /// FLOAT: 8 bits of exponent, 24 bits of mantissa, both signed.
    pub(super) fn float(&mut self) -> Result<Float, Cut> {
        let mantissa = self.u24()?;
        let exponent = i32::from(i8::from_le_bytes(self.take()?));
        Ok(match mantissa {
            0x7F_FFFF..=0x80_0001 => Float::Absent,
            0x7F_FFFE | 0x80_0002 => Float::Beyond,
            mantissa => {
                let sign = if mantissa & 0x80_0000 == 0 { 0 } else { 0x100_0000 };
                number(i64::from(mantissa) - sign, exponent)
            }
        })
    }

    /// Year, month, day, hour, minute, second.
    pub(super) fn clock(&mut self) -> Result<Clock, Cut> {
        Ok(Clock { year: self.u16()?, rest: self.take()?, offset_min: 0 })
    }

    /// A part that is there only when its flag is set.
    pub(super) fn when<T>(
        &mut self,
        flagged: bool,
        part: impl FnOnce(&mut Self) -> Result<T, Cut>,
    ) -> Result<Option<T>, Cut> {
        if flagged { part(self).map(Some) } else { Ok(None) }
    }

    pub(super) const fn len(&self) -> usize {
        self.rest.len()
    }

    /// Everything was read.
    pub(super) fn end(&self) -> Result<(), Cut> {
        if self.rest.is_empty() { Ok(()) } else { Err(Cut) }
    }
}

/// `mantissa × 10^exponent`; beyond 28 digits it is beyond any measuring range.
fn number(mantissa: i64, exponent: i32) -> Float {
    let scale = u32::try_from(-exponent).unwrap_or_default();
    let power = u32::try_from(exponent).unwrap_or_default();
    let scaled = 10_i128
        .checked_pow(power)
        .and_then(|it| it.checked_mul(i128::from(mantissa)))
        .and_then(|it| Decimal::try_from_i128_with_scale(it, scale).ok());
    scaled.map_or(Float::Beyond, |it| Float::Number(it.normalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medical_floats_are_decimals_or_say_why_not() {
        let rows: [(u16, Option<&str>); 9] = [
            (0x0048, Some("72")),
            (0xF3CA, Some("97")),
            (0xF0A0, Some("16")),
            (0xC03A, Some("0.0058")),
            (0xB069, Some("0.00105")),
            (0xFFFF, Some("-0.1")),
            (0x1001, Some("10")),
            (0x07FF, None),
            (0x0802, None),
        ];
        for (raw, want) in rows {
            let got = match Frame::new(&raw.to_le_bytes()).sfloat() {
                Ok(Float::Number(number)) => Some(number.to_string()),
                _ => None,
            };
            assert_eq!(got.as_deref(), want, "{raw:#06x}");
        }
        // 36.6 as 366 × 10^-1.
        let bytes = [0x6E, 0x01, 0x00, 0xFF];
        let Ok(Float::Number(number)) = Frame::new(&bytes).float() else { panic!("a number") };
        assert_eq!(number.to_string(), "36.6");
        assert!(matches!(Frame::new(&[0xFF, 0xFF, 0x7F, 0]).float(), Ok(Float::Absent)));
        assert!(Frame::new(&[1]).sfloat().is_err());
    }
}
