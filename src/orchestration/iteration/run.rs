//! One run of an iteration, from event to event.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use super::ended::Ended;
use super::options::MOST;
use super::outcome::{Basis, Event, Outcome, Synthesis, Thought};
use super::{Options, Order};
use crate::error::{RequestError, Result, SourceError};
use crate::orchestration::distribution::{likeliest, mean};
use crate::orchestration::source::{Answer, ask};
use crate::orchestration::{Meter, Peer, Question, Reply, Source};

/// A run: what it is asked, what has ended and what is still to end. Dropped, it drops every call.
pub struct Run<I: ?Sized> {
    thinker: Arc<dyn Source<I>>,
    synthesiser: Arc<dyn Source<I>>,
    order: Order,
    question: Question<I>,
    began: Instant,
    /// When thoughts are too late.
    think_until: Instant,
    planned: u32,
    begun: u32,
    calls: FuturesUnordered<BoxFuture<'static, Ended>>,
    /// What has ended, in the order of indices.
    ended: Vec<Ended>,
    stopped_alike: bool,
    /// What all calls cost.
    spent: Meter,
    synthesis: Option<Begun>,
    syntheses: Vec<Synthesis>,
    ready: VecDeque<Event>,
    is_over: bool,
}

/// A synthesis that has begun.
struct Begun {
    thoughts: Vec<u32>,
    is_speculative: bool,
    /// The decision of the thoughts' mean when it began.
    decision: usize,
    began: Instant,
    /// `None` once it has ended.
    call: Option<BoxFuture<'static, Answer>>,
    answer: Option<Answer>,
    latency: Duration,
    spent: Meter,
}

