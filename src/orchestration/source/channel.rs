//! The other end of a channel as a source.

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use super::{Question, Reply, Source};
use crate::error::SourceError;

/// A source whose questions go into a channel; see [`channel`].
#[derive(Debug)]
pub struct Channel<I: ?Sized> {
    name: String,
    questions: mpsc::Sender<Asked<I>>,
}

/// A question that came through a channel. Dropped without an answer, it fails with [`SourceError::Closed`].
#[derive(Debug)]
pub struct Asked<I: ?Sized> {
    /// The question.
    pub question: Question<I>,
    reply: oneshot::Sender<Result<Reply, SourceError>>,
}

/// A source whose questions come out of a channel: people at a screen, a process of its own, a test.
///
/// The channel holds `capacity` questions (at least one); further ones wait for room until their deadline.
///
/// # Examples
///
/// *Somebody who answers one question.*
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use consilience::orchestration::{Opinion, Question, Source, source};
/// use tokio::time::Instant;
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let (person, mut desk) = source::channel::<str>("person", 16);
/// tokio::spawn(async move {
///     while let Some(asked) = desk.recv().await {
///         asked.answer(Ok(Opinion::Abstained.into()));
///     }
/// });
/// let question = Question::new(Arc::from("cat or dog?"), 2, Instant::now() + Duration::from_secs(1));
/// assert_eq!(person.ask(question).await?.opinion, Opinion::Abstained);
/// # Ok::<(), consilience::SourceError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn channel<I: ?Sized>(name: impl Into<String>, capacity: usize) -> (Channel<I>, mpsc::Receiver<Asked<I>>) {
    let (questions, desk) = mpsc::channel(capacity.clamp(1, MOST));
    (Channel { name: name.into(), questions }, desk)
}

/// The most questions a channel holds.
const MOST: usize = 1 << 20;

impl<I: ?Sized> Asked<I> {
    /// Answers. An answer that is no longer wanted is dropped.
    pub fn answer(self, reply: Result<Reply, SourceError>) {
        // The one who asked may have gone; then nobody is to be told.
        let _ = self.reply.send(reply);
    }

    /// Whether the answer is still wanted.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }
}

impl<I: ?Sized + Send + Sync> Source<I> for Channel<I> {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask(&self, question: Question<I>) -> BoxFuture<'_, Result<Reply, SourceError>> {
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            self.questions.send(Asked { question, reply }).await.map_err(|_| SourceError::Closed)?;
            answer.await.unwrap_or(Err(SourceError::Closed))
        })
    }
}
