//! Who is let in, and who still is.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::NAME;
use crate::error::{RequestError, Result};

/// Counts who is in, and closes.
#[derive(Debug)]
pub(super) struct Admission {
    inside: Mutex<Inside>,
    /// Whether those who are in are sent away; it is told whenever somebody leaves, too.
    rejects: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Inside {
    stats: Stats,
    closed: bool,
    /// How long a request takes, as an exponential average.
    mean: Option<Duration>,
}

/// What became of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Under way at the moment.
    pub under_way: u64,
    /// Answered.
    pub answered: u64,
    /// Ended by an error after they were let in.
    pub failed: u64,
    /// Dropped by whoever made them.
    pub dropped: u64,
    /// Not let in.
    pub refused: u64,
}

/// A request that was let in. Dropped, it has left.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    of: &'a Admission,
    began: Instant,
    answered: Option<bool>,
}

impl Default for Admission {
    fn default() -> Self {
        Self { inside: Mutex::default(), rejects: watch::Sender::new(false) }
    }
}

impl Admission {
    /// Lets a request in, if there is room for it.
    pub(super) fn take(&self, most: usize) -> Result<Taken<'_>> {
        self.with(|inside| {
            let refusal = if inside.closed {
                Some(RequestError::Closed { what: NAME })
            } else if inside.stats.under_way >= most as u64 {
                // With `most` requests under way, one ends in that share of the time one takes.
                let mean = inside.mean.unwrap_or(Duration::from_millis(100));
                let retry_after = (mean / u32::try_from(most).unwrap_or(u32::MAX)).max(Duration::from_millis(1));
                Some(RequestError::Full { what: NAME, retry_after })
            } else {
                None
            };
            if let Some(refusal) = refusal {
                inside.stats.refused += 1;
                return Err(refusal.into());
            }
            inside.stats.under_way += 1;
            Ok(Taken { of: self, began: Instant::now(), answered: None })
        })
    }

    pub(super) fn stats(&self) -> Stats {
        self.with(|inside| inside.stats)
    }

    /// Lets nobody in any more; `rejects` sends away those who are in.
    pub(super) fn close(&self, rejects: bool) {
        self.with(|inside| inside.closed = true);
        self.rejects.send_modify(|rejected| *rejected |= rejects);
    }

    /// Until those who are in are sent away.
    pub(super) async fn rejected(&self) {
        // The sender lives as long as this.
        let _ = self.rejects.subscribe().wait_for(|rejected| *rejected).await;
    }

    /// Until nobody is in.
    pub(super) async fn emptied(&self) {
        let _ = self.rejects.subscribe().wait_for(|_| self.stats().under_way == 0).await;
    }

    fn with<T>(&self, what: impl FnOnce(&mut Inside) -> T) -> T {
        what(&mut self.inside.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Taken<'_> {
    /// It ends, with an answer or not.
    pub(super) fn end(mut self, answered: bool) {
        self.answered = Some(answered);
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        self.of.with(|inside| {
            let stats = &mut inside.stats;
            stats.under_way -= 1;
            match self.answered {
                Some(true) => stats.answered += 1,
                Some(false) => stats.failed += 1,
                None => stats.dropped += 1,
            }
            inside.mean = Some(inside.mean.map_or(took, |mean| mean.mul_f64(0.9) + took.mul_f64(0.1)));
        });
        self.of.rejects.send_modify(|_| ());
    }
}
