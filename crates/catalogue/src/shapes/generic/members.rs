//! What the members of a plain object are for: time, device, unit, or a measurement.

use auscult_model::Quality;
use serde_json::{Map, Value};

use crate::codes::{Code, NAME_BYTES_MAX, fold};
use crate::collector::Collector;
use crate::device;
use crate::zone::{Moment, NO_TIME, When, Zone, epoch, parse_time};

use super::{Scope, fits};

/// What a member is for, by its name alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    /// When it was measured; the lower, the better.
    Time(u8),
    /// When the measuring ended.
    End,
    /// The zone of times without offset.
    Zone,
    /// Which device.
    Device,
    /// Which class of device.
    Class,
    /// The value of a reading in long form.
    Value,
    /// Its unit.
    Unit,
    /// Its name; the lower, the better.
    Name(u8),
    /// Its id.
    Id,
    /// Beyond the measuring range.
    Comparator,
    /// Whether the device trusts it.
    Validity,
    /// Holds readings.
    Container,
    /// Perhaps a measurement.
    Other,
}

impl Member {
    pub(super) fn of(key: &str) -> Self {
        let mut room = [0; NAME_BYTES_MAX];
        match fold(key, &mut room).unwrap_or_default() {
            "ts" | "timestamp" | "datetime" | "effective" | "effectivedatetime" => Self::Time(0),
            "measuredat" | "measurementtime" | "observedat" | "observationtime" | "takenat"
            | "capturedat" | "sampledat" | "recordedat" => Self::Time(1),
            "time" => Self::Time(2),
            "date" => Self::Time(3),
            "start" | "starttime" | "startdate" | "startdatetime" => Self::Time(4),
            "eventtime" | "createdat" => Self::Time(5),
            "end" | "endtime" | "enddate" | "enddatetime" => Self::End,
            "timezone" | "tz" => Self::Zone,
            "device" | "deviceid" | "deviceidentifier" | "serialnumber" | "deviceserial" => {
                Self::Device
            }
            "deviceclass" | "devicetype" => Self::Class,
            "value" | "val" | "quantity" | "magnitude" => Self::Value,
            "unit" | "units" | "uom" | "unitofmeasure" => Self::Unit,
            "code" | "canonical" => Self::Name(0),
            "metric" | "measure" | "parameter" | "vital" | "vitalsign" | "loinc" | "signal" => {
                Self::Name(1)
            }
            "name" | "type" | "kind" => Self::Name(2),
            "id" | "readingid" | "sourceid" => Self::Id,
            "comparator" => Self::Comparator,
            "valid" | "quality" => Self::Validity,
            "vitals" | "vitalsigns" | "data" | "payload" | "body" | "readings" | "reading"
            | "measurements" | "measurement" | "observations" | "observation" | "values"
            | "telemetry" | "metrics" | "samples" | "sample" | "records" | "results" | "result"
            | "items" | "entries" | "message" | "content" | "parameters" | "sensors" => {
                Self::Container
            }
            _ => Self::Other,
        }
    }
}

/// The members of one object that are about its readings.
#[derive(Default)]
pub(super) struct Members<'a> {
    pub(super) name: Option<(&'a str, &'a str)>,
    pub(super) value: Option<(&'a str, &'a Value)>,
    pub(super) unit: Option<&'a str>,
    time: Option<(u8, &'a Value)>,
    date: Option<&'a str>,
    end: Option<&'a Value>,
    zone: Option<Zone>,
    class: Option<&'a str>,
    id: Option<&'a str>,
    comparator: Option<&'a str>,
    invalid: bool,
    has_device: bool,
    /// Whether some member's name ends in `unit` or `units`.
    has_units: bool,
}

