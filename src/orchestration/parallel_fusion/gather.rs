//! From the question to the last answer that is waited for.

use std::future::ready;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesOrdered, FuturesUnordered};
use tokio::time::{Instant, sleep_until};
use tracing::Span;

use super::ParallelFusion;
use super::ask::{Ended, ask};
use super::learner::Current;
use super::outcome::{Fate, Outcome, Report};
use super::progress::{Event, Tell};
use super::spent::Spent;
use crate::error::{RequestError, Result, SourceError};
use crate::orchestration::Meter;
use crate::orchestration::fuse::Verdict;
use crate::orchestration::source::Question;
use crate::orchestration::stop::{Race, Stopped};
use crate::orchestration::telemetry::{Request, SourceCall};

/// What is to be told, in this order; a device may take its time for it.
type Telling = FuturesOrdered<BoxFuture<'static, Result<Event>>>;

/// One request under way.
pub(super) struct Gather<'a, I: ?Sized> {
    pub(super) of: &'a ParallelFusion<I>,
    pub(super) input: Arc<I>,
    pub(super) started: Instant,
    pub(super) deadline: Instant,
    /// When the sources are given up, so that the meta-learner has its time.
    until: Instant,
    pub(super) current: Arc<Current>,
    pub(super) slots: Vec<Slot>,
    tell: Option<Tell>,
    pub(super) request: Option<&'a Request<Fate>>,
    pub(super) spent: Spent<'a>,
}

/// What is known of one source so far.
pub(super) struct Slot {
    pub report: Report,
    /// The opinion as probabilities.
    pub row: Vec<f32>,
    /// Whether it had to be divided by its sum.
    pub mended: bool,
    /// What its calls cost.
    meter: Meter,
    /// Calls that have not ended.
    running: u32,
    /// The same, as they are counted: those dropped are censored.
    counted: Vec<Option<SourceCall<Fate>>>,
    /// When it is slow.
    slow_at: Option<Instant>,
}

impl Slot {
    fn is_outstanding(&self) -> bool {
        self.report.fate == Fate::Censored
    }

    pub(super) fn has_answered(&self) -> bool {
        self.report.fate == Fate::Answered
    }
}

impl<'a, I: ?Sized + Send + Sync> Gather<'a, I> {
    pub(super) fn new(
        of: &'a ParallelFusion<I>,
        input: Arc<I>,
        deadline: Instant,
        tell: Option<Tell>,
        request: Option<&'a Request<Fate>>,
        meter: Meter,
    ) -> Result<Self> {
        let started = Instant::now();
        let reserve = of.meta.as_ref().map_or(Duration::ZERO, |(_, time)| *time);
        let until = deadline.checked_sub(reserve).filter(|until| *until > started).ok_or(RequestError::NoTime)?;
        let (current, slow_after) = of.locked(|learner| {
            let slow_after = of.options.hedge.as_ref().map(|hedge| learner.begin(hedge));
            (Arc::clone(&learner.current), slow_after)
        });
        let slot = |(source, name): (usize, &Arc<str>)| Slot {
            report: Report::unanswered(Arc::clone(name)),
            row: vec![0.0; of.classes],
            mended: false,
            meter: meter.begin_part(),
            running: 0,
            counted: Vec::new(),
            slow_at: slow_after.as_ref().map(|after| started + after[source]),
        };
        let slots = of.names.iter().enumerate().map(slot).collect();
        let spent = Spent { meter, request };
        Ok(Self { of, input, started, deadline, until, current, slots, tell, request, spent })
    }

    pub(super) async fn run(mut self) -> Result<Outcome> {
        let mut telling = Telling::new();
        let stopped = self.gather(&mut telling).await?;
        while let Some(event) = telling.next().await {
            let event = event?;
            self.tell(|| event);
        }
        self.tell(|| Event::Stopped(stopped));
        self.give_up(stopped);
        self.of.locked(|learner| learner.count(self.slots.iter().map(|slot| &slot.report)));
        if let Some(request) = self.request {
            request.stopped(stopped);
        }
        self.conclude(stopped).await
    }

