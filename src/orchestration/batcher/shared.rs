//! What callers and slots share.

use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant as Monotonic};

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::lists::Place;
use super::pace::Pace;
use super::queue::{Most, Queue};
use super::slot::Answer;
use super::stats::{Meters, Stats};
use super::submission::Submission;
use super::{Process, Shutdown};
use crate::error::RequestError;

/// What callers and slots share. Callers hold it through the batcher, each slot by itself.
pub(super) struct Shared<P: Process> {
    pub process: P,
    pub limits: Limits,
    pub meters: Meters,
    /// How many slots there are still.
    pub live: watch::Sender<usize>,
    /// Whose clock deadlines are on; slots are threads outside of it.
    runtime: Option<Handle>,
    state: Mutex<State<P>>,
    /// Slots wait here for something to do.
    work: Condvar,
}

/// The bounds of a batcher.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub name: &'static str,
    pub slots: usize,
    pub batch: Most,
    pub queue: Most,
}

/// A request that waits for its batch.
pub(super) struct Waiting<P: Process> {
    pub input: P::Input,
    pub answer: oneshot::Sender<Answer<P::Output>>,
    pub since: Instant,
}

/// Where a request waits, and where its answer comes.
pub(super) type Entry<P> = (Place, oneshot::Receiver<Answer<<P as Process>::Output>>);

struct State<P: Process> {
    queue: Queue<Waiting<P>>,
    in_flight: usize,
    batches: u64,
    batched: u64,
    /// The most requests of a batch from now on.
    batch_requests: usize,
    /// Slots that wait for something to do, and how many of them have been told that there is.
    idle: usize,
    called: usize,
    pace: Pace,
    /// When the latest batch was begun.
    began: Option<Monotonic>,
    closed: bool,
}

impl<P: Process> Shared<P> {
    pub fn new(process: P, limits: Limits) -> Self {
        let state = State {
            queue: Queue::default(),
            in_flight: 0,
            batches: 0,
            batched: 0,
            batch_requests: limits.batch.requests,
            idle: 0,
            called: 0,
            pace: Pace::default(),
            began: None,
            closed: false,
        };
        Self {
            process,
            limits,
            meters: Meters::new(),
            live: watch::Sender::new(0),
            runtime: Handle::try_current().ok(),
            state: Mutex::new(state),
            work: Condvar::new(),
        }
    }

    /// Queues a request.
    pub fn enter(
        &self,
        how: Submission,
        bytes: usize,
        input: P::Input,
        since: Instant,
    ) -> Result<Entry<P>, RequestError> {
        let Limits { name: what, slots, queue: most, .. } = self.limits;
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { input, answer, since };
        let mut state = self.lock();
        if state.closed {
            return Err(RequestError::Closed { what });
        }
        let room = Most { requests: most.requests - state.queue.len(), bytes: most.bytes - state.queue.bytes() };
        if room.requests == 0 || room.bytes < bytes {
            // It goes by whole batches: there is no room before the next one is taken.
            let ahead = state.queue.len().min(state.batch_requests);
            let running = state.began.map(|began| began.elapsed()).unwrap_or_default();
            return Err(RequestError::Full { what, retry_after: state.pace.time_for(ahead, slots, running) });
        }
        let place = state.queue.push(how, bytes, waiting);
        self.meters.queued();
        let call = state.call();
        drop(state);
        if call {
            self.work.notify_one();
        }
        Ok((place, answered))
    }

    pub fn batch_requests(&self) -> usize {
        self.lock().batch_requests
    }

    pub fn set_batch_requests(&self, requests: usize) {
        self.lock().batch_requests = requests.max(1);
    }

    /// Takes a request out of the queue; whether it was still there.
    pub fn withdraw(&self, place: Place) -> bool {
        // The input is dropped when the lock is free again.
        let withdrawn = self.lock().queue.remove(place);
        self.meters.left(usize::from(withdrawn.is_some()));
        withdrawn.is_some()
    }

    /// Waits for something to do: for a batch, or for requests that have expired. Answers when that was; `None` when there
    /// will be nothing more.
    pub fn next_batch(&self, batch: &mut Vec<Waiting<P>>, expired: &mut Vec<Waiting<P>>) -> Option<Instant> {
        let mut state = self.lock();
        loop {
            if state.queue.len() > 0 {
                let now = self.now();
                let most = Most { requests: state.batch_requests, ..self.limits.batch };
                state.queue.take(most, now, batch, expired);
                if !batch.is_empty() {
                    state.in_flight += batch.len();
                    state.batches += 1;
                    state.batched += batch.len() as u64;
                    state.began = Some(Monotonic::now());
                }
                let call = state.queue.len() > 0 && state.call();
                drop(state);
                if call {
                    self.work.notify_one();
                }
                self.meters.left(batch.len() + expired.len());
                return Some(now);
            }
            if state.closed {
                return None;
            }
            state.idle += 1;
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
            state.called = state.called.saturating_sub(1);
        }
    }

    /// A batch of so many requests took so long.
    pub fn finished(&self, requests: usize, time: Duration) {
        let mut state = self.lock();
        state.in_flight -= requests;
        state.pace.served(requests, time);
    }

    /// Takes no more requests.
    pub fn close(&self, mode: Shutdown) {
        let mut state = self.lock();
        state.closed = true;
        let rejected = match mode {
            Shutdown::Drain => Queue::default(),
            Shutdown::Reject => mem::take(&mut state.queue),
        };
        drop(state);
        self.work.notify_all();
        // Their callers hear of it by this.
        self.meters.left(rejected.len());
        drop(rejected);
    }

    pub fn stats(&self) -> Stats {
        let state = self.lock();
        let now = Stats {
            queued: state.queue.len(),
            queued_bytes: state.queue.bytes(),
            in_flight: state.in_flight,
            batches: state.batches,
            batched: state.batched,
            ..Stats::default()
        };
        self.meters.beside(now)
    }

    /// The time on the clock that deadlines are on, which a test may have stopped.
    fn now(&self) -> Instant {
        let _clock = self.runtime.as_ref().map(Handle::enter);
        Instant::now()
    }

    /// Nothing under the lock panics, and what it guards is whole between any two statements that could.
    fn lock(&self) -> MutexGuard<'_, State<P>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Process> State<P> {
    /// Whether an idle slot is to be called, which then counts as called.
    fn call(&mut self) -> bool {
        let call = self.idle > self.called;
        self.called += usize::from(call);
        call
    }
}
