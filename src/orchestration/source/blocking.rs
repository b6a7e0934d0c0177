//! Code that blocks as a source.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Question, Reply, Source, panic_message};
use crate::error::SourceError;

/// Code that blocks as a source; see [`blocking`].
pub struct Blocking<F> {
    name: String,
    ask: Arc<F>,
    /// One permit for each call that may run at a time; held until the call is over, wanted or not.
    running: Arc<Semaphore>,
}

/// A source that computes, or waits, on a thread of the runtime's blocking pool: a model on the CPU, a file, an old client.
///
/// At most `at_once` calls run at a time (at least one); others wait for their turn. A call that has begun cannot be
/// stopped and keeps its place until it is over; one whose turn comes after its deadline, or after its answer is no
/// longer wanted, never begins.
///
/// # Examples
///
/// *A model that takes a thread for itself.*
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use consilience::orchestration::{Opinion, Question, Source, source};
/// use tokio::time::Instant;
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let mean = source::blocking("mean", 1, |question: Question<[f32]>| {
///     let mean = question.input.iter().sum::<f32>() / question.input.len() as f32;
///     Ok(Opinion::Binary(mean).into())
/// });
/// let question = Question::new(Arc::from([0.25, 0.75]), 2, Instant::now() + Duration::from_secs(1));
/// assert_eq!(mean.ask(question).await?.opinion, Opinion::Binary(0.5));
/// # Ok::<(), consilience::SourceError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn blocking<I, F>(name: impl Into<String>, at_once: usize, ask: F) -> Blocking<F>
where
    I: ?Sized + Send + Sync + 'static,
    F: Fn(Question<I>) -> Result<Reply, SourceError> + Send + Sync + 'static,
{
    let permits = at_once.clamp(1, Semaphore::MAX_PERMITS);
    Blocking { name: name.into(), ask: Arc::new(ask), running: Arc::new(Semaphore::new(permits)) }
}

impl<I, F> Source<I> for Blocking<F>
where
    I: ?Sized + Send + Sync + 'static,
    F: Fn(Question<I>) -> Result<Reply, SourceError> + Send + Sync + 'static,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn ask(&self, question: Question<I>) -> BoxFuture<'_, Result<Reply, SourceError>> {
        let (ask, running) = (Arc::clone(&self.ask), Arc::clone(&self.running));
        Box::pin(async move {
            let began = Instant::now();
            let permit = running.acquire_owned().await.map_err(|_| SourceError::Closed)?;
            // Dropped with the future, the set takes back a call that has not begun.
            let mut call = JoinSet::new();
            call.spawn_blocking(move || {
                let _permit = permit;
                // The pool may have been busy for long.
                if Instant::now() >= question.deadline {
                    return Err(SourceError::TimedOut { after: began.elapsed() });
                }
                ask(question)
            });
            match call.join_next().await {
                Some(Ok(reply)) => reply,
                Some(Err(error)) if error.is_panic() => {
                    Err(SourceError::Panicked { message: panic_message(&*error.into_panic()) })
                }
                Some(Err(_)) | None => Err(SourceError::Closed),
            }
        })
    }
}

impl<F> fmt::Debug for Blocking<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking").field("name", &self.name).finish_non_exhaustive()
    }
}
