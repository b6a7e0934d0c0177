//! The GPU of an engine: in use, or given up after a failure and opened again later.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::backend::Backend;
use crate::backend::fault::Faults;
use crate::backend::gpu::{Gpu, Wanted};
use crate::engine::attempt::attempt;
use crate::engine::events::{Happening, Log};
use crate::engine::self_test;
use crate::error::{DeviceError, Result};

/// How often the wait for a device that is lost again and again doubles.
const DOUBLINGS: u32 = 9;

/// How a device is opened, the first time and after it was lost.
#[derive(Debug, Clone)]
pub(super) struct Opening {
    pub wanted: Wanted,
    pub memory_bytes: Option<u64>,
    /// Whether it is to prove that it computes rightly.
    pub is_tested: bool,
    /// Whether it sums over its subgroups; `None`: as it is best at.
    pub subgroups: Option<bool>,
    pub faults: Option<Faults>,
}

/// A device, or the place of one.
#[derive(Debug)]
pub(super) struct Accelerator {
    /// `None`: what was given to the engine and is not opened again.
    opening: Option<Opening>,
    /// The wait before it is opened again for the first time; twice as long each time it is lost without having done a job.
    retry_after: Duration,
    /// What it is, and was.
    description: String,
    state: Mutex<State>,
}

/// Nothing panics under its lock.
#[derive(Debug)]
struct State {
    /// How often in a row it was given up without having done a job.
    failures: u32,
    now: Now,
}

#[derive(Debug)]
enum Now {
    InUse(Arc<Gpu>),
    GivenUp {
        error: DeviceError,
        since: Instant,
    },
    /// A job is opening it; others do not wait.
    Opening {
        error: DeviceError,
    },
}

/// A device just opened, made to prove that it computes rightly if it is to. One that does not sum over its subgroups
/// rightly sums by trees.
///
/// # Errors
///
/// It fails, or computes wrongly.
pub(super) fn ready(mut gpu: Gpu, is_tested: bool, subgroups: Option<bool>, log: &Log) -> Result<Gpu> {
    if let Some(wanted) = subgroups {
        gpu.sum_by_subgroups(wanted);
    }
    if !is_tested {
        return Ok(gpu);
    }
    self_test::run(&gpu, gpu.name())?;
    if !gpu.sums_by_subgroups() {
        return Ok(gpu);
    }
    let Err(error) = self_test::by_subgroups(&gpu, gpu.name()) else { return Ok(gpu) };
    log.add(Happening::SumsByTrees { error: error.device().cloned().ok_or(error)? });
    gpu.sum_by_subgroups(false);
    Ok(gpu)
}

impl Opening {
    fn open(&self, log: &Log) -> Result<Gpu> {
        // Drivers that are broken enough panic within wgpu.
        attempt(|| {
            let gpu = Gpu::open(&self.wanted, self.memory_bytes, self.faults.clone())?;
            ready(gpu, self.is_tested, self.subgroups, log)
        })
    }
}

impl Accelerator {
    /// Opens a device.
    pub(super) fn open(opening: Opening, retry_after: Duration, log: &Log) -> Result<Self> {
        let gpu = opening.open(log)?;
        Ok(Self::new(gpu, Some(opening), retry_after))
    }

    /// A device that is open.
    pub(super) fn new(gpu: Gpu, opening: Option<Opening>, retry_after: Duration) -> Self {
        let description = gpu.describe();
        let state = Mutex::new(State { failures: 0, now: Now::InUse(Arc::new(gpu)) });
        Self { opening, retry_after, description, state }
    }

    /// The device, opened again if it was given up and the time has come.
    ///
    /// # Errors
    ///
    /// Why it is not in use.
    pub(super) fn current(&self, log: &Log) -> Result<Arc<Gpu>> {
        let opening = self.with(|state| match &state.now {
            Now::InUse(gpu) => Ok(Err(Arc::clone(gpu))),
            Now::GivenUp { error, since } => match &self.opening {
                Some(opening) if since.elapsed() >= wait(self.retry_after, state.failures) => {
                    state.now = Now::Opening { error: error.clone() };
                    Ok(Ok(opening))
                }
                _ => Err(error.clone()),
            },
            Now::Opening { error } => Err(error.clone()),
        });
        match opening? {
            Err(gpu) => Ok(gpu),
            // Opening takes a while, in which the lock is free.
            Ok(opening) => match opening.open(log) {
                Ok(gpu) => {
                    let gpu = Arc::new(gpu);
                    self.with(|state| state.now = Now::InUse(Arc::clone(&gpu)));
                    log.add(Happening::Reopened);
                    Ok(gpu)
                }
                Err(error) => {
                    let fault = error.device().cloned().unwrap_or(DeviceError::FeatureOff);
                    self.give_up(&fault, log);
                    Err(error)
                }
            },
        }
    }

    /// A job was done on the device.
    pub(super) fn succeeded(&self) {
        self.with(|state| state.failures = 0);
    }

    /// A job failed on a device, which is given up if nothing more can be asked of it.
    pub(super) fn failed(&self, gpu: &Arc<Gpu>, error: &DeviceError, log: &Log) {
        let is_current = self.with(|state| matches!(&state.now, Now::InUse(current) if Arc::ptr_eq(current, gpu)));
        // Several jobs may fail with one device.
        if error.is_fatal() && is_current {
            self.give_up(error, log);
        }
    }

    fn give_up(&self, error: &DeviceError, log: &Log) {
        let (before, retry_after) = self.with(|state| {
            state.failures += 1;
            let given_up = Now::GivenUp { error: error.clone(), since: Instant::now() };
            (std::mem::replace(&mut state.now, given_up), wait(self.retry_after, state.failures))
        });
        // What is on the device is freed here, out of the lock, if no other job is at it.
        drop(before);
        log.add(Happening::GivenUp { error: error.clone(), retry_after });
    }

    /// The device, if jobs go to it.
    pub(super) fn in_use(&self) -> Option<Arc<Gpu>> {
        self.with(|state| match &state.now {
            Now::InUse(gpu) => Some(Arc::clone(gpu)),
            Now::GivenUp { .. } | Now::Opening { .. } => None,
        })
    }

    /// Whether jobs go to the device.
    pub(super) fn is_in_use(&self) -> bool {
        self.with(|state| matches!(state.now, Now::InUse(_)))
    }

    fn with<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Display for Accelerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.description)?;
        self.with(|state| match &state.now {
            Now::InUse(_) => Ok(()),
            Now::GivenUp { error, since } => {
                let again = match &self.opening {
                    Some(_) => format!("for {:?}", wait(self.retry_after, state.failures)),
                    None => "for good".to_owned(),
                };
                write!(f, "; given up {} s ago {again}: {error}", since.elapsed().as_secs())
            }
            Now::Opening { error } => write!(f, "; being opened again: {error}"),
        })
    }
}

/// How long a device stays given up after so many failures in a row.
fn wait(first: Duration, failures: u32) -> Duration {
    first.saturating_mul(1 << failures.saturating_sub(1).min(DOUBLINGS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_a_bound() {
        let seconds = |failures| wait(Duration::from_secs(1), failures).as_secs();
        assert_eq!([0, 1, 2, 3, 9, 10, 11, u32::MAX].map(seconds), [1, 1, 2, 4, 256, 512, 512, 512]);
        assert_eq!(wait(Duration::ZERO, 5), Duration::ZERO);
        assert_eq!(wait(Duration::MAX, 5), Duration::MAX);
    }
}
