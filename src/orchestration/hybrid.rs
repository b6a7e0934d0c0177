//! Requests carried out from a cache, one call after another, side by side or on other machines, whichever is expected to take
//! least.

mod answer;
mod builder;
mod carry;
mod member;
mod options;
mod remote;
mod request;

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

pub use self::answer::{Answer, Fused};
pub use self::builder::Builder;
pub use self::member::Member;
pub use self::options::Options;
pub use self::remote::{Batch, Remote};
use self::request::Request;
use crate::error::{LabelError, RequestError, Result};
use crate::orchestration::aggregate::Aggregator;
use crate::orchestration::batcher::Shutdown;
use crate::orchestration::cache::{self, Cache, Combination, Input};
use crate::orchestration::history::Diagnostics;
use crate::orchestration::lane::Stats as LaneStats;
use crate::orchestration::lock::locked;
use crate::orchestration::router::Complexity;
use crate::orchestration::{Dependencies, History, Lane, Selector};

/// What is known of a question before anybody is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Traits {
    /// The requests it is learned from together with. Beyond as many classes as [`Options::dependencies`] allows, records
    /// tell no further ones apart.
    pub class: Arc<str>,
    /// How complex it is, in [0, 1.3]: a [`Complexity::score`].
    pub complexity: f64,
}

/// What a caller reads off a question.
type Reading<I, T> = Arc<dyn Fn(&I) -> T + Send + Sync>;

/// Answers questions from opinions of all its sources, and learns which way to get them is the fastest.
///
/// 1. An answer made before of the same opinions is given again.
/// 2. Opinions given before are taken; sources whose opinion is missing are asked, and nobody else. However many ask the same
///    at the same time, a source is asked once.
/// 3. The [`Selector`] says by which [arm](crate::orchestration::selector::Arm): one after another, side by side on a
///    [`Lane`] or, of a batch of questions, by an accelerator or other machines. An arm that cannot be taken after all (no room,
///    a [`Remote`] that fails) is followed by the next, with the opinions gathered so far kept; the last asks one after another.
///    A source that fails is not asked again.
/// 4. The [`Aggregator`] makes one answer of all of it, in which each source counts once.
///
/// An answer for which a source failed is not kept, and where nobody is heard the question fails. What happened is learned
/// from, and [`Hybrid::diagnostics`] tells it.
///
/// # Examples
///
/// *The second time nobody is asked.*
///
/// ```
/// use std::sync::Arc;
///
/// use consilience::orchestration::hybrid::{Hybrid, Member};
/// use consilience::orchestration::selector::Arm;
/// use consilience::orchestration::{Opinion, Question, source};
/// use consilience::partial::Pool;
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let model = source::of("model", async |_: Question<str>| Ok(Opinion::Probabilities(vec![0.25, 0.75]).into()));
/// let table = source::of("table", async |_: Question<str>| Ok(Opinion::Probabilities(vec![0.75, 0.25]).into()));
/// let hybrid = Hybrid::builder(2)
///     .member(Member::new(Arc::new(model), "1").weight(3.0))
///     .member(Member::new(Arc::new(table), "1"))
///     .pool(Pool::Linear, None)
///     .build()?;
/// let first = hybrid.ask("cat or dog?").await?;
/// assert_eq!((&first.fused.posterior[..], first.cost.calls), (&[0.375, 0.625][..], 2));
/// let again = hybrid.ask("cat or dog?").await?;
/// assert_eq!((again.fused, again.choice.arm, again.cost.calls), (first.fused, Arm::Cache, 0));
/// # Ok::<(), consilience::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Hybrid<I: ?Sized> {
    classes: usize,
    members: Vec<Member<I>>,
    aggregator: Aggregator,
    combination: Combination,
    input: Reading<I, Result<Input>>,
    traits: Reading<I, Traits>,
    options: Options,
    cache: Arc<Cache<Fused>>,
    selector: Mutex<Selector>,
    dependencies: Mutex<Dependencies>,
    history: Mutex<History>,
    /// By their numbers in records.
    class_names: Mutex<Vec<Arc<str>>>,
    lane: Lane,
    accelerator: Option<Arc<dyn Remote<I>>>,
    remote: Option<Arc<dyn Remote<I>>>,
    /// Since when ages are counted.
    began: Instant,
    draws: AtomicU64,
}

