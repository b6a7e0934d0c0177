//! How a model is set up as a source.

use std::fmt;
use std::marker::PhantomData;

use super::model::Answering;
use super::{Batched, Model};
use crate::error::Result;
use crate::orchestration::Cost;
use crate::orchestration::batcher::{Batcher, Builder};

/// How a [`Batched`] source is set up; from [`batched`](super::batched).
#[must_use]
pub struct Batching<I: ?Sized + Send + Sync + 'static, M: Model<I>> {
    name: String,
    cost: Cost,
    batcher: Builder<Answering<I, M>>,
}

impl<I: ?Sized + Send + Sync + 'static, M: Model<I>> Batching<I, M> {
    pub(super) fn new(name: String, model: M) -> Self {
        let process = Answering { model, input: PhantomData };
        // The threads are called so, and what is said of another number of answers.
        let batcher = Batcher::builder(process).name("model").batch_requests(64);
        Self { name, cost: Cost::CALL, batcher }
    }

    /// The most questions of one call of the model; 64 unless said. What a network holds while it runs grows with them.
    pub fn batch_questions(self, questions: usize) -> Self {
        Self { batcher: self.batcher.batch_requests(questions), ..self }
    }

    /// The most bytes of one call's questions; 16 MiB unless said. No question may be larger.
    pub fn batch_bytes(self, bytes: usize) -> Self {
        Self { batcher: self.batcher.batch_bytes(bytes), ..self }
    }

    /// The most questions that wait at a time; 16,384 unless said.
    pub fn queue_questions(self, questions: usize) -> Self {
        Self { batcher: self.batcher.queue_requests(questions), ..self }
    }

    /// The most bytes that wait at a time; 64 MiB unless said.
    pub fn queue_bytes(self, bytes: usize) -> Self {
        Self { batcher: self.batcher.queue_bytes(bytes), ..self }
    }

    /// How many calls of the model run at a time, each on a thread of its own; 1 unless said.
    pub fn slots(self, slots: usize) -> Self {
        Self { batcher: self.batcher.slots(slots), ..self }
    }

    /// What one question is expected to cost; [`Cost::CALL`] unless said. What it did cost comes with the model's reply.
    pub fn cost(self, cost: Cost) -> Self {
        Self { cost, ..self }
    }

    /// Starts the model's threads. Deadlines are on the clock of the runtime this is called on, if there is one.
    ///
    /// # Errors
    ///
    /// A limit that is zero or too large, or the system gives no threads.
    pub fn build(self) -> Result<Batched<I, M>> {
        Ok(Batched { name: self.name, cost: self.cost, batcher: self.batcher.build()? })
    }
}

impl<I: ?Sized + Send + Sync + 'static, M: Model<I>> fmt::Debug for Batching<I, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batching").field("name", &self.name).field("cost", &self.cost).finish_non_exhaustive()
    }
}
