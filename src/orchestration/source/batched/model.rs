//! What answers many questions at once.

use std::marker::PhantomData;

use super::super::{Question, Reply};
use crate::error::{Result, SourceError};
use crate::orchestration::Process;

/// What answers many questions at once, blocking the thread that it is called on; [`batched`](super::batched) makes a
/// source of it. A closure over `&[Question<I>]` is one.
pub trait Model<I: ?Sized>: Send + Sync + 'static {
    /// Answers each question, in their order. A question's error is its own affair; a panic, or another number of answers,
    /// is an error of all that were asked with it.
    fn answer(&self, questions: &[Question<I>]) -> Vec<Result<Reply, SourceError>>;

    /// How much memory a question holds while it waits, in bytes: the size of the value behind its input, unless a model
    /// knows better.
    fn bytes(&self, question: &Question<I>) -> usize {
        size_of_val(&*question.input)
    }
}

impl<I, F> Model<I> for F
where
    I: ?Sized,
    F: Fn(&[Question<I>]) -> Vec<Result<Reply, SourceError>> + Send + Sync + 'static,
{
    fn answer(&self, questions: &[Question<I>]) -> Vec<Result<Reply, SourceError>> {
        self(questions)
    }
}

/// A model as a batcher calls it. What it answers reaches whoever asked as it is, errors too.
pub(super) struct Answering<I: ?Sized, M> {
    pub model: M,
    pub input: PhantomData<fn(&I)>,
}

impl<I: ?Sized + Send + Sync + 'static, M: Model<I>> Process for Answering<I, M> {
    type Input = Question<I>;
    type Output = Result<Reply, SourceError>;

    fn bytes(&self, question: &Question<I>) -> usize {
        self.model.bytes(question)
    }

    fn process(&self, questions: Vec<Question<I>>) -> Vec<Result<Self::Output>> {
        self.model.answer(&questions).into_iter().map(Ok).collect()
    }
}
