//! The arms: one after another, side by side, elsewhere.

use std::future::Future;
use std::iter;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::time::{Instant, timeout_at};

use super::request::Request;
use super::{Batch, Hybrid, Remote};
use crate::error::{LengthError, Result, SourceError};
use crate::orchestration::aggregate::Way;
use crate::orchestration::cache::{Cached, OpinionKey, Origin, Saved};
use crate::orchestration::selector::{Arm, Choice};
use crate::orchestration::{Question, Reply, source};

impl<I: ?Sized + Send + Sync + 'static> Hybrid<I> {
    /// One call of a source, by its deadline and with a valid opinion, as the cache makes it.
    pub(super) fn asking(
        &self,
        question: Arc<I>,
        member: usize,
        deadline: Instant,
    ) -> impl FnOnce() -> futures_util::future::BoxFuture<'static, Result<Reply, SourceError>> + Send + use<I> {
        let asked = Arc::clone(&self.members[member].source);
        let question = Question::new(question, self.classes, deadline);
        move || Box::pin(async move { source::ask(asked, question).await.map(|(reply, _)| reply) })
    }

    /// An opinion from the cache, from whoever is asking for it already, or from the source.
    fn opinion(
        &self,
        key: OpinionKey,
        question: Arc<I>,
        member: usize,
        deadline: Instant,
    ) -> impl Future<Output = Result<Cached<Reply>, SourceError>> + Send + use<I> {
        let (cache, ask) = (Arc::clone(&self.cache), self.asking(question, member, deadline));
        async move {
            let began = Instant::now();
            let answer = timeout_at(deadline, cache.opinion_or_ask(&key, ask)).await;
            answer.unwrap_or_else(|_| Err(SourceError::TimedOut { after: began.elapsed() }))
        }
    }
}

impl<I: ?Sized + Send + Sync + 'static> Request<'_, I> {
    /// Takes the arm, and what is to be taken instead as long as that cannot be; answers which led to an end.
    pub(super) async fn carry_out(&mut self, choice: &Choice) -> Result<Arm> {
        if self.missing().is_empty() {
            return Ok(choice.arm);
        }
        for arm in iter::once(choice.arm).chain(choice.fallbacks.iter().copied()) {
            let carried = match arm {
                Arm::Cache => false,
                Arm::Sequential => {
                    self.sequentially().await?;
                    true
                }
                Arm::ParallelCpu => self.side_by_side().await?,
                Arm::ParallelGpu => self.elsewhere(self.hybrid.accelerator.clone(), Way::Parallel).await?,
                Arm::Distributed => self.elsewhere(self.hybrid.remote.clone(), Way::Distributed).await?,
            };
            if carried || Instant::now() >= self.deadline {
                return Ok(arm);
            }
        }
        Ok(Arm::Sequential)
    }

    async fn sequentially(&mut self) -> Result<()> {
        for (item, member) in self.missing() {
            let began = Instant::now();
            if began >= self.deadline {
                break;
            }
            let question = Arc::clone(&self.items[item].question);
            let answer =
                self.hybrid.opinion(self.items[item].keys[member].clone(), question, member, self.deadline).await;
            self.take(item, member, answer, Way::Sequential, Some(began.elapsed()))?;
        }
        Ok(())
    }

    /// Whether all was asked: the lane may have no room after all.
    async fn side_by_side(&mut self) -> Result<bool> {
        let (began, missing) = (Instant::now(), self.missing());
        let mut tickets = Vec::with_capacity(missing.len());
        for (item, member) in missing {
            let question = Arc::clone(&self.items[item].question);
            let opinion = self.hybrid.opinion(self.items[item].keys[member].clone(), question, member, self.deadline);
            let timed = async move {
                let began = Instant::now();
                (opinion.await, began.elapsed())
            };
            match self.hybrid.lane.submit(self.hybrid.options.priority, timed) {
                Ok(ticket) => tickets.push((item, member, ticket)),
                // Those that were taken are waited for, and the rest is left to the next arm.
                Err(_) => break,
            }
        }
        let deadline = self.deadline;
        let answers = join_all(
            tickets
                .into_iter()
                .map(|(item, member, ticket)| async move { (item, member, timeout_at(deadline, ticket).await) }),
        );
        let mut all_own = true;
        for (item, member, answer) in answers.await {
            // One that waited in the lane until the deadline, or was turned away, is still missing.
            if let Ok(Ok((answer, took))) = answer {
                all_own &= answer.as_ref().is_ok_and(|cached| cached.origin == Origin::Made);
                self.take(item, member, answer, Way::Parallel, Some(took))?;
            }
        }
        self.wall = all_own.then(|| began.elapsed());
        Ok(self.missing().is_empty())
    }

    /// Whether the batch was carried out.
    async fn elsewhere(&mut self, remote: Option<Arc<dyn Remote<I>>>, way: Way) -> Result<bool> {
        let Some(remote) = remote else { return Ok(false) };
        let (began, missing) = (Instant::now(), self.missing());
        let question = |&(item, member): &(usize, usize)| {
            (Arc::clone(&self.hybrid.members[member].version.name), Arc::clone(&self.items[item].question))
        };
        let questions = missing.iter().map(question).collect();
        let batch = Batch { questions, classes: self.hybrid.classes, deadline: self.deadline };
        let Ok(Ok(replies)) = timeout_at(self.deadline, remote.carry_out(batch)).await else { return Ok(false) };
        LengthError::check("the answers to a batch", missing.len(), replies.len())?;
        let took = began.elapsed();
        for ((item, member), reply) in missing.into_iter().zip(replies) {
            let valid = reply.and_then(|reply| reply.opinion.probabilities(self.hybrid.classes).map(|_| reply));
            let answer = valid.map(|reply| {
                let key = &self.items[item].keys[member];
                let expiry = self.hybrid.cache.insert_opinion(key, reply.clone(), took);
                let (value, age) = (Arc::new(reply), std::time::Duration::ZERO);
                Cached { value, origin: Origin::Made, age, expiry, saved: Saved::default() }
            });
            // How long one of them takes by itself is not known.
            self.take(item, member, answer, way, None)?;
        }
        Ok(true)
    }
}
