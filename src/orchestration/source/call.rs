//! One call of a source within another.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout_at};

use super::{Question, Reply, Source, panic_message};
use crate::error::{Result, SourceError};

/// A reply with its opinion as probabilities, unless it abstained.
pub(crate) type Answer = Result<(Reply, Option<Vec<f32>>), SourceError>;

/// One call that ends by the question's deadline, whatever the source does, with an opinion that is valid.
pub(crate) fn ask<I: ?Sized + Send + Sync + 'static>(
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
