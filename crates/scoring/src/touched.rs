//! Which stretch of a patient's time a reading can touch, cut into pieces of bounded work.

use std::collections::BTreeMap;

use crate::series::LOOKBACK_MS;

/// Longest piece evaluated in one go. At one reading a second an hour makes 3,600 assessments.
const PIECE_MS: i64 = 3_600_000;
/// Pieces longer than an instant in one step: with [`PIECE_MS`] it bounds a step's memory to
/// eight patient-hours, some 40 MB at one reading a second and 1 MB at one a minute.
const LONG_PIECES_MAX: usize = 8;
/// Pieces in one step, instants included: as many as the largest event has items.
const PIECES_MAX: usize = 1_000;

/// A stretch of one patient's time, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Segment {
    /// Whose.
    pub patient: String,
    /// First millisecond.
    pub from_ms: i64,
    /// Last millisecond.
    pub to_ms: i64,
}

/// One reading that came, changed or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch<'a> {
    /// Whose.
    pub patient: &'a str,
    /// When it was measured.
    pub at_ms: i64,
    /// When the next reading of its series was measured; from there on that one counts.
    pub next_ms: Option<i64>,
}

/// The stretches of time the readings touch: from each to the next of its series, at most as far as
/// a stale value is still named, and not beyond the last instant there is anything to assess.
#[must_use]
pub fn segments(touches: &[Touch<'_>], last_ms: &BTreeMap<&str, i64>) -> Vec<Segment> {
    let mut spans: BTreeMap<&str, Vec<(i64, i64)>> = BTreeMap::new();
    for touch in touches {
        spans.entry(touch.patient).or_default().push((touch.at_ms, touch.until_ms()));
    }
    let mut found = Vec::with_capacity(spans.len());
    for (patient, mut spans) in spans {
        spans.sort_unstable();
        let newest = spans.last().map_or(i64::MIN, |it| it.0);
        let last = last_ms.get(patient).copied().unwrap_or(i64::MIN).max(newest);
        let mut open: Option<(i64, i64)> = None;
        for (from, to) in spans {
            let to = to.min(last);
            open = match open {
                Some((start, end)) if from <= end => Some((start, end.max(to))),
                Some((start, end)) => {
                    found.push(Segment { patient: patient.to_owned(), from_ms: start, to_ms: end });
                    Some((from, to))
                }
                None => Some((from, to)),
            };
        }
        if let Some((from_ms, to_ms)) = open {
            found.push(Segment { patient: patient.to_owned(), from_ms, to_ms });
        }
    }
    found
}

impl Touch<'_> {
    const fn until_ms(&self) -> i64 {
        let furthest = self.at_ms.saturating_add(LOOKBACK_MS);
        match self.next_ms {
            Some(next) if next.saturating_sub(1) < furthest => next.saturating_sub(1),
            _ => furthest,
        }
    }
}

/// Cuts segments into steps, each small enough for one transaction and one answer. Readings that
/// arrive in order touch only their own instant and all fit the first step.
#[must_use]
pub fn steps(segments: Vec<Segment>) -> Vec<Vec<Segment>> {
    let mut steps: Vec<Vec<Segment>> = Vec::new();
    let (mut open, mut n_long) = (Vec::new(), 0);
    for piece in segments.into_iter().flat_map(pieces) {
        n_long += usize::from(piece.from_ms < piece.to_ms);
        open.push(piece);
        if n_long >= LONG_PIECES_MAX || open.len() >= PIECES_MAX {
            steps.push(std::mem::take(&mut open));
            n_long = 0;
        }
    }
    if !open.is_empty() {
        steps.push(open);
    }
    steps
}

fn pieces(segment: Segment) -> impl Iterator<Item = Segment> {
    let Segment { patient, from_ms, to_ms } = segment;
    let starts = std::iter::successors(Some(from_ms), |it| it.checked_add(PIECE_MS));
    starts.take_while(move |it| *it <= to_ms).map(move |from_ms| Segment {
        patient: patient.clone(),
        from_ms,
        to_ms: to_ms.min(from_ms.saturating_add(PIECE_MS - 1)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn check(touches: &[(i64, Option<i64>)], last: Option<i64>, want: &[(i64, i64)]) {
        let touches: Vec<Touch<'_>> = touches
            .iter()
            .map(|(at_ms, next_ms)| Touch { patient: "p", at_ms: *at_ms, next_ms: *next_ms })
            .collect();
        let last = last.map(|it| ("p", it)).into_iter().collect();
        let found: Vec<(i64, i64)> =
            segments(&touches, &last).iter().map(|it| (it.from_ms, it.to_ms)).collect();
        assert_eq!(found, want);
    }

    #[test]
    fn in_order_a_reading_touches_only_its_own_instant() {
        check(&[(10, None)], Some(5), &[(10, 10)]);
        check(&[(10, None)], None, &[(10, 10)]);
    }

    #[test]
    fn a_late_reading_touches_up_to_the_next_of_its_series() {
        check(&[(10, Some(20))], Some(100), &[(10, 19)]);
        check(&[(10, None)], Some(100), &[(10, 100)]);
        check(&[(10, None)], Some(30 * HOUR), &[(10, 10 + 24 * HOUR)]);
    }

    #[test]
    fn overlapping_stretches_become_one_and_distant_ones_stay_apart() {
        check(&[(10, Some(20)), (15, Some(40))], Some(100), &[(10, 39)]);
        check(&[(50, Some(60)), (10, Some(20))], Some(100), &[(10, 19), (50, 59)]);
    }

    #[test]
    fn a_day_of_late_data_takes_three_steps_and_a_thousand_instants_one() {
        let day = Segment { patient: "p".to_owned(), from_ms: 0, to_ms: 24 * HOUR - 1 };
        let cut = steps(vec![day]);
        assert_eq!(cut.len(), 3);
        assert_eq!(cut.iter().flatten().count(), 24);
        let instants =
            (0..1_000).map(|it| Segment { patient: "p".to_owned(), from_ms: it, to_ms: it });
        assert_eq!(steps(instants.collect()).len(), 1);
        assert!(steps(Vec::new()).is_empty());
    }
}
