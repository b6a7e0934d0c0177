//! A caller's hold on its request.

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::RecvError;
use tokio::time::{Instant, timeout_at};

use super::Process;
use super::lists::Place;
use super::shared::{Entry, Shared};
use super::slot::Answer;
use super::stats::End;
use crate::error::{RequestError, Result};

/// A caller's hold on its request. Dropped before the answer is there, it takes the request out of the queue.
pub(super) struct Ticket<'a, P: Process> {
    shared: &'a Shared<P>,
    place: Place,
    answer: oneshot::Receiver<Answer<P::Output>>,
    since: Instant,
    ended: bool,
}

impl<'a, P: Process> Ticket<'a, P> {
    pub fn new(shared: &'a Shared<P>, (place, answer): Entry<P>, since: Instant) -> Self {
        Self { shared, place, answer, since, ended: false }
    }

    /// The answer. At the deadline a request that is still in the queue leaves it; one that has been begun is waited for.
    pub async fn answer(mut self, deadline: Option<Instant>) -> Result<P::Output> {
        let answer = match deadline {
            None => (&mut self.answer).await,
            Some(deadline) => match timeout_at(deadline, &mut self.answer).await {
                Ok(answer) => answer,
                Err(_) if self.shared.withdraw(self.place) => {
                    Ok(Err(RequestError::Expired { waited: self.since.elapsed() }))
                }
                Err(_) => (&mut self.answer).await,
            },
        };
        self.end(answer)
    }

    fn end(mut self, answer: Result<Answer<P::Output>, RecvError>) -> Result<P::Output> {
        self.ended = true;
        let (end, answer) = match answer {
            Ok(Ok(Ok(output))) => (End::Answered, Ok(output)),
            Ok(Ok(Err(error))) => (End::Failed, Err(error)),
            Ok(Err(error @ RequestError::Expired { .. })) => (End::Expired, Err(error.into())),
            Ok(Err(error)) => (End::Failed, Err(error.into())),
            // The queue was dropped with all that waited in it.
            Err(_) => (End::Rejected, Err(RequestError::Closed { what: self.shared.limits.name }.into())),
        };
        self.shared.meters.ended(end);
        answer
    }
}

impl<P: Process> Drop for Ticket<'_, P> {
    fn drop(&mut self) {
        if !self.ended {
            self.shared.withdraw(self.place);
            self.shared.meters.ended(End::Cancelled);
        }
    }
}
