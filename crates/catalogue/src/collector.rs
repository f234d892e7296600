//! Gathers readings and refusals while a shape walks its message. The rules that hold for every
//! shape live here: numbers, units, plausibility, times.

use auscult_model::reading::Native;
use auscult_model::{Quality, Reading, ReadingValue, Timestamp};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::codes::{Code, code};
use crate::decoded::{Action, Context, Decoded, LocatedReading, Refusal};
use crate::number::decimal_of;
use crate::path::Path;
use crate::units::{UnitFault, convert, plausible};
use crate::zone::{EARLIEST, IMPLAUSIBLE, When};

/// A reading this far ahead of its receipt has a wrong clock; less is drift.
pub const AHEAD_MS_MAX: i64 = 5 * 60 * 1000;

/// The fact that holds the vendor's name of a device.
pub(crate) const VENDOR_DEVICE: &str = "device";

/// What is gathered so far.
pub(crate) struct Collector<'a> {
    pub(crate) context: &'a Context,
    pub(crate) readings: Vec<LocatedReading>,
    pub(crate) rejected: Vec<Refusal>,
    pub(crate) actions: Vec<Action>,
}

impl<'a> Collector<'a> {
    pub(crate) const fn new(context: &'a Context) -> Self {
        Self { context, readings: Vec::new(), rejected: Vec::new(), actions: Vec::new() }
    }

    /// What was gathered. Without a device named by the message, the vendor's own name of the
    /// device counts where all readings have the same.
    pub(crate) fn finish(self, shape: &'static str, named: Option<&str>) -> Decoded {
        let Self { readings, rejected, actions, .. } = self;
        let vendors = || {
            let first = readings.first()?.fact(VENDOR_DEVICE)?;
            readings.iter().all(|it| it.fact(VENDOR_DEVICE) == Some(first)).then_some(first)
        };
        let device = named.or_else(vendors).map(str::to_owned);
        Decoded { device, readings, rejected, actions, shape }
    }

    /// Records that the value at this place was refused.
    pub(crate) fn refuse(
        &mut self,
        path: &Path<'_>,
        code: &'static str,
        detail: impl Into<String>,
    ) {
        self.refuse_named(path, code, detail, None);
    }

    /// The same with the sender's own id of the reading.
    pub(crate) fn refuse_named(
        &mut self,
        path: &Path<'_>,
        code: &'static str,
        detail: impl Into<String>,
        source_id: Option<&str>,
    ) {
        self.rejected.push(Refusal {
            path: path.pointer(),
            code,
            detail: detail.into(),
            source_id: source_id.map(str::to_owned),
        });
    }

    /// Takes a number of that code as JSON; `None` when it was refused.
    pub(crate) fn number(
        &mut self,
        code: &'static Code,
        value: &Value,
        unit: &str,
        when: When,
        path: &Path<'_>,
    ) -> Option<&mut LocatedReading> {
        match decimal_of(value) {
            Ok(number) => self.decimal(code, number, unit, when, path),
            Err(fault) => {
                self.refuse(path, fault.code(), fault.to_string());
                None
            }
        }
    }

    /// Takes a number of that code; `None` when it was refused.
    pub(crate) fn decimal(
        &mut self,
        code: &'static Code,
        value: Decimal,
        unit: &str,
        when: When,
        path: &Path<'_>,
    ) -> Option<&mut LocatedReading> {
        let got = match convert(code, value, unit) {
            Ok(got) => got,
            Err(fault) => {
                let reason = match fault {
                    UnitFault::Unknown | UnitFault::NotForCode { .. } => "unknown-unit",
                    UnitFault::NotARatio | UnitFault::OutOfRange => "number-out-of-range",
                };
                self.refuse(path, reason, fault.to_string());
                return None;
            }
        };
        let native = got
            .converted
            .then(|| Native { value: ReadingValue::Number(value), unit: unit.to_owned() });
        let quality = match plausible(code, got.exact) {
            true => Quality::Accepted,
            false => Quality::OutOfPlausibleRange,
        };
        let value = ReadingValue::Number(got.shown);
        let reading = self.reading(code, value, got.unit, native, quality, when, path)?;
        reading.exact = Some(got.exact);
        Some(reading)
    }

    /// Takes a number for the code of that canonical name.
    pub(crate) fn named(
        &mut self,
        name: &str,
        value: &Value,
        unit: &str,
        when: When,
        path: &Path<'_>,
    ) -> Option<&mut LocatedReading> {
        let Some(code) = code(name) else {
            self.refuse(path, "unknown-code", "the code table has no such measurement");
            return None;
        };
        self.number(code, value, unit, when, path)
    }

