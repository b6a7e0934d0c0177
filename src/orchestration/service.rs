//! Everything between a request and its recorded answer.

mod admission;
mod answer;
mod builder;
mod learned;
mod options;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::time::{Instant, timeout_at};
use tracing::{Instrument, Span};

use self::admission::Admission;
pub use self::admission::Stats;
pub use self::answer::{Answer, Recorded};
pub use self::builder::Builder;
pub use self::learned::{Learned, Step};
pub use self::options::Options;
use crate::engine::Engine;
use crate::error::{ErrorKind, RequestError, Result};
use crate::orchestration::batcher::Shutdown;
use crate::orchestration::fuse::Fuser;
use crate::orchestration::ledger::Recorder;
use crate::orchestration::lock::locked;
use crate::orchestration::parallel_fusion::{Event, Fate, Outcome, Tell};
use crate::orchestration::router::{Attempt, Choice, Complexity, Mode, Outcome as Turned, Strategy};
use crate::orchestration::telemetry::{Ending, Request, Telemetry};
use crate::orchestration::{Cost, Meter, ParallelFusion, Router, Source};

/// The sources of a group.
type Sources<I> = Vec<Arc<dyn Source<I>>>;

/// Who is told of what happens to a request: the names of the sources of a step, and an event of its, whose indices are of
/// those names. It returns soon, for the request waits.
pub type Observer = Arc<dyn Fn(&[Arc<str>], Event) + Send + Sync>;

/// What a service is called in errors.
const NAME: &str = "the service";

/// Routes a request to groups of sources, asks and fuses them, and records the answer.
///
/// A request that is taken is answered, refused with an error, or dropped by whoever made it; nothing runs for it in the
/// background. The groups of a plan's step are asked at once; a step that brings no answer leads to the next, and each may
/// take its equal share of the time that is left.
///
/// Share it between tasks behind an `Arc`.
///
/// # Examples
///
/// *A table that knows some answers, and a model for the rest.*
///
/// ```
/// use std::sync::Arc;
///
/// use consilience::orchestration::router::Group;
/// use consilience::orchestration::service::Service;
/// use consilience::orchestration::{Opinion, Question, Source, source};
/// use consilience::{Engine, SourceError};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let table: Arc<dyn Source<str>> = Arc::new(source::of("table", async |question: Question<str>| {
///     let known = &*question.input == "Is a cat an animal?";
///     if known { Ok(Opinion::label(1).into()) } else { Err(SourceError::failed("not in the table")) }
/// }));
/// let model: Arc<dyn Source<str>> =
///     Arc::new(source::of("model", async |_: Question<str>| Ok(Opinion::Binary(0.25).into())));
/// let service = Service::builder(Arc::new(Engine::cpu()?), 2)
///     .group(Group::runtime("table"), vec![table])
///     .group(Group::ai("model"), vec![model])
///     .build()?;
/// let answer = service.ask("Is a cat an animal?").await?;
/// assert_eq!((answer.outcome.decision, &answer.attempts[0].group[..]), (1, "table"));
/// let answer = service.ask("Is a dog?").await?;
/// assert_eq!((answer.outcome.decision, answer.attempts.len()), (1, 2));
/// # Ok::<(), consilience::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Service<I: ?Sized> {
    engine: Arc<Engine>,
    fuser: Fuser,
    classes: usize,
    options: Options,
    groups: Vec<(String, Sources<I>)>,
    complexity: Arc<dyn Fn(&I) -> Complexity + Send + Sync>,
    router: Mutex<Router>,
    /// One for every set of groups that was asked at once, by their names in the order of the groups.
    fusions: Mutex<HashMap<Vec<String>, Arc<ParallelFusion<I>>>>,
    recorder: Option<Arc<Recorder>>,
    telemetry: Option<Arc<Telemetry<Fate>>>,
    admission: Admission,
    most_at_once: AtomicUsize,
    draws: AtomicU64,
}

impl Service<str> {
    /// A service for questions in words, whose complexity is that of the text.
    pub fn builder(engine: Arc<Engine>, classes: usize) -> Builder<str> {
        Builder::new(engine, classes, Arc::new(Complexity::of))
    }
}

impl<I: ?Sized + Send + Sync> Service<I> {
    /// A service for questions of any kind, by a measure of their complexity.
    pub fn builder_by(
        engine: Arc<Engine>,
        classes: usize,
        complexity: impl Fn(&I) -> Complexity + Send + Sync + 'static,
    ) -> Builder<I> {
        Builder::new(engine, classes, Arc::new(complexity))
    }

