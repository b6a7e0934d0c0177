//! What happened to an engine's device: the last events, and how often.

use std::collections::VecDeque;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::error::DeviceError;
use crate::kernel::Kernel;

/// Events that are kept; the oldest goes first.
const KEPT: usize = 64;

/// Something that happened to an engine's device.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// When.
    pub at: SystemTime,
    /// What.
    pub what: Happening,
}

/// What happens to a device.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Happening {
    /// A job failed on the device and was done on the CPU.
    DoneOnCpu {
        /// Which.
        job: Job,
        /// Why.
        error: DeviceError,
    },
    /// A job failed on the device, and so for its caller: the engine's options say so, or the CPU does not have what it
    /// works on.
    Failed {
        /// Which.
        job: Job,
        /// Why.
        error: DeviceError,
    },
    /// The device is given up. The first job after a while opens it again.
    GivenUp {
        /// Why.
        error: DeviceError,
        /// How long a while.
        retry_after: Duration,
    },
    /// The device was opened again and is in use.
    Reopened,
    /// The device does not sum over its subgroups rightly, and sums by trees.
    SumsByTrees {
        /// What was wrong.
        error: DeviceError,
    },
    /// Kept measurements are damaged or another machine's; what is needed is measured anew.
    MeasurementsIgnored {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// What an engine does on a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Job {
    /// Running a kernel.
    Run(Kernel),
    /// Uploading evidence or an array.
    Upload,
    /// Handing over what waits.
    HandOver,
    /// Reading back what is held.
    Read,
}

/// How an engine's device does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Health {
    /// Whether jobs go to a device: it is there and not given up.
    pub device_in_use: bool,
    /// Jobs that failed on the device, however they ended.
    pub failures: u64,
    /// Jobs done on the CPU because the device failed in them.
    pub done_on_cpu: u64,
    /// Jobs that found the device given up.
    pub while_given_up: u64,
    /// How often the device was given up, failed attempts to open it again among them.
    pub given_up: u64,
    /// How often it was opened again.
    pub reopened: u64,
}

/// The events of an engine. Nothing panics under its lock.
#[derive(Debug, Default)]
pub(super) struct Log(Mutex<(VecDeque<Event>, Health)>);

impl Log {
    pub(super) fn add(&self, what: Happening) {
        self.with(|(events, health)| {
            match what {
                Happening::DoneOnCpu { .. } => {
                    health.failures += 1;
                    health.done_on_cpu += 1;
                }
                Happening::Failed { .. } => health.failures += 1,
                Happening::GivenUp { .. } => health.given_up += 1,
                Happening::Reopened => health.reopened += 1,
                Happening::SumsByTrees { .. } | Happening::MeasurementsIgnored { .. } => {}
            }
            if events.len() == KEPT {
                events.pop_front();
            }
            events.push_back(Event { at: SystemTime::now(), what });
        });
    }

    /// A job found the device given up.
    pub(super) fn found_given_up(&self) {
        self.with(|(_, health)| health.while_given_up += 1);
    }

    /// The last events, the oldest first.
    pub(super) fn events(&self) -> Vec<Event> {
        self.with(|(events, _)| events.iter().cloned().collect())
    }

    pub(super) fn health(&self, device_in_use: bool) -> Health {
        self.with(|(_, health)| Health { device_in_use, ..*health })
    }

    fn with<T>(&self, with: impl FnOnce(&mut (VecDeque<Event>, Health)) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DoneOnCpu { job, error } => write!(f, "{job} was done on the CPU: {error}"),
            Self::Failed { job, error } => write!(f, "{job} failed: {error}"),
            Self::GivenUp { error, retry_after } => {
                write!(f, "the device is given up for {retry_after:?}: {error}")
            }
            Self::Reopened => f.write_str("the device is in use again"),
            Self::SumsByTrees { error } => write!(f, "the device sums by trees, not by subgroups: {error}"),
            Self::MeasurementsIgnored { path, why } => {
                write!(f, "measurements in {} are ignored: {why}", path.display())
            }
        }
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(kernel) => kernel.fmt(f),
            Self::Upload => f.write_str("an upload"),
            Self::HandOver => f.write_str("handing over what waited"),
            Self::Read => f.write_str("reading back"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_events_are_kept_and_all_are_counted() {
        let log = Log::default();
        let error = |seconds| DeviceError::TimedOut { seconds };
        for seconds in 0..70 {
            log.add(Happening::DoneOnCpu { job: Job::Upload, error: error(seconds) });
        }
        log.add(Happening::Failed { job: Job::Run(Kernel::Pool), error: error(70) });
        log.add(Happening::GivenUp { error: error(71), retry_after: Duration::from_secs(2) });
        log.add(Happening::Reopened);
        log.found_given_up();
        let events = log.events();
        assert_eq!(events.len(), KEPT);
        assert_eq!(events[0].what, Happening::DoneOnCpu { job: Job::Upload, error: error(9) });
        assert!(events.is_sorted_by_key(|event| event.at));
        let said: Vec<String> = events[61..].iter().map(|event| event.what.to_string()).collect();
        assert_eq!(
            said,
            [
                "fusion/pool failed: the device did not finish within 70 s",
                "the device is given up for 2s: the device did not finish within 71 s",
                "the device is in use again",
            ]
        );
        let want =
            Health { device_in_use: true, failures: 71, done_on_cpu: 70, while_given_up: 1, given_up: 1, reopened: 1 };
        assert_eq!(log.health(true), want);
    }
}
