//! A thread that processes one batch after another.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use super::shared::{Shared, Waiting};
use super::{Process, Shutdown};
use crate::error::{RequestError, Result};
use crate::orchestration::source::panic_message;

/// What comes back for a request: what the process made of it, or why the process was not asked or could not be.
pub(super) type Answer<O> = Result<Result<O>, RequestError>;

/// A thread's share of a batcher. Dropped, however the thread ends, it says so.
pub(super) struct Slot<P: Process>(Arc<Shared<P>>);

impl<P: Process> Slot<P> {
    pub fn new(shared: Arc<Shared<P>>) -> Self {
        shared.live.send_modify(|live| *live += 1);
        Self(shared)
    }

    /// Processes batches until the batcher is closed and has nothing more to do.
    pub fn serve(&self) {
        let (mut batch, mut expired) = (Vec::new(), Vec::new());
        while let Some(now) = self.0.next_batch(&mut batch, &mut expired) {
            for request in expired.drain(..) {
                let waited = now.saturating_duration_since(request.since);
                let Waiting { answer, input, .. } = request;
                send(answer, Err(RequestError::Expired { waited }));
                discard(input);
            }
            if !batch.is_empty() {
                let waited = batch.iter().map(|request| now.saturating_duration_since(request.since));
                self.0.meters.batched(waited);
                self.process(&mut batch);
            }
        }
    }

    fn process(&self, batch: &mut Vec<Waiting<P>>) {
        let requests = batch.len();
        let (inputs, askers): (Vec<_>, Vec<_>) = batch.drain(..).map(|request| (request.input, request.answer)).unzip();
        let began = Instant::now();
        let answers = catch_unwind(AssertUnwindSafe(|| self.0.process.process(inputs)));
        let time = began.elapsed();
        self.0.finished(requests, time);
        self.0.meters.processed(time);
        let what = self.0.limits.name;
        match answers {
            Ok(answers) if answers.len() == requests => {
                askers.into_iter().zip(answers).for_each(|(asker, answer)| send(asker, Ok(answer)));
            }
            Ok(answers) => {
                let error = RequestError::WrongCount { what, requests, answers: answers.len() };
                askers.into_iter().for_each(|asker| send(asker, Err(error.clone())));
                discard(answers);
            }
            Err(panic) => {
                let error = RequestError::Panicked { what, message: panic_message(&*panic) };
                askers.into_iter().for_each(|asker| send(asker, Err(error.clone())));
                discard(panic);
            }
        }
    }
}

impl<P: Process> Drop for Slot<P> {
    fn drop(&mut self) {
        let mut left = 0;
        self.0.live.send_modify(|live| {
            *live -= 1;
            left = *live;
        });
        // Nobody shall wait for threads that are gone.
        if left == 0 {
            self.0.close(Shutdown::Reject);
        }
    }
}

fn send<O>(asker: oneshot::Sender<Answer<O>>, answer: Answer<O>) {
    if let Err(unwanted) = asker.send(answer) {
        discard(unwanted);
    }
}

/// Drops what nobody waits for. It may panic as it goes; that is no other request's affair.
pub(in crate::orchestration) fn discard<T>(unwanted: T) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(unwanted)));
}
