//! Makes the stored assessments of every rule but NEWS2 agree with the readings a batch touches.
//!
//! A reading touches what its rule's own look-back says and no more. Spans are recomputed from the
//! tables, compared with what stands, and only differences are written.

use std::collections::{BTreeMap, BTreeSet};

use auscult_model::{Assessment, AssessmentStatus, PatientId, Timestamp, digest};
use auscult_store::{Database, StoreError};

use super::calendar::DAY_MS;
use super::daily::{self, First};
use super::judge::{self, Judged, assessment};
use super::load::{self, Stretch};
use super::series::Reading;
use super::{Due, Kind, Reach, Rule, RuleSet, absence};
use crate::engine::{Emission, Progress, Step};
use crate::settings::Settings;
use crate::store::{Change, write};
use crate::window::LATE_DATA;

/// Readings and assessments of one step: a few megabytes.
const STEP_ITEMS_MAX: usize = 5_000;
/// Longest piece of a span that is evaluated in one go.
const PIECE_MS: i64 = 6 * 3_600_000;

/// A stretch of one patient's time for one rule, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Whose.
    pub patient: String,
    /// The rule.
    pub rule: String,
    /// First millisecond.
    pub from_ms: i64,
    /// Last millisecond.
    pub to_ms: i64,
}

/// The steps that bring the rules in line after readings `(patient, code, at)` came, changed or went.
pub(crate) fn plan(
    db: &dyn Database,
    set: &RuleSet,
    touched: &BTreeSet<(&str, &str, i64)>,
) -> Result<Vec<Step>, StoreError> {
    let mut spans: BTreeMap<(&str, usize), Vec<(i64, i64)>> = BTreeMap::new();
    let later = later_in_their_day(db, set, touched)?;
    for (place, rule) in set.rules.iter().enumerate() {
        let hit = touched.iter().filter(|it| rule.codes.iter().any(|code| code == it.1));
        for reading in hit {
            let (patient, _, at) = reading;
            if matches!(rule.kind.reach(), Reach::Days(_)) && later.contains(reading) {
                continue;
            }
            let span = match rule.kind.reach() {
                Reach::Own => continue,
                Reach::Window(back) => (*at, at.saturating_add(back)),
                Reach::Days(back) => {
                    let day = set.zone.day(*at);
                    (set.zone.start(day), set.zone.start(day + back + 1) - 1)
                }
                Reach::Gap => (*at, *at),
            };
            spans.entry((patient, place)).or_default().push(span);
        }
    }
    if spans.is_empty() {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for ((patient, place), spans) in spans {
        let Some(rule) = set.rules.get(place) else { continue };
        let span = |(from_ms, to_ms)| Span {
            patient: patient.to_owned(),
            rule: rule.name.clone(),
            from_ms,
            to_ms,
        };
        all.extend(spans.into_iter().map(span));
    }
    cut_up(db, set, all)
}

/// Joins spans that meet; those of a gap always, because they reach to their neighbours.
fn merged(mut spans: Vec<(i64, i64)>, always: bool) -> Vec<(i64, i64)> {
    spans.sort_unstable();
    let mut found: Vec<(i64, i64)> = Vec::new();
    for (from, to) in spans {
        match found.last_mut() {
            Some(last) if always || from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
            _ => found.push((from, to)),
        }
    }
    found
}

fn pieces((from, to): (i64, i64), reach: Reach) -> impl Iterator<Item = (i64, i64)> {
    // A gap reaches to its neighbours and cannot be cut; a day costs one reading.
    let long = match reach {
        Reach::Own | Reach::Gap => i64::MAX,
        Reach::Window(_) => PIECE_MS,
        Reach::Days(_) => 32 * DAY_MS,
    };
    let starts = std::iter::successors(Some(from), move |it| it.checked_add(long));
    starts.take_while(move |it| *it <= to).map(move |it| (it, to.min(it.saturating_add(long - 1))))
}

/// The readings that are not the first of their day: rules over days do not look at them. What was the
/// first and is gone has none before it.
fn later_in_their_day<'a>(
    db: &dyn Database,
    set: &RuleSet,
    touched: &BTreeSet<(&'a str, &'a str, i64)>,
) -> Result<BTreeSet<(&'a str, &'a str, i64)>, StoreError> {
    let days = |code: &str| {
        let mut rules = set.rules.iter().filter(|it| matches!(it.kind.reach(), Reach::Days(_)));
        rules.any(|it| it.codes.iter().any(|it| it == code))
    };
    let asked: Vec<(&str, &str, i64)> = touched.iter().filter(|it| days(it.1)).copied().collect();
    if asked.is_empty() {
        return Ok(BTreeSet::new());
    }
    let stretches: Vec<Stretch<'_>> = asked.iter().map(|it| (it.0, it.1, it.2, it.2)).collect();
    let around = load::neighbours(db, &stretches)?;
    let later = |(_, _, at): &(&str, &str, i64), before: Option<i64>| {
        before.is_some_and(|it| set.zone.day(it) == set.zone.day(*at))
    };
    let found = asked.into_iter().zip(around).filter(|(it, around)| later(it, around.0));
    Ok(found.map(|it| it.0).collect())
}

