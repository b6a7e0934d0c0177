//! One request on its way: what was found, whom to ask, and what became of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::{Answer, Fused, Hybrid, Traits};
use crate::error::{RequestError, Result, SourceError};
use crate::methods::partial::Said;
use crate::orchestration::aggregate::{Heard, Origin as HeardBy, Way};
use crate::orchestration::cache::{Ask, Cached, Expiry, Found, Input, Made, OpinionKey, Origin, PosteriorKey};
use crate::orchestration::dependency::Part;
use crate::orchestration::distribution::likeliest;
use crate::orchestration::history::Record;
use crate::orchestration::lock::locked;
use crate::orchestration::selector::{Arm, Choice, Infeasible, Masks, Outcome, Situation};
use crate::orchestration::{Cost, Reply};

/// Questions that came together.
pub(super) struct Request<'a, I: ?Sized> {
    pub hybrid: &'a Hybrid<I>,
    pub items: Vec<Item<I>>,
    pub deadline: Instant,
    began: Instant,
    traits: Traits,
    /// How long sources were asked side by side, if they were, and all for this request.
    pub wall: Option<Duration>,
}

/// One question of them.
pub(super) struct Item<I: ?Sized> {
    pub question: Arc<I>,
    pub input: Input,
    key: PosteriorKey,
    /// The answer that was made before.
    kept: Option<Cached<Fused>>,
    heard: Heard,
    votes: Vec<(Arc<str>, u32)>,
    /// Of each member what its opinion is kept under, and what is known of it; nothing where the answer was made before.
    pub keys: Vec<OpinionKey>,
    states: Vec<State>,
    /// The members whose opinion had been held until it was too old.
    expired: Vec<usize>,
    /// What this question cost, and what all its opinions cost whenever they were given.
    cost: Cost,
    worth: Cost,
    expiry: Option<Expiry>,
}

/// What is known of a source's opinion.
#[derive(Debug, Clone)]
pub(super) enum State {
    Missing,
    /// The cache held it, or whoever asked for it already gave it.
    Held,
    /// It was asked for this request, and said something or abstained; with the time it took by itself, where that is known.
    Made(Option<Duration>),
    /// With the time it took, if it was asked.
    Failed(SourceError, Option<Duration>),
}

