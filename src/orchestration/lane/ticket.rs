//! A submitter's hold on its job.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use tokio::sync::oneshot;

use super::job::Answer;
use super::queue::Place;
use super::shared::Shared;
use crate::error::{RequestError, Result};

/// A submitter's hold on its job: a future of the result. Dropped before that is there, it takes a job that waits back,
/// which never begins then, and cancels one that is under way; a closure that has begun is finished all the same, and its
/// result thrown away.
///
/// # Errors
///
/// A [`RequestError`]: `Panicked` where the job panicked, `Closed` where it waited when the lane was shut down, or where its
/// runtime ended.
#[must_use = "a job whose ticket is dropped is cancelled"]
pub struct Ticket<T> {
    lane: Arc<Shared>,
    place: Place,
    answer: oneshot::Receiver<Answer<T>>,
    answered: bool,
}

impl<T> Ticket<T> {
    pub(super) fn new(lane: Arc<Shared>, place: Place, answer: oneshot::Receiver<Answer<T>>) -> Self {
        Self { lane, place, answer, answered: false }
    }
}

impl<T> Future for Ticket<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let what = self.lane.limits.name;
        let answer = self.answer.poll_unpin(context);
        self.answered = answer.is_ready();
        // Nobody answers what was taken out of the queue as the lane was shut down.
        answer.map(|answer| answer.unwrap_or(Err(RequestError::Closed { what })).map_err(Into::into))
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        if !self.answered {
            self.lane.withdraw(self.place);
        }
    }
}

impl<T> fmt::Debug for Ticket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("lane", &self.lane.limits.name)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}
