//! Alerts as stretches of time, and the difference between two lists of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// One stretch in which an alert would have been open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Episode {
    /// When the cause came.
    pub from_ms: i64,
    /// When it was gone; the end of the period when it was not.
    pub to_ms: i64,
}

/// What one assessment says: when, whether it alerts, whether it is the whole truth.
pub type Said = (i64, bool, bool);

/// Folds assessments in the order of time. An incomplete one that does not alert ends nothing.
pub fn episodes(said: &[Said], end_ms: i64) -> Vec<Episode> {
    let mut found: Vec<Episode> = Vec::new();
    let mut open = false;
    for (at, alerts, complete) in said {
        if *alerts && !open {
            found.push(Episode { from_ms: *at, to_ms: end_ms });
            open = true;
        } else if !alerts && *complete && open {
            if let Some(last) = found.last_mut() {
                last.to_ms = *at;
            }
            open = false;
        }
    }
    found
}

/// What differs for one patient and rule, or a sum of these.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Difference {
    /// Alerts under the rules in force.
    pub n_before: u64,
    /// Alerts under the other rules.
    pub n_after: u64,
    /// Alerts only the other rules raise.
    pub n_added: u64,
    /// Alerts only the rules in force raise.
    pub n_removed: u64,
    /// Of alerts both raise: by how much the other rules are earlier, summed.
    pub gained_ms: i64,
    /// And by how much later.
    pub lost_ms: i64,
}

impl Difference {
    /// Compares; two alerts are the same when they overlap, each counted once.
    pub fn between(before: &[Episode], after: &[Episode]) -> Self {
        let count = |it: usize| u64::try_from(it).unwrap_or(u64::MAX);
        let mut it =
            Self { n_before: count(before.len()), n_after: count(after.len()), ..Self::default() };
        let mut left = before.to_vec();
        for new in after {
            let meets = |old: &Episode| old.from_ms <= new.to_ms && new.from_ms <= old.to_ms;
            let Some(place) = left.iter().position(meets) else {
                it.n_added += 1;
                continue;
            };
            let earlier = left.remove(place).from_ms - new.from_ms;
            it.gained_ms += earlier.max(0);
            it.lost_ms += (-earlier).max(0);
        }
        it.n_removed = count(left.len());
        it
    }

    /// Whether anything differs.
    pub const fn is_none(&self) -> bool {
        self.n_added == 0 && self.n_removed == 0 && self.gained_ms == 0 && self.lost_ms == 0
    }

    fn add(&mut self, other: &Self) {
        self.n_before += other.n_before;
        self.n_after += other.n_after;
        self.n_added += other.n_added;
        self.n_removed += other.n_removed;
        self.gained_ms += other.gained_ms;
        self.lost_ms += other.lost_ms;
    }

    fn line(&self) -> String {
        format!(
            "{} -> {} alerts: {} added, {} removed, {} min earlier, {} min later",
            self.n_before,
            self.n_after,
            self.n_added,
            self.n_removed,
            self.gained_ms / 60_000,
            self.lost_ms / 60_000
        )
    }

    fn json(&self) -> Value {
        json!({
            "alerts_before": self.n_before, "alerts_after": self.n_after,
            "added": self.n_added, "removed": self.n_removed,
            "gained_seconds": self.gained_ms / 1_000, "lost_seconds": self.lost_ms / 1_000,
        })
    }
}

/// Differences by patient and rule.
#[derive(Debug, Default)]
pub struct Report(pub BTreeMap<(String, String), Difference>);

impl Report {
    fn total(&self) -> Difference {
        let mut total = Difference::default();
        self.0.values().for_each(|it| total.add(it));
        total
    }

    /// For people: what differs, then the sum of everything.
    pub fn text(&self) -> String {
        let differing = self.0.iter().filter(|it| !it.1.is_none());
        let mut lines: Vec<String> = differing
            .map(|((patient, rule), it)| format!("{patient} {rule}: {}", it.line()))
            .collect();
        lines.push(format!("total: {}", self.total().line()));
        lines.join("\n")
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let items: Vec<Value> = self
            .0
            .iter()
            .map(|((patient, rule), it)| {
                let mut json = it.json();
                json["patient"] = json!(patient);
                json["rule"] = json!(rule);
                json
            })
            .collect();
        json!({ "items": items, "total": self.total().json() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incomplete_result_ends_no_alert() {
        let said = [(1, true, true), (2, false, false), (3, false, true), (4, true, false)];
        let want = [Episode { from_ms: 1, to_ms: 3 }, Episode { from_ms: 4, to_ms: 9 }];
        assert_eq!(episodes(&said, 9), want);
    }

    #[test]
    fn overlapping_alerts_are_the_same_and_tell_who_was_earlier() {
        let at = |from_ms, to_ms| Episode { from_ms, to_ms };
        let found = Difference::between(&[at(10, 20), at(50, 60)], &[at(5, 12), at(30, 40)]);
        let want = Difference {
            n_before: 2,
            n_after: 2,
            n_added: 1,
            n_removed: 1,
            gained_ms: 5,
            lost_ms: 0,
        };
        assert_eq!(found, want);
    }
}
