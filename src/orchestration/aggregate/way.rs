//! Where an opinion came from.

use serde::{Deserialize, Serialize};

use crate::orchestration::Cost;

/// By which way an opinion came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// It had been given before, and was kept.
    Cache,
    /// The source was asked, after or before others.
    Sequential,
    /// The source was asked beside others.
    Parallel,
    /// Another process asked the source.
    Distributed,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Cache, Self::Sequential, Self::Parallel, Self::Distributed];

    /// Its name in files and labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::Sequential => "sequential",
            Self::Parallel => "parallel",
            Self::Distributed => "distributed",
        }
    }
}

/// By which way an opinion came, and what it cost this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The way.
    pub way: Way,
    /// What was spent on it; nothing for what was kept.
    pub cost: Cost,
}

impl Origin {
    /// Kept from before, at no cost.
    pub const CACHE: Self = Self { way: Way::Cache, cost: Cost { calls: 0, tokens_in: 0, tokens_out: 0, micros: 0 } };

    /// Of two ways that brought the same opinion, the one it is put down to, whichever came first: the simpler, then the
    /// cheaper.
    pub(super) fn of_both(self, other: Self) -> Self {
        let key = |Self { way, cost }: Self| (way, cost.micros, cost.tokens_out, cost.tokens_in, cost.calls);
        if key(other) < key(self) { other } else { self }
    }
}