impl<'a> Members<'a> {
    pub(super) fn of(map: &'a Map<String, Value>) -> Self {
        let mut it = Self::default();
        let mut name_rank = u8::MAX;
        for (key, value) in map {
            let text = value.as_str();
            let mut name = |it: &mut Self, rank| {
                if let Some(text) = text.filter(|_| rank < name_rank) {
                    name_rank = rank;
                    it.name = Some((key, text));
                }
            };
            match Member::of(key) {
                Member::Time(rank) => {
                    if it.time.is_none_or(|(known, _)| rank < known) {
                        it.time = Some((rank, value));
                    }
                    if key.eq_ignore_ascii_case("date") {
                        it.date = text;
                    }
                }
                Member::End => it.end = Some(value),
                Member::Zone => it.zone = text.and_then(Zone::parse),
                Member::Class => it.class = text,
                Member::Value => it.value = Some((key, value)),
                Member::Unit => it.unit = text,
                Member::Name(rank) => name(&mut it, rank),
                // `"measurement": "heart_rate"` is a name, not what holds readings.
                Member::Container => name(&mut it, 1),
                Member::Id => it.id = text,
                Member::Comparator => it.comparator = text,
                Member::Validity => it.invalid = says_invalid(value),
                Member::Device => it.has_device = true,
                Member::Other => it.has_units |= unit_owner(key).is_some(),
            }
        }
        it
    }

    /// The scope of this object inside that of the object around it.
    pub(super) fn scope<'b>(&self, outer: Scope<'b>, map: &'b Map<String, Value>) -> Scope<'b>
    where
        'a: 'b,
    {
        let zone = self.zone.or(outer.zone);
        let named = || if self.has_device { device::named_in(map) } else { None };
        Scope {
            when: self.when(zone).unwrap_or(outer.when),
            zone,
            class: self.class.or(outer.class),
            device: named().or(outer.device),
            depth: outer.depth,
        }
    }

    /// The time this object states; `None` when it states none.
    fn when(&self, zone: Option<Zone>) -> Option<When> {
        let end = self.end.map(|it| time(it, zone));
        let Some((_, stated)) = self.time else { return end };
        let mut start = time(stated, zone);
        // A date and a clock time in two members.
        if start.is_err()
            && let (Some(date), Some(clock)) = (self.date, stated.as_str())
        {
            start = parse_time(&format!("{date}T{clock}"), zone);
        }
        let with_end = |start: Moment| match end {
            Some(Ok(end)) if end.start > start.start => Moment { end: Some(end.start), ..start },
            _ => start,
        };
        Some(start.map(with_end))
    }

    /// The unit of the member `key`, which is a value of `code`: that of a member named after it
    /// (`tempUnit`), else that of the whole object where the code can have it.
    pub(super) fn unit_for<'b>(
        &self,
        map: &'b Map<String, Value>,
        key: &str,
        code: &Code,
    ) -> &'b str
    where
        'a: 'b,
    {
        if self.has_units {
            let own = map.iter().find(|(it, _)| {
                unit_owner(it).is_some_and(|owner| owner.eq_ignore_ascii_case(key))
            });
            if let Some(unit) = own.and_then(|(_, unit)| unit.as_str()) {
                return unit;
            }
        }
        self.unit.filter(|it| fits(code, it)).unwrap_or_default()
    }

    /// Adds what the object says about its reading to those made since `first`.
    pub(super) fn describe(&self, collector: &mut Collector<'_>, first: usize) {
        for it in collector.readings.iter_mut().skip(first) {
            let reading = &mut it.reading;
            if reading.source_id.is_none() {
                reading.source_id = self.id.map(str::to_owned);
            }
            if let Some(sign) = self.comparator.filter(|it| ["<", ">", "<=", ">="].contains(it)) {
                reading.comparator = Some(sign.to_owned());
            }
            if self.invalid {
                reading.quality = Quality::DeviceInvalid;
            }
        }
    }
}

/// The name of the member whose unit this one states: `temp` of `temp_unit`.
fn unit_owner(key: &str) -> Option<&str> {
    ["_units", "_unit", "Units", "Unit"].iter().find_map(|it| key.strip_suffix(it))
}

/// A time as plain messages write it: text, or a number of seconds or milliseconds since 1970.
fn time(value: &Value, zone: Option<Zone>) -> When {
    match value {
        Value::String(text) => parse_time(text, zone),
        Value::Number(number) => epoch(number.as_f64().unwrap_or(f64::NAN)),
        _ => Err(NO_TIME),
    }
}

fn says_invalid(value: &Value) -> bool {
    match value {
        Value::Bool(valid) => !valid,
        Value::String(text) => {
            ["invalid", "bad", "inv"].iter().any(|it| text.eq_ignore_ascii_case(it))
        }
        _ => false,
    }
}
