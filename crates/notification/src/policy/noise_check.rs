//! Reads schedules, what is held back, and the heartbeat of a policy document.

use auscult_model::Severity;
use chrono_tz::Tz;
use serde_json::{Map, Value};

use crate::policy::check::{Names, REPEAT_MS_MIN, ROUTES_MAX};
use crate::policy::hours::{Hours, Shifts, minutes};
use crate::policy::noise::{Budget, Flapping, Inhibit, Noise, Quiet};
use crate::policy::read::Faults;
use crate::policy::schedule::{Heartbeat, Schedule, Shift};

/// Most openings asked for before a cause counts as flapping; a ledger remembers no more.
pub const OPENINGS_MAX: u32 = 16;
/// Shift changes in a day.
const SHIFTS_MAX: usize = 24;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Faults {
    pub(super) fn schedules(&mut self, value: Option<&Value>, names: Names<'_>) -> Vec<Schedule> {
        let mut schedules: Vec<Schedule> = Vec::new();
        for (path, value) in self.entries(value, "/schedules") {
            let known = ["name", "time_zone", "shifts", "otherwise"];
            let Some(keys) = self.object(value, &path, &known) else { continue };
            let name = self.text(keys.get("name"), &format!("{path}/name"));
            let taken = |name: &str| {
                schedules.iter().any(|it| it.name == name)
                    || names.is_some_and(|it| it.iter().any(|known| known == name))
            };
            if name.is_some_and(taken) {
                self.add(&format!("{path}/name"), "duplicate", "another receiver has this name");
            }
            let zone = self.zone(keys, &path);
            let otherwise = self.name(keys.get("otherwise"), &format!("{path}/otherwise"), names);
            let mut shifts = Vec::new();
            for (path, value) in self.entries(keys.get("shifts"), &format!("{path}/shifts")) {
                let known = ["days", "from", "to", "receiver"];
                let Some(keys) = self.object(value, &path, &known) else { continue };
                let hours = self.hours(keys, &path, zone);
                let receiver = self.name(keys.get("receiver"), &format!("{path}/receiver"), names);
                if let (Some(hours), Some(receiver)) = (hours, receiver) {
                    shifts.push(Shift { hours, receiver });
                }
            }
            if let (Some(name), Some(otherwise)) = (name, otherwise) {
                schedules.push(Schedule { name: name.to_owned(), shifts, otherwise });
            }
        }
        schedules
    }

    pub(super) fn noise(&mut self, keys: &Map<String, Value>) -> Noise {
        Noise {
            inhibit: self.inhibit(keys.get("inhibit")),
            flapping: keys.get("flapping").and_then(|it| self.flapping(it)),
            quiet_hours: self.quiet_hours(keys.get("quiet_hours")),
            budgets: self.budgets(keys.get("budgets")),
        }
    }

    fn inhibit(&mut self, value: Option<&Value>) -> Vec<Inhibit> {
        let mut found = Vec::new();
        for (path, value) in self.entries(value, "/inhibit") {
            let Some(keys) = self.object(value, &path, &["source", "target"]) else { continue };
            let mut side = |key: &str| {
                let path = format!("{path}/{key}");
                match keys.get(key) {
                    Some(it) => Some(self.matches(it, &path)),
                    None => {
                        self.add(&path, "missing", "which alerts is needed");
                        None
                    }
                }
            };
            let (source, target) = (side("source"), side("target"));
            if let (Some(source), Some(target)) = (source, target) {
                if target.severities.contains(&Severity::Emergency) && target.causes.is_empty() {
                    self.add(
                        &format!("{path}/target"),
                        "holds-emergency",
                        "an emergency is silenced only by cause",
                    );
                }
                found.push(Inhibit { source, target });
            }
        }
        found
    }

    fn flapping(&mut self, value: &Value) -> Option<Flapping> {
        let keys = self.object(value, "/flapping", &["openings", "within", "steady"])?;
        let most = i64::from(OPENINGS_MAX);
        let openings = self.number(keys.get("openings"), "/flapping/openings", 2, most);
        let mut span = |key: &str| {
            let path = format!("/flapping/{key}");
            if !keys.contains_key(key) {
                self.add(&path, "missing", "this key is needed");
            }
            self.duration(keys.get(key), &path, 1)
        };
        let (within_ms, steady_ms) = (span("within"), span("steady"));
        let openings = u32::try_from(openings?).ok()?;
        Some(Flapping { openings, within_ms: within_ms?, steady_ms: steady_ms? })
    }

    fn quiet_hours(&mut self, value: Option<&Value>) -> Vec<Quiet> {
        let mut found = Vec::new();
        for (path, value) in self.entries(value, "/quiet_hours") {
            let known = ["match", "time_zone", "days", "from", "to"];
            let Some(keys) = self.object(value, &path, &known) else { continue };
            let place = format!("{path}/match");
            let of = match keys.get("match") {
                Some(it) => self.matches(it, &place),
                None => {
                    self.add(&place, "missing", "which alerts can wait is needed");
                    continue;
                }
            };
            let waits = |it: &Severity| matches!(it, Severity::Routine | Severity::Technical);
            if of.severities.is_empty() || !of.severities.iter().all(waits) {
                self.add(
                    &format!("{place}/severity"),
                    "cannot-wait",
                    "quiet hours are for routine and technical alerts only",
                );
            }
            let zone = self.zone(keys, &path);
            found.extend(self.hours(keys, &path, zone).map(|hours| Quiet { of, hours }));
        }
        found
    }

    fn budgets(&mut self, value: Option<&Value>) -> Vec<Budget> {
        let mut found = Vec::new();
        for (path, value) in self.entries(value, "/budgets") {
            let known = ["unit", "pages", "time_zone", "shifts"];
            let Some(keys) = self.object(value, &path, &known) else { continue };
            let units = self.texts(keys.get("unit"), &format!("{path}/unit"));
            let units = units.into_iter().map(|(text, _)| text.to_owned()).collect();
            let pages = self.number(keys.get("pages"), &format!("{path}/pages"), 0, 10_000);
            let zone = self.zone(keys, &path);
            let place = format!("{path}/shifts");
            let listed = self.list(keys.get("shifts"), &place, SHIFTS_MAX);
            if listed.is_some_and(<[Value]>::is_empty) {
                self.add(&place, "empty", "at least one time at which a shift begins is needed");
            }
            let mut starts_min = Vec::new();
            for (at, value) in listed.unwrap_or_default().iter().enumerate() {
                starts_min.extend(self.time(Some(value), &format!("{place}/{at}")));
            }
            starts_min.sort_unstable();
            if let (Some(pages), Some(zone)) = (pages, zone) {
                found.push(Budget { units, pages, shifts: Shifts { zone, starts_min } });
            }
        }
        found
    }

    pub(super) fn heartbeat(
        &mut self,
        value: Option<&Value>,
        names: Names<'_>,
    ) -> Option<Heartbeat> {
        let keys = self.object(value?, "/heartbeat", &["receiver", "interval"])?;
        let receiver = self.name(keys.get("receiver"), "/heartbeat/receiver", names);
        if !keys.contains_key("interval") {
            self.add("/heartbeat/interval", "missing", "how often is needed");
        }
        let interval = self.duration(keys.get("interval"), "/heartbeat/interval", REPEAT_MS_MIN);
        Some(Heartbeat { receiver: receiver?, interval_ms: interval? })
    }

    /// The entries of a list that may be absent, each with its place.
    fn entries<'a>(&mut self, value: Option<&'a Value>, path: &str) -> Vec<(String, &'a Value)> {
        let Some(value) = value else { return Vec::new() };
        let list = self.list(Some(value), path, ROUTES_MAX).unwrap_or_default();
        list.iter().enumerate().map(|(at, it)| (format!("{path}/{at}"), it)).collect()
    }

    fn zone(&mut self, keys: &Map<String, Value>, path: &str) -> Option<Tz> {
        let path = format!("{path}/time_zone");
        let zone = self.text(keys.get("time_zone"), &path)?.parse().ok();
        if zone.is_none() {
            self.add(&path, "unknown-zone", "a time zone such as Europe/Berlin is needed");
        }
        zone
    }

    fn hours(&mut self, keys: &Map<String, Value>, path: &str, zone: Option<Tz>) -> Option<Hours> {
        let mut days = [!keys.contains_key("days"); 7];
        for (text, place) in self.texts(keys.get("days"), &format!("{path}/days")) {
            match DAYS.iter().position(|it| *it == text).and_then(|it| days.get_mut(it)) {
                Some(day) => *day = true,
                None => self.add(&place, "unknown-day", "one of mon tue wed thu fri sat sun"),
            }
        }
        let from = self.time(keys.get("from"), &format!("{path}/from"));
        let to = self.time(keys.get("to"), &format!("{path}/to"));
        Some(Hours { zone: zone?, days, from_min: from?, to_min: to? })
    }

    fn time(&mut self, value: Option<&Value>, path: &str) -> Option<u32> {
        let found = minutes(self.text(value, path)?);
        if found.is_none() {
            self.add(path, "bad-time", "a time of day such as 07:30 is needed");
        }
        found
    }

    fn number(&mut self, value: Option<&Value>, path: &str, least: i64, most: i64) -> Option<i64> {
        let Some(value) = value else {
            self.add(path, "missing", "this key is needed");
            return None;
        };
        let found = value.as_i64().filter(|it| (least..=most).contains(it));
        if found.is_none() {
            let detail = format!("a whole number from {least} to {most} is needed");
            self.add(path, "bad-number", &detail);
        }
        found
    }
}
