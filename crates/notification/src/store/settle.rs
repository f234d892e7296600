//! Read, decide, write: folds what changed, decides about pages, stores both. Runs inside one
//! transaction of its caller.

use std::collections::{HashMap, HashSet};

use auscult_model::{AlertStatus, Timestamp};
use auscult_store::{Database, StoreError, transaction};

use crate::delivery::{Payload, delivery_id};
use crate::fold::{Answer, Item, Observed, State, Step, Verdict};
use crate::page::{Decision, Facing, HoldReason, Ledger, Rules, SendReason, decide};
use crate::policy::{BACKFILL_LIMIT_MS, Policy, repeat_after_ms};
use crate::refold::{Past, Refolded};
use crate::store::load::{self, AlertBody, AlertRow, Touched};
use crate::store::policies;
use crate::store::write::{self, Change, NewDelivery, NewHeld};

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
    let works = refolded(db, touched)?;
    let policy = policies::in_force(db)?;
    let changes: Vec<Change> =
        works.into_iter().filter_map(|it| it.change(policy.as_ref(), now)).collect();
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

    fn change(self, policy: Option<&Policy>, now: Timestamp) -> Option<Change> {
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
        let about = About { touched, state: state.as_ref(), known, evidence: spoken };
        let paged = about.page(policy, &ledger, passing, moved, now);
        if !moved && paged.ledger == ledger && row.is_some() {
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
            body: AlertBody { state, last_at, ledger: paged.ledger },
            due: paged.due,
            held: paged.held,
            deliveries: paged.deliveries,
            row,
        })
    }
}

/// An alert about which somebody may have to be told.
struct About<'a> {
    touched: &'a Touched,
    state: Option<&'a State>,
    /// The state as it was shown before, which a retraction has to name.
    known: Option<&'a State>,
    evidence: Timestamp,
}

struct Paged {
    ledger: Ledger,
    due: Option<Timestamp>,
    held: Option<NewHeld>,
    deliveries: Vec<NewDelivery>,
}

impl About<'_> {
    fn page(
        &self,
        policy: Option<&Policy>,
        ledger: &Ledger,
        passing: bool,
        moved: bool,
        now: Timestamp,
    ) -> Paged {
        let routed = self.state.and_then(|it| policy?.route(it.severity, &self.touched.cause));
        let receiver = routed.as_ref().map(|it| it.receiver);
        let by_severity = self.state.map_or(i64::MAX, |it| repeat_after_ms(it.severity));
        let rules = Rules {
            receiver,
            repeat_after_ms: routed.as_ref().map_or(by_severity, |it| it.repeat_after_ms),
            backfill_limit_ms: policy.map_or(BACKFILL_LIMIT_MS, |it| it.backfill_limit_ms),
        };
        let facing = Facing { state: self.state, evidence: self.evidence, passing };
        let decision = decide(rules, ledger.told.as_ref(), facing, now);
        let next = ledger.after(decision, self.state, receiver, now);
        let due = next.due(self.state, rules.repeat_after_ms);
        let (mut held, mut deliveries) = (None, Vec::new());
        match decision {
            Decision::Send(reason) => {
                deliveries = self.deliveries(reason, ledger, receiver, next.pages, now);
            }
            Decision::Hold(reason) if moved || ledger.held != next.held => {
                held = Some(self.held(reason, ledger, now));
            }
            Decision::Hold(_) | Decision::Nothing => {}
        }
        Paged { ledger: next, due, held, deliveries }
    }

    fn deliveries(
        &self,
        reason: SendReason,
        ledger: &Ledger,
        receiver: Option<&str>,
        page: u32,
        now: Timestamp,
    ) -> Vec<NewDelivery> {
        let told = ledger.told.iter().flat_map(|it| it.receivers.iter().map(String::as_str));
        let receivers: Vec<&str> =
            if reason.calls() { receiver.into_iter().collect() } else { told.collect() };
        let Some(state) = self.state.or(self.known) else { return Vec::new() };
        let alert = &self.touched.alert;
        let payload = Payload::new(
            alert,
            &self.touched.patient,
            &self.touched.cause,
            state,
            reason,
            page,
            now,
        );
        let body = serde_json::to_string(&payload).unwrap_or_default();
        receivers
            .into_iter()
            .map(|name| NewDelivery {
                id: delivery_id(alert, page, name),
                alert: alert.clone(),
                receiver: name.to_owned(),
                body: body.clone(),
            })
            .collect()
    }

    fn held(&self, reason: HoldReason, ledger: &Ledger, now: Timestamp) -> NewHeld {
        let at = self.state.map_or(now, |it| it.effective);
        let parts = [
            "held",
            &self.touched.alert,
            reason.as_str(),
            &at.to_string(),
            &ledger.pages.to_string(),
        ];
        NewHeld {
            id: auscult_model::digest(&parts),
            alert: self.touched.alert.clone(),
            reason: reason.as_str(),
            detail: reason.detail(),
        }
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
        let changes: Vec<Change> = rows
            .into_iter()
            .map(|row| {
                if on_their_way.contains(&row.id) {
                    return postponed(row, now);
                }
                let evidence = newest.get(&row.id).and_then(|(_, above)| *above);
                reminded(row, evidence, policy.as_ref(), now)
            })
            .collect();
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
    Change {
        alert: row.id.clone(),
        patient: row.patient.clone(),
        cause: row.cause.clone(),
        from: None,
        fresh: false,
        steps: Vec::new(),
        erased: Vec::new(),
        body: row.body.clone(),
        due: Some(now.plus_ms(POSTPONED_MS)),
        held: None,
        deliveries: Vec::new(),
        row: Some(row),
    }
}

fn reminded(
    row: AlertRow,
    evidence: Option<Timestamp>,
    policy: Option<&Policy>,
    now: Timestamp,
) -> Change {
    let touched = Touched {
        alert: row.id.clone(),
        patient: row.patient.clone(),
        cause: row.cause.clone(),
        from: now,
        to: now,
    };
    let state = row.body.state.as_ref();
    let evidence = evidence.or(state.map(|it| it.effective)).unwrap_or(now);
    let about = About { touched: &touched, state, known: None, evidence };
    let paged = about.page(policy, &row.body.ledger, false, false, now);
    Change {
        alert: touched.alert,
        patient: touched.patient,
        cause: touched.cause,
        from: None,
        fresh: false,
        steps: Vec::new(),
        erased: Vec::new(),
        body: AlertBody { ledger: paged.ledger, ..row.body.clone() },
        due: paged.due,
        held: paged.held,
        deliveries: paged.deliveries,
        row: Some(row),
    }
}
