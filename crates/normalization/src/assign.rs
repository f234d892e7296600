//! Whose device it was at the time of the reading.

use std::collections::HashMap;

use auscult_model::Timestamp;

/// One period in which a patient wore a device. `end` is exclusive; `None` while it lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Of the DeviceUseStatement; decides between overlapping periods, which records does not accept.
    pub id: String,
    /// Whose.
    pub patient: String,
    /// From.
    pub start: Timestamp,
    /// Until.
    pub end: Option<Timestamp>,
}

impl Assignment {
    fn covers(&self, at: Timestamp) -> bool {
        self.start <= at && self.end.is_none_or(|end| at < end)
    }
}

/// The assignments of the devices of one batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assignments(HashMap<String, Vec<Assignment>>);

impl Assignments {
    /// Adds one period of a device.
    pub fn add(&mut self, device: &str, assignment: Assignment) {
        self.0.entry(device.to_owned()).or_default().push(assignment);
    }

    /// The patient who wore the device at that instant; `None` when nobody is known to.
    #[must_use]
    pub fn patient(&self, device: &str, at: Timestamp) -> Option<&str> {
        let periods = self.0.get(device)?.iter().filter(|it| it.covers(at));
        periods.min_by_key(|it| &it.id).map(|it| it.patient.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wearer_is_who_wore_it_at_that_instant() {
        let mut worn = Assignments::default();
        let mut add = |id: &str, patient: &str, start, end: Option<i64>| {
            worn.add(
                "m",
                Assignment {
                    id: id.to_owned(),
                    patient: patient.to_owned(),
                    start: Timestamp::from_unix_ms(start),
                    end: end.map(Timestamp::from_unix_ms),
                },
            );
        };
        add("1", "ann", 100, Some(200));
        add("2", "bob", 200, None);
        let rows = [
            (99, None),
            (100, Some("ann")),
            (199, Some("ann")),
            (200, Some("bob")),
            (999, Some("bob")),
        ];
        for (at, want) in rows {
            assert_eq!(worn.patient("m", Timestamp::from_unix_ms(at)), want, "at {at}");
        }
        assert_eq!(worn.patient("other", Timestamp::from_unix_ms(150)), None);
    }
}
