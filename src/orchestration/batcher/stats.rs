//! What a batcher has done.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use metrics::{Gauge, Histogram};

use crate::orchestration::telemetry::{
    BATCH_REQUESTS, BATCH_SECONDS, BATCHER_QUEUED, BATCHER_QUEUED_SECONDS, BATCHER_REQUESTS, Label, PerVariant,
};

/// What a batcher has done so far and what it holds now; see [`Batcher::stats`](super::Batcher::stats).
///
/// Every request that was submitted ends as exactly one of `answered`, `failed`, `expired`, `cancelled` and `rejected`. It
/// is counted before its caller goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Requests that wait for a batch.
    pub queued: usize,
    /// Their size in bytes.
    pub queued_bytes: usize,
    /// Requests in the batches that are being processed.
    pub in_flight: usize,
    /// Batches that were begun.
    pub batches: u64,
    /// Requests in them.
    pub batched: u64,
    /// Requests whose answer reached the caller.
    pub answered: u64,
    /// Requests whose caller got the error that came in place of the answer.
    pub failed: u64,
    /// Requests whose deadline came while they waited.
    pub expired: u64,
    /// Requests whose caller went away.
    pub cancelled: u64,
    /// Requests that were turned away: no time, too large, no room, or shut down.
    pub rejected: u64,
}

impl Stats {
    /// How many requests there were in a batch on average; `None` before the first one.
    #[must_use]
    pub fn mean_batch(&self) -> Option<f64> {
        (self.batches > 0).then(|| self.batched as f64 / self.batches as f64)
    }
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Answered,
    Failed,
    Expired,
    Cancelled,
    Rejected,
}

impl Label for End {
    const KEY: &'static str = "ending";
    const ALL: &'static [Self] = &[Self::Answered, Self::Failed, Self::Expired, Self::Cancelled, Self::Rejected];

    fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
        }
    }
}

/// How requests ended, and how long they and their batches took.
#[derive(Debug)]
pub(super) struct Meters {
    /// In the order of the variants.
    ends: [AtomicU64; End::ALL.len()],
    ended: PerVariant<End>,
    queued: Gauge,
    queued_seconds: Histogram,
    batch_requests: Histogram,
    batch_seconds: Histogram,
}

impl Meters {
    /// Registers with the current recorder.
    pub fn new() -> Self {
        Self {
            ends: Default::default(),
            ended: PerVariant::new(&BATCHER_REQUESTS),
            queued: BATCHER_QUEUED.gauge(),
            queued_seconds: BATCHER_QUEUED_SECONDS.histogram(),
            batch_requests: BATCH_REQUESTS.histogram(),
            batch_seconds: BATCH_SECONDS.histogram(),
        }
    }

    /// A request ends. What is counted orders nothing else.
    pub fn ended(&self, end: End) {
        self.ends[end as usize].fetch_add(1, Ordering::Relaxed);
        self.ended.count(end);
    }

    /// A request has come into the queue.
    pub fn queued(&self) {
        self.queued.increment(1.0);
    }

    /// So many have left it, whether for a batch or not.
    pub fn left(&self, requests: usize) {
        self.queued.decrement(requests as f64);
    }

    /// A batch begins, of requests that have waited for so long.
    pub fn batched(&self, waited: impl ExactSizeIterator<Item = Duration>) {
        self.batch_requests.record(waited.len() as f64);
        waited.for_each(|time| self.queued_seconds.record(time));
    }

    /// A batch has been processed.
    pub fn processed(&self, time: Duration) {
        self.batch_seconds.record(time);
    }

    /// How requests ended, beside what is held now.
    pub fn beside(&self, now: Stats) -> Stats {
        let [answered, failed, expired, cancelled, rejected] =
            self.ends.each_ref().map(|end| end.load(Ordering::Relaxed));
        Stats { answered, failed, expired, cancelled, rejected, ..now }
    }
}
