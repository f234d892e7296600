//! Heart rate (0x2A37), blood pressure (0x2A35), weight (0x2A9D) and temperature (0x2A1C).

use rust_decimal::Decimal;

use super::frame::{Cut, Float, Frame};
use super::{Hub, group};
use crate::codes::code;
use crate::collector::{Collector, Detail};
use crate::decoded::LocatedReading;
use crate::path::Path;
use crate::units::rounded;
use crate::zone::When;

/// Takes a number of the code of this name.
pub(super) fn take<'c>(
    collector: &'c mut Collector<'_>,
    name: &str,
    value: Decimal,
    unit: &str,
    when: When,
    path: &Path<'_>,
) -> Option<&'c mut LocatedReading> {
    let code = code(name)?;
    collector.decimal(code, value, unit, when, path)
}

/// Takes a medical float. One without value is left out, as the device left it out; one beyond the
/// measuring range is refused, for no limit is stated.
pub(super) fn take_float<'c>(
    collector: &'c mut Collector<'_>,
    name: &str,
    value: Float,
    unit: &str,
    when: When,
    path: &Path<'_>,
) -> Option<&'c mut LocatedReading> {
    match value {
        Float::Number(value) => take(collector, name, value, unit, when, path),
        Float::Absent => None,
        Float::Beyond => {
            collector.refuse(path, "number-out-of-range", "beyond the range of the device");
            None
        }
    }
}

/// Refuses the frame when every one of its values is absent: something was measured and failed.
pub(super) fn refuse_empty(collector: &mut Collector<'_>, values: &[Float], path: &Path<'_>) {
    if values.iter().all(|it| *it == Float::Absent) {
        collector.refuse(path, "no-value", "the device has no value");
    }
}

pub(super) fn heart_rate(
    frame: &mut Frame<'_>,
    hub: &Hub<'_>,
    collector: &mut Collector<'_>,
) -> Result<(), Cut> {
    let flags = frame.u8()?;
    let rate = if flags & 1 == 0 { u16::from(frame.u8()?) } else { frame.u16()? };
    let _energy_kj = frame.when(flags & 8 != 0, Frame::u16)?;
    let mut intervals = Vec::new();
    if flags & 16 != 0 {
        while frame.len() > 0 {
            intervals.push(frame.u16()?);
        }
    }
    frame.end()?;
    if flags & 0b110 == 0b100 {
        let detail = "the sensor has no contact with the skin";
        collector.refuse(&hub.path, "no-sensor-contact", detail);
        return Ok(());
    }
    take(collector, "heart_rate", rate.into(), "", hub.received, &hub.path);
    for (sequence, interval) in intervals.into_iter().enumerate() {
        // Counted in 1/1024 s.
        let exact = Decimal::from(interval) * Decimal::from(1000) / Decimal::from(1024);
        let sequence = sequence.to_string();
        let reading = take(collector, "rr_interval", exact, "", hub.received, &hub.path)
            .source_id(Some(&sequence))
            .fact("sequence", &sequence);
        if let Some(it) = reading {
            it.reading.value = auscult_model::ReadingValue::Number(rounded(exact, 1));
        }
    }
    Ok(())
}

/// What the status bits of a cuff mean; bits 3 and 4 are the range of the pulse rate.
const CUFF_STATUS: [(u16, &str); 6] = [
    (1, "body_movement"),
    (1 << 1, "cuff_too_loose"),
    (1 << 2, "irregular_pulse"),
    (1 << 3, "pulse_rate_above_range"),
    (1 << 4, "pulse_rate_below_range"),
    (1 << 5, "improper_position"),
];

pub(super) fn blood_pressure(
    frame: &mut Frame<'_>,
    hub: &Hub<'_>,
    collector: &mut Collector<'_>,
) -> Result<(), Cut> {
    let flags = frame.u8()?;
    let unit = if flags & 1 == 0 { "mm[Hg]" } else { "kPa" };
    let pressures = [frame.sfloat()?, frame.sfloat()?, frame.sfloat()?];
    let clock = frame.when(flags & 2 != 0, Frame::clock)?;
    let pulse = frame.when(flags & 4 != 0, Frame::sfloat)?;
    let _user = frame.when(flags & 8 != 0, Frame::u8)?;
    let status = frame.when(flags & 16 != 0, Frame::u16)?.unwrap_or(0);
    frame.end()?;
    refuse_empty(collector, &pressures, &hub.path);
    let when = hub.time(clock);
    let group = group(when);
    for (name, value) in ["systolic_bp", "diastolic_bp", "mean_bp"].into_iter().zip(pressures) {
        let mut reading = take_float(collector, name, value, unit, when, &hub.path).group(&group);
        for (_, flag) in CUFF_STATUS.iter().filter(|(bit, _)| status & bit != 0) {
            reading = reading.flag(flag);
        }
    }
    if let Some(pulse) = pulse {
        take_float(collector, "pulse_rate_nibp", pulse, "", when, &hub.path).group(&group);
    }
    Ok(())
}

/// A scale that could not measure sends this as weight.
const WEIGHT_FAILED: u16 = 0xFFFF;

pub(super) fn weight(
    frame: &mut Frame<'_>,
    hub: &Hub<'_>,
    collector: &mut Collector<'_>,
) -> Result<(), Cut> {
    let flags = frame.u8()?;
    let imperial = flags & 1 != 0;
    let weight = frame.u16()?;
    let clock = frame.when(flags & 2 != 0, Frame::clock)?;
    let _user = frame.when(flags & 4 != 0, Frame::u8)?;
    let shape = frame.when(flags & 8 != 0, |it| Ok((it.u16()?, it.u16()?)))?;
    frame.end()?;
    let when = hub.time(clock);
    if weight == WEIGHT_FAILED {
        collector.refuse(&hub.path, "no-value", "the scale could not measure");
        return Ok(());
    }
    // 0.005 kg or 0.01 lb a step.
    let (step, unit) = if imperial { (Decimal::new(1, 2), "lb") } else { (Decimal::new(5, 3), "") };
    let weight = (Decimal::from(weight) * step).normalize();
    take(collector, "body_weight", weight, unit, when, &hub.path);
    if let Some((bmi, height)) = shape {
        take(collector, "bmi", Decimal::new(bmi.into(), 1).normalize(), "", when, &hub.path);
        // 0.1 in or 0.001 m a step.
        let (scale, unit) = if imperial { (1, "in") } else { (3, "m") };
        let height = Decimal::new(height.into(), scale).normalize();
        take(collector, "body_height", height, unit, when, &hub.path);
    }
    Ok(())
}

pub(super) fn temperature(
    frame: &mut Frame<'_>,
    hub: &Hub<'_>,
    collector: &mut Collector<'_>,
) -> Result<(), Cut> {
    let flags = frame.u8()?;
    let value = frame.float()?;
    let clock = frame.when(flags & 2 != 0, Frame::clock)?;
    let site = frame.when(flags & 4 != 0, Frame::u8)?;
    frame.end()?;
    let unit = if flags & 1 == 0 { "" } else { "[degF]" };
    let name = match site {
        Some(1) => "axillary_temperature",
        Some(3) => "ear_temperature",
        Some(4 | 8) => "skin_temperature", // finger, toe
        Some(5) => "core_temperature",     // gastro-intestinal tract
        Some(6) => "oral_temperature",
        Some(7) => "rectal_temperature",
        Some(9) => "tympanic_temperature",
        _ => "body_temperature",
    };
    refuse_empty(collector, &[value], &hub.path);
    take_float(collector, name, value, unit, hub.time(clock), &hub.path);
    Ok(())
}
