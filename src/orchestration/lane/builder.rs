//! How a lane is set up.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::runtime::Handle;

use super::scale::Bounds;
use super::shared::{Limits, Shared};
use super::{Lane, Owner};
use crate::error::{RequestError, Result, SpecError};
use crate::orchestration::batcher::within;

/// How a [`Lane`] is set up; from [`Lane::io`] or [`Lane::cpu`].
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder {
    limits: Limits,
    /// The most workers, whatever is asked for.
    cap: usize,
}

impl Builder {
    pub(super) const fn io(name: &'static str) -> Self {
        let workers = Bounds { least: 2, most: 20, interval: Duration::from_millis(100), steps: 2 };
        let limits = Limits { name, workers, queue: 1024, ageing: Duration::from_millis(500) };
        Self { limits, cap: usize::MAX }
    }

    pub(super) fn cpu(name: &'static str) -> Self {
        let cap = available_parallelism().map_or(1, Into::into);
        Self { cap, ..Self::io(name).workers(1..=cap) }
    }

    /// Between how many workers there are; 2 to 20 unless said. For work on the CPU both ends are at most the number of
    /// cores, and it is 1 to that unless said.
    pub const fn workers(mut self, workers: RangeInclusive<usize>) -> Self {
        self.limits.workers.least = *workers.start();
        self.limits.workers.most = *workers.end();
        self
    }

    /// The most jobs that wait at a time; 1,024 unless said. Of 0, a job is taken only if it begins at once.
    pub const fn queue(mut self, jobs: usize) -> Self {
        self.limits.queue = jobs;
        self
    }

    /// After how long a job that waits rises a level; half a second unless said.
    pub const fn ageing(mut self, ageing: Duration) -> Self {
        self.limits.ageing = ageing;
        self
    }

    /// How often the number of workers may change, by up to so many; 2 each 100 milliseconds unless said.
    pub const fn steps(mut self, steps: usize, interval: Duration) -> Self {
        self.limits.workers.steps = steps;
        self.limits.workers.interval = interval;
        self
    }

    /// A lane on the runtime that this is called on.
    ///
    /// # Errors
    ///
    /// A limit out of its range, or no runtime.
    pub fn build(self) -> Result<Lane> {
        let mut limits = self.limits;
        let Bounds { least, most, interval, steps } = &mut limits.workers;
        within("the fewest workers", *least, 1 << 10, "in [1, 2^10]")?;
        within("the most workers", *most, 1 << 10, "in [1, 2^10]")?;
        SpecError::check("the fewest workers", *least as f64, "no more than the most", least <= most)?;
        within("the workers that come or go in an interval", *steps, 1 << 10, "in [1, 2^10]")?;
        for (what, time) in [("the interval", *interval), ("the time to rise a level", limits.ageing)] {
            SpecError::check(what, time.as_secs_f64(), "longer than nothing", !time.is_zero())?;
        }
        SpecError::check("the most jobs that wait", limits.queue as f64, "at most 2^31", limits.queue <= 1 << 31)?;
        (*least, *most) = ((*least).min(self.cap), (*most).min(self.cap));
        let runtime = Handle::try_current()
            .map_err(|cause| RequestError::NotSetUp { what: "the runtime of a lane", cause: Arc::new(cause) })?;
        Ok(Lane(Arc::new(Owner(Arc::new(Shared::new(limits, runtime))))))
    }
}
