//! One call of an iteration, for a thought or a synthesis.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout_at};

use super::Thought;
use crate::error::{Result, SourceError};
use crate::orchestration::source::panic_message;
use crate::orchestration::{Cost, Question, Reply, Source};

/// A reply with its opinion as probabilities, unless it abstained.
pub type Answer = Result<(Reply, Option<Vec<f32>>), SourceError>;

/// One call that ends by the question's deadline, whatever the source does, with an opinion that is valid.
pub fn ask<I: ?Sized + Send + Sync + 'static>(
    source: Arc<dyn Source<I>>,
    question: Question<I>,
) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let (began, deadline, classes) = (Instant::now(), question.deadline, question.classes);
        let meter = question.meter.clone();
        let call = AssertUnwindSafe(async { source.ask(question).await }).catch_unwind();
        let reply = match timeout_at(deadline, call).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(panic)) => Err(SourceError::Panicked { message: panic_message(&*panic) }),
            Err(_) => Err(SourceError::TimedOut { after: began.elapsed() }),
        };
        meter.end(&reply);
        let reply = reply?;
        let row = reply.opinion.probabilities(classes)?;
        Ok((reply, row))
    })
}

/// A thought that has ended.
pub struct Ended {
    pub index: u32,
    pub answer: Answer,
    pub latency: Duration,
    pub cost: Cost,
}

impl Ended {
    pub fn thought(&self) -> Thought {
        let reply = self.answer.as_ref().map(|(reply, _)| reply.clone()).map_err(Clone::clone);
        Thought { index: self.index, reply, latency: self.latency, cost: self.cost }
    }
}
