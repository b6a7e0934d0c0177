//! One job, from its beginning to its end.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::shared::Shared;
use super::stats::End;
use crate::error::RequestError;
use crate::orchestration::batcher::discard;
use crate::orchestration::source::panic_message;

/// What a worker does of it: all, and it panics never.
pub(super) type Job = Box<dyn FnOnce(Running) -> BoxFuture<'static, ()> + Send>;

/// What becomes of a job: its result, or why there is none.
pub(super) type Answer<T> = Result<T, RequestError>;

/// What a job came to; nothing if it is no longer wanted.
type Outcome<T> = Result<Option<T>, Box<dyn Any + Send>>;

/// A job under way. Dropped before it has ended, as when its runtime ends, it was cancelled.
pub(super) struct Running {
    lane: Arc<Shared>,
    began: Instant,
    end: End,
}

impl Running {
    pub fn new(lane: Arc<Shared>, began: Instant) -> Self {
        Self { lane, began, end: End::Cancelled }
    }

    /// It is counted before its submitter goes on.
    fn answer<T>(mut self, answer: oneshot::Sender<Answer<T>>, outcome: Outcome<T>) {
        let what = self.lane.limits.name;
        let (end, reply) = match outcome {
            Ok(Some(value)) => (End::Served, Some(Ok(value))),
            Ok(None) => (End::Cancelled, None),
            Err(panic) => {
                let message = panic_message(&*panic);
                discard(panic);
                (End::Panicked, Some(Err(RequestError::Panicked { what, message })))
            }
        };
        self.end = end;
        drop(self);
        if let Some(Err(unwanted)) = reply.map(|reply| answer.send(reply)) {
            discard(unwanted);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.lane.ended(self.end, self.began);
    }
}

/// A future; it is dropped as soon as nobody waits for it.
pub(super) fn of_future<F>(work: F, mut answer: oneshot::Sender<Answer<F::Output>>) -> Job
where
    F: Future<Output: Send> + Send + 'static,
{
    Box::new(move |running| {
        Box::pin(async move {
            let closed = answer.closed();
            let wanted = async move {
                tokio::select! {
                    biased;
                    () = closed => None,
                    value = work => Some(value),
                }
            };
            // Nothing of it is looked at after a panic. It is dropped in here too, and may panic by that.
            let outcome = AssertUnwindSafe(wanted).catch_unwind().await;
            running.answer(answer, outcome);
        })
    })
}

/// A closure, on a thread for code that blocks; nothing stops it once it has begun.
pub(super) fn of_closure<F, T>(work: F, answer: oneshot::Sender<Answer<T>>) -> Job
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Box::new(move |running| {
        Box::pin(async move {
            let called = spawn_blocking(move || {
                // The threads may have been busy for long.
                let wanted = || if answer.is_closed() { None } else { Some(work()) };
                let outcome = catch_unwind(AssertUnwindSafe(wanted));
                running.answer(answer, outcome);
            });
            // It fails where the runtime ends, and by nothing else.
            let _ = called.await;
        })
    })
}