    /// Takes the number a member of this object holds, when the object has that member. A null
    /// member is one the device left out.
    pub(crate) fn member(
        &mut self,
        name: &str,
        object: &Value,
        member: &str,
        unit: &str,
        when: When,
        path: &Path<'_>,
    ) -> Option<&mut LocatedReading> {
        let value = object.get(member).filter(|it| !it.is_null())?;
        self.named(name, value, unit, when, &path.key(member))
    }

    /// Takes a coded value; `None` when it was refused.
    pub(crate) fn text(
        &mut self,
        code: &'static Code,
        text: String,
        when: When,
        path: &Path<'_>,
    ) -> Option<&mut LocatedReading> {
        self.reading(code, ReadingValue::Text(text), "", None, Quality::Accepted, when, path)
    }

    #[expect(clippy::too_many_arguments, reason = "the one place where a reading is made")]
    fn reading(
        &mut self,
        code: &'static Code,
        value: ReadingValue,
        unit: &str,
        native: Option<Native>,
        quality: Quality,
        when: When,
        path: &Path<'_>,
    ) -> Option<&mut LocatedReading> {
        let checked =
            when.and_then(|it| if it.start < EARLIEST { Err(IMPLAUSIBLE) } else { Ok(it) });
        let moment = match checked {
            Ok(moment) => moment,
            Err(fault) => {
                self.refuse(path, fault.code, fault.detail);
                return None;
            }
        };
        let quality = match quality {
            Quality::Accepted if self.ahead(moment.start) => Quality::FutureTime,
            Quality::Accepted if moment.day.is_some() => Quality::Summary,
            quality => quality,
        };
        let flags = moment.day.map(|it| format!("day:{it}")).into_iter().collect();
        self.readings.push(LocatedReading {
            reading: Reading {
                code: code.name.to_owned(),
                value,
                unit: unit.to_owned(),
                effective: moment.start,
                end: moment.end,
                native,
                group: None,
                source_id: None,
                comparator: None,
                flags,
                quality,
            },
            path: path.pointer(),
            exact: None,
            device: None,
        });
        self.readings.last_mut()
    }

    fn ahead(&self, time: Timestamp) -> bool {
        time.since_ms(self.context.received) > AHEAD_MS_MAX
    }
}

/// What shapes add to a reading they have just made.
pub(crate) trait Detail: Sized {
    /// The sender's own id of it.
    fn source_id(self, id: Option<&str>) -> Self;
    /// Marks it as part of one act.
    fn group(self, group: &str) -> Self;
    /// A word about the value.
    fn flag(self, flag: &str) -> Self;
    /// A fact of the vendor, as a flag with a colon.
    fn fact(self, name: &str, value: &str) -> Self;
    /// The value lies beyond the measuring range.
    fn comparator(self, comparator: &str) -> Self;
    /// The device it came from, by the name it has in this system.
    fn device(self, device: Option<&str>) -> Self;
    /// The vendor's own name of the device it came from.
    fn vendor_device(self, device: Option<&str>) -> Self;
    /// The device itself calls the value invalid.
    fn invalid(self) -> Self;
    /// The value is a statistic over a time, not a measurement of one moment.
    fn statistic(self, name: &str) -> Self;
}

impl Detail for Option<&mut LocatedReading> {
    fn source_id(mut self, id: Option<&str>) -> Self {
        if let (Some(it), Some(id)) = (&mut self, id) {
            it.reading.source_id = Some(id.to_owned());
        }
        self
    }

    fn group(mut self, group: &str) -> Self {
        if let Some(it) = &mut self {
            it.reading.group = Some(group.to_owned());
        }
        self
    }

    fn flag(mut self, flag: &str) -> Self {
        if let Some(it) = &mut self {
            it.reading.flags.push(flag.to_owned());
        }
        self
    }

    fn fact(self, name: &str, value: &str) -> Self {
        self.flag(&format!("{name}:{value}"))
    }

    fn comparator(mut self, comparator: &str) -> Self {
        if let Some(it) = &mut self {
            it.reading.comparator = Some(comparator.to_owned());
        }
        self
    }

    fn device(mut self, device: Option<&str>) -> Self {
        if let (Some(it), Some(device)) = (&mut self, device) {
            it.device = Some(device.to_owned());
        }
        self
    }

    fn vendor_device(self, device: Option<&str>) -> Self {
        match device {
            Some(device) => self.fact(VENDOR_DEVICE, device),
            None => self,
        }
    }

    fn invalid(mut self) -> Self {
        if let Some(it) = &mut self {
            it.reading.quality = Quality::DeviceInvalid;
        }
        self
    }

    fn statistic(mut self, name: &str) -> Self {
        if let Some(it) = &mut self
            && it.reading.quality == Quality::Accepted
        {
            it.reading.quality = Quality::Summary;
        }
        self.fact("statistic", name)
    }
}
