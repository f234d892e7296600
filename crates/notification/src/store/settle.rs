//! Read, decide, write: folds what changed, decides about pages, stores both. Runs inside one
//! transaction of its caller.

use std::collections::{HashMap, HashSet};

use auscult_model::{AlertStatus, Timestamp};
use auscult_store::{Database, StoreError, transaction};

use crate::desk::{Turn, turn};
use crate::fold::{Answer, Item, Observed, State, Step, Verdict};
use crate::page::{Facing, HoldReason, Ledger};
use crate::policy::Policy;
use crate::refold::{Past, Refolded};
use crate::store::bundle;
use crate::store::load::{self, AlertBody, AlertRow, Touched};
use crate::store::policies;
use crate::store::scenes::{Scenes, Who};
use crate::store::write::{self, Change, NewHeld};

/// Most alerts whose repeats one call makes; the next call makes the rest.
const REPEATS_MAX: i64 = 200;
/// How long a repeat waits for a page still on its way before it is looked at again, in
/// milliseconds: the lease of one try.
const POSTPONED_MS: i64 = 30_000;

/// One alert between reading and writing.
struct Work<'a> {
    touched: &'a Touched,
    row: Option<AlertRow>,
    past: Past,
    steps: Vec<Step>,
    answers: Vec<Answer>,
    evidence: Option<Timestamp>,
}

/// Folds the touched spans again and stores what follows. Returns the ids of alerts that changed.
pub fn settle(
    db: &dyn Database,
    touched: &[Touched],
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let mut works = refolded(db, touched)?;
    works.retain(|it| it.row.is_some() || it.state().is_some());
    if works.is_empty() {
        return Ok(Vec::new());
    }
    let policy = policies::in_force(db)?;
    let patients = works.iter().map(|it| it.touched.patient.reveal());
    let mut scenes = Scenes::load(db, policy.as_ref(), patients, now)?;
    for work in &works {
        scenes.stands(&work.touched.who(), work.state());
    }
    // The worst first: what it uses up and stands for counts for the rest.
    works.sort_by_key(|it| std::cmp::Reverse(it.state().map(|it| it.severity)));
    let mut changes: Vec<Change> =
        works.into_iter().filter_map(|it| it.change(policy.as_ref(), &mut scenes, now)).collect();
    bundle::bundle(&mut changes, now);
    write::changes(db, &changes, now)?;
    Ok(changes.into_iter().map(|it| it.alert).collect())
}

fn refolded<'a>(db: &dyn Database, touched: &'a [Touched]) -> Result<Vec<Work<'a>>, StoreError> {
    let mut rows = load::alerts(db, touched.iter().map(|it| it.alert.as_str()))?;
    let known = |it: &&Touched| rows.contains_key(&it.alert);
    let (mut pasts, mut answers) = if rows.is_empty() {
        (HashMap::new(), HashMap::new())
    } else {
        let pasts = load::pasts(db, touched.iter().filter(known))?;
        (pasts, load::answers(db, touched.iter().filter(known))?)
    };
    let windows = touched.iter().map(|it| (it, it.from, Some(it.to)));
    let mut data = load::assessments(db, windows)?;
    let mut works = Vec::with_capacity(touched.len());
    let mut open_ended = Vec::new();
    for it in touched {
        let mut work = Work {
            touched: it,
            row: rows.remove(&it.alert),
            past: pasts.remove(&it.alert).unwrap_or_default(),
            steps: Vec::new(),
            answers: answers.remove(&it.alert).unwrap_or_default(),
            evidence: None,
        };
        if work.fold_window(data.remove(&it.alert).unwrap_or_default()) {
            open_ended.push(works.len());
        }
        works.push(work);
    }
    if !open_ended.is_empty() {
        let spans = open_ended.iter().filter_map(|it| works.get(*it));
        let spans = spans.map(|it| (it.touched, it.touched.to.plus_ms(1), None));
        let mut data = load::assessments(db, spans)?;
        for place in open_ended {
            if let Some(work) = works.get_mut(place) {
                work.fold_rest(data.remove(&work.touched.alert).unwrap_or_default());
            }
        }
    }
    Ok(works)
}

