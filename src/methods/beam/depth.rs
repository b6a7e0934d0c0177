//! How deep a nesting of beams has become.

use std::fmt;

/// What a depth calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DepthLevel {
    /// From 10,000 on.
    Warning,
    /// From 50,000 on.
    Critical,
    /// From 100,000 on.
    Imminent,
}

impl DepthLevel {
    /// All of them, rising.
    pub const ALL: [Self; 3] = [Self::Warning, Self::Critical, Self::Imminent];

    /// The depth from which on it holds.
    #[must_use]
    pub const fn threshold(self) -> u64 {
        match self {
            Self::Warning => 10_000,
            Self::Critical => 50_000,
            Self::Imminent => 100_000,
        }
    }
}

impl fmt::Display for DepthLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Imminent => "imminent",
        })
    }
}

/// Counts a depth and says of each level once that it was reached. At `u64::MAX` it stays.
///
/// # Examples
///
/// ```
/// use consilience::beam::{DepthCounter, DepthLevel};
///
/// let mut counter = DepthCounter::default();
/// assert_eq!(counter.add(9_999).count(), 0);
/// assert_eq!(counter.add(1).collect::<Vec<_>>(), [DepthLevel::Warning]);
/// assert_eq!(counter.add(1).count(), 0);
/// // Several at once where one step crosses several.
/// assert_eq!(counter.add(1_000_000).collect::<Vec<_>>(), [DepthLevel::Critical, DepthLevel::Imminent]);
/// counter.reset();
/// assert_eq!((counter.depth(), counter.level()), (0, None));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DepthCounter {
    depth: u64,
}

impl DepthCounter {
    /// Goes deeper by so many. Answers the levels reached by it, rising; those reached before are not said again until a
    /// [`DepthCounter::reset`].
    pub fn add(&mut self, steps: u64) -> impl Iterator<Item = DepthLevel> + use<> {
        let before = self.depth;
        self.depth = before.saturating_add(steps);
        let after = self.depth;
        DepthLevel::ALL.into_iter().filter(move |level| before < level.threshold() && level.threshold() <= after)
    }

    /// How deep it is.
    #[must_use]
    pub fn depth(&self) -> u64 {
        self.depth
    }

    /// The highest level reached.
    #[must_use]
    pub fn level(&self) -> Option<DepthLevel> {
        DepthLevel::ALL.into_iter().rfind(|level| self.depth >= level.threshold())
    }

    /// Back to the surface: levels will be said again.
    pub fn reset(&mut self) {
        self.depth = 0;
    }
}
