//! All sources asked at once, and what arrived in time fused.

mod ask;
mod conclude;
mod gather;
mod learner;
mod options;
mod outcome;
mod progress;
mod spent;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::Stream;
use tokio::time::Instant;
use tracing::{Instrument, Span};

use self::gather::Gather;
use self::learner::Learner;
pub use self::options::{Hedge, Learning, Options};
pub use self::outcome::{Fate, Judge, Outcome, Report};
pub use self::progress::Event;
pub(crate) use self::progress::Tell;
use crate::engine::Engine;
use crate::error::{RequestError, Result};
use crate::methods::learning::Weights;
use crate::orchestration::Meter;
use crate::orchestration::fuse::Fuser;
use crate::orchestration::source::Source;
use crate::orchestration::statistics::Track;
use crate::orchestration::telemetry::{Ending, Request, Telemetry};

/// Asks all its sources at once and fuses what has arrived at the deadline, or sooner where a
/// [`Stop`](crate::orchestration::Stop) rule allows it.
///
/// A request is answered from real opinions only: a source that fails, panics, answers with what is no opinion or does not
/// answer in time is named in the [`Outcome`] with its cause, and lowers the confidence by the penalty; where nobody gives
/// an opinion the request fails. Nothing runs in the background: dropping the future of a request cancels every source.
///
/// Share it between tasks behind an `Arc`. What it learns and counts is kept behind one lock that no await is held across.
///
/// # Examples
///
/// *Of two sources one fails; the other's answer is kept, with nine tenths of its confidence.*
///
/// ```
/// use std::sync::Arc;
///
/// use consilience::orchestration::parallel_fusion::{Fate, Options};
/// use consilience::orchestration::{Opinion, ParallelFusion, Question, Source, source};
/// use consilience::{Engine, SourceError};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let sources: Vec<Arc<dyn Source<str>>> = vec![
///     Arc::new(source::of("model", async |_: Question<str>| Ok(Opinion::Probabilities(vec![0.25, 0.75]).into()))),
///     Arc::new(source::of("service", async |_: Question<str>| Err(SourceError::failed("out of order")))),
/// ];
/// let fusion = ParallelFusion::new(Arc::new(Engine::cpu()?), 2, sources, Options::parallel_fusion())?;
/// let outcome = fusion.ask("cat or dog?").await?;
/// assert_eq!((outcome.decision, outcome.confidence), (1, 0.75 * 0.9));
/// assert_eq!(outcome.reports[1].fate, Fate::Failed);
/// # Ok::<(), consilience::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ParallelFusion<I: ?Sized> {
    fuser: Fuser,
    classes: usize,
    sources: Vec<Arc<dyn Source<I>>>,
    names: Vec<Arc<str>>,
    options: Options,
    /// With the time that is kept for it.
    meta: Option<(Arc<dyn Source<I>>, Duration)>,
    learner: Mutex<Learner>,
    telemetry: Option<Arc<Telemetry<Fate>>>,
}

impl<I: ?Sized + Send + Sync> ParallelFusion<I> {
    /// Sources of distinct names that judge over `classes` classes.
    ///
    /// # Errors
    ///
    /// No sources, two of one name, a fusion that does not fit so many sources and classes, a stop rule without a bound, or
    /// an option outside its range.
    pub fn new(
        engine: Arc<Engine>,
        classes: usize,
        sources: Vec<Arc<dyn Source<I>>>,
        options: Options,
    ) -> Result<Self> {
        let fuser = Fuser::new(Arc::clone(&engine))?;
        Self::fused_by(&engine, fuser, classes, sources, options)
    }

    /// [`ParallelFusion::new`] with a fuser that is there already.
    pub(crate) fn fused_by(
        engine: &Engine,
        fuser: Fuser,
        classes: usize,
        sources: Vec<Arc<dyn Source<I>>>,
        options: Options,
    ) -> Result<Self> {
        let names: Vec<Arc<str>> = sources.iter().map(|source| Arc::from(source.name())).collect();
        if names.is_empty() {
            return Err(RequestError::NoSources.into());
        }
        if let Some(name) = names.iter().enumerate().find_map(|(n, name)| names[..n].contains(name).then_some(name)) {
            return Err(RequestError::DuplicateName { what: "sources", name: name.to_string() }.into());
        }
        let learner = Mutex::new(Learner::new(engine, &options, names.len(), classes)?);
        Ok(Self { fuser, classes, sources, names, options, meta: None, learner, telemetry: None })
    }

    /// The same with a source that is shown what the others said, as
    /// [`Question::peers`](crate::orchestration::Question::peers), and whose opinion becomes the posterior. It is asked when
    /// the others are done, for which they get that much less time. Where it fails, the fusion of the others stands, and the
    /// outcome says so.
    ///
    /// # Errors
    ///
    /// It has the name of another source, or it is to have no time, or all there is.
    pub fn with_meta_learner(mut self, meta: Arc<dyn Source<I>>, time: Duration) -> Result<Self> {
        if self.names.iter().any(|name| **name == *meta.name()) {
            return Err(RequestError::DuplicateName { what: "sources", name: meta.name().to_owned() }.into());
        }
        if time.is_zero() || time >= self.options.deadline {
            return Err(RequestError::NoTime.into());
        }
        self.meta = Some((meta, time));
        Ok(self)
    }

