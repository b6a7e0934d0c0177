//! What submitters and workers share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::job::{Job, Running};
use super::queue::{Place, Queue};
use super::scale::{Bounds, Scale};
use super::stats::{End, Load, Stats};
use super::worker::Worker;
use crate::error::RequestError;
use crate::orchestration::Cost;
use crate::orchestration::batcher::{Pace, Priority, Shutdown, discard};

/// What submitters and workers share. Submitters hold it through the lane and their tickets, each worker by itself.
pub(super) struct Shared {
    pub limits: Limits,
    runtime: Handle,
    state: Mutex<State>,
    /// Told when the last worker leaves.
    left: watch::Sender<()>,
}

/// The bounds of a lane.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub name: &'static str,
    pub workers: Bounds,
    /// The most that waits.
    pub queue: usize,
    pub ageing: Duration,
}

struct State {
    queue: Queue<Job>,
    /// Workers there are, and jobs they are at.
    live: usize,
    running: usize,
    scale: Scale,
    pace: Pace,
    /// When the first job began, for as long as none has ended.
    first_began: Option<Instant>,
    /// Whether somebody sees to it that workers are hired while jobs wait.
    tended: bool,
    closed: bool,
    /// What has ended; the rest is filled in when it is asked for.
    stats: Stats,
}

impl Shared {
    pub fn new(limits: Limits, runtime: Handle) -> Self {
        let state = State {
            queue: Queue::new(limits.ageing),
            live: 0,
            running: 0,
            scale: Scale::new(limits.workers, Instant::now()),
            pace: Pace::default(),
            first_began: None,
            tended: false,
            closed: false,
            stats: Stats::default(),
        };
        Self { limits, runtime, state: Mutex::new(state), left: watch::Sender::new(()) }
    }

    /// Queues a job, and has it begun if a worker is free.
    pub fn submit(self: &Arc<Self>, priority: Priority, job: Job) -> Result<Place, RequestError> {
        let Limits { name: what, queue: most, workers, .. } = self.limits;
        let mut state = self.lock();
        let now = state.advance();
        state.stats.arrived += 1;
        state.scale.arrived();
        let refusal = if state.closed {
            Some(RequestError::Closed { what })
        } else if state.room(most) == 0 {
            // There is room when a worker takes the next job.
            let retry_after = state.pace.time_for(1, state.scale.workers(), state.since_first(now));
            Some(RequestError::Full { what, retry_after })
        } else {
            None
        };
        if let Some(refusal) = refusal {
            state.stats.refused += 1;
            self.hire(state, now);
            return Err(refusal);
        }
        let place = state.queue.push(priority, now, job);
        let tend = state.live >= state.scale.workers() && !state.tended && workers.least < workers.most;
        state.tended |= tend;
        self.hire(state, now);
        if tend {
            self.runtime.spawn(Arc::clone(self).tend());
        }
        Ok(place)
    }

    /// Takes a job out of the queue, if it is still there.
    pub fn withdraw(&self, place: Place) {
        let mut state = self.lock();
        let withdrawn = state.queue.remove(place);
        state.stats.cancelled += u64::from(withdrawn.is_some());
        drop(state);
        // Whatever it holds is dropped when the lock is free again.
        discard(withdrawn);
    }

    /// A job has ended.
    pub fn ended(&self, end: End, began: Instant) {
        let mut state = self.lock();
        let now = state.advance();
        let took = now.saturating_duration_since(began);
        state.running -= 1;
        state.first_began = None;
        state.pace.served(1, took);
        state.scale.ended(took);
        state.stats.service.observe(end == End::Served, took, Cost::default());
        let count = match end {
            End::Served => &mut state.stats.served,
            End::Panicked => &mut state.stats.panicked,
            End::Cancelled => &mut state.stats.cancelled,
        };
        *count += 1;
    }

