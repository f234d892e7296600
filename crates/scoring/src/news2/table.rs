//! The NEWS2 chart (Royal College of Physicians, 2017), row by row.

use super::Acvpu;
use crate::bands::{Band, Table, between, from, up_to};

const fn whole(bands: &'static [Band]) -> Table {
    Table { decimals: 0, bands }
}

/// Breaths a minute.
pub const RESPIRATION_RATE: Table =
    whole(&[up_to(8, 3), between(9, 11, 1), between(12, 20, 0), between(21, 24, 2), from(25, 3)]);

/// Percent, for most people.
pub const SPO2_SCALE_1: Table =
    whole(&[up_to(91, 3), between(92, 93, 2), between(94, 95, 1), from(96, 0)]);

/// Percent, for a prescribed target of 88–92 %, breathing air.
pub const SPO2_SCALE_2_AIR: Table =
    whole(&[up_to(83, 3), between(84, 85, 2), between(86, 87, 1), from(88, 0)]);

/// Percent, for a prescribed target of 88–92 %, on oxygen: too much is dangerous too.
pub const SPO2_SCALE_2_OXYGEN: Table = whole(&[
    up_to(83, 3),
    between(84, 85, 2),
    between(86, 87, 1),
    between(88, 92, 0),
    between(93, 94, 1),
    between(95, 96, 2),
    from(97, 3),
]);

/// Points for breathing air.
pub const AIR: u32 = 0;
/// Points for any supplemental oxygen, on both scales.
pub const OXYGEN: u32 = 2;

/// mm\[Hg\].
pub const SYSTOLIC_BP: Table = whole(&[
    up_to(90, 3),
    between(91, 100, 2),
    between(101, 110, 1),
    between(111, 219, 0),
    from(220, 3),
]);

/// Beats a minute.
pub const PULSE: Table = whole(&[
    up_to(40, 3),
    between(41, 50, 1),
    between(51, 90, 0),
    between(91, 110, 1),
    between(111, 130, 2),
    from(131, 3),
]);

/// Tenths of a degree Celsius.
pub const TEMPERATURE: Table = Table {
    decimals: 1,
    bands: &[
        up_to(350, 3),
        between(351, 360, 1),
        between(361, 380, 0),
        between(381, 390, 1),
        from(391, 2),
    ],
};

/// Alert scores 0, everything else 3.
#[must_use]
pub const fn consciousness(level: Acvpu) -> u32 {
    match level {
        Acvpu::A => 0,
        Acvpu::C | Acvpu::V | Acvpu::P | Acvpu::U => 3,
    }
}
