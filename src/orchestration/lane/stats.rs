//! What a lane has done.

use crate::orchestration::Track;
use crate::orchestration::batcher::Priority;

/// What a lane has done so far and what it holds now; see [`Lane::stats`](super::Lane::stats).
///
/// Every job that arrived is one of `queued`, `running`, `served`, `panicked`, `cancelled`, `rejected` and `refused`, and
/// is counted before its submitter goes on.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Jobs that wait, by the priority they came with, in the order of [`Priority::ALL`].
    pub queued: [usize; Priority::ALL.len()],
    /// Jobs under way.
    pub running: usize,
    /// How many may be under way at present.
    pub workers: usize,
    /// Jobs that came, those that were refused among them.
    pub arrived: u64,
    /// Jobs that ended with a result.
    pub served: u64,
    /// Jobs that ended by a panic.
    pub panicked: u64,
    /// Jobs whose submitter went away first, or the runtime.
    pub cancelled: u64,
    /// Jobs that waited when the lane was shut down.
    pub rejected: u64,
    /// Jobs that were turned away as they came: no room, or shut down.
    pub refused: u64,
    /// Arrivals per second, as an exponential average.
    pub arrival_rate: f64,
    /// The workers that the load asks for, before bounds and damping.
    pub needed: f64,
    /// How long jobs waited that were begun.
    pub wait: Track,
    /// How long jobs held a worker; those that were not served count as failures.
    pub service: Track,
}

/// How full a lane is; see [`Lane::load`](super::Lane::load).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// Jobs that wait.
    pub queued: usize,
    /// Jobs under way.
    pub running: usize,
    /// How many may be under way at present.
    pub workers: usize,
    /// How many more would be taken now, to wait or to begin.
    pub room: usize,
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Served,
    Panicked,
    Cancelled,
}