impl<I: ?Sized + Send + Sync + 'static> Run<I> {
    pub fn new(
        thinker: Arc<dyn Source<I>>,
        synthesiser: Arc<dyn Source<I>>,
        options: Options<I>,
        question: Question<I>,
    ) -> Self {
        let began = Instant::now();
        let half = question.deadline.saturating_duration_since(began) / 2;
        Self {
            thinker,
            synthesiser,
            order: options.order,
            began,
            think_until: question.deadline - options.kept_for_synthesis.min(half),
            planned: options.thoughts.count(&question.input),
            begun: 0,
            calls: FuturesUnordered::new(),
            ended: Vec::new(),
            stopped_alike: false,
            spent: question.meter.begin_part(),
            synthesis: None,
            syntheses: Vec::new(),
            ready: VecDeque::new(),
            is_over: false,
            question,
        }
    }

    /// The next event; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<Event>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(Ok(event));
            }
            if self.is_over {
                return None;
            }
            self.begin_thoughts();
            if !self.calls.is_empty() {
                self.think().await;
                continue;
            }
            if self.ended.iter().all(|thought| thought.answer.is_err()) {
                self.is_over = true;
                return Some(Err(self.nothing_arrived().into()));
            }
            self.synthesise().await;
        }
    }

    fn begin_thoughts(&mut self) {
        while self.begun < self.planned
            && self.calls.len() < self.order.at_once()
            && !self.stopped_alike
            && Instant::now() < self.think_until
        {
            let index = self.begun;
            self.begun += 1;
            let mut question = self.question.clone();
            question.partial = None;
            question.deadline = self.think_until;
            // A question asked twice has other thoughts each time.
            question.attempt = self.question.attempt.wrapping_mul(MOST).wrapping_add(index);
            if matches!(self.order, Order::Sequential { .. }) {
                question.peers = self.peers();
            }
            question.meter = self.spent.begin_call();
            let (began, spent) = (Instant::now(), question.meter.clone());
            let call = ask(Arc::clone(&self.thinker), question);
            self.calls.push(Box::pin(async move {
                let answer = call.await;
                Ended { index, answer, latency: began.elapsed(), cost: spent.total() }
            }));
        }
    }

    /// Waits for a thought, or the speculative synthesis, to end.
    async fn think(&mut self) {
        let synthesis = async {
            match self.synthesis.as_mut().and_then(|begun| begun.call.as_mut()) {
                Some(call) => call.await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(ended) = self.calls.next() => self.end_thought(ended),
            answer = synthesis => self.end_synthesis(answer),
        }
    }

    fn end_thought(&mut self, ended: Ended) {
        let thought = ended.thought();
        let is_arrived = thought.reply.is_ok();
        let place = self.ended.partition_point(|other| other.index < ended.index);
        self.ended.insert(place, ended);
        let posterior = self.pool();
        let leading = likeliest(&posterior);
        self.ready.push_back(Event::Thought { thought, posterior });
        if !is_arrived {
            return;
        }
        match self.order {
            Order::Sequential { alike: Some(alike) } => {
                let said = self.arrived().map(|(_, reply, row)| (row, reply.content.as_deref()));
                let last: Vec<_> = said.rev().take(2).collect();
                let is_alike = matches!(last[..], [b, a] if alike.holds(a, b));
                self.stopped_alike = is_alike;
            }
            Order::Parallel { speculate_at: Some(quorum), .. } if self.synthesis.is_none() => {
                let agreeing = self.rows().filter(|row| likeliest(row) == leading).count();
                let is_outstanding = !self.calls.is_empty() || self.begun < self.planned;
                if is_outstanding && agreeing >= quorum.max(1) as usize {
                    self.begin_synthesis(true);
                }
            }
            _ => {}
        }
    }

    fn begin_synthesis(&mut self, is_speculative: bool) {
        let thoughts: Vec<u32> = self.arrived().map(|(index, ..)| index).collect();
        let mut question = self.question.clone();
        question.partial = None;
        question.peers = self.peers();
        question.attempt = question.attempt.wrapping_mul(MOST).wrapping_add(self.syntheses.len() as u32);
        question.meter = self.spent.begin_call();
        self.ready.push_back(Event::SynthesisBegan { thoughts: thoughts.clone(), is_speculative });
        self.synthesis = Some(Begun {
            thoughts,
            is_speculative,
            decision: likeliest(&self.pool()),
            began: Instant::now(),
            spent: question.meter.clone(),
            call: Some(ask(Arc::clone(&self.synthesiser), question)),
            answer: None,
            latency: Duration::ZERO,
        });
    }

    /// Begins the synthesis of all thoughts, if there is time left for any.
    fn begin_last_synthesis(&mut self, pool: Vec<f32>) {
        if Instant::now() < self.question.deadline {
            self.begin_synthesis(false);
        } else {
            self.conclude(pool, Err(SourceError::TimedOut { after: self.began.elapsed() }));
        }
    }

    fn end_synthesis(&mut self, answer: Answer) {
        if let Some(begun) = &mut self.synthesis {
            (begun.call, begun.latency, begun.answer) = (None, begun.began.elapsed(), Some(answer));
        }
    }

    /// All thoughts have ended: keeps what was begun, where it stands, or begins, or waits.
    async fn synthesise(&mut self) {
        let pool = self.pool();
        let Some(mut begun) = self.synthesis.take() else { return self.begin_last_synthesis(pool) };
        if begun.is_speculative && begun.decision != likeliest(&pool) {
            self.record(begun, false);
            return self.begin_last_synthesis(pool);
        }
        if let Some(call) = begun.call.take() {
            // Kept where it is dropped with everything else while it waits.
            let answer = call.await;
            (begun.latency, begun.answer) = (begun.began.elapsed(), Some(answer));
        }
        if begun.is_speculative && !matches!(begun.answer, Some(Ok(_))) {
            self.record(begun, false);
            return self.begin_last_synthesis(pool);
        }
        let answer = begun.answer.clone().unwrap_or(Err(SourceError::Closed));
        self.record(begun, matches!(answer, Ok((_, Some(_)))));
        self.conclude(pool, answer);
    }

    fn record(&mut self, begun: Begun, is_kept: bool) {
        let Begun { thoughts, is_speculative, began, call, answer, latency, spent, .. } = begun;
        let latency = if call.is_some() { began.elapsed() } else { latency };
        // One that is still running is stopped here.
        drop(call);
        let reply = answer.map(|answer| answer.map(|(reply, _)| reply));
        let synthesis = Synthesis { thoughts, is_speculative, reply, is_kept, latency, cost: spent.total() };
        self.syntheses.push(synthesis.clone());
        self.ready.push_back(Event::Synthesis(synthesis));
    }

    fn conclude(&mut self, pool: Vec<f32>, answer: Answer) {
        let (posterior, content, basis) = match answer {
            Ok((reply, Some(row))) => (row, reply.content, Basis::Synthesis),
            Ok((reply, None)) => (pool.clone(), reply.content, Basis::Abstained),
            Err(cause) => (pool.clone(), None, Basis::Thoughts(cause)),
        };
        let thoughts: Vec<Thought> = self.ended.iter().map(Ended::thought).collect();
        let decision = likeliest(&posterior);
        self.is_over = true;
        self.ready.push_back(Event::Done(Box::new(Outcome {
            confidence: posterior.get(decision).copied().unwrap_or_default(),
            decision,
            posterior,
            content,
            basis,
            pool,
            thoughts,
            planned: self.planned,
            stopped_alike: self.stopped_alike,
            syntheses: std::mem::take(&mut self.syntheses),
            cost: self.spent.total(),
            elapsed: self.began.elapsed(),
        })));
    }

    /// What has arrived, in the order of indices.
    fn arrived(&self) -> impl DoubleEndedIterator<Item = (u32, &Reply, Option<&[f32]>)> + Clone {
        self.ended
            .iter()
            .filter_map(|ended| ended.answer.as_ref().ok().map(|(reply, row)| (ended.index, reply, row.as_deref())))
    }

    fn rows(&self) -> impl Iterator<Item = &[f32]> + Clone {
        self.arrived().filter_map(|(_, _, row)| row)
    }

    fn pool(&self) -> Vec<f32> {
        mean(self.rows().map(|row| (1.0, row)), self.question.classes)
    }

    /// What is shown to whoever comes after the thoughts so far, behind what the question itself shows.
    fn peers(&self) -> Arc<[Peer]> {
        let name = self.thinker.name();
        let thoughts = self.arrived().map(|(index, reply, _)| Peer {
            name: format!("{name} {}", index + 1).into(),
            opinion: reply.opinion.clone(),
            content: reply.content.clone(),
        });
        self.question.peers.iter().cloned().chain(thoughts).collect()
    }

    fn nothing_arrived(&self) -> RequestError {
        let name = self.thinker.name();
        let cause = |ended: &Ended| {
            let cause = ended.answer.as_ref().err().cloned()?;
            Some((format!("{name} {}", ended.index + 1), cause))
        };
        RequestError::NothingArrived { causes: self.ended.iter().filter_map(cause).collect() }
    }
}