    /// The same, fused by this, which others may share; else by [`Fuser::new`] of the engine.
    #[must_use]
    pub fn with_fuser(mut self, fuser: Fuser) -> Self {
        self.fuser = fuser;
        self
    }

    /// The same, counted, timed and traced: every request, and every call of a source.
    #[must_use]
    pub fn with_telemetry(mut self, telemetry: Arc<Telemetry<Fate>>) -> Self {
        self.telemetry = Some(telemetry);
        self
    }

    /// Asks everybody, for as long as the options say.
    ///
    /// # Errors
    ///
    /// Nobody gave an opinion in time, or the engine fails.
    pub async fn ask(&self, input: impl Into<Arc<I>>) -> Result<Outcome> {
        self.ask_until(input, Instant::now() + self.options.deadline).await
    }

    /// Asks everybody, until the deadline given.
    ///
    /// # Errors
    ///
    /// As [`ParallelFusion::ask`]; the deadline has passed already.
    pub async fn ask_until(&self, input: impl Into<Arc<I>>, deadline: Instant) -> Result<Outcome> {
        self.request(input.into(), deadline, None).await
    }

    /// Asks everybody and tells what happens as it happens; the last event is the outcome, or the error. Dropping the
    /// stream cancels every source.
    pub fn follow(&self, input: impl Into<Arc<I>>) -> impl Stream<Item = Event> + '_ {
        progress::follow(self, input.into(), Instant::now() + self.options.deadline)
    }

    /// The names of the sources, in the order of their indices.
    #[must_use]
    pub fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// How sources are asked and fused.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// How every source did so far. One that was cancelled has neither succeeded nor failed and is not counted.
    #[must_use]
    pub fn tracks(&self) -> Vec<Track> {
        self.locked(|learner| learner.tracks.clone())
    }

    /// The weights learned so far, which sum to one; `None` where nothing is learned.
    #[must_use]
    pub fn weights(&self) -> Option<Vec<f32>> {
        self.locked(|learner| learner.weights().map(Weights::weights))
    }

    /// Learns whom to trust from the true class of an answered request.
    ///
    /// # Errors
    ///
    /// An outcome of another number of sources, or a truth that is no class.
    pub fn learn(&self, outcome: &Outcome, truth: u32) -> Result<()> {
        self.locked(|learner| learner.learn(outcome, Some(truth), self.classes))
    }

    /// Learns from an answered request without its truth: whoever was surer than the threshold counts as right.
    ///
    /// # Errors
    ///
    /// An outcome of another number of sources.
    pub fn learn_self_reported(&self, outcome: &Outcome) -> Result<()> {
        self.locked(|learner| learner.learn(outcome, None, self.classes))
    }

    /// What was learned, to be saved; `None` where nothing is learned.
    #[must_use]
    pub fn learned(&self) -> Option<Weights> {
        self.locked(|learner| learner.weights().cloned())
    }

    /// Goes on from what was learned before.
    ///
    /// # Errors
    ///
    /// It was learned of another number of sources.
    pub fn resume(&self, learned: Weights) -> Result<()> {
        self.locked(|learner| learner.resume(learned, self.classes))
    }

    /// One request, counted and traced.
    async fn request(&self, input: Arc<I>, deadline: Instant, tell: Option<Tell>) -> Result<Outcome> {
        let request = self.telemetry.as_ref().map(|telemetry| telemetry.begin());
        let span = request.as_ref().map_or_else(Span::none, |request| request.span().clone());
        let gather =
            async { Gather::new(self, input, deadline, tell, request.as_ref(), Meter::default())?.run().await };
        let answer = gather.instrument(span).await;
        if let Some(request) = request {
            request.finish(Ending::of(&answer));
        }
        answer
    }

    /// Asks as part of a request that is counted and traced already; the meter says what it cost, answered or not.
    pub(crate) async fn ask_within(
        &self,
        request: Option<&Request<Fate>>,
        input: Arc<I>,
        deadline: Instant,
        tell: Option<Tell>,
        meter: Meter,
    ) -> Result<Outcome> {
        Gather::new(self, input, deadline, tell, request, meter)?.run().await
    }

    /// No code of a caller runs under the lock. Were it poisoned all the same, its contents are whole.
    fn locked<T>(&self, with: impl FnOnce(&mut Learner) -> T) -> T {
        with(&mut self.learner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<I: ?Sized> fmt::Debug for ParallelFusion<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParallelFusion")
            .field("names", &self.names)
            .field("classes", &self.classes)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
