//! The ways to carry out a request, and why one of them cannot be taken.

use serde::{Deserialize, Serialize};

use crate::orchestration::telemetry::Label;

/// A way to carry out a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// All that is needed is held; nobody is asked.
    Cache,
    /// What is missing is asked one after another, here. It can always be done, be it not in time.
    Sequential,
    /// What is missing is asked side by side, here.
    ParallelCpu,
    /// A batch on the accelerator.
    ParallelGpu,
    /// A batch on other machines.
    Distributed,
}

impl Arm {
    /// All of them, from the one that needs least to the one that needs most.
    pub const ALL: [Self; 5] = [Self::Cache, Self::Sequential, Self::ParallelCpu, Self::ParallelGpu, Self::Distributed];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::Sequential => "sequential",
            Self::ParallelCpu => "parallel_cpu",
            Self::ParallelGpu => "parallel_gpu",
            Self::Distributed => "distributed",
        }
    }

    /// Whether it does more than one thing at a time.
    pub(super) fn is_side_by_side(self) -> bool {
        matches!(self, Self::ParallelCpu | Self::ParallelGpu | Self::Distributed)
    }
}

impl Label for Arm {
    const KEY: &'static str = "arm";
    const ALL: &'static [Self] = &Self::ALL;

    fn name(self) -> &'static str {
        self.name()
    }
}

/// Why an arm cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Infeasible {
    /// There is no such device, or no cluster.
    Absent,
    /// It has no room.
    Full,
    /// It failed of late.
    Unwell,
    /// The request has too few items for it.
    NotABatch,
    /// One source is missing for one item: there is nothing to do side by side.
    NothingBeside,
    /// Not all that is needed is held.
    NotHeld,
    /// All that is needed is held.
    Held,
    /// One after another would take longer than there is time, and another arm can be taken.
    TooLong,
}

/// Why the arms that need something cannot be taken; `None` where they can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Masks {
    /// Why [`Arm::ParallelCpu`] cannot.
    pub parallel_cpu: Option<Infeasible>,
    /// Why [`Arm::ParallelGpu`] cannot.
    pub parallel_gpu: Option<Infeasible>,
    /// Why [`Arm::Distributed`] cannot.
    pub distributed: Option<Infeasible>,
}

impl Default for Masks {
    /// A machine by itself and without an accelerator, with room.
    fn default() -> Self {
        Self { parallel_cpu: None, parallel_gpu: Some(Infeasible::Absent), distributed: Some(Infeasible::Absent) }
    }
}
