//! An async closure as a source.

use std::fmt;
use std::future::Future;

use futures_util::future::BoxFuture;

use super::{Question, Reply, Source};
use crate::error::SourceError;

/// An async closure as a source; see [`of`].
pub struct Closure<F> {
    name: String,
    ask: F,
}

/// A source that answers by an async closure.
///
/// # Examples
///
/// *A source that is always of the same opinion.*
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use consilience::orchestration::{Opinion, Question, Source, source};
/// use tokio::time::Instant;
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let sure = source::of("sure", async |_: Question<str>| Ok(Opinion::label(1).into()));
/// let question = Question::new(Arc::from("cat or dog?"), 2, Instant::now() + Duration::from_secs(1));
/// assert_eq!(sure.ask(question).await?.opinion, Opinion::label(1));
/// # Ok::<(), consilience::SourceError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn of<I, F, A>(name: impl Into<String>, ask: F) -> Closure<F>
where
    I: ?Sized,
    F: Fn(Question<I>) -> A + Send + Sync,
    A: Future<Output = Result<Reply, SourceError>> + Send + 'static,
{
    Closure { name: name.into(), ask }
}

impl<I, F, A> Source<I> for Closure<F>
where
    I: ?Sized,
    F: Fn(Question<I>) -> A + Send + Sync,
    A: Future<Output = Result<Reply, SourceError>> + Send + 'static,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn ask(&self, question: Question<I>) -> BoxFuture<'_, Result<Reply, SourceError>> {
        Box::pin((self.ask)(question))
    }
}

impl<F> fmt::Debug for Closure<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closure").field("name", &self.name).finish_non_exhaustive()
    }
}
