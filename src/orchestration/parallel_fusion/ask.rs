//! One call among those of a request.

use tracing::{Instrument, Span};

use crate::error::SourceError;
use crate::orchestration::source::{Question, Reply, Source, call};

/// How a call ended, and which it was.
pub(super) struct Ended {
    pub source: usize,
    pub attempt: u32,
    pub reply: Result<Reply, SourceError>,
}

/// Asks within the span.
pub(super) async fn ask<I: ?Sized + Send + Sync>(
    of: &dyn Source<I>,
    source: usize,
    question: Question<I>,
    span: Span,
) -> Ended {
    let attempt = question.attempt;
    let reply = call(of, question).instrument(span).await;
    Ended { source, attempt, reply }
}
