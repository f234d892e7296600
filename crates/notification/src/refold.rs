//! Folding again only as far as something changed.

use auscult_model::Timestamp;

use crate::fold::{Item, State, Step, fold};

/// What is stored about one alert from the earliest change on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// The last step before the change.
    pub base: Option<Step>,
    /// Every later step, oldest first.
    pub steps: Vec<Step>,
}

/// How far folding the changed window got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refolded {
    /// Every step from the change on: what comes after the window stands as it was.
    Settled(Vec<Step>),
    /// The steps of the window; what comes after it has to be folded too.
    NeedsRest(Vec<Step>),
}

impl Past {
    /// The state before the change.
    #[must_use]
    pub fn state(&self) -> Option<&State> {
        self.base.as_ref().map(|it| &it.state)
    }

    /// Folds `items`, which are all there are from the change up to and including `to`.
    ///
    /// When the window ends in the state it ended in before, nothing after it can differ, because a
    /// state remembers nothing beside itself.
    #[must_use]
    pub fn refold(&self, items: Vec<Item>, to: Timestamp) -> Refolded {
        let mut steps = fold(self.state(), items);
        let kept = self.steps.partition_point(|it| it.transition.at <= to);
        let (window, rest) = self.steps.split_at_checked(kept).unwrap_or((&self.steps, &[]));
        let ended =
            |steps: &[Step]| steps.last().map(|it| it.state.clone()).or(self.state().cloned());
        if ended(&steps) == ended(window) {
            steps.extend_from_slice(rest);
            Refolded::Settled(steps)
        } else {
            Refolded::NeedsRest(steps)
        }
    }

    /// Goes on after [`Refolded::NeedsRest`] with `items`, all there are after the window.
    #[must_use]
    pub fn refold_rest(&self, mut steps: Vec<Step>, items: Vec<Item>) -> Vec<Step> {
        let state = steps.last().map(|it| it.state.clone());
        let rest = fold(state.as_ref().or(self.state()), items);
        steps.extend(rest);
        steps
    }
}