    /// Answers a request, within the time that the options give it.
    ///
    /// # Errors
    ///
    /// [`RequestError::Full`] with a hint when to come back, [`RequestError::Closed`] after or during a shutdown,
    /// [`RequestError::NothingArrived`] with every cause where nobody answered, or the engine fails.
    pub async fn ask(&self, input: impl Into<Arc<I>>) -> Result<Answer> {
        self.ask_until(input, Instant::now() + self.options.fusion.deadline).await
    }

    /// Answers a request until the deadline given.
    ///
    /// # Errors
    ///
    /// As [`Service::ask`]; the deadline has passed already.
    pub async fn ask_until(&self, input: impl Into<Arc<I>>, deadline: Instant) -> Result<Answer> {
        self.ask_observed(input, deadline, None).await
    }

    /// Answers a request until the deadline given, and tells what the sources of each step do as they do it; each opinion is
    /// told with what all so far make of it, which takes a fusion of its own. That there is an answer is not told.
    ///
    /// # Errors
    ///
    /// As [`Service::ask_until`].
    pub async fn ask_observed(
        &self,
        input: impl Into<Arc<I>>,
        deadline: Instant,
        observer: Option<Observer>,
    ) -> Result<Answer> {
        let request = self.telemetry.as_ref().map(|telemetry| telemetry.begin());
        let span = request.as_ref().map_or_else(Span::none, |request| request.span().clone());
        let answer = self.admitted(input.into(), deadline, request.as_ref(), observer).instrument(span).await;
        if let Some(request) = request {
            request.finish(Ending::of(&answer));
        }
        answer
    }

    async fn admitted(
        &self,
        input: Arc<I>,
        deadline: Instant,
        request: Option<&Request<Fate>>,
        observer: Option<Observer>,
    ) -> Result<Answer> {
        let taken = self.admission.take(self.most_at_once())?;
        let answer = tokio::select! {
            biased;
            () = self.admission.rejected() => Err(RequestError::Closed { what: NAME }.into()),
            answer = self.answer(input, deadline, request, observer) => answer,
        };
        taken.end(answer.is_ok());
        answer
    }

    async fn answer(
        &self,
        input: Arc<I>,
        deadline: Instant,
        request: Option<&Request<Fate>>,
        observer: Option<Observer>,
    ) -> Result<Answer> {
        let time = deadline.saturating_duration_since(Instant::now());
        if time.is_zero() {
            return Err(RequestError::NoTime.into());
        }
        let draw = self.draws.fetch_add(1, Ordering::Relaxed);
        let complexity = (self.complexity)(&input);
        let choice = locked(&self.router).route(complexity, time, draw);
        if let Some(request) = request {
            request.routed(choice.way);
        }
        let mut attempts = Vec::new();
        let answered = self.follow(&choice, &input, deadline, request, observer, &mut attempts).await;
        locked(&self.router).update(&choice, &Turned { reward: None, attempts: attempts.clone() })?;
        let outcome = answered?;
        let recorded = match &self.recorder {
            Some(recorder) => Recorded::of(timeout_at(deadline, recorder.record(&answer::entry(&outcome))).await),
            None => Recorded::Off,
        };
        Ok(Answer { outcome, choice, attempts, recorded })
    }

    /// Takes the steps of a plan until one brings an answer.
    async fn follow(
        &self,
        choice: &Choice,
        input: &Arc<I>,
        deadline: Instant,
        request: Option<&Request<Fate>>,
        observer: Option<Observer>,
        attempts: &mut Vec<Attempt>,
    ) -> Result<Outcome> {
        let (mut failed, mut spent) = (Vec::new(), Cost::default());
        let steps = &choice.plan.0;
        for (taken, step) in steps.iter().enumerate() {
            let began = Instant::now();
            let left = deadline.saturating_duration_since(began);
            let share = left / u32::try_from(steps.len() - taken).unwrap_or(u32::MAX);
            let fusion = self.fusion(step)?;
            let meter = Meter::default();
            let tell = observer.clone().map(|observer| {
                let names = fusion.names().to_vec();
                Arc::new(move |event| observer(&names, event)) as Tell
            });
            let answer = fusion.ask_within(request, Arc::clone(input), began + share, tell, meter.clone()).await;
            let cost = meter.total();
            let attempt = |group: &String| Attempt {
                group: group.clone(),
                success: answer.is_ok(),
                latency: began.elapsed(),
                cost,
            };
            attempts.extend(step.iter().map(attempt));
            spent += cost;
            match answer {
                Ok(outcome) => return Ok(Outcome { cost: spent, ..outcome }),
                Err(error) => match error.kind() {
                    ErrorKind::Request(RequestError::NothingArrived { causes }) => {
                        failed.extend(causes.iter().cloned());
                    }
                    // The steps before took longer than they might.
                    ErrorKind::Request(RequestError::NoTime) if !failed.is_empty() => break,
                    _ => return Err(error),
                },
            }
        }
        Err(RequestError::NothingArrived { causes: failed }.into())
    }

