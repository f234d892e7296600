//! Hypo- and hyperglycaemia events of continuous glucose monitoring (start, end and extended events:
//! Danne et al., Diabetes Care 2017;40:1631; Battelino et al., Lancet Diabetes Endocrinol 2023;11:42).

use rust_decimal::Decimal;

use crate::stats::decimal;

/// The condition, and the recovery from it, must hold for this long.
pub const HOLD_MIN: i64 = 15;
/// After a longer gap counting starts again.
pub const GAP_MAX_MIN: i64 = 20;

/// Which event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Below 70 mg/dL.
    LowLevel1,
    /// Below 54 mg/dL; over when 70 is reached again.
    LowLevel2,
    /// Above 250 mg/dL.
    VeryHigh,
}

impl Kind {
    fn holds(self, glucose: Decimal) -> bool {
        match self {
            Self::LowLevel1 => glucose < decimal(70, 0),
            Self::LowLevel2 => glucose < decimal(54, 0),
            Self::VeryHigh => glucose > decimal(250, 0),
        }
    }

    fn recovered(self, glucose: Decimal) -> bool {
        match self {
            Self::LowLevel1 | Self::LowLevel2 => glucose >= decimal(70, 0),
            Self::VeryHigh => glucose <= decimal(250, 0),
        }
    }
}

/// One event, in minutes of the series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// First reading of the run.
    pub start: i64,
    /// The reading at which it had lasted [`HOLD_MIN`].
    pub alert: i64,
    /// First reading of the recovered run; `None` while it lasts.
    pub end: Option<i64>,
}

/// The events of readings `(minute, mg/dL)` in the order of time. A gap alone never ends an event.
#[must_use]
pub fn events(kind: Kind, readings: &[(i64, Decimal)]) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    let mut run: Option<i64> = None;
    let mut before: Option<i64> = None;
    for (minute, glucose) in readings {
        if before.is_some_and(|it| minute - it > GAP_MAX_MIN) {
            run = None;
        }
        before = Some(*minute);
        let open = events.last_mut().filter(|it| it.end.is_none());
        let counts = match open {
            Some(_) => kind.recovered(*glucose),
            None => kind.holds(*glucose),
        };
        if !counts {
            run = None;
            continue;
        }
        let start = *run.get_or_insert(*minute);
        if minute - start < HOLD_MIN {
            continue;
        }
        run = None;
        match open {
            Some(event) => event.end = Some(start),
            None => events.push(Event { start, alert: *minute, end: None }),
        }
    }
    events
}
