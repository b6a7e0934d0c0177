//! How a router chooses.

use serde::{Deserialize, Serialize};

use super::{Complexity, Learning, Way};
use crate::error::{Result, SpecError};

/// How the way to ask is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Always the models first, the others if they fail.
    AiFirst,
    /// Always the others first, the models if they fail.
    RuntimeFirst,
    /// The rule: models first where the complexity is at the threshold or above, else the others first.
    Hybrid,
    /// Always all at once, fused.
    ParallelFusion,
    /// What did best on requests like this one, by a bandit that expects it of the rule.
    Adaptive,
}

impl Strategy {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::AiFirst, Self::RuntimeFirst, Self::Hybrid, Self::ParallelFusion, Self::Adaptive];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AiFirst => "ai_first",
            Self::RuntimeFirst => "runtime_first",
            Self::Hybrid => "hybrid",
            Self::ParallelFusion => "parallel_fusion",
            Self::Adaptive => "adaptive",
        }
    }
}

/// How far [`Strategy::Adaptive`] goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The rule alone; nothing is drawn, rewards are learned.
    Fixed,
    /// The rule decides; what the bandit would do stands beside it.
    Advisory,
    /// The bandit decides.
    Active,
}

/// How a router chooses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// How the way to ask is chosen.
    pub strategy: Strategy,
    /// How far the adaptive strategy goes.
    pub mode: Mode,
    /// The complexity from which the rule asks models first, in [0, 1.3].
    pub threshold: f64,
    /// How the adaptive strategy learns.
    pub learning: Learning,
    /// The success rate below which a group is asked last, in [0, 1]; 0 demotes none.
    pub least_success: f64,
    /// Observations of a group before it may be asked last.
    pub warm_up: u64,
    /// With which probability a group that would be asked last keeps its place, in [0, 1].
    pub probe: f64,
    /// What random choices start from.
    pub seed: u64,
}

impl Default for Options {
    /// The rule at 0.5; groups are asked last when, after ten observations, fewer than half succeed, and get one chance in
    /// twenty.
    fn default() -> Self {
        Self {
            strategy: Strategy::Hybrid,
            mode: Mode::Active,
            threshold: 0.5,
            learning: Learning::default(),
            least_success: 0.5,
            warm_up: 10,
            probe: 0.05,
            seed: 0,
        }
    }
}

impl Options {
    pub(super) fn check(&self) -> Result<()> {
        let threshold = (0.0..=Complexity::MOST).contains(&self.threshold);
        SpecError::check("the threshold", self.threshold, "in [0, 1.3]", threshold)?;
        self.learning.check(Way::ALL.len())?;
        let least = self.least_success;
        SpecError::check("the least success rate", least, "in [0, 1]", (0.0..=1.0).contains(&least))?;
        Ok(SpecError::check("the probability of a probe", self.probe, "in [0, 1]", (0.0..=1.0).contains(&self.probe))?)
    }
}
