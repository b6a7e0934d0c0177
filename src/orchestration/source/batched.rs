//! A model that answers many questions at once, as a source.

mod builder;
mod failure;
mod model;

use std::fmt;

use futures_util::future::BoxFuture;

pub use self::builder::Batching;
use self::failure::failure;
use self::model::Answering;
pub use self::model::Model;
use super::{Question, Reply, Source};
use crate::error::SourceError;
use crate::orchestration::Cost;
use crate::orchestration::batcher::{Batcher, Shutdown, Stats, Submission};

/// A model that answers many questions at once, as a source; see [`batched`].
///
/// Clones are handles of the same model. With the last of them it ends: a call of the model is finished on a thread that
/// nobody waits for; [`shutdown`](Self::shutdown) waits for it.
pub struct Batched<I: ?Sized + Send + Sync + 'static, M: Model<I>> {
    name: String,
    cost: Cost,
    batcher: Batcher<Answering<I, M>>,
}

/// A source that asks a [`Model`] for all that waits in one call: a network that takes as long for thirty questions as for
/// one.
///
/// There is no timer: a question that finds the model free is asked at once and alone; when the model is free again it is
/// given all that has come meanwhile, up to a limit. The model runs on a thread of the source's own, or on several where
/// [`Batching::slots`] says so, never on the runtime's. A question that is dropped, or whose deadline comes, while it waits
/// never reaches the model; one that the model has begun is waited for.
///
/// | what happens | the error |
/// |---|---|
/// | the model answers a question with an error | that error, of that question alone |
/// | it panics | `Panicked`, for all questions of the call; the next call is made as if nothing were |
/// | it gives another number of answers than it was asked for | `Failed`, for all questions of the call |
/// | the deadline has passed, or comes while the question waits | `TimedOut` |
/// | too much waits | `Busy`, with a time after which there is likely to be room |
/// | the question is larger than a call may be | `TooLarge` |
/// | it is shut down | `Closed` |
///
/// It is not asked twice at once when it is slow: the second question would wait behind the first.
///
/// # Examples
///
/// *Three questions, two calls.*
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use consilience::orchestration::{Opinion, Question, Source, source};
/// use tokio::time::Instant;
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let long = |question: &Question<str>| Ok(Opinion::label(u16::from(question.input.len() > 5)).into());
/// let model = move |questions: &[Question<str>]| questions.iter().map(long).collect();
/// let length = source::batched("length", model).batch_questions(2).build()?;
///
/// let ask = |text: &str| length.ask(Question::new(Arc::from(text), 2, Instant::now() + Duration::from_secs(1)));
/// let (a, b, c) = tokio::join!(ask("cat"), ask("caterpillar"), ask("dog"));
/// assert_eq!(a?.opinion, Opinion::label(0));
/// assert_eq!(b?.opinion, Opinion::label(1));
/// assert_eq!(c?.opinion, Opinion::label(0));
/// assert_eq!(length.stats().batched, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn batched<I, M>(name: impl Into<String>, model: M) -> Batching<I, M>
where
    I: ?Sized + Send + Sync + 'static,
    M: Model<I>,
{
    Batching::new(name.into(), model)
}

impl<I: ?Sized + Send + Sync + 'static, M: Model<I>> Batched<I, M> {
    /// What the model was asked so far and what waits. An answer that is an error counts as an answer.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.batcher.stats()
    }

    /// Takes no more questions, ends as the mode says, and waits until the model is done. Whoever waits and is turned away
    /// gets [`SourceError::Closed`].
    pub async fn shutdown(&self, mode: Shutdown) {
        self.batcher.shutdown(mode).await;
    }
}

impl<I: ?Sized + Send + Sync + 'static, M: Model<I>> Source<I> for Batched<I, M> {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask(&self, question: Question<I>) -> BoxFuture<'_, Result<Reply, SourceError>> {
        let how = Submission::default().deadline(question.deadline);
        Box::pin(async move {
            match self.batcher.submit(question, how).await {
                Ok(reply) => reply,
                Err(error) => Err(failure(error)),
            }
        })
    }

    fn expected_cost(&self) -> Cost {
        self.cost
    }

    fn may_be_asked_twice(&self) -> bool {
        false
    }
}

impl<I: ?Sized + Send + Sync + 'static, M: Model<I>> Clone for Batched<I, M> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), cost: self.cost, batcher: self.batcher.clone() }
    }
}

impl<I: ?Sized + Send + Sync + 'static, M: Model<I>> fmt::Debug for Batched<I, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batched").field("name", &self.name).field("batcher", &self.batcher).finish_non_exhaustive()
    }
}
