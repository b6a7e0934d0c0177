//! How many thoughts there are, and in what order.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Alike;

/// The most thoughts of one iteration.
pub(super) const MOST: u32 = 1024;

/// How an iteration thinks.
pub struct Options<I: ?Sized> {
    /// How many thoughts. Default: 8.
    pub thoughts: Thoughts<I>,
    /// Side by side or one after the other. Default: side by side, all at once, the synthesis when all are there.
    pub order: Order,
    /// How much of the time before the deadline is kept for the synthesis, at most half of it. Thoughts that are not there
    /// by then have failed. Default: none; thoughts may then leave no time, which leaves the answer to their mean.
    pub kept_for_synthesis: Duration,
}

/// How many thoughts an iteration has: at least 1, at most 1,024.
pub enum Thoughts<I: ?Sized> {
    /// This many.
    Fixed(u32),
    /// From 4 to 12 by the complexity of the input, 4 + round(8 s) where s is the score, which is cut to [0, 1]; a score
    /// that is not a number counts as 0.
    ByComplexity(Arc<dyn Fn(&I) -> f64 + Send + Sync>),
}

/// Whether thoughts come side by side or one after the other.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Order {
    /// Side by side; no thought knows of the others.
    Parallel {
        /// How many at a time, at least 1: when one ends, the next begins.
        at_once: u32,
        /// How many thoughts must have the same decision for the synthesis to begin while others are still outstanding, at
        /// least 1. What it says is kept if the mean of all thoughts has the decision that the mean had when it began;
        /// else, or if it failed, it is done again with all thoughts. `None`: the synthesis waits for all.
        speculate_at: Option<u32>,
    },
    /// One after the other; each thought is shown those before it. Thinking stops early when the last two that did not
    /// fail are alike.
    Sequential {
        /// What counts as alike; `None`: thinking never stops early.
        alike: Option<Alike>,
    },
}

impl<I: ?Sized> Thoughts<I> {
    pub(super) fn count(&self, input: &I) -> u32 {
        match self {
            Self::Fixed(count) => (*count).clamp(1, MOST),
            // What is not a number becomes 0 where it becomes an integer.
            Self::ByComplexity(score) => 4 + (8.0 * score(input).clamp(0.0, 1.0)).round() as u32,
        }
    }

    /// How many to expect where the input is not known: the middle.
    pub(super) fn expected(&self) -> u32 {
        match self {
            Self::Fixed(count) => (*count).clamp(1, MOST),
            Self::ByComplexity(_) => 8,
        }
    }
}

impl Order {
    /// One after the other, until two in a row are alike by the default measure.
    #[must_use]
    pub fn sequential() -> Self {
        Self::Sequential { alike: Some(Alike::default()) }
    }

    pub(super) fn at_once(self) -> usize {
        match self {
            Self::Parallel { at_once, .. } => at_once.clamp(1, MOST) as usize,
            Self::Sequential { .. } => 1,
        }
    }
}

impl Default for Order {
    /// Side by side, all at once.
    fn default() -> Self {
        Self::Parallel { at_once: MOST, speculate_at: None }
    }
}

impl<I: ?Sized> Default for Options<I> {
    fn default() -> Self {
        Self { thoughts: Thoughts::Fixed(8), order: Order::default(), kept_for_synthesis: Duration::ZERO }
    }
}

impl<I: ?Sized> Clone for Options<I> {
    fn clone(&self) -> Self {
        Self { thoughts: self.thoughts.clone(), ..*self }
    }
}

impl<I: ?Sized> fmt::Debug for Options<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("thoughts", &self.thoughts)
            .field("order", &self.order)
            .field("kept_for_synthesis", &self.kept_for_synthesis)
            .finish()
    }
}

impl<I: ?Sized> Clone for Thoughts<I> {
    fn clone(&self) -> Self {
        match self {
            Self::Fixed(count) => Self::Fixed(*count),
            Self::ByComplexity(score) => Self::ByComplexity(Arc::clone(score)),
        }
    }
}

impl<I: ?Sized> fmt::Debug for Thoughts<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(count) => f.debug_tuple("Fixed").field(count).finish(),
            Self::ByComplexity(_) => f.debug_tuple("ByComplexity").finish_non_exhaustive(),
        }
    }
}