/// Cuts spans of any length into steps; of one patient and rule the spans are joined first.
pub(crate) fn cut_up(
    db: &dyn Database,
    set: &RuleSet,
    spans: Vec<Span>,
) -> Result<Vec<Step>, StoreError> {
    let mut joined: BTreeMap<(String, String), Vec<(i64, i64)>> = BTreeMap::new();
    for it in spans {
        joined.entry((it.patient, it.rule)).or_default().push((it.from_ms, it.to_ms));
    }
    let mut all = Vec::new();
    for ((patient, name), spans) in joined {
        let Some(rule) = set.rules.iter().find(|it| it.name == name) else { continue };
        let reach = rule.kind.reach();
        let span = |(from_ms, to_ms)| Span {
            patient: patient.clone(),
            rule: name.clone(),
            from_ms,
            to_ms,
        };
        let spans = merged(spans, reach == Reach::Gap);
        all.extend(spans.into_iter().flat_map(|it| pieces(it, reach)).map(span));
    }
    cut(db, set, all)
}

/// Packs spans into steps of bounded work and leaves out those that hold nothing.
fn cut(db: &dyn Database, set: &RuleSet, spans: Vec<Span>) -> Result<Vec<Step>, StoreError> {
    let mut values: Vec<Stretch<'_>> = Vec::new();
    let mut owner = Vec::new();
    let mut n_items = vec![0; spans.len()];
    for (place, span) in spans.iter().enumerate() {
        let Some(rule) = set.rules.iter().find(|it| it.name == span.rule) else { continue };
        if let Reach::Window(_) = rule.kind.reach() {
            for code in &rule.codes {
                values.push((&span.patient, code, span.from_ms, span.to_ms));
                owner.push(place);
            }
        } else if let Some(slot) = n_items.get_mut(place) {
            let days = (span.to_ms.saturating_sub(span.from_ms) / DAY_MS).clamp(0, 1_000);
            *slot = 1 + usize::try_from(days).unwrap_or_default();
        }
    }
    let stands: Vec<Stretch<'_>> = spans
        .iter()
        .map(|it| (it.patient.as_str(), it.rule.as_str(), it.from_ms, it.to_ms))
        .collect();
    let (n_values, n_stands) = load::counts(db, &values, &stands)?;
    for (place, n) in owner.into_iter().zip(n_values).chain(n_stands.into_iter().enumerate()) {
        if let Some(slot) = n_items.get_mut(place) {
            *slot += n;
        }
    }
    let mut steps: Vec<Vec<Span>> = Vec::new();
    let mut room = 0;
    for (span, n) in spans.into_iter().zip(n_items).filter(|it| it.1 > 0) {
        match steps.last_mut() {
            Some(step) if n <= room => step.push(span),
            _ => {
                steps.push(vec![span]);
                room = STEP_ITEMS_MAX;
            }
        }
        room = room.saturating_sub(n);
    }
    Ok(steps.into_iter().map(Step::Rules).collect())
}

