//! How a request is to be treated while it waits.

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// How a request is to be treated while it waits for its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Submission {
    /// How urgent it is.
    pub priority: Priority,
    /// When it is no longer worth beginning. `None`: it waits for as long as it takes.
    pub deadline: Option<Instant>,
    /// Whose request it is: any number that tells callers apart, such as that of a connection or the hash of a name.
    /// Callers of one priority take turns, however much each of them asks for.
    pub caller: u64,
}

/// How urgent a request is.
///
/// No level shuts out those below it: of 15 requests taken while all four wait, 8 are critical, 4 high, 2 normal and 1 is
/// low, in this order; what a level with nothing to do leaves goes to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Somebody is hurt by waiting.
    Critical,
    /// Somebody waits.
    High,
    /// As most are.
    #[default]
    Normal,
    /// Whenever there is room.
    Low,
}

impl Priority {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Normal, Self::Low];

    /// Its name in files and labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }

    /// How many of its requests are taken in a round.
    pub(super) const fn weight(self) -> u32 {
        match self {
            Self::Critical => 8,
            Self::High => 4,
            Self::Normal => 2,
            Self::Low => 1,
        }
    }
}

impl Submission {
    /// A request of this priority, without a deadline.
    #[must_use]
    pub fn new(priority: Priority) -> Self {
        Self { priority, ..Self::default() }
    }

    /// The same with a deadline.
    #[must_use]
    pub const fn deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The same by this caller.
    #[must_use]
    pub const fn caller(mut self, caller: u64) -> Self {
        self.caller = caller;
        self
    }
}
