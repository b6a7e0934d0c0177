//! What a batcher has done.

use std::sync::atomic::{AtomicU64, Ordering};

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

/// How requests ended.
#[derive(Debug, Default)]
pub(super) struct Ends {
    pub answered: AtomicU64,
    pub failed: AtomicU64,
    pub expired: AtomicU64,
    pub cancelled: AtomicU64,
    pub rejected: AtomicU64,
}

impl Ends {
    /// One more. What is counted orders nothing else.
    pub fn count(end: &AtomicU64) {
        end.fetch_add(1, Ordering::Relaxed);
    }

    /// The same, beside what is held now.
    pub fn beside(&self, now: Stats) -> Stats {
        let read = |end: &AtomicU64| end.load(Ordering::Relaxed);
        Stats {
            answered: read(&self.answered),
            failed: read(&self.failed),
            expired: read(&self.expired),
            cancelled: read(&self.cancelled),
            rejected: read(&self.rejected),
            ..now
        }
    }
}