impl Work<'_> {
    /// Folds what changed; true when what comes after it has to be folded too.
    fn fold_window(&mut self, data: Vec<Observed>) -> bool {
        self.hear(&data);
        let to = self.touched.to;
        let people = self.answers.iter().filter(|it| it.at <= to).cloned().map(Item::Person);
        let items = data.into_iter().map(Item::Data).chain(people).collect();
        let (steps, open_ended) = match self.past.refold(items, to) {
            Refolded::Settled(steps) => (steps, false),
            Refolded::NeedsRest(steps) => (steps, true),
        };
        self.steps = steps;
        open_ended
    }

    fn fold_rest(&mut self, data: Vec<Observed>) {
        self.hear(&data);
        let to = self.touched.to;
        let people = self.answers.iter().filter(|it| it.at > to).cloned().map(Item::Person);
        let items = data.into_iter().map(Item::Data).chain(people).collect();
        self.steps = self.past.refold_rest(std::mem::take(&mut self.steps), items);
    }

    fn hear(&mut self, data: &[Observed]) {
        let above = data.iter().filter(|it| matches!(it.verdict, Verdict::Above { .. }));
        self.evidence = above.map(|it| it.effective).max().max(self.evidence);
    }

    /// The state after everything folded.
    fn state(&self) -> Option<&State> {
        self.steps.last().or(self.past.base.as_ref()).map(|it| &it.state)
    }

    fn change(
        self,
        policy: Option<&Policy>,
        scenes: &mut Scenes,
        now: Timestamp,
    ) -> Option<Change> {
        let Self { touched, row, past, steps, evidence, .. } = self;
        let last = steps.last().or(past.base.as_ref());
        let state = last.map(|it| it.state.clone());
        if row.is_none() && state.is_none() {
            return None;
        }
        let new = |step: &&Step| !past.steps.contains(step);
        let passing = steps.iter().filter(new).any(|it| it.transition.to == AlertStatus::Open);
        let moved = steps != past.steps;
        let spoken = evidence.or(state.as_ref().map(|it| it.effective)).unwrap_or(now);
        let ledger = row.as_ref().map(|it| it.body.ledger.clone()).unwrap_or_default();
        let known = row.as_ref().and_then(|it| it.body.state.as_ref());
        let facing = Facing { state: state.as_ref(), evidence: spoken, passing };
        let who = touched.who();
        let turned =
            turn(policy, &ledger, facing, scenes.of(&who, facing.state, policy), moved, now);
        scenes.paged(&who, facing.state, &turned, now);
        if !moved && turned.ledger == ledger && row.is_some() {
            return None;
        }
        let old =
            past.steps.iter().filter(|it| !steps.contains(it)).map(|it| it.transition.clone());
        let erased = old.collect();
        let last_at = last.map(|it| it.transition.at);
        Some(Change {
            alert: touched.alert.clone(),
            patient: touched.patient.clone(),
            cause: touched.cause.clone(),
            from: moved.then_some(touched.from),
            fresh: past.steps.is_empty(),
            steps: if moved { steps } else { Vec::new() },
            erased,
            unit: scenes.unit(touched.patient.reveal()).to_owned(),
            known: known.cloned(),
            due: turned.due,
            held: turned.held.map(|it| held(&who, state.as_ref(), &ledger, it, now)),
            page: turned.page,
            deliveries: Vec::new(),
            body: AlertBody { state, last_at, ledger: turned.ledger },
            row,
        })
    }
}

fn held(
    who: &Who<'_>,
    state: Option<&State>,
    ledger: &Ledger,
    (reason, until): (HoldReason, Option<Timestamp>),
    now: Timestamp,
) -> NewHeld {
    let at = state.map_or(now, |it| it.effective);
    let parts = ["held", who.alert, reason.as_str(), &at.to_string(), &ledger.pages.to_string()];
    NewHeld {
        id: auscult_model::digest(&parts),
        alert: who.alert.to_owned(),
        reason: reason.as_str(),
        detail: reason.detail(),
        until,
    }
}