/// All that can be told of an executor.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Told {
    /// Estimates, arms, classes, the trend, and what is recommended.
    pub history: Diagnostics,
    /// The classes by their numbers in it.
    pub classes: Vec<Arc<str>>,
    /// What the cache did and holds.
    pub cache: cache::Stats,
    /// What the lane did and holds.
    pub lane: LaneStats,
}

impl Hybrid<str> {
    /// An executor for questions in words, of which there is one class and whose complexity is that of the text.
    pub fn builder(classes: usize) -> Builder<str> {
        let traits = |text: &str| Traits { class: Arc::from("text"), complexity: Complexity::of(text).score() };
        Self::builder_by(classes, |text| Ok(Input::bytes(text.as_bytes())), traits)
    }
}

impl<I: ?Sized + Send + Sync + 'static> Hybrid<I> {
    /// An executor for questions of any kind: `input` tells them apart, `traits` says what they are like.
    pub fn builder_by(
        classes: usize,
        input: impl Fn(&I) -> Result<Input> + Send + Sync + 'static,
        traits: impl Fn(&I) -> Traits + Send + Sync + 'static,
    ) -> Builder<I> {
        Builder::new(classes, Arc::new(input), Arc::new(traits))
    }

    /// Answers a question within the time that the options give.
    ///
    /// # Errors
    ///
    /// [`RequestError::NothingArrived`] with every cause where no source gave an opinion, or the fusion fails.
    pub async fn ask(&self, question: impl Into<Arc<I>>) -> Result<Answer> {
        let deadline = Instant::now() + self.options.deadline;
        let mut answers = self.ask_all_until(vec![question.into()], deadline).await?;
        answers.pop().unwrap_or(Err(RequestError::NoSources.into()))
    }

    /// Answers questions that came together, as one request: many of them make a batch.
    ///
    /// # Errors
    ///
    /// Nothing is asked, or an input cannot be told from others; each question by itself as [`Hybrid::ask`].
    pub async fn ask_all(&self, questions: Vec<Arc<I>>) -> Result<Vec<Result<Answer>>> {
        self.ask_all_until(questions, Instant::now() + self.options.deadline).await
    }

    /// The same until the deadline given.
    ///
    /// # Errors
    ///
    /// As [`Hybrid::ask_all`]; the deadline has passed already.
    pub async fn ask_all_until(&self, questions: Vec<Arc<I>>, deadline: Instant) -> Result<Vec<Result<Answer>>> {
        let mut request = Request::new(self, questions, deadline)?;
        let choice = Arc::new(request.choose()?);
        let led = request.carry_out(&choice).await?;
        request.conclude(choice, led).await
    }

    /// Learns from the true class of an answered question: whether the sources were right, and the arm.
    ///
    /// # Errors
    ///
    /// A truth that is no class, or more classes of requests than there may be.
    pub fn learn(&self, answer: &Answer, truth: u32) -> Result<()> {
        LabelError::check(self.classes, 0, truth)?;
        let right = answer.fused.decision == truth as usize;
        locked(&self.history).learn(answer.record, f32::from(u8::from(right)))?;
        let wrong: Vec<(&str, bool)> =
            answer.fused.votes.iter().map(|(name, vote)| (&**name, *vote != truth)).collect();
        locked(&self.dependencies).learn(&answer.class, &wrong)
    }

    /// All that can be told of it.
    #[must_use]
    pub fn diagnostics(&self) -> Told {
        let history = locked(&self.history).diagnostics(Some(&locked(&self.dependencies)));
        let classes = locked(&self.class_names).clone();
        Told { history, classes, cache: self.cache.stats(), lane: self.lane.stats() }
    }

    /// What is kept: to invalidate sources, or to ask how it does.
    #[must_use]
    pub fn cache(&self) -> &Cache<Fused> {
        &self.cache
    }

    /// The selector as it is, to be looked at or saved.
    #[must_use]
    pub fn selector(&self) -> Selector {
        locked(&self.selector).clone()
    }

    /// What sources have to do with each other, as far as is known, to be looked at or saved.
    #[must_use]
    pub fn dependencies(&self) -> Dependencies {
        locked(&self.dependencies).clone()
    }

    /// Waits until what was begun side by side or in the background is over.
    pub async fn shutdown(&self, how: Shutdown) {
        self.lane.shutdown(how).await;
        self.cache.shutdown().await;
    }

    /// How long it has been there.
    fn now(&self) -> Duration {
        self.began.elapsed()
    }
}

impl<I: ?Sized> fmt::Debug for Hybrid<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hybrid").field("members", &self.members).field("options", &self.options).finish_non_exhaustive()
    }
}