    /// The fusion of groups that are asked at once.
    fn fusion(&self, step: &[String]) -> Result<Arc<ParallelFusion<I>>> {
        let mut fusions = locked(&self.fusions);
        if let Some(fusion) = fusions.get(step) {
            return Ok(Arc::clone(fusion));
        }
        let asked = self.groups.iter().filter(|(name, _)| step.contains(name));
        let sources = asked.flat_map(|(_, sources)| sources.iter().cloned()).collect();
        let (fuser, options) = (self.fuser.clone(), self.options.fusion.clone());
        let fusion = Arc::new(ParallelFusion::fused_by(&self.engine, fuser, self.classes, sources, options)?);
        fusions.insert(step.to_vec(), Arc::clone(&fusion));
        Ok(fusion)
    }

    /// Learns from the true class of an answered request: whom to trust, and which way to ask.
    ///
    /// # Errors
    ///
    /// An answer of another service, or a truth that is no class.
    pub fn learn(&self, answer: &Answer, truth: u32) -> Result<()> {
        let answered =
            |group: &String| answer.attempts.iter().any(|attempt| attempt.success && attempt.group == *group);
        if let Some(step) = answer.choice.plan.0.iter().find(|step| step.iter().any(answered)) {
            self.fusion(step)?.learn(&answer.outcome, truth)?;
        }
        let right = f64::from(u8::from(answer.outcome.decision == truth));
        let took = answer.attempts.iter().map(|attempt| attempt.latency).max().unwrap_or_default();
        let reward = Some(self.options.worth.reward(right, took, answer.outcome.cost));
        locked(&self.router).update(&answer.choice, &Turned { reward, attempts: Vec::new() })
    }

    /// The router as it is, to be looked at or saved.
    #[must_use]
    pub fn router(&self) -> Router {
        locked(&self.router).clone()
    }

    /// Chooses by another strategy, in another mode, from now on; what was learned stays.
    pub fn set_strategy(&self, strategy: Strategy, mode: Mode) {
        let mut router = locked(&self.router);
        router.set_strategy(strategy);
        router.set_mode(mode);
    }

    /// Requests that may be under way at a time, at first [`Options::most_at_once`]; more are refused.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        self.most_at_once.load(Ordering::Relaxed)
    }

    /// Lets so many requests be under way at a time from now on, at least 1. Those that are stay.
    pub fn set_most_at_once(&self, most: usize) {
        self.most_at_once.store(most.max(1), Ordering::Relaxed);
    }

    /// How it answers.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// What fuses the opinions of its requests.
    #[must_use]
    pub fn fuser(&self) -> &Fuser {
        &self.fuser
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Every source: its group's name and its own, in the order given.
    #[must_use]
    pub fn sources(&self) -> Vec<(&str, &str)> {
        (self.groups.iter())
            .flat_map(|(group, sources)| sources.iter().map(move |source| (&group[..], source.name())))
            .collect()
    }

    /// What became of the requests so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.admission.stats()
    }

    /// Takes no more requests, and waits until none is under way: those that are get their answer, or are told that the
    /// service is closed.
    pub async fn shutdown(&self, how: Shutdown) {
        self.admission.close(matches!(how, Shutdown::Reject));
        self.admission.emptied().await;
        if let Some(recorder) = &self.recorder {
            recorder.shutdown().await;
        }
    }
}

impl<I: ?Sized> fmt::Debug for Service<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups: Vec<_> = self.groups.iter().map(|(name, sources)| (name, sources.len())).collect();
        f.debug_struct("Service").field("groups", &groups).field("classes", &self.classes).finish_non_exhaustive()
    }
}
