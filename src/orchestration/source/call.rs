//! One call of a source.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout_at};

use super::{Question, Reply, Source, panic_message};
use crate::error::{Result, SourceError};

/// Asks, turns a panic into an error, and tells the question's meter how it ended.
pub(crate) async fn call<I: ?Sized + Send + Sync>(
    source: &dyn Source<I>,
    question: Question<I>,
) -> Result<Reply, SourceError> {
    let meter = question.meter.clone();
    // Nothing of the source is looked at after a panic, except by calling it again.
    let answer = AssertUnwindSafe(async move { source.ask(question).await }).catch_unwind().await;
    let reply = answer.unwrap_or_else(|panic| Err(SourceError::Panicked { message: panic_message(&*panic) }));
    meter.end(&reply);
    reply
}

/// A reply with its opinion as probabilities, unless it abstained.
pub(crate) type Answer = Result<(Reply, Option<Vec<f32>>), SourceError>;

/// One call that ends by the question's deadline, whatever the source does, with an opinion that is valid.
pub(crate) fn ask<I: ?Sized + Send + Sync + 'static>(
    source: Arc<dyn Source<I>>,
    question: Question<I>,
) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let (began, deadline, classes) = (Instant::now(), question.deadline, question.classes);
        let answer = timeout_at(deadline, call(&*source, question)).await;
        let reply = answer.unwrap_or_else(|_| Err(SourceError::TimedOut { after: began.elapsed() }))?;
        let row = reply.opinion.probabilities(classes)?;
        Ok((reply, row))
    })
}
