//! Requests that come at the same time, processed together.

mod builder;
mod lists;
mod pace;
mod queue;
mod shared;
mod slot;
mod stats;
mod submission;
mod ticket;

use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::time::Instant;

pub use self::builder::Builder;
pub(super) use self::builder::within;
pub(super) use self::pace::Pace;
use self::shared::Shared;
pub(super) use self::slot::discard;
use self::stats::End;
pub use self::stats::Stats;
pub use self::submission::{Priority, Submission};
use self::ticket::Ticket;
use crate::error::{RequestError, Result};

/// What processes many requests at once, blocking the thread that it is called on.
pub trait Process: Send + Sync + 'static {
    /// What is asked.
    type Input: Send;
    /// What is answered.
    type Output: Send;

    /// How much memory a request holds while it waits, in bytes.
    fn bytes(&self, input: &Self::Input) -> usize;

    /// Answers each request, in their order. A request's error is its own affair; a panic, or another number of answers,
    /// is an error of the whole batch.
    fn process(&self, inputs: Vec<Self::Input>) -> Vec<Result<Self::Output>>;
}

/// Makes batches of the requests that come while others are being processed.
///
/// There is no timer: a request that finds a slot free is processed at once and alone; when a slot becomes free, all that
/// has come meanwhile is taken, up to the limits of a batch. Batches are processed on the batcher's own threads, one for
/// each slot, never on the runtime's. What waits is bounded in number and in bytes.
///
/// In which order requests are taken is said at [`Priority`] and [`Submission::caller`]; of one caller and priority, the
/// first to come is the first to be taken. A request that would not fit into a batch waits, and all behind it, for the
/// next batch.
///
/// What becomes of requests, and how long they and their batches take, is counted as the metrics
/// [`telemetry`](crate::orchestration::telemetry) names.
///
/// Clones are handles of the same batcher. With the last of them it ends: batches in flight are finished, on threads that
/// nobody waits for; [`shutdown`](Self::shutdown) waits for them.
///
/// # Examples
///
/// *Three requests, two batches.*
///
/// ```
/// use consilience::Result;
/// use consilience::orchestration::batcher::{Batcher, Process, Submission};
///
/// struct Square;
///
/// impl Process for Square {
///     type Input = u64;
///     type Output = u64;
///
///     fn bytes(&self, _: &u64) -> usize {
///         8
///     }
///
///     fn process(&self, inputs: Vec<u64>) -> Vec<Result<u64>> {
///         inputs.into_iter().map(|x| Ok(x * x)).collect()
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let batcher = Batcher::builder(Square).batch_requests(2).build()?;
/// let ask = |x| batcher.submit(x, Submission::default());
/// let (a, b, c) = tokio::join!(ask(2), ask(3), ask(4));
/// assert_eq!((a?, b?, c?), (4, 9, 16));
/// assert_eq!(batcher.stats().answered, 3);
/// # Ok::<(), consilience::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Batcher<P: Process>(Arc<Owner<P>>);

/// How a batcher ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shutdown {
    /// What waits is answered first.
    Drain,
    /// What waits is told that the batcher is closed.
    Reject,
}

/// What all handles of a batcher hold. Dropped, it ends the threads without waiting for them.
struct Owner<P: Process> {
    shared: Arc<Shared<P>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl<P: Process> Batcher<P> {
    /// A batcher with one slot, batches of at most 1,024 requests and 16 MiB, and a queue of at most 16,384 requests and
    /// 64 MiB, unless the builder is told otherwise.
    pub fn builder(process: P) -> Builder<P> {
        Builder::new(process)
    }

    /// Asks, and waits for the answer. Nothing happens before the future is polled. Dropped, it takes a request that waits
    /// back, which is never processed then; of one that is being processed, the answer is thrown away.
    ///
    /// The deadline is for beginning: a request whose batch has begun is waited for.
    ///
    /// # Errors
    ///
    /// The request's own error, as the process gives it, or a [`RequestError`]: `NoTime` where the deadline has passed
    /// already, `TooLarge` where it fits no batch, `Full` with a time after which there is likely to be room, `Expired` at
    /// the deadline, `Closed` after a shutdown, `Panicked` or `WrongCount` where the process failed on its batch.
    ///
    /// # Panics
    ///
    /// With a deadline, outside of a tokio runtime or on one whose time is not enabled.
    pub async fn submit(&self, input: P::Input, how: Submission) -> Result<P::Output> {
        let shared = &*self.0.shared;
        let since = Instant::now();
        let entered = match shared.admit(&input, how, since) {
            Ok(bytes) => shared.enter(how, bytes, input, since),
            Err(error) => Err(error),
        };
        match entered {
            Ok(entered) => Ticket::new(shared, entered, since).answer(how.deadline).await,
            Err(error) => {
                shared.meters.ended(End::Rejected);
                Err(error.into())
            }
        }
    }

    /// Takes no more requests, ends as the mode says, and waits until the batches in flight are answered and the threads
    /// have ended. That it ends is settled with the first poll; a later call may turn a drain into a rejection.
    pub async fn shutdown(&self, mode: Shutdown) {
        let shared = &*self.0.shared;
        shared.close(mode);
        // It fails only if nobody could send, and the sender is in what is shared.
        let _ = shared.live.subscribe().wait_for(|live| *live == 0).await;
        let threads = mem::take(&mut *self.0.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // The thread is behind its last statement. What it panicked of, if it did, its callers have heard of.
            let _ = thread.join();
        }
    }

    /// The most requests in a batch.
    #[must_use]
    pub fn batch_requests(&self) -> usize {
        self.0.shared.batch_requests()
    }

    /// Makes batches of so many requests at most from now on, at least of 1; one that has begun stays as it is.
    pub fn set_batch_requests(&self, requests: usize) {
        self.0.shared.set_batch_requests(requests);
    }

    /// What it has done so far and what it holds now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.shared.stats()
    }
}

impl<P: Process> Shared<P> {
    /// The size of a request that may be queued if there is room.
    fn admit(&self, input: &P::Input, how: Submission, now: Instant) -> Result<usize, RequestError> {
        if how.deadline.is_some_and(|deadline| deadline <= now) {
            return Err(RequestError::NoTime);
        }
        let bytes = self.process.bytes(input);
        let limit = self.limits.batch.bytes.min(self.limits.queue.bytes);
        if bytes > limit { Err(RequestError::TooLarge { bytes, limit }) } else { Ok(bytes) }
    }
}

impl<P: Process> Clone for Batcher<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Process> fmt::Debug for Batcher<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stats { queued, in_flight, .. } = self.stats();
        f.debug_struct("Batcher")
            .field("limits", &self.0.shared.limits)
            .field("queued", &queued)
            .field("in_flight", &in_flight)
            .finish_non_exhaustive()
    }
}

impl<P: Process> Drop for Owner<P> {
    fn drop(&mut self) {
        // No caller is left to be answered.
        self.shared.close(Shutdown::Reject);
    }
}
