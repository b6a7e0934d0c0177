//! One call of one source.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tracing::{Instrument, Span};

use crate::error::SourceError;
use crate::orchestration::source::{Question, Reply, Source, panic_message};

/// How a call ended, and which it was.
pub(super) struct Ended {
    pub source: usize,
    pub attempt: u32,
    pub reply: Result<Reply, SourceError>,
}

/// Asks within the span, and turns a panic into an error.
pub(super) async fn ask<I: ?Sized + Send + Sync>(
    of: &dyn Source<I>,
    source: usize,
    question: Question<I>,
    span: Span,
) -> Ended {
    let (attempt, meter) = (question.attempt, question.meter.clone());
    // Nothing of the source is looked at after a panic, except by calling it again.
    let answer = AssertUnwindSafe(async move { of.ask(question).await }.instrument(span)).catch_unwind().await;
    let reply = answer.unwrap_or_else(|panic| Err(SourceError::Panicked { message: panic_message(&*panic) }));
    meter.end(&reply);
    Ended { source, attempt, reply }
}