/// What every rule but NEWS2 would say of a patient in a stretch of time, in the order of rules and
/// time. Reads only.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub fn preview(
    db: &dyn Database,
    set: &RuleSet,
    patient: &str,
    (from_ms, to_ms): (i64, i64),
    now: Timestamp,
) -> Result<Vec<Assessment>, StoreError> {
    let settings = load::settings(db, &[patient])?;
    let Some(id) = PatientId::parse(patient) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for rule in set.rules.iter().filter(|it| it.kind.reach() != Reach::Own) {
        for (from_ms, to_ms) in pieces((from_ms, to_ms), rule.kind.reach()) {
            let (patient, name) = (patient.to_owned(), rule.name.clone());
            let span = Span { patient, rule: name, from_ms, to_ms };
            let settings = settings.get(&span.patient);
            let mut tasks = [Task {
                span: &span,
                rule,
                settings,
                patient: id.clone(),
                readings: Vec::new(),
                last: false,
                compare: (from_ms, to_ms),
            }];
            fill(db, set, &mut tasks)?;
            for task in &tasks {
                for (at, judged, rule) in task.judge(set, now) {
                    if (from_ms..=to_ms).contains(&at) {
                        found.push(assessment(&id, &rule, at, judged));
                    }
                }
            }
        }
    }
    Ok(found)
}

/// One span with everything needed to judge it.
struct Task<'a> {
    span: &'a Span,
    rule: &'a Rule,
    settings: Option<&'a Settings>,
    patient: PatientId,
    /// Window: all readings; days: firsts; gap: all between the neighbours.
    readings: Vec<Reading>,
    /// Whether nothing comes after.
    last: bool,
    /// What the assessments found are compared over.
    compare: (i64, i64),
}

/// Load, decide, write, for spans of one step.
pub(crate) fn evaluate(
    db: &dyn Database,
    set: &RuleSet,
    spans: &[Span],
    now: Timestamp,
) -> Result<Progress, StoreError> {
    let patients: BTreeSet<&str> = spans.iter().map(|it| it.patient.as_str()).collect();
    let settings = load::settings(db, &patients.into_iter().collect::<Vec<_>>())?;
    let mut tasks = Vec::new();
    for span in spans {
        let rule = set.rules.iter().find(|it| it.name == span.rule);
        let (Some(rule), Some(patient)) = (rule, PatientId::parse(&span.patient)) else { continue };
        let settings = settings.get(&span.patient);
        let compare = (span.from_ms, span.to_ms);
        tasks.push(Task {
            span,
            rule,
            settings,
            patient,
            readings: Vec::new(),
            last: false,
            compare,
        });
    }
    fill(db, set, &mut tasks)?;
    let compared: Vec<Span> = tasks
        .iter()
        .map(|it| Span { from_ms: it.compare.0, to_ms: it.compare.1, ..it.span.clone() })
        .collect();
    let standing = load::standing(db, &compared)?;

    let (mut aside, mut decided, mut due) = (Vec::new(), Vec::new(), Vec::new());
    let mut emissions = Vec::new();
    for (task, standing) in tasks.iter().zip(standing) {
        let mut found: BTreeMap<i64, Assessment> = BTreeMap::new();
        for (at, judged, rule) in task.judge(set, now) {
            if (task.compare.0..=task.compare.1).contains(&at) {
                found.insert(at, assessment(&task.patient, &rule, at, judged));
            }
        }
        for (at, (id, body)) in standing.gone {
            if !found.contains_key(&at) {
                // A repeat of the event that caused a retraction sends it again.
                emissions.push(Emission { id, body });
            }
        }
        let mut retired = standing.current;
        for (at, mut made) in found {
            let new = match retired.remove(&at) {
                Some(stands) if stands.id == made.id => {
                    made.reason = stands.supersedes.as_ref().map(|_| LATE_DATA.to_owned());
                    made.supersedes = stands.supersedes;
                    None
                }
                Some(stands) => {
                    aside.push(stands.seq);
                    made.reason = Some(LATE_DATA.to_owned());
                    made.supersedes = Some(stands.id);
                    Some(1)
                }
                None => Some(1),
            };
            decided.push((made, new));
        }
        for (at, stands) in retired {
            aside.push(stands.seq);
            decided.push((retraction(&task.patient, task.rule, at, &stands.id), Some(0)));
        }
        due.extend(task.due(set, now));
    }
    let first = emissions.len();
    for (made, _) in &decided {
        let body = serde_json::value::to_raw_value(made).map_err(StoreError::from)?;
        emissions.push(Emission { id: made.id.clone(), body });
    }
    let changes: Vec<Change<'_>> = decided
        .iter()
        .zip(emissions.iter().skip(first))
        .filter_map(|((assessment, current), emission)| {
            Some(Change { assessment, body: &emission.body, current: (*current)? })
        })
        .collect();
    write(db, &aside, &changes, now)?;
    let due: Vec<(&str, &str, Option<i64>)> = due.iter().map(|it| (it.0, it.1, it.2)).collect();
    load::set_due(db, &due)?;
    let n_changed = changes.len();
    Ok(Progress { emissions, n_changed, rest: Vec::new() })
}

