//! What a source is asked.

use std::fmt;
use std::sync::Arc;

use tokio::time::Instant;

use crate::orchestration::Opinion;

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
        Self { input, classes, deadline, attempt: 0, peers: Arc::new([]), partial: None }
    }

    /// Says what the source holds so far, before it is done. Whoever follows the request's events sees it; only the
    /// [`Reply`](super::Reply) counts as its answer.
    pub fn report(&self, opinion: Opinion) {
        if let Some(partial) = &self.partial {
            partial(opinion);
        }
    }
}

impl<I: ?Sized> Clone for Question<I> {
    fn clone(&self) -> Self {
        Self { input: Arc::clone(&self.input), peers: Arc::clone(&self.peers), partial: self.partial.clone(), ..*self }
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
