//! A source that is measured, rested and probed.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::reading::{Probe, Quantiles, SourceReading};
use super::setting::Setting;
use super::share::Share;
use crate::error::{Result, SourceError, SpecError};
use crate::orchestration::lock::locked;
use crate::orchestration::source::{Question, Reply, Source, ask};
use crate::orchestration::tasks::Tasks;
use crate::orchestration::{Cost, Opinion, Track};

/// A source that is asked in the share of the requests that a [`Setting`] says, and measured in all of them.
///
/// | a call | counts as |
/// |---|---|
/// | answers, or abstains | a call |
/// | fails, panics, gives what is no opinion and cannot be made one by a division | a call and a failure |
/// | is dropped at its deadline or after | a call and a failure: it timed out |
/// | is dropped before | cancelled, with the time it had taken as a bound of its latency from below |
///
/// In a request in which it is not to be asked it abstains at once, by [`SourceError::Abstained`]: for a fusion that is
/// neither an opinion nor a failure. While it rests (its trust is 0), such a request begins a probe: the source is asked the
/// same on the side, apart from the request and not at its cost, by one task at a time and once every `probe_every` at most. A
/// probe has as long as the request had, and `probe_every` at least. Dropping this ends it.
///
/// # Examples
///
/// *Asked in half of the requests.*
///
/// ```
/// use std::collections::BTreeMap;
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use consilience::SourceError;
/// use consilience::orchestration::control::{Executor, Governed, Setting};
/// use consilience::orchestration::{Opinion, Question, Source, source};
/// use tokio::time::Instant;
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let sure = Arc::new(source::of("sure", async |_: Question<str>| Ok(Opinion::label(1).into())));
/// let governed = Governed::new(sure, Duration::from_secs(2))?;
/// let trust = BTreeMap::from([("sure".to_owned(), 0.5)]);
/// governed.obey(&Setting { concurrency: 64, batch: 256, executor: Executor::Auto, shed: 0.0, trust });
/// let mut answers = 0;
/// for _ in 0..10 {
///     let question = Question::new(Arc::from("cat or dog?"), 2, Instant::now() + Duration::from_secs(1));
///     match governed.ask(question).await {
///         Ok(_) => answers += 1,
///         Err(error) => assert!(matches!(error, SourceError::Abstained)),
///     }
/// }
/// let taken = governed.take();
/// assert_eq!((answers, taken.calls, taken.failures), (5, 5, 0));
/// # Ok::<(), consilience::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Governed<I: ?Sized> {
    inner: Arc<dyn Source<I>>,
    probe_every: Duration,
    /// The share of requests in which it is asked.
    trust: Share,
    /// Calls and probes under way hold it too.
    window: Arc<Mutex<Window>>,
    /// When the next probe may begin.
    next_probe: Mutex<Option<Instant>>,
    /// The one probe under way.
    probing: Tasks,
}

/// What was measured since it was last taken.
#[derive(Debug, Default)]
struct Window {
    /// Calls, with those cancelled as answers.
    track: Track,
    cancelled: u64,
    probes: Vec<Probe>,
}

/// The most probes that are kept where nobody takes them.
const MOST_PROBES: usize = 64;