fn retraction(patient: &PatientId, rule: &Rule, at_ms: i64, stood: &str) -> Assessment {
    let judged = Judged {
        status: AssessmentStatus::Incomplete,
        band: None,
        fires: false,
        inputs: Vec::new(),
        missing: Vec::new(),
    };
    let made = assessment(patient, rule, at_ms, judged);
    Assessment {
        id: digest(&["retraction", &made.id, stood]),
        reason: Some(LATE_DATA.to_owned()),
        supersedes: Some(stood.to_owned()),
        ..made
    }
}

/// Reads what the tasks need, one statement per kind of reach.
fn fill(db: &dyn Database, set: &RuleSet, tasks: &mut [Task<'_>]) -> Result<(), StoreError> {
    let (mut gaps, mut windows, mut days) = (Vec::new(), Vec::new(), Vec::new());
    for (place, task) in tasks.iter().enumerate() {
        let (from, to) = (task.span.from_ms, task.span.to_ms);
        let patient = task.span.patient.as_str();
        for code in &task.rule.codes {
            let code = code.as_str();
            match task.rule.kind.reach() {
                Reach::Own => {}
                Reach::Gap => gaps.push((place, (patient, code, from, to))),
                Reach::Window(back) => {
                    windows.push((place, (patient, code, from.saturating_sub(back), to)));
                }
                Reach::Days(back) => {
                    let first = set.zone.day(from).saturating_sub(back);
                    for day in first..=set.zone.day(to) {
                        let (start, end) = (set.zone.start(day), set.zone.start(day + 1) - 1);
                        days.push((place, (patient, code, start, end)));
                    }
                }
            }
        }
    }
    let mut reached: BTreeMap<usize, (Option<i64>, Option<i64>)> = BTreeMap::new();
    if !gaps.is_empty() {
        let asked: Vec<Stretch<'_>> = gaps.iter().map(|it| it.1).collect();
        for ((place, _), (before, after)) in gaps.iter().zip(load::neighbours(db, &asked)?) {
            let slot = reached.entry(*place).or_default();
            slot.0 = slot.0.max(before);
            slot.1 = [slot.1, after].into_iter().flatten().min();
        }
        for (place, (patient, code, from, to)) in gaps {
            let (before, after) = reached.get(&place).copied().unwrap_or_default();
            let stretch = (patient, code, before.unwrap_or(from), after.unwrap_or(to));
            windows.push((place, stretch));
        }
    }
    let mut found: Vec<(usize, Vec<Reading>)> = Vec::new();
    for (asked, firsts) in [(&windows, false), (&days, true)] {
        if asked.is_empty() {
            continue;
        }
        let stretches: Vec<Stretch<'_>> = asked.iter().map(|it| it.1).collect();
        let read =
            if firsts { load::firsts(db, &stretches)? } else { load::readings(db, &stretches)? };
        found.extend(asked.iter().map(|it| it.0).zip(read));
    }
    for (place, readings) in found {
        if let Some(task) = tasks.get_mut(place) {
            task.readings.extend(readings);
        }
    }
    for (place, task) in tasks.iter_mut().enumerate() {
        task.readings.sort_unstable_by(|one, other| {
            (one.at_ms, &one.observation, &one.code).cmp(&(
                other.at_ms,
                &other.observation,
                &other.code,
            ))
        });
        if task.rule.kind.reach() == Reach::Gap {
            let (before, after) = reached.get(&place).copied().unwrap_or_default();
            task.last = after.is_none();
            // What stands at the reading before speaks of the time before it.
            task.compare =
                (before.map_or(i64::MIN, |it| it.saturating_add(1)), after.unwrap_or(i64::MAX));
        }
    }
    Ok(())
}

impl Task<'_> {
    /// The rule as the patient's settings have it at an instant; `None` while it is off.
    fn rule_at(&self, at_ms: i64) -> Option<Result<Rule, ()>> {
        match self.settings {
            Some(settings) => settings.rule_at(self.rule, Timestamp::from_unix_ms(at_ms)),
            None => Some(Ok(self.rule.clone())),
        }
    }

    /// Everything the rule says in the span, in the order of time.
    fn judge(&self, set: &RuleSet, now: Timestamp) -> Vec<(i64, Judged, Rule)> {
        let mut found = Vec::new();
        let mut put = |at: i64, judge: &dyn Fn(&Rule) -> Judged| match self.rule_at(at) {
            None => {}
            Some(Ok(rule)) => found.push((at, judge(&rule), rule)),
            Some(Err(())) => {
                let code = self.rule.codes.first().map_or("", String::as_str);
                let reason = "the patient's settings do not fit this version of the rule";
                let nothing = Judged::nothing(code, reason.to_owned(), Vec::new());
                let failed = Judged { status: AssessmentStatus::Failed, ..nothing };
                found.push((at, failed, self.rule.clone()));
            }
        };
        match self.rule.kind.reach() {
            Reach::Own => {}
            Reach::Gap => {
                if let Kind::Absence(due) = self.rule.kind {
                    let due = self.due_of(due);
                    for (at, judged) in
                        absence::instants(due, set.zone, &self.readings, now.unix_ms())
                    {
                        put(at, &|_| judged.clone());
                    }
                }
            }
            Reach::Window(_) => {
                let readings: Vec<&Reading> = self.readings.iter().collect();
                for (place, reading) in readings.iter().enumerate() {
                    let at = reading.at_ms;
                    if at < self.span.from_ms
                        || readings.get(place + 1).is_some_and(|it| it.at_ms == at)
                    {
                        continue;
                    }
                    put(at, &|rule| {
                        let back = match rule.kind.reach() {
                            Reach::Window(back) => back,
                            _ => 0,
                        };
                        let from =
                            readings.partition_point(|it| it.at_ms < at.saturating_sub(back));
                        let seen = readings.get(from..=place).unwrap_or_default();
                        judge::window(set, rule, seen, at)
                    });
                }
            }
            Reach::Days(back) => {
                let mut firsts: Vec<First<'_>> = Vec::new();
                for reading in &self.readings {
                    let day = set.zone.day(reading.at_ms);
                    match firsts.last_mut() {
                        // Of two first readings at one instant the greater observation id stands.
                        Some(first) if first.day == day => {
                            if first.reading.at_ms == reading.at_ms {
                                first.reading = reading;
                            }
                        }
                        _ => firsts.push(First { day, reading }),
                    }
                }
                for (place, first) in firsts.iter().enumerate() {
                    if first.reading.at_ms < self.span.from_ms {
                        continue;
                    }
                    let from = firsts.partition_point(|it| it.day < first.day - back);
                    let seen = firsts.get(from..=place).unwrap_or_default();
                    put(first.reading.at_ms, &|rule| daily::judge(rule, seen));
                }
            }
        }
        found
    }

    /// The due time that the settings at the last reading ask for.
    fn due_of(&self, due: Due) -> Due {
        let at = self.readings.last().map_or(0, |it| it.at_ms);
        match self.rule_at(at) {
            Some(Ok(Rule { kind: Kind::Absence(due), .. })) => due,
            _ => due,
        }
    }

    /// When the next reading is due, when this task knows the last one.
    fn due(&self, set: &RuleSet, now: Timestamp) -> Option<(&str, &str, Option<i64>)> {
        let Kind::Absence(due) = self.rule.kind else { return None };
        if !self.last {
            return None;
        }
        let due =
            self.readings.last().map(|it| absence::due_ms(self.due_of(due), set.zone, it.at_ms));
        let due = due.filter(|it| *it > now.unix_ms());
        Some((&self.span.patient, &self.span.rule, due))
    }
}
