//! Reads what happens around alerts: where their patients lie, what else stands, who silenced what,
//! and how much a unit was paged already.

use std::collections::HashMap;

use auscult_model::{Severity, Timestamp};
use auscult_store::{Database, StoreError};
use serde::Deserialize;
use serde_json::json;

use crate::desk::Turn;
use crate::fold::{Phase, State};
use crate::gate::{Scene, Standing};
use crate::policy::{Policy, Subject};
use crate::silence::Silence;
use crate::store::silences;

/// System of the tag of a Patient that names its unit, and of its free tags.
const UNIT: &str = "urn:auscult:unit";
const TAG: &str = "urn:auscult:tag";
/// Calls about a patient older than this gather nothing any more: the longest `group_wait` counts.
const CALLS_MS: i64 = 24 * 60 * 60 * 1_000;

/// Which alert.
#[derive(Debug, Clone, Copy)]
pub struct Who<'a> {
    pub alert: &'a str,
    pub patient: &'a str,
    pub cause: &'a str,
}

/// Where a patient lies, and the patient's free tags.
#[derive(Debug, Default)]
struct Place {
    unit: String,
    tags: Vec<String>,
}

/// The surroundings of a batch of alerts. What the batch itself changes is kept up to date.
pub struct Scenes {
    places: HashMap<String, Place>,
    silences: Vec<Silence>,
    standing: HashMap<String, Vec<Standing>>,
    last_call: HashMap<String, Timestamp>,
    spent: HashMap<String, i64>,
    nowhere: Place,
}