impl<'a, I: ?Sized + Send + Sync + 'static> Request<'a, I> {
    /// Looks into the cache.
    pub(super) fn new(hybrid: &'a Hybrid<I>, questions: Vec<Arc<I>>, deadline: Instant) -> Result<Self> {
        let began = Instant::now();
        if deadline <= began {
            return Err(RequestError::NoTime.into());
        }
        let traits = questions.iter().map(|question| (hybrid.traits)(question));
        // A batch is as complex as the most complex of its questions.
        let traits = traits.reduce(|a, b| if b.complexity > a.complexity { b } else { a });
        let traits = traits.ok_or(RequestError::NoSources)?;
        let items = questions.into_iter().map(|question| Item::new(hybrid, question)).collect::<Result<_>>()?;
        let mut request = Self { hybrid, items, deadline, began, traits, wall: None };
        request.look_up()?;
        Ok(request)
    }

    fn look_up(&mut self) -> Result<()> {
        for at in 0..self.items.len() {
            let item = &mut self.items[at];
            // A stale answer is made anew of opinions, which may be stale in their turn.
            item.kept = self.hybrid.cache.posterior(&item.key).filter(|kept| kept.origin == Origin::Fresh);
            if item.kept.is_some() {
                continue;
            }
            let key = |member: &super::Member<I>| {
                let (input, source, classes) = (&item.input, &member.version, self.hybrid.classes);
                self.hybrid.cache.opinion_key(&Ask { input, classes, source, attempt: 0, peers: &[] })
            };
            item.keys = self.hybrid.members.iter().map(key).collect();
            item.states = vec![State::Missing; item.keys.len()];
            for member in 0..self.hybrid.members.len() {
                let key = self.items[at].keys[member].clone();
                let cached = match self.hybrid.cache.find_opinion(&key) {
                    Found::Hit(cached) => cached,
                    Found::Expired => {
                        self.items[at].expired.push(member);
                        continue;
                    }
                    Found::Nothing => continue,
                };
                if cached.origin == Origin::Stale {
                    let deadline = Instant::now() + self.hybrid.options.deadline;
                    let question = Arc::clone(&self.items[at].question);
                    self.hybrid.cache.refresh_opinion(&key, self.hybrid.asking(question, member, deadline));
                }
                self.take(at, member, Ok(cached), Way::Cache, None)?;
            }
        }
        Ok(())
    }

    /// Items and members whose opinion is missing.
    pub(super) fn missing(&self) -> Vec<(usize, usize)> {
        let of_item = |(at, item): (usize, &Item<I>)| {
            let missing = |(member, state): (usize, &State)| matches!(state, State::Missing).then_some((at, member));
            item.states.iter().enumerate().filter_map(missing).collect::<Vec<_>>()
        };
        self.items.iter().enumerate().flat_map(of_item).collect()
    }

    /// How it is to be carried out.
    pub(super) fn choose(&self) -> Result<Choice> {
        let hybrid = self.hybrid;
        let missing = self.missing();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let needed = count(self.items.len().saturating_mul(hybrid.members.len()));
        let mut situation = Situation::new(needed, needed - count(missing.len()).min(needed));
        let mut items: Vec<usize> = missing.iter().map(|(item, _)| *item).collect();
        items.dedup();
        situation.items = items.len().max(1) as u64;
        situation.complexity = self.traits.complexity;
        situation.within = Some(self.deadline.saturating_duration_since(Instant::now()));
        if !missing.is_empty() {
            let is_coming = |&&(item, member): &&(usize, usize)| hybrid.cache.is_coming(&self.items[item].keys[member]);
            situation.coming = missing.iter().filter(is_coming).count() as f64 / missing.len() as f64;
            let dependencies = locked(&hybrid.dependencies);
            let work = |&(_, member): &(usize, usize)| dependencies.work(hybrid.members[member].name());
            situation.work = missing.iter().map(work).sum();
            let mut members: Vec<usize> = missing.iter().map(|(_, member)| *member).collect();
            members.sort_unstable();
            members.dedup();
            let names: Vec<&str> = members.iter().map(|&member| hybrid.members[member].name()).collect();
            situation.benefit = dependencies.benefit(&names).map(|benefit| benefit.ratio);
        }
        let remote = |remote: &Option<Arc<dyn super::Remote<I>>>| match remote {
            None => Some(Infeasible::Absent),
            Some(remote) => (!remote.is_ready()).then_some(Infeasible::Unwell),
        };
        let load = hybrid.lane.load();
        situation.busy = load.queued > 0;
        situation.masks = Masks {
            parallel_cpu: (load.room < missing.len()).then_some(Infeasible::Full),
            parallel_gpu: remote(&hybrid.accelerator),
            distributed: remote(&hybrid.remote),
        };
        let draw = hybrid.draws.fetch_add(1, Ordering::Relaxed);
        locked(&hybrid.selector).choose(&situation, draw)
    }

    /// Takes what became of asking a source.
    pub(super) fn take(
        &mut self,
        item: usize,
        member: usize,
        answer: Result<Cached<Reply>, SourceError>,
        way: Way,
        took: Option<Duration>,
    ) -> Result<()> {
        let (hybrid, now) = (self.hybrid, self.hybrid.now());
        let (item, source) = (&mut self.items[item], &hybrid.members[member]);
        let read = |cached: Cached<Reply>| Ok((cached.value.opinion.probabilities(hybrid.classes)?, cached));
        let (row, cached) = match answer.and_then(read) {
            Ok(read) => read,
            Err(error) => {
                item.states[member] = State::Failed(error, took);
                return Ok(());
            }
        };
        let spent = if cached.origin == Origin::Made { cached.value.cost } else { Cost::default() };
        item.cost += spent;
        item.worth += cached.value.cost;
        item.expiry = Some(item.expiry.map_or(cached.expiry, |expiry| expiry.min(cached.expiry)));
        item.states[member] = if cached.origin == Origin::Made { State::Made(took) } else { State::Held };
        if let Some(opinion) = row {
            item.votes.push((Arc::clone(&source.version.name), likeliest(&opinion) as u32));
            let said = Said { generation: 0, at: now.saturating_sub(cached.age), weight: source.weight, opinion };
            item.heard.insert(source.name(), said, HeardBy { way, cost: spent })?;
        }
        Ok(())
    }

    /// Makes the answers, keeps them, and learns from how it went. `led` is the arm that led to them.
    pub(super) async fn conclude(mut self, choice: Arc<Choice>, led: Arm) -> Result<Vec<Result<Answer>>> {
        let hybrid = self.hybrid;
        let mut in_time = true;
        for state in self.items.iter_mut().flat_map(|item| &mut item.states) {
            if matches!(state, State::Missing) {
                let after = self.began.elapsed();
                *state = State::Failed(SourceError::TimedOut { after }, None);
                in_time = false;
            }
        }
        let mut made = Vec::with_capacity(self.items.len());
        for item in &self.items {
            made.push(self.fused(item).await);
        }
        let latency = self.began.elapsed();
        // An arm that did not come to everybody by the deadline was no quicker for it.
        let success = in_time && led == choice.arm && made.iter().any(Result::is_ok);
        let record = self.learn(&choice, success, latency, &made)?;
        let answers = self.items.into_iter().zip(made).map(|(item, made)| {
            let (fused, age) = made?;
            let failed = item.states.into_iter().zip(&hybrid.members).filter_map(|(state, member)| match state {
                State::Failed(error, _) => Some((Arc::clone(&member.version.name), error)),
                _ => None,
            });
            let (choice, cost, class) = (Arc::clone(&choice), item.cost, Arc::clone(&self.traits.class));
            let failed = failed.collect();
            Ok(Answer { fused, age, failed, class, choice, cost, latency, record })
        });
        Ok(answers.collect())
    }

    /// The answer to one question, and how long ago it was made.
    async fn fused(&self, item: &Item<I>) -> Result<(Arc<Fused>, Duration)> {
        let hybrid = self.hybrid;
        if let Some(kept) = &item.kept {
            return Ok((Arc::clone(&kept.value), kept.age));
        }
        if item.votes.is_empty() {
            let cause = |(state, member): (&State, &super::Member<I>)| match state {
                State::Failed(error, _) => (member.name().to_owned(), error.clone()),
                _ => (member.name().to_owned(), SourceError::Abstained),
            };
            let causes = item.states.iter().zip(&hybrid.members).map(cause).collect();
            return Err(RequestError::NothingArrived { causes }.into());
        }
        let answer = hybrid.aggregator.answer(&item.heard, hybrid.now()).await?;
        let fused = Fused {
            posterior: answer.posterior,
            decision: answer.decision,
            agreement: answer.agreement,
            provenance: answer.provenance,
            votes: item.votes.clone(),
        };
        let is_whole = item.states.iter().all(|state| matches!(state, State::Held | State::Made(_)));
        if let Some(expiry) = item.expiry.filter(|_| is_whole) {
            let made = Made { value: fused.clone(), cost: item.worth, expiry };
            hybrid.cache.insert_posterior(&item.key, made, self.began.elapsed());
        }
        Ok((Arc::new(fused), Duration::ZERO))
    }

    /// Learns from how it went; the number of the record.
    fn learn(
        &self,
        choice: &Choice,
        success: bool,
        latency: Duration,
        made: &[Result<(Arc<Fused>, Duration)>],
    ) -> Result<u64> {
        let hybrid = self.hybrid;
        locked(&hybrid.selector).update(choice, &Outcome { success, latency, correctness: None })?;
        let (mut hits, mut misses, mut expired) = (0_u32, 0_u32, 0_u32);
        {
            let mut dependencies = locked(&hybrid.dependencies);
            for item in &self.items {
                if item.kept.is_some() {
                    hits = hits.saturating_add(hybrid.members.len() as u32);
                    continue;
                }
                for state in &item.states {
                    let count = if matches!(state, State::Held) { &mut hits } else { &mut misses };
                    *count = count.saturating_add(1);
                }
                // Of some, another request may have been given a new one first.
                let missed = item.expired.iter().filter(|&&member| !matches!(item.states[member], State::Held)).count();
                expired = expired.saturating_add(missed as u32);
                // Of those whose turn did not come, nothing was seen.
                let part = |(state, member): (&State, &'a super::Member<I>)| {
                    let (held, work) = match state {
                        State::Held => (true, None),
                        State::Made(took) => (false, *took),
                        State::Failed(_, Some(took)) => (false, Some(*took)),
                        State::Missing | State::Failed(_, None) => return None,
                    };
                    Some(Part { source: member.name(), held, work, bytes: opinion_bytes(hybrid.classes) })
                };
                let parts: Vec<Part<'_>> = item.states.iter().zip(&hybrid.members).filter_map(part).collect();
                if !parts.is_empty() {
                    // Of a batch, the time is that of all its questions.
                    let wall = self.wall.filter(|_| self.items.len() == 1);
                    dependencies.observe(&parts, wall)?;
                }
            }
        }
        let class = {
            let mut names = locked(&hybrid.class_names);
            let known = names.iter().position(|name| *name == self.traits.class);
            let is_room = names.len() < hybrid.options.dependencies.classes;
            if known.is_none() && is_room {
                names.push(Arc::clone(&self.traits.class));
            }
            known.unwrap_or(if is_room { names.len() - 1 } else { usize::MAX })
        };
        let agreement = made.iter().flatten().map(|(fused, _)| fused.agreement.agreement() as f32);
        let count = made.iter().flatten().count();
        let agreement = (count > 0).then(|| (agreement.sum::<f32>() / count as f32).clamp(0.0, 1.0));
        let record = Record {
            hits,
            misses,
            expired,
            estimate: choice.estimate,
            cost: self.items.iter().map(|item| item.cost).sum(),
            agreement,
            success,
            ..Record::new(u32::try_from(class).unwrap_or(u32::MAX), choice.arm, latency)
        };
        locked(&hybrid.history).record(record)
    }
}

impl<I: ?Sized + Send + Sync + 'static> Item<I> {
    fn new(hybrid: &Hybrid<I>, question: Arc<I>) -> Result<Self> {
        let input = (hybrid.input)(&question)?;
        Ok(Self {
            key: hybrid.cache.posterior_key(&input, &hybrid.combination),
            question,
            input,
            kept: None,
            heard: Heard::new(hybrid.classes)?,
            votes: Vec::new(),
            keys: Vec::new(),
            states: Vec::new(),
            expired: Vec::new(),
            cost: Cost::default(),
            worth: Cost::default(),
            expiry: None,
        })
    }
}

/// What an opinion takes in the cache, about.
fn opinion_bytes(classes: usize) -> u64 {
    (size_of::<Reply>() + classes * size_of::<f32>()) as u64
}
