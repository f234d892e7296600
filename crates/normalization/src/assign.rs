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

/// The assignments of the devices of one batch, and the names their wearers go by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assignments {
    periods: HashMap<String, Vec<Assignment>>,
    /// Identifier values by patient, known where a message names its patient.
    identifiers: HashMap<String, Vec<String>>,
}

/// The message names another patient than the one who wore the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PatientMismatch;

impl Assignments {
    /// Adds one period of a device.
    pub fn add(&mut self, device: &str, assignment: Assignment) {
        self.periods.entry(device.to_owned()).or_default().push(assignment);
    }

    /// The patient who wore the device at that instant; `None` when nobody is known to.
    #[must_use]
    pub fn patient(&self, device: &str, at: Timestamp) -> Option<&str> {
        let periods = self.periods.get(device)?.iter().filter(|it| it.covers(at));
        periods.min_by_key(|it| &it.id).map(|it| it.patient.as_str())
    }

    /// Adds a value that a patient's resource has as identifier.
    pub fn identify(&mut self, patient: &str, identifier: &str) {
        self.identifiers.entry(patient.to_owned()).or_default().push(identifier.to_owned());
    }

    /// Every patient some device is assigned to.
    pub fn patients(&self) -> impl Iterator<Item = &str> {
        self.periods.values().flatten().map(|it| it.patient.as_str())
    }

    /// The patient a reading is filed to: the wearer, unless the message names somebody else, by
    /// logical id or by identifier.
    ///
    /// # Errors
    /// [`PatientMismatch`], and the reading is filed to nobody.
    pub fn filed_to(
        &self,
        device: &str,
        at: Timestamp,
        claim: Option<&str>,
    ) -> Result<Option<&str>, PatientMismatch> {
        let Some(patient) = self.patient(device, at) else { return Ok(None) };
        let names = self.identifiers.get(patient).map(Vec::as_slice).unwrap_or_default();
        match claim {
            Some(claim) if claim != patient && names.iter().all(|it| it != claim) => {
                Err(PatientMismatch)
            }
            _ => Ok(Some(patient)),
        }
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
        worn.identify("ann", "MRN-7");
        let rows = [
            (150, None, Ok(Some("ann"))),
            (150, Some("ann"), Ok(Some("ann"))),
            (150, Some("MRN-7"), Ok(Some("ann"))),
            (150, Some("bob"), Err(PatientMismatch)),
            (200, Some("MRN-7"), Err(PatientMismatch)),
            (99, Some("bob"), Ok(None)),
        ];
        for (at, claim, want) in rows {
            let got = worn.filed_to("m", Timestamp::from_unix_ms(at), claim);
            assert_eq!(got, want, "at {at} {claim:?}");
        }
    }
}
