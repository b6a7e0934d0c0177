//! How a selector chooses.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Arm, Learning, Mode};
use crate::error::{Result, SpecError};
use crate::orchestration::router::Complexity;

/// How a selector chooses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// How far what is learned decides.
    pub mode: Mode,
    /// The share held, or that of the rest which is coming, above which the rule asks one after another; in [0, 1].
    pub cached: f64,
    /// The benefit above which the rule asks side by side, at least 0.
    pub parallel_benefit: f64,
    /// The complexity below which it does, in [0, 1.3].
    pub complexity: f64,
    /// The work above which the rule goes to other machines.
    pub costly: Duration,
    /// The benefit above which it does, at least 0.
    pub distributed_benefit: f64,
    /// The items that make a batch, without which neither accelerator nor other machines are asked; at least 2.
    pub batch: u64,
    /// What latencies are measured in where the work is not known; above 0.
    pub scale: Duration,
    /// How it learns.
    pub learning: Learning,
    /// What random choices start from.
    pub seed: u64,
}

impl Default for Options {
    /// The rule alone: cache above 0.75, side by side above a benefit of 1.5 and below a complexity of 0.7, other machines
    /// above 500 ms and a benefit of 1.2; a batch has 1 024 items.
    fn default() -> Self {
        Self {
            mode: Mode::Fixed,
            cached: 0.75,
            parallel_benefit: 1.5,
            complexity: 0.7,
            costly: Duration::from_millis(500),
            distributed_benefit: 1.2,
            batch: 1_024,
            scale: Duration::from_millis(100),
            learning: Learning::default(),
            seed: 0,
        }
    }
}

impl Options {
    pub(super) fn check(&self) -> Result<()> {
        let Self { cached, parallel_benefit, complexity, distributed_benefit, .. } = *self;
        SpecError::check("the share held", cached, "in [0, 1]", (0.0..=1.0).contains(&cached))?;
        let holds = (0.0..=Complexity::MOST).contains(&complexity);
        SpecError::check("the complexity", complexity, "in [0, 1.3]", holds)?;
        for (what, benefit) in
            [("the parallel benefit", parallel_benefit), ("the benefit of other machines", distributed_benefit)]
        {
            SpecError::check(what, benefit, "at least 0 and finite", benefit >= 0.0 && benefit.is_finite())?;
        }
        SpecError::check("the number of items of a batch", self.batch as f64, "at least 2", self.batch >= 2)?;
        SpecError::check("the scale", self.scale.as_secs_f64(), "above 0 s", !self.scale.is_zero())?;
        // The cache is never one of several.
        self.learning.check(Arm::ALL.len() - 1)
    }
}
