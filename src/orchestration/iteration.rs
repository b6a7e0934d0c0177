//! Several thoughts of one source, and what they come to.

mod alike;
mod ended;
mod options;
mod outcome;
mod run;

use std::fmt;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use tokio::time::Instant;

pub use self::alike::{Alike, opinion_similarity, word_similarity};
pub use self::options::{Options, Order, Thoughts};
pub use self::outcome::{Basis, Event, Outcome, Synthesis, Thought};
use self::run::Run;
use crate::error::{RequestError, Result, SourceError};
use crate::orchestration::{Cost, Opinion, Question, Reply, Source};

/// One source asked the same several times, each time for a thought of its own, and a synthesiser that is shown the
/// thoughts and answers: eight and one by default.
///
/// Thoughts that fail are left out; if all do, that is the error. The answer is the synthesiser's. Where it fails, abstains
/// or has no time left, the answer is the thoughts' mean, and [`Outcome::basis`] says so. Nothing runs on its own: the work
/// is done while the stream, or the future, is polled, and stops where that is dropped.
///
/// An iteration is itself a [`Source`]: its means so far are reported, its outcome is the reply.
///
/// # Examples
///
/// *Four thoughts that differ, and a synthesiser that takes the first one's side.*
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use consilience::orchestration::iteration::{Basis, Options, Thoughts};
/// use consilience::orchestration::{Iteration, Opinion, Question, source};
/// use tokio::time::Instant;
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let thinker = source::of("thinker", async |question: Question<str>| {
///     Ok(Opinion::label(u16::from(question.attempt % 2 == 1)).into())
/// });
/// let synthesiser = source::of("synthesiser", async |question: Question<str>| {
///     assert_eq!(question.peers.len(), 4);
///     Ok(question.peers[0].opinion.clone().into())
/// });
/// let options = Options { thoughts: Thoughts::Fixed(4), ..Options::default() };
/// let iteration = Iteration::new("4 + 1", Arc::new(thinker), Arc::new(synthesiser), options);
///
/// let question = Question::new(Arc::from("cat or dog?"), 2, Instant::now() + Duration::from_secs(1));
/// let outcome = iteration.think(question).await?;
/// assert_eq!(outcome.pool, [0.5, 0.5]);
/// assert_eq!((outcome.posterior, outcome.decision), (vec![1.0, 0.0], 0));
/// assert!(matches!(outcome.basis, Basis::Synthesis));
/// assert_eq!(outcome.cost.calls, 5);
/// # Ok::<(), consilience::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Iteration<I: ?Sized> {
    name: String,
    thinker: Arc<dyn Source<I>>,
    synthesiser: Arc<dyn Source<I>>,
    options: Options<I>,
}

impl<I: ?Sized + Send + Sync + 'static> Iteration<I> {
    /// An iteration of this name. The synthesiser may be the thinker itself.
    pub fn new(
        name: impl Into<String>,
        thinker: Arc<dyn Source<I>>,
        synthesiser: Arc<dyn Source<I>>,
        options: Options<I>,
    ) -> Self {
        Self { name: name.into(), thinker, synthesiser, options }
    }

    /// Thinks, and gives each event as it happens; the last one is [`Event::Done`] or an error.
    ///
    /// # Errors
    ///
    /// [`RequestError::NoTime`] where the question's deadline has passed. In the stream, as its last item,
    /// [`RequestError::NothingArrived`] with the cause of each thought.
    pub fn stream(&self, question: Question<I>) -> Result<BoxStream<'static, Result<Event>>> {
        if question.deadline <= Instant::now() {
            return Err(RequestError::NoTime.into());
        }
        let run = Run::new(Arc::clone(&self.thinker), Arc::clone(&self.synthesiser), self.options.clone(), question);
        Ok(stream::unfold(run, async |mut run| run.next().await.map(|event| (event, run))).boxed())
    }

    /// Thinks, and gives what that comes to.
    ///
    /// # Errors
    ///
    /// As [`Iteration::stream`] and its last item.
    pub async fn think(&self, question: Question<I>) -> Result<Outcome> {
        self.follow(question, |_| {}).await
    }

    async fn follow(&self, question: Question<I>, seen: impl Fn(&Event)) -> Result<Outcome> {
        let mut events = self.stream(question)?;
        while let Some(event) = events.next().await {
            match event? {
                Event::Done(outcome) => return Ok(*outcome),
                event => seen(&event),
            }
        }
        // A stream that ends has said how.
        Err(RequestError::Closed { what: "the iteration" }.into())
    }
}

impl<I: ?Sized + Send + Sync + 'static> Source<I> for Iteration<I> {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask(&self, question: Question<I>) -> BoxFuture<'_, Result<Reply, SourceError>> {
        Box::pin(async move {
            let asked = question.clone();
            let report = |event: &Event| {
                if let Event::Thought { posterior, .. } = event {
                    asked.report(Opinion::Probabilities(posterior.clone()));
                }
            };
            let outcome = self.follow(question, report).await.map_err(SourceError::caused_by)?;
            let Outcome { posterior, content, cost, .. } = outcome;
            Ok(Reply { opinion: Opinion::Probabilities(posterior), content, cost })
        })
    }

    fn expected_cost(&self) -> Cost {
        let thought = self.thinker.expected_cost();
        let thoughts = (0..self.options.thoughts.expected()).map(|_| thought);
        thoughts.sum::<Cost>() + self.synthesiser.expected_cost()
    }

    fn may_be_asked_twice(&self) -> bool {
        self.thinker.may_be_asked_twice() && self.synthesiser.may_be_asked_twice()
    }
}

impl<I: ?Sized> fmt::Debug for Iteration<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iteration")
            .field("name", &self.name)
            .field("thinker", &self.thinker.name())
            .field("synthesiser", &self.synthesiser.name())
            .field("options", &self.options)
            .finish()
    }
}