    /// Asks everybody until nobody is to be waited for any longer. The calls still running then are dropped.
    async fn gather(&mut self, telling: &mut Telling) -> Result<Stopped> {
        let of = self.of;
        let current = Arc::clone(&self.current);
        let mut race = current.lock.as_ref().map(|lock| lock.race());
        let mut asking = FuturesUnordered::new();
        for (source, asked) in of.sources.iter().enumerate() {
            let span = self.begin(source);
            asking.push(ask(&**asked, source, self.question(source, 0), span));
        }
        let mut late = pin!(sleep_until(self.until));
        let mut slow = pin!(sleep_until(self.next_slow().unwrap_or(self.until)));
        // Whether somebody has answered since what is being judged, or was.
        let mut unjudged = false;
        let mut judging = None;
        loop {
            let hedges = self.next_slow().is_some();
            tokio::select! {
                biased;
                // There is a call to wait for as long as a source is outstanding.
                Some(ended) = asking.next() => {
                    let source = ended.source;
                    if self.hear(ended) {
                        telling.extend(self.telling_of(source)?);
                        if let Some(stopped) = self.settled(source, race.as_mut()) {
                            return Ok(stopped);
                        }
                        unjudged |= self.slots[source].has_answered();
                    }
                }
                Some(event) = telling.next(), if !telling.is_empty() => {
                    let event = event?;
                    self.tell(|| event);
                }
                // Nobody else has answered by now: all that is there is judged together.
                () = ready(()), if unjudged && judging.is_none() => {
                    unjudged = false;
                    judging = self.judge_on_the_way()?;
                }
                Some(verdict) = async { Some(judging.as_mut()?.await) }, if judging.is_some() => {
                    judging = None;
                    // What has come meanwhile may make it less sure.
                    if !unjudged && self.is_enough(&verdict?) {
                        return Ok(Stopped::Confident);
                    }
                }
                () = &mut late => return Ok(Stopped::Deadline),
                () = &mut slow, if hedges => {
                    for source in self.take_slow() {
                        self.tell(|| Event::Hedged { source });
                        let span = self.begin(source);
                        asking.push(ask(&*of.sources[source], source, self.question(source, 1), span));
                    }
                    slow.as_mut().reset(self.next_slow().unwrap_or(self.until));
                }
            }
        }
    }

    fn question(&self, source: usize, attempt: u32) -> Question<I> {
        let mut question = Question::new(Arc::clone(&self.input), self.of.classes, self.until);
        question.attempt = attempt;
        question.meter = self.slots[source].meter.begin_call();
        if let Some(tell) = &self.tell {
            let tell = Arc::clone(tell);
            question.partial = Some(Arc::new(move |opinion| tell(Event::Partial { source, opinion })));
        }
        question
    }

    /// Counts a call of a source; its span.
    fn begin(&mut self, source: usize) -> Span {
        let slot = &mut self.slots[source];
        slot.running += 1;
        let call = self.request.map(|request| request.ask(&slot.report.name));
        let span = call.as_ref().map_or_else(Span::none, |call| call.span().clone());
        slot.counted.push(call);
        span
    }

    /// Takes in how one call ended; whether that is the end of the source's part.
    fn hear(&mut self, Ended { source, attempt, reply }: Ended) -> bool {
        let slot = &mut self.slots[source];
        slot.running -= 1;
        if !slot.is_outstanding() {
            return false;
        }
        slot.report.latency = self.started.elapsed();
        slot.mended = slot.report.take(reply, &mut slot.row, self.current.fusion.on_invalid);
        if let Some(call) = slot.counted.get_mut(attempt as usize).and_then(Option::take) {
            call.finish(slot.report.fate);
        }
        if slot.report.fate.is_failure() && slot.running > 0 {
            // The other call may still bring an answer.
            slot.report.fate = Fate::Censored;
            return false;
        }
        true
    }

