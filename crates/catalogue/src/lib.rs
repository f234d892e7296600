//! The built-in catalogue: known payload shapes become readings without any mapping, with the
//! code table, the units and the plausible ranges behind it.
//!
//! [`decode`] is the way in. Everything is pure: the time of receipt and the zone of the sender are
//! arguments. Clinical numbers are decimals and are rounded half away from zero.

mod codes;
mod collector;
mod decoded;
mod device;
mod number;
mod path;
mod shapes;
mod tables;
mod units;
mod zone;

pub use codes::{
    Code, DeviceType, by_any_name, by_loinc, by_mdc, by_refid, code, codes, device_types, synonym,
};
pub use collector::AHEAD_MS_MAX;
pub use decoded::{Action, Context, DecodeError, Decoded, LocatedReading, Refusal, UnitSystem};
pub use device::device_of;
pub use number::{NumberFault, decimal_of};
pub use shapes::{SHAPES, Shape, decode, unread};
pub use units::{
    Conversion, Converted, Rule, Unit, UnitFault, conversions, convert, plausible, rounded, rule,
    unit, units,
};
pub use zone::{EARLIEST, Moment, TimeFault, When, Zone, parse_time};