    /// A worker's next job; without one it has left.
    pub fn next(self: &Arc<Self>) -> Option<(Job, Running)> {
        let mut state = self.lock();
        let now = state.advance();
        let next = if state.live > state.scale.workers() { None } else { state.begin_next(self, now) };
        if next.is_none() {
            state.live -= 1;
        }
        let empty = state.live == 0;
        self.hire(state, now);
        if empty {
            self.left.send_replace(());
        }
        next
    }

    /// A worker was dropped, with its runtime: nothing would be done any more.
    pub fn lost(&self) {
        self.lock().live -= 1;
        self.close(Shutdown::Reject);
        self.left.send_replace(());
    }

    /// Takes no more jobs.
    pub fn close(&self, mode: Shutdown) {
        let mut state = self.lock();
        state.closed = true;
        let rejected = match mode {
            Shutdown::Drain => Vec::new(),
            Shutdown::Reject => state.queue.drain(),
        };
        state.stats.rejected += rejected.len() as u64;
        drop(state);
        // Their submitters hear of it by this.
        rejected.into_iter().for_each(discard);
    }

    /// Until there is no worker any more, nor anything for one to do.
    pub async fn emptied(&self) {
        let is_empty = |_: &()| {
            let state = self.lock();
            state.live == 0 && state.queue.len() == 0
        };
        // The sender lives as long as this.
        let _ = self.left.subscribe().wait_for(is_empty).await;
    }

    pub fn load(&self) -> Load {
        let mut state = self.lock();
        state.advance();
        let room = if state.closed { 0 } else { state.room(self.limits.queue) };
        Load { queued: state.queue.len(), running: state.running, workers: state.scale.workers(), room }
    }

    pub fn stats(&self) -> Stats {
        let mut state = self.lock();
        state.advance();
        Stats {
            queued: state.queue.len_of_each(),
            running: state.running,
            workers: state.scale.workers(),
            arrival_rate: state.scale.rate(),
            needed: state.scale.needed(),
            ..state.stats.clone()
        }
    }

    /// Has jobs begun for as long as there may be more workers.
    fn hire(self: &Arc<Self>, mut state: MutexGuard<'_, State>, now: Instant) {
        let mut hired = Vec::new();
        while state.live < state.scale.workers() {
            let Some(job) = state.begin_next(self, now) else { break };
            state.live += 1;
            hired.push(job);
        }
        drop(state);
        for (job, running) in hired {
            self.runtime.spawn(Worker::new(Arc::clone(self)).work(job, running));
        }
    }

    /// Ends intervals as they are over while jobs wait, for then it may be that nothing else happens.
    async fn tend(self: Arc<Self>) {
        loop {
            sleep(self.limits.workers.interval).await;
            let mut state = self.lock();
            let now = state.advance();
            state.tended = state.queue.len() > 0;
            let done = !state.tended;
            self.hire(state, now);
            if done {
                break;
            }
        }
    }

    /// Nothing under the lock panics, and what it guards is whole between any two statements that could.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Ends the intervals that are over by now.
    fn advance(&mut self) -> Instant {
        let now = Instant::now();
        self.scale.advance(now, self.queue.len(), self.since_first(now));
        now
    }

    /// How many more would be taken: none waits while a worker is free.
    fn room(&self, most: usize) -> usize {
        let free = self.scale.workers().saturating_sub(self.live);
        (most + free).saturating_sub(self.queue.len())
    }

    fn since_first(&self, now: Instant) -> Duration {
        self.first_began.map(|began| now.saturating_duration_since(began)).unwrap_or_default()
    }

    fn begin_next(&mut self, shared: &Arc<Shared>, now: Instant) -> Option<(Job, Running)> {
        let next = self.queue.take(now)?;
        self.running += 1;
        if self.stats.service.observations() == 0 {
            self.first_began.get_or_insert(now);
        }
        self.stats.wait.observe(true, now.saturating_duration_since(next.since), Cost::default());
        Some((next.value, Running::new(Arc::clone(shared), now)))
    }
}
