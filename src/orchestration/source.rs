//! Those who are asked.

mod batched;
mod blocking;
mod call;
mod channel;
mod closure;
mod question;

use std::any::Any;

use futures_util::future::BoxFuture;

pub use self::batched::{Batched, Batching, Model, batched};
pub use self::blocking::{Blocking, blocking};
pub(crate) use self::call::{Answer, ask, call};
pub use self::channel::{Asked, Channel, channel};
pub use self::closure::{Closure, of};
pub use self::question::{Peer, Question};
use crate::error::SourceError;
use crate::orchestration::{Cost, Opinion};

/// A model, a service, a person or a sensor that gives its opinion when asked.
///
/// The future that [`Source::ask`] returns is dropped when the answer is no longer wanted: at the deadline, or because
/// the others settled the decision. Whatever it holds must be released by that. It must not block the thread it is polled
/// on: work that blocks belongs in [`blocking`], or in [`batched`] where it does many things as fast as one. A panic in it
/// counts as a failure of this source alone.
///
/// # Examples
///
/// *A source of one's own.*
///
/// ```
/// use consilience::SourceError;
/// use consilience::orchestration::{Opinion, Question, Reply, Source};
/// use futures_util::future::BoxFuture;
///
/// struct Length;
///
/// impl Source<str> for Length {
///     fn name(&self) -> &str {
///         "length"
///     }
///
///     fn ask(&self, question: Question<str>) -> BoxFuture<'_, Result<Reply, SourceError>> {
///         Box::pin(async move {
///             let long = question.input.len() > 20;
///             Ok(Reply::from(Opinion::label(u16::from(long))))
///         })
///     }
/// }
/// # let source: Box<dyn Source<str>> = Box::new(Length);
/// # assert_eq!(source.name(), "length");
/// ```
pub trait Source<I: ?Sized>: Send + Sync {
    /// What it is called; no two sources of one group share a name.
    fn name(&self) -> &str;

    /// Asks it. The answer is no longer wanted after [`Question::deadline`].
    fn ask(&self, question: Question<I>) -> BoxFuture<'_, Result<Reply, SourceError>>;

    /// What one call is expected to cost, for those who choose whom to ask; what it did cost comes with the [`Reply`], or
    /// by [`Question::spend`] where there is none.
    fn expected_cost(&self) -> Cost {
        Cost::CALL
    }

    /// Whether it may be asked the same thing twice at once when it is slow.
    fn may_be_asked_twice(&self) -> bool {
        true
    }
}

/// A source's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// What it says.
    pub opinion: Opinion,
    /// What it says in words, or whatever else belongs to the answer.
    pub content: Option<String>,
    /// What the answer cost, with all that was tried for it.
    pub cost: Cost,
}

impl Reply {
    /// The same with words.
    #[must_use]
    pub fn content(mut self, content: impl Into<String>) -> Self {
        self.content = Some(content.into());
        self
    }

    /// The same at another cost.
    #[must_use]
    pub fn cost(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }
}

impl From<Opinion> for Reply {
    /// Without words, for the price of one call.
    fn from(opinion: Opinion) -> Self {
        Self { opinion, content: None, cost: Cost::CALL }
    }
}

/// The words of a panic.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}
