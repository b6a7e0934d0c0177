//! What requests have in common.

use serde::{Deserialize, Serialize};

use super::{Complexity, Way};

/// What requests have in common that are learned from together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// How complex they are.
    pub level: Level,
    /// Whether there is code or mathematics in them.
    pub technical: bool,
}

/// A quarter of the complexity scores: two below the threshold t and two from it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Below t/2.
    Trivial,
    /// Below t.
    Simple,
    /// Below halfway between t and [`Complexity::MOST`].
    Complex,
    /// From there on.
    Hard,
}

impl Context {
    /// How many there are.
    pub const COUNT: usize = 8;

    pub(super) fn of(complexity: &Complexity, threshold: f64) -> Self {
        let score = complexity.score();
        let level = match score {
            _ if score < threshold / 2.0 => Level::Trivial,
            _ if score < threshold => Level::Simple,
            _ if score < f64::midpoint(threshold, Complexity::MOST) => Level::Complex,
            _ => Level::Hard,
        };
        Self { level, technical: complexity.code || complexity.math }
    }

    /// The way the rule takes: models first where it is complex.
    pub(super) fn rule(self) -> Way {
        match self.level {
            Level::Trivial | Level::Simple => Way::RuntimeFirst,
            Level::Complex | Level::Hard => Way::AiFirst,
        }
    }

    pub(super) fn index(self) -> usize {
        2 * self.level as usize + usize::from(self.technical)
    }

    pub(super) fn at(index: usize) -> Self {
        let level = [Level::Trivial, Level::Simple, Level::Complex, Level::Hard][index / 2];
        Self { level, technical: index % 2 == 1 }
    }
}
