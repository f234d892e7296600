//! Pulse oximeters: spot check (0x2A5E) and continuous (0x2A5F).

use super::Hub;
use super::frame::{Cut, Frame};
use super::vitals::{refuse_empty, take_float};
use crate::collector::{Collector, Detail};

/// What the status bits of a measurement mean, and whether they make the value invalid.
const STATUS: [(u16, &str, bool); 8] = [
    (1 << 6, "early_estimate", false),
    (1 << 9, "from_storage", false),
    (1 << 10, "demonstration", true),
    (1 << 11, "testing", true),
    (1 << 12, "calibration", true),
    (1 << 13, "unavailable", true),
    (1 << 14, "questionable", false),
    (1 << 15, "invalid", true),
];

fn describe(collector: &mut Collector<'_>, first: usize, status: u16) {
    for index in first..collector.readings.len() {
        let mut reading = collector.readings.get_mut(index);
        for (_, flag, invalid) in STATUS.iter().filter(|(bit, ..)| status & bit != 0) {
            reading = reading.flag(flag);
            if *invalid {
                reading = reading.invalid();
            }
        }
    }
}

pub(super) fn spot_check(
    frame: &mut Frame<'_>,
    hub: &Hub<'_>,
    collector: &mut Collector<'_>,
) -> Result<(), Cut> {
    let flags = frame.u8()?;
    let (saturation, pulse) = (frame.sfloat()?, frame.sfloat()?);
    let clock = frame.when(flags & 1 != 0, Frame::clock)?;
    let status = frame.when(flags & 2 != 0, Frame::u16)?.unwrap_or(0);
    let _sensor_status = frame.when(flags & 4 != 0, Frame::u24)?;
    let amplitude = frame.when(flags & 8 != 0, Frame::sfloat)?;
    frame.end()?;
    refuse_empty(collector, &[saturation, pulse], &hub.path);
    // Bit 4: the clock of the device was never set.
    let when = hub.time(clock.filter(|_| flags & 16 == 0));
    let first = collector.readings.len();
    take_float(collector, "spo2", saturation, "", when, &hub.path);
    take_float(collector, "pulse_rate", pulse, "", when, &hub.path);
    if let Some(amplitude) = amplitude {
        take_float(collector, "perfusion_index", amplitude, "", when, &hub.path);
    }
    describe(collector, first, status);
    Ok(())
}

pub(super) fn continuous(
    frame: &mut Frame<'_>,
    hub: &Hub<'_>,
    collector: &mut Collector<'_>,
) -> Result<(), Cut> {
    let flags = frame.u8()?;
    let (saturation, pulse) = (frame.sfloat()?, frame.sfloat()?);
    // The fast and the slow average of the same; the normal one is the value.
    let pair = |it: &mut Frame<'_>| Ok((it.sfloat()?, it.sfloat()?));
    let _fast = frame.when(flags & 1 != 0, pair)?;
    let _slow = frame.when(flags & 2 != 0, pair)?;
    let status = frame.when(flags & 4 != 0, Frame::u16)?.unwrap_or(0);
    let _sensor_status = frame.when(flags & 8 != 0, Frame::u24)?;
    let amplitude = frame.when(flags & 16 != 0, Frame::sfloat)?;
    frame.end()?;
    refuse_empty(collector, &[saturation, pulse], &hub.path);
    let first = collector.readings.len();
    take_float(collector, "spo2", saturation, "", hub.received, &hub.path);
    take_float(collector, "pulse_rate", pulse, "", hub.received, &hub.path);
    if let Some(amplitude) = amplitude {
        take_float(collector, "perfusion_index", amplitude, "", hub.received, &hub.path);
    }
    describe(collector, first, status);
    Ok(())
}
