//! Work done by a bounded number of workers, the urgent first.

mod builder;
mod job;
mod queue;
mod scale;
mod shared;
mod stats;
mod ticket;
mod worker;

use std::fmt;
use std::sync::Arc;

use tokio::sync::oneshot;

pub use self::builder::Builder;
use self::job::{Job, of_closure, of_future};
use self::shared::Shared;
pub use self::stats::{Load, Stats};
pub use self::ticket::Ticket;
use crate::error::Result;
pub use crate::orchestration::batcher::{Priority, Shutdown};

/// Does jobs with a bounded number of workers, and keeps a bounded number waiting, the urgent first: futures on tasks of the
/// runtime, closures on its threads for code that blocks.
///
/// **Order.** A job rises a level towards [`Priority::Critical`] each time it has waited for the time set with
/// [`Builder::ageing`]. Whoever is free takes, of the jobs on the highest level, the one that came first. So a job waits
/// behind no job that came after it once it has waited for three times that time, and nobody starves.
///
/// **Workers.** By Little's law, jobs that come at a rate l and take the time s each keep l s workers busy. Both are
/// measured as exponential averages over intervals, of which the latest counts a tenth; until a job has ended, s is for how
/// long the first has been running. Jobs that wait are added to those that come, to be done within ten intervals:
///
/// needed = (l + queued / (10 intervals)) s
///
/// There are never fewer nor more workers than the bounds say. Where more are needed than there are, some are added at the
/// end of the interval; where fewer would be busy for no more than four fifths of their time, for thirty intervals in a row,
/// some are let go: in both cases no more than [`Builder::steps`] in an interval. A worker that is let go finishes its job
/// first.
///
/// **Failures.** A job that panics is an error of its own submitter. A job is cancelled by dropping its [`Ticket`].
///
/// Clones are handles of the same lane. With the last of them it ends as with [`Shutdown::Reject`], but nobody waits for it.
///
/// # Examples
///
/// *Three jobs, one of which panics.*
///
/// ```
/// use consilience::orchestration::lane::{Lane, Priority, Shutdown};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let lane = Lane::io("models").build()?;
/// let urgent = lane.submit(Priority::High, async { 2 + 2 })?;
/// let broken = lane.submit(Priority::Low, async { assert!(2 + 2 == 5, "a bad sum") })?;
/// let heavy = lane.submit_blocking(Priority::Normal, || (1..=10).product::<u64>())?;
/// assert_eq!((urgent.await?, heavy.await?), (4, 3_628_800));
/// assert_eq!(
///     broken.await.unwrap_err().to_string(),
///     "models panicked: a bad sum; the request was not answered"
/// );
/// lane.shutdown(Shutdown::Drain).await;
/// let stats = lane.stats();
/// assert_eq!((stats.arrived, stats.served, stats.panicked), (3, 2, 1));
/// # Ok::<(), consilience::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Lane(Arc<Owner>);

/// What all handles of a lane hold. Dropped, it ends the lane without waiting for what is under way.
struct Owner(Arc<Shared>);

impl Lane {
    /// A lane for work that mostly waits for others. It has 2 to 20 workers, and at most 1,024 jobs wait. The name is that
    /// in errors.
    pub const fn io(name: &'static str) -> Builder {
        Builder::io(name)
    }

    /// A lane for work that keeps a core busy: the same, with no more workers than there are cores.
    pub fn cpu(name: &'static str) -> Builder {
        Builder::cpu(name)
    }

    /// Hands in a future, which begins whether or not the ticket is polled. It must not block the thread it is polled on.
    ///
    /// # Errors
    ///
    /// A [`RequestError`](crate::RequestError): `Full` with a time after which there is likely to be room, or `Closed`
    /// after a shutdown.
    pub fn submit<F>(&self, priority: Priority, work: F) -> Result<Ticket<F::Output>>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.enter(priority, of_future(work, answer), answered)
    }

    /// Hands in a closure, which may block the thread it is called on.
    ///
    /// # Errors
    ///
    /// As [`Lane::submit`].
    pub fn submit_blocking<F, T>(&self, priority: Priority, work: F) -> Result<Ticket<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.enter(priority, of_closure(work, answer), answered)
    }

    fn enter<T>(&self, priority: Priority, job: Job, answered: oneshot::Receiver<job::Answer<T>>) -> Result<Ticket<T>> {
        let shared = &self.0.0;
        let place = shared.submit(priority, job)?;
        Ok(Ticket::new(Arc::clone(shared), place, answered))
    }

    /// Takes no more jobs, ends as the mode says, and waits until those under way have ended. That it ends is settled with
    /// the first poll; a later call may turn a drain into a rejection.
    pub async fn shutdown(&self, mode: Shutdown) {
        self.0.0.close(mode);
        self.0.0.emptied().await;
    }

    /// How full it is.
    #[must_use]
    pub fn load(&self) -> Load {
        self.0.0.load()
    }

    /// What it has done so far and what it holds now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.0.stats()
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("limits", &self.0.0.limits).field("load", &self.load()).finish_non_exhaustive()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.close(Shutdown::Reject);
    }
}
