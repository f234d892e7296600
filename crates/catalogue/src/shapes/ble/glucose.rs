//! Glucose meters (0x2A18) and continuous sensors (0x2AA7).

use super::Hub;
use super::frame::{Cut, Frame};
use super::vitals::{refuse_empty, take_float};
use crate::collector::{Collector, Detail};
use crate::zone::{TimeFault, When, at};

/// What the status bits of a meter mean, and whether they make the value invalid.
const METER_STATUS: [(u16, &str, bool); 12] = [
    (1, "battery_low", false),
    (1 << 1, "sensor_malfunction", true),
    (1 << 2, "sample_insufficient", true),
    (1 << 3, "strip_insertion_error", true),
    (1 << 4, "strip_type_incorrect", true),
    (1 << 5, "result_too_high", false),
    (1 << 6, "result_too_low", false),
    (1 << 7, "temperature_too_high", true),
    (1 << 8, "temperature_too_low", true),
    (1 << 9, "read_interrupted", true),
    (1 << 10, "general_fault", true),
    (1 << 11, "time_fault", false),
];
const RESULT_TOO_HIGH: u16 = 1 << 5;
const RESULT_TOO_LOW: u16 = 1 << 6;

pub(super) fn measurement(
    frame: &mut Frame<'_>,
    hub: &Hub<'_>,
    collector: &mut Collector<'_>,
) -> Result<(), Cut> {
    let flags = frame.u8()?;
    let sequence = frame.u16()?;
    let mut clock = frame.clock()?;
    if let Some(offset) = frame.when(flags & 1 != 0, Frame::i16)? {
        clock.offset_min = offset.into();
    }
    let result = frame.when(flags & 2 != 0, |it| Ok((it.sfloat()?, it.u8()?)))?;
    let status = frame.when(flags & 8 != 0, Frame::u16)?.unwrap_or(0);
    frame.end()?;
    let Some((value, place)) = result else {
        collector.refuse(&hub.path, "no-value", "the record holds no concentration");
        return Ok(());
    };
    let name = match place & 0x0F {
        1 | 2 => "glucose_capillary_mass",
        3 | 5 | 7 => "glucose_blood_mass",
        4 | 6 | 8 => "glucose_plasma_mass",
        9 => "glucose_isf_mass",
        10 => {
            let detail = "a control solution, not the patient";
            collector.refuse(&hub.path, "control-solution", detail);
            return Ok(());
        }
        _ => "glucose_blood_mass",
    };
    refuse_empty(collector, &[value], &hub.path);
    let unit = if flags & 4 == 0 { "kg/L" } else { "mol/L" };
    let sequence = sequence.to_string();
    let mut reading = take_float(collector, name, value, unit, hub.time(Some(clock)), &hub.path)
        .source_id(Some(&sequence))
        .fact("sequence", &sequence);
    for (_, flag, invalid) in METER_STATUS.iter().filter(|(bit, ..)| status & bit != 0) {
        reading = reading.flag(flag);
        if *invalid {
            reading = reading.invalid();
        }
    }
    match (status & RESULT_TOO_HIGH != 0, status & RESULT_TOO_LOW != 0) {
        (true, false) => reading.comparator(">"),
        (false, true) => reading.comparator("<"),
        _ => reading,
    };
    Ok(())
}

/// Octets of the sensor status, each present when its flag is set.
const STATUS_OCTETS: [u8; 3] = [1 << 7, 1 << 6, 1 << 5];
/// Bits of the status octet: sensor malfunction, general device fault.
const SENSOR_FAULT: u8 = 1 << 3 | 1 << 5;

pub(super) fn continuous(
    frame: &mut Frame<'_>,
    hub: &Hub<'_>,
    collector: &mut Collector<'_>,
) -> Result<(), Cut> {
    let length = usize::from(frame.u8()?);
    // The record says its own length; a checksum of two bytes may follow it.
    let after = (frame.len() + 1).checked_sub(length).ok_or(Cut)?;
    if !matches!(after, 0 | 2) {
        return Err(Cut);
    }
    let flags = frame.u8()?;
    let value = frame.sfloat()?;
    let minutes = frame.u16()?;
    let mut status = [0; 3];
    for (octet, flag) in status.iter_mut().zip(STATUS_OCTETS) {
        *octet = frame.when(flags & flag != 0, Frame::u8)?.unwrap_or(0);
    }
    let trend = frame.when(flags & 1 != 0, Frame::sfloat)?;
    let _quality_percent = frame.when(flags & 2 != 0, Frame::sfloat)?;
    let _checksum = frame.when(after == 2, Frame::u16)?;
    frame.end()?;
    refuse_empty(collector, &[value], &hub.path);
    let when = since_start(hub, minutes);
    let sequence = minutes.to_string();
    let mut reading = take_float(collector, "glucose_isf_mass", value, "mg/dL", when, &hub.path)
        .source_id(Some(&sequence));
    if let Some(super::frame::Float::Number(rate)) = trend {
        reading = reading.fact("trend_rate", &rate.to_string());
    }
    let [faults, ..] = status;
    if faults & SENSOR_FAULT != 0 {
        reading.flag("sensor_malfunction").invalid();
    }
    Ok(())
}

/// The record counts minutes since the session began; the hub says when that was.
fn since_start(hub: &Hub<'_>, minutes: u16) -> When {
    let start = hub.session_start.ok_or(TimeFault {
        code: "missing-time",
        detail: "the record counts from the session start, and the message has no session_start",
    })??;
    Ok(at(start.start.plus_ms(i64::from(minutes) * 60_000)))
}