    /// What is to be told of a source that is done, as soon as what has been heard so far is fused.
    fn telling_of(&self, source: usize) -> Result<Option<BoxFuture<'static, Result<Event>>>> {
        if self.tell.is_none() {
            return Ok(None);
        }
        let report = &self.slots[source].report;
        Ok(Some(match (&report.opinion, &report.error) {
            (Some(opinion), None) => {
                let (opinion, judged) = (opinion.clone(), self.of.fuser.fuse(self.case()?));
                Box::pin(async move {
                    let Verdict { posterior, decision, confidence, .. } = judged.await?;
                    let (decision, confidence) = (decision.unwrap_or_default(), confidence.unwrap_or_default());
                    Ok(Event::Arrived { source, opinion, posterior, decision, confidence })
                })
            }
            (_, error) => {
                let error = error.clone().unwrap_or(SourceError::Closed);
                Box::pin(ready(Ok(Event::Failed { source, fate: report.fate, error })))
            }
        }))
    }

    /// Why nobody else need be waited for, if so, now that a source is done.
    fn settled(&self, source: usize, race: Option<&mut Race<'_>>) -> Option<Stopped> {
        if !self.slots.iter().any(Slot::is_outstanding) {
            return Some(Stopped::Complete);
        }
        let race = race?;
        let slot = &self.slots[source];
        match &slot.report.opinion {
            Some(opinion) if slot.has_answered() => race.arrived(source, opinion, &slot.row),
            _ => race.out(source),
        }
        race.settled().map(|_| Stopped::Locked)
    }

    /// What has been heard, fused, where it may be enough.
    fn judge_on_the_way(&self) -> Result<Option<BoxFuture<'static, Result<Verdict>>>> {
        let stop = &self.of.options.stop;
        if stop.confidence.is_none() || self.heard() < stop.quorum {
            return Ok(None);
        }
        Ok(Some(Box::pin(self.of.fuser.fuse(self.case()?))))
    }

    /// Whether a verdict is sure enough.
    fn is_enough(&self, verdict: &Verdict) -> bool {
        let least = self.of.options.stop.confidence;
        least.is_some_and(|least| verdict.confidence >= Some(least))
    }

    /// How many have given an opinion.
    fn heard(&self) -> usize {
        self.slots.iter().filter(|slot| slot.has_answered()).count()
    }

    /// When the next source that may be asked twice is slow; `None` once the quorum has been heard.
    fn next_slow(&self) -> Option<Instant> {
        self.of.options.hedge?;
        let quorum = self.of.options.stop.quorum;
        if quorum > 0 && self.heard() >= quorum {
            return None;
        }
        self.slots.iter().filter(|slot| slot.is_outstanding()).filter_map(|slot| slot.slow_at).min()
    }

    /// The sources that are slow now and may be asked again; none of them will be found slow a second time.
    fn take_slow(&mut self) -> Vec<usize> {
        let now = Instant::now();
        let of = self.of;
        let mut again = Vec::new();
        for (source, slot) in self.slots.iter_mut().enumerate() {
            if !slot.is_outstanding() || slot.slow_at.is_none_or(|at| at > now) {
                continue;
            }
            slot.slow_at = None;
            if of.sources[source].may_be_asked_twice() && of.locked(|learner| learner.spend_second_call()) {
                slot.report.calls += 1;
                again.push(source);
            }
        }
        again
    }

    /// Says of the sources still outstanding what became of them, and of all what they cost.
    fn give_up(&mut self, stopped: Stopped) {
        let after = self.started.elapsed();
        for slot in &mut self.slots {
            slot.report.cost = slot.meter.total();
        }
        for slot in self.slots.iter_mut().filter(|slot| slot.is_outstanding()) {
            slot.report.latency = after;
            if stopped == Stopped::Deadline {
                slot.report.fate = Fate::TimedOut;
                slot.report.error.get_or_insert(SourceError::TimedOut { after });
            }
            slot.counted.drain(..).flatten().for_each(|call| call.finish(slot.report.fate));
        }
    }

    fn tell(&self, event: impl FnOnce() -> Event) {
        if let Some(tell) = &self.tell {
            tell(event());
        }
    }
}