/// Makes the pages that are due again because nobody answered, and those that were held for want
/// of a policy. Returns how many alerts it looked at.
///
/// # Errors
/// [`StoreError`] when the database cannot be read or written; then nothing changed.
pub fn repeat_due(db: &dyn Database, now: Timestamp) -> Result<usize, StoreError> {
    transaction(db, |db| {
        let rows = db.query(
            &format!(
                "SELECT {} FROM alert a WHERE a.due_ms <= ?1 ORDER BY a.due_ms LIMIT ?2",
                load::ALERT_COLUMNS
            ),
            &[now.into(), REPEATS_MAX.into()],
        )?;
        let rows: Vec<AlertRow> = rows.iter().map(load::alert_row).collect::<Result<_, _>>()?;
        if rows.is_empty() {
            return Ok(0);
        }
        let newest = load::newest(db, rows.iter())?;
        let policy = policies::in_force(db)?;
        let on_their_way = on_their_way(db, &rows)?;
        let looked_at = rows.len();
        let patients = rows.iter().map(|it| it.patient.reveal());
        let mut scenes = Scenes::load(db, policy.as_ref(), patients, now)?;
        let mut rows = rows;
        rows.sort_by_key(|it| std::cmp::Reverse(it.severity));
        let mut changes: Vec<Change> = rows
            .into_iter()
            .map(|row| {
                // An escalation does not wait: the next in the chain may well be reachable.
                let who = Who { alert: &row.id, patient: row.patient.reveal(), cause: &row.cause };
                let scene = scenes.of(&who, row.body.state.as_ref(), policy.as_ref());
                let chain = policy.as_ref().and_then(|it| it.route(scene.subject));
                let chain = chain.map(|it| it.escalate).unwrap_or_default();
                let escalates = row.body.ledger.escalates(chain, now);
                if on_their_way.contains(&row.id) && !escalates {
                    return postponed(row, now);
                }
                let evidence = newest.get(&row.id).and_then(|(_, above)| *above);
                reminded(row, evidence, policy.as_ref(), &mut scenes, now)
            })
            .collect();
        bundle::bundle(&mut changes, now);
        write::changes(db, &changes, now)?;
        Ok(looked_at)
    })
}

/// Those with a page that has not arrived: its next try is the repeat, and a receiver that comes
/// back after an hour is not met by a heap of them.
fn on_their_way(db: &dyn Database, rows: &[AlertRow]) -> Result<HashSet<String>, StoreError> {
    let ids: Vec<&str> = rows.iter().map(|it| it.id.as_str()).collect();
    let rows = db.query(
        "SELECT DISTINCT d.alert FROM json_each(?1) w CROSS JOIN delivery d ON d.alert = w.value
         WHERE d.state = 'pending'",
        &[(&serde_json::to_string(&ids)?).into()],
    )?;
    rows.iter().map(|row| Ok(row.text("alert")?.to_owned())).collect()
}

fn postponed(row: AlertRow, now: Timestamp) -> Change {
    Change { due: Some(now.plus_ms(POSTPONED_MS)), ..Change::unmoved(row) }
}

fn reminded(
    row: AlertRow,
    evidence: Option<Timestamp>,
    policy: Option<&Policy>,
    scenes: &mut Scenes,
    now: Timestamp,
) -> Change {
    let state = row.body.state.as_ref();
    let evidence = evidence.or(state.map(|it| it.effective)).unwrap_or(now);
    let facing = Facing { state, evidence, passing: false };
    let who = Who { alert: &row.id, patient: row.patient.reveal(), cause: &row.cause };
    let ledger = &row.body.ledger;
    let turned: Turn = turn(policy, ledger, facing, scenes.of(&who, state, policy), false, now);
    scenes.paged(&who, state, &turned, now);
    let held = turned.held.map(|it| held(&who, state, ledger, it, now));
    let unit = scenes.unit(who.patient).to_owned();
    let body = AlertBody { ledger: turned.ledger, ..row.body.clone() };
    let (due, page) = (turned.due, turned.page);
    Change { unit, body, due, held, page, ..Change::unmoved(row) }
}
