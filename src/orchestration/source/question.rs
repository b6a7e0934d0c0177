//! What a source is asked.

use std::fmt;
use std::sync::Arc;

use tokio::time::Instant;

use crate::orchestration::{Cost, Meter, Opinion};

/// One question to one source.
pub struct Question<I: ?Sized> {
    /// What is to be judged.
    pub input: Arc<I>,
    /// How many classes an opinion is over.
    pub classes: usize,
    /// When the answer comes too late.
    pub deadline: Instant,
    /// Which of several askings of the same source this is, from 0: which thought of an iteration, or which of two hedged
    /// calls.
    pub attempt: u32,
    /// What others said before, for sources that weigh or combine it; empty where the source is asked for its own opinion.
    pub peers: Arc<[Peer]>,
    pub(crate) partial: Option<Arc<dyn Fn(Opinion) + Send + Sync>>,
    /// Shared by clones.
    pub(crate) meter: Meter,
}

/// What another source, or an earlier thought, said of the same item.
#[derive(Debug, Clone, PartialEq)]
pub struct Peer {
    /// Its name.
    pub name: Arc<str>,
    /// Its opinion.
    pub opinion: Opinion,
    /// Its words, where it gave any.
    pub content: Option<String>,
}

impl<I: ?Sized> Question<I> {
    /// A question by itself, as whoever calls a source directly asks it.
    #[must_use]
    pub fn new(input: Arc<I>, classes: usize, deadline: Instant) -> Self {
        Self { input, classes, deadline, attempt: 0, peers: Arc::new([]), partial: None, meter: Meter::call() }
    }

    /// Says what the source holds so far, before it is done. Whoever follows the request's events sees it; only the
    /// [`Reply`](super::Reply) counts as its answer.
    pub fn report(&self, opinion: Opinion) {
        if let Some(partial) = &self.partial {
            partial(opinion);
        }
    }

    /// Says that so much more was spent on this question, as soon as the source knows it. That counts where no
    /// [`Reply`](super::Reply) comes, whether the source fails or is dropped; a reply says itself what it cost.
    pub fn spend(&self, cost: Cost) {
        self.meter.spend(cost);
    }

    /// What asking this question, and clones of it, has cost so far by what the sources said with [`Question::spend`]: one
    /// call at least. It is for whoever asks a source directly and gets an error.
    ///
    /// # Examples
    ///
    /// *An answer that was paid for and could not be read.*
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    ///
    /// use consilience::SourceError;
    /// use consilience::orchestration::{Cost, Question, Source, source};
    /// use tokio::time::Instant;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// let model = source::of("model", async |question: Question<str>| {
    ///     question.spend(Cost { tokens_in: 120, tokens_out: 8, ..Cost::CALL });
    ///     Err(SourceError::failed("the answer makes no sense"))
    /// });
    /// let question = Question::new(Arc::from("cat or dog?"), 2, Instant::now() + Duration::from_secs(1));
    /// assert!(model.ask(question.clone()).await.is_err());
    /// assert_eq!(question.spent(), Cost { calls: 1, tokens_in: 120, tokens_out: 8, micros: 0 });
    /// # });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn spent(&self) -> Cost {
        self.meter.total()
    }
}

impl<I: ?Sized> Clone for Question<I> {
    fn clone(&self) -> Self {
        Self {
            input: Arc::clone(&self.input),
            peers: Arc::clone(&self.peers),
            partial: self.partial.clone(),
            meter: self.meter.clone(),
            ..*self
        }
    }
}

impl<I: ?Sized> fmt::Debug for Question<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question")
            .field("classes", &self.classes)
            .field("deadline", &self.deadline)
            .field("attempt", &self.attempt)
            .field("peers", &self.peers)
            .finish_non_exhaustive()
    }
}