impl Scenes {
    /// Reads as much as the policy asks for.
    pub fn load<'a>(
        db: &dyn Database,
        policy: Option<&Policy>,
        patients: impl Iterator<Item = &'a str>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut patients: Vec<&str> = patients.collect();
        patients.sort_unstable();
        patients.dedup();
        let patients = json!(patients).to_string();
        let mut scenes = Self {
            places: HashMap::new(),
            silences: silences::active(db, now)?,
            standing: HashMap::new(),
            last_call: HashMap::new(),
            spent: HashMap::new(),
            nowhere: Place::default(),
        };
        scenes.load_places(db, &patients)?;
        let Some(policy) = policy else { return Ok(scenes) };
        if !policy.noise.inhibit.is_empty() {
            scenes.load_standing(db, &patients)?;
        }
        if policy.route.groups() {
            scenes.load_calls(db, &patients, now)?;
        }
        scenes.load_spent(db, policy, now)?;
        Ok(scenes)
    }

    fn load_places(&mut self, db: &dyn Database, patients: &str) -> Result<(), StoreError> {
        #[derive(Deserialize)]
        struct Coding {
            #[serde(default)]
            system: String,
            #[serde(default)]
            code: String,
        }
        let rows = db.query(
            "SELECT r.id, r.body -> 'meta' ->> 'tag' AS tags FROM resource r
             WHERE r.type = 'Patient' AND r.id IN (SELECT value FROM json_each(?1))",
            &[patients.into()],
        )?;
        for row in rows.iter() {
            let Some(tags) = row.text_or_null("tags")? else { continue };
            // A tag list FHIR would not have taken says nothing.
            let codings: Vec<Coding> = serde_json::from_str(tags).unwrap_or_default();
            let mut place = Place::default();
            for coding in codings {
                match coding.system.as_str() {
                    UNIT => place.unit = coding.code,
                    TAG => place.tags.push(coding.code),
                    _ => {}
                }
            }
            self.places.insert(row.text("id")?.to_owned(), place);
        }
        Ok(())
    }

    fn load_standing(&mut self, db: &dyn Database, patients: &str) -> Result<(), StoreError> {
        let rows = db.query(
            "SELECT a.id, a.patient, a.cause, a.severity FROM alert a
             WHERE a.status IN ('open', 'acknowledged', 'pending')
               AND a.patient IN (SELECT value FROM json_each(?1))",
            &[patients.into()],
        )?;
        for row in rows.iter() {
            let severity = Severity::parse(row.text("severity")?)
                .ok_or_else(|| StoreError::Shape("severity".to_owned()))?;
            let one = Standing {
                alert: row.text("id")?.to_owned(),
                cause: row.text("cause")?.to_owned(),
                severity,
            };
            self.standing.entry(row.text("patient")?.to_owned()).or_default().push(one);
        }
        Ok(())
    }

    fn load_calls(
        &mut self,
        db: &dyn Database,
        patients: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let rows = db.query(
            "SELECT p.patient, max(p.at_ms) AS at_ms FROM alert_page p
             WHERE p.calls = 1 AND p.at_ms > ?2
               AND p.patient IN (SELECT value FROM json_each(?1)) GROUP BY p.patient",
            &[patients.into(), now.plus_ms(-CALLS_MS).into()],
        )?;
        for row in rows.iter() {
            let at = Timestamp::from_unix_ms(row.integer("at_ms")?);
            self.last_call.insert(row.text("patient")?.to_owned(), at);
        }
        Ok(())
    }

    fn load_spent(
        &mut self,
        db: &dyn Database,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if policy.noise.budgets.is_empty() {
            return Ok(());
        }
        let mut units: Vec<&str> = self.places.values().map(|it| it.unit.as_str()).collect();
        units.push("");
        units.sort_unstable();
        units.dedup();
        let budgets = units.iter().filter_map(|it| Some((it, policy.noise.budget(it)?)));
        let wanted: Vec<_> = budgets
            .map(|(it, budget)| json!([it, budget.shifts.start_of(now).unix_ms()]))
            .collect();
        let rows = db.query(
            "SELECT w.value ->> 0 AS unit, (SELECT count(*) FROM alert_page p
                 WHERE p.unit = w.value ->> 0 AND p.at_ms >= CAST(w.value ->> 1 AS BIGINT)
                   AND p.calls = 1 AND p.leads = 1) AS pages
             FROM json_each(?1) w",
            &[(&json!(wanted).to_string()).into()],
        )?;
        for row in rows.iter() {
            self.spent.insert(row.text("unit")?.to_owned(), row.integer("pages")?);
        }
        Ok(())
    }

    fn place(&self, patient: &str) -> &Place {
        self.places.get(patient).unwrap_or(&self.nowhere)
    }

    /// Where the patient lies; empty when nobody said.
    pub fn unit(&self, patient: &str) -> &str {
        &self.place(patient).unit
    }

    /// What the batch makes of an alert, for the other alerts of the patient.
    pub fn stands(&mut self, who: &Who<'_>, state: Option<&State>) {
        let list = self.standing.entry(who.patient.to_owned()).or_default();
        list.retain(|it| it.alert != who.alert);
        let stands =
            state.filter(|it| matches!(it.phase, Phase::Open | Phase::Acknowledged { .. }));
        list.extend(stands.map(|it| Standing {
            alert: who.alert.to_owned(),
            cause: who.cause.to_owned(),
            severity: it.severity,
        }));
    }

    /// The surroundings of one alert.
    pub fn of<'a>(
        &'a self,
        who: &Who<'a>,
        state: Option<&State>,
        policy: Option<&'a Policy>,
    ) -> Scene<'a> {
        let place = self.place(who.patient);
        Scene {
            alert: who.alert,
            patient: who.patient,
            subject: Subject {
                severity: state.map_or(Severity::Technical, |it| it.severity),
                cause: who.cause,
                unit: &place.unit,
                tags: &place.tags,
            },
            noise: policy.map(|it| &it.noise),
            silences: &self.silences,
            standing: self.standing.get(who.patient).map(Vec::as_slice).unwrap_or_default(),
            last_call: self.last_call.get(who.patient).copied(),
            spent: self.spent.get(&place.unit).copied().unwrap_or(0),
        }
    }

    /// Notes a page of the batch.
    pub fn paged(&mut self, who: &Who<'_>, state: Option<&State>, turn: &Turn, now: Timestamp) {
        let Some(page) = turn.page.as_ref().filter(|it| it.reason.calls() && state.is_some())
        else {
            return;
        };
        self.last_call.insert(who.patient.to_owned(), now);
        // What joins another page of this batch costs nothing more.
        if !page.groups || state.is_some_and(|it| it.severity == Severity::Emergency) {
            let unit = self.unit(who.patient).to_owned();
            *self.spent.entry(unit).or_default() += 1;
        }
    }
}