impl<I: ?Sized + Send + Sync + 'static> Governed<I> {
    /// This source, asked in every request until it is told otherwise.
    ///
    /// # Errors
    ///
    /// No time between probes.
    pub fn new(source: Arc<dyn Source<I>>, probe_every: Duration) -> Result<Self> {
        let seconds = probe_every.as_secs_f64();
        SpecError::check("the time between probes", seconds, "above 0 s", !probe_every.is_zero())?;
        Ok(Self {
            inner: source,
            probe_every,
            trust: Share::new(1.0),
            window: Arc::default(),
            next_probe: Mutex::new(None),
            probing: Tasks::new(1),
        })
    }

    /// Is asked from now on as the setting says. A trust outside [0, 1] is no trust and changes nothing.
    pub fn obey(&self, setting: &Setting) {
        let trust = setting.trust(self.inner.name());
        if (0.0..=1.0).contains(&trust) {
            self.trust.set(trust);
        }
    }

    /// The share of the requests in which it is asked.
    #[must_use]
    pub fn trust(&self) -> f64 {
        self.trust.get()
    }

    /// What was measured since this was last called.
    #[must_use]
    pub fn take(&self) -> SourceReading {
        let Window { track, cancelled, probes } = std::mem::take(&mut *locked(&self.window));
        SourceReading {
            name: self.inner.name().to_owned(),
            calls: track.observations() - cancelled,
            failures: track.observations() - track.successes(),
            cancelled,
            latency: Quantiles::of(&track),
            probes,
        }
    }

    /// Begins a probe, if it is time for one.
    fn probe(&self, question: &Question<I>) {
        let now = Instant::now();
        let mut next = locked(&self.next_probe);
        if next.is_some_and(|next| now < next) {
            return;
        }
        let deadline = question.deadline.max(now + self.probe_every);
        let mut probe = Question::new(Arc::clone(&question.input), question.classes, deadline);
        probe.peers = Arc::clone(&question.peers);
        let (source, window) = (Arc::clone(&self.inner), Arc::clone(&self.window));
        let begun = self.probing.begin(async move {
            let answered = matches!(ask(source, probe).await, Ok(_) | Err(SourceError::Abstained));
            let probes = &mut locked(&window).probes;
            if probes.len() < MOST_PROBES {
                probes.push(Probe { answered, latency: now.elapsed() });
            }
        });
        if begun {
            *next = Some(now + self.probe_every);
        }
    }
}

impl<I: ?Sized + Send + Sync + 'static> Source<I> for Governed<I> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn ask(&self, question: Question<I>) -> BoxFuture<'_, Result<Reply, SourceError>> {
        Box::pin(async move {
            if !self.trust.takes() {
                if self.trust() == 0.0 {
                    self.probe(&question);
                }
                // Not asked, it cost nothing; an error says no cost.
                question.meter.end(&Ok(Reply::from(Opinion::Abstained).cost(Cost::default())));
                return Err(SourceError::Abstained);
            }
            let (classes, deadline) = (question.classes, question.deadline);
            let mut timed = Timed { window: &self.window, began: Instant::now(), deadline, ended: false };
            let reply = self.inner.ask(question).await;
            timed.end(succeeded(&reply, classes));
            reply
        })
    }

    fn expected_cost(&self) -> Cost {
        self.inner.expected_cost()
    }

    fn may_be_asked_twice(&self) -> bool {
        self.inner.may_be_asked_twice()
    }
}

/// Whether the source did its part.
fn succeeded(reply: &Result<Reply, SourceError>, classes: usize) -> bool {
    match reply {
        Ok(Reply { opinion, .. }) => {
            let valid = |opinion: &Opinion| opinion.probabilities(classes).is_ok();
            valid(opinion) || opinion.renormalised().as_ref().is_some_and(valid)
        }
        Err(error) => matches!(error, SourceError::Abstained),
    }
}

/// One call under way; it is counted when it ends, or is dropped.
struct Timed<'a> {
    window: &'a Mutex<Window>,
    began: Instant,
    deadline: Instant,
    ended: bool,
}

impl Timed<'_> {
    fn end(&mut self, success: bool) {
        self.ended = true;
        locked(self.window).track.observe(success, self.began.elapsed(), Cost::default());
    }
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let failed = std::thread::panicking() || Instant::now() >= self.deadline;
        let mut window = locked(self.window);
        window.track.observe(!failed, self.began.elapsed(), Cost::default());
        window.cancelled += u64::from(!failed);
    }
}

impl<I: ?Sized> fmt::Debug for Governed<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Governed")
            .field("name", &self.inner.name())
            .field("trust", &self.trust.get())
            .field("probe_every", &self.probe_every)
            .finish_non_exhaustive()
    }
}
