//! What is known of a request before it is carried out.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::arm::{Arm, Infeasible, Masks};
use super::{Options, Reason};
use crate::error::{Result, SpecError};
use crate::orchestration::router::Complexity;

/// What is known of a request after the cache was looked into, and before anybody is asked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Situation {
    /// The opinions that the request needs.
    pub needed: u32,
    /// Those of them that the cache holds.
    pub held: u32,
    /// The share of the others that the cache is about to hold, for they are being asked for by another request.
    pub coming: f64,
    /// The items of the request: one for a single question.
    pub items: u64,
    /// How complex it is: a [`Complexity::score`], or any number in [0, 1.3].
    pub complexity: f64,
    /// How long what is missing takes, one after another; `None` where nothing is known of it.
    pub work: Option<Duration>,
    /// That time over the time it takes side by side; `None` where nothing is known of it.
    pub benefit: Option<f64>,
    /// The time there is for it; `None` where it may take as long as it likes.
    pub within: Option<Duration>,
    /// Whether others wait to be asked side by side.
    pub busy: bool,
    /// The arms that cannot be taken.
    pub masks: Masks,
}

impl Situation {
    /// One question, of which no more is known than what is needed and what is held.
    #[must_use]
    pub fn new(needed: u32, held: u32) -> Self {
        let masks = Masks::default();
        let (work, benefit, within) = (None, None, None);
        Self { needed, held, coming: 0.0, items: 1, complexity: 0.0, work, benefit, within, busy: false, masks }
    }

    /// The share of what is needed that is held.
    pub(super) fn share(&self) -> f64 {
        f64::from(self.held) / f64::from(self.needed)
    }

    /// The same with what is coming.
    pub(super) fn soon(&self) -> f64 {
        let share = self.share();
        share + (1.0 - share) * self.coming
    }

    pub(super) fn check(&self) -> Result<()> {
        let (needed, held) = (f64::from(self.needed), f64::from(self.held));
        SpecError::check("the number of opinions needed", needed, "at least 1", self.needed > 0)?;
        SpecError::check("the number of opinions held", held, "at most those needed", self.held <= self.needed)?;
        SpecError::check("the number of items", self.items as f64, "at least 1", self.items > 0)?;
        let coming = (0.0..=1.0).contains(&self.coming);
        SpecError::check("the share of the rest that is coming", self.coming, "in [0, 1]", coming)?;
        let complexity = (0.0..=Complexity::MOST).contains(&self.complexity);
        SpecError::check("the complexity", self.complexity, "in [0, 1.3]", complexity)?;
        let benefit = self.benefit.unwrap_or(1.0);
        let holds = benefit > 0.0 && benefit.is_finite();
        Ok(SpecError::check("the parallel benefit", benefit, "above 0 and finite", holds)?)
    }

    /// Why each arm cannot be taken, in the order of [`Arm::ALL`].
    pub(super) fn masked(&self, options: &Options) -> [Option<Infeasible>; Arm::ALL.len()] {
        if self.held == self.needed {
            let held = Some(Infeasible::Held);
            return [None, held, held, held, held];
        }
        let alone = self.needed - self.held == 1 && self.items == 1;
        let single = self.items < options.batch;
        let beside = alone.then_some(Infeasible::NothingBeside);
        let batch = single.then_some(Infeasible::NotABatch);
        let Masks { parallel_cpu, parallel_gpu, distributed } = self.masks;
        let [cpu, gpu, distributed] = [parallel_cpu.or(beside), parallel_gpu.or(batch), distributed.or(batch)];
        let is_too_long = self.work.zip(self.within).is_some_and(|(work, within)| work > within);
        let is_another = [cpu, gpu, distributed].iter().any(Option::is_none);
        let sequential = (is_too_long && is_another).then_some(Infeasible::TooLong);
        [Some(Infeasible::NotHeld), sequential, cpu, gpu, distributed]
    }

    /// The arm that the rule takes, of those that can be taken.
    pub(super) fn rule(&self, options: &Options, can: impl Fn(Arm) -> bool) -> (Arm, Reason) {
        if can(Arm::Cache) {
            return (Arm::Cache, Reason::Held);
        }
        let is_mostly_held = self.share() > options.cached || self.coming > options.cached;
        if is_mostly_held && can(Arm::Sequential) {
            return (Arm::Sequential, Reason::MostlyHeld);
        }
        let benefit = self.benefit.unwrap_or(1.0);
        if benefit > options.parallel_benefit && self.complexity < options.complexity {
            let parallel = [Arm::ParallelGpu, Arm::ParallelCpu].into_iter().find(|&arm| can(arm));
            if let Some(arm) = parallel {
                return (arm, Reason::Parallel);
            }
        }
        let is_costly = self.work.is_some_and(|work| work > options.costly);
        if is_costly && benefit > options.distributed_benefit && can(Arm::Distributed) {
            return (Arm::Distributed, Reason::Costly);
        }
        let pressed = [Arm::Distributed, Arm::ParallelGpu, Arm::ParallelCpu].into_iter().find(|&arm| can(arm));
        match pressed {
            Some(arm) if !can(Arm::Sequential) => (arm, Reason::Pressed),
            _ => (Arm::Sequential, Reason::Otherwise),
        }
    }
}
