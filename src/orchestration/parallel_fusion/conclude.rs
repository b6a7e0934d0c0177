//! From what the sources said to the outcome.

use std::sync::Arc;

use tokio::time::{Instant, timeout_at};
use tracing::Span;

use super::ask::ask;
use super::gather::{Gather, Slot};
use super::outcome::{Fate, Judge, Outcome, Report};
use crate::error::{RequestError, Result, SourceError};
use crate::orchestration::distribution::likeliest;
use crate::orchestration::fuse::Case;
use crate::orchestration::source::{Peer, Question};
use crate::orchestration::stop::Stopped;
use crate::orchestration::weigh::{Said, tempered};
use crate::spec::{Rule, penalised};
use crate::tensor::Flags;

impl<I: ?Sized + Send + Sync> Gather<'_, I> {
    /// What has arrived so far.
    pub(super) fn case(&self) -> Result<Case> {
        let counts = |slot: &Slot| slot.has_answered() || slot.report.fate == Fate::Abstained;
        let opinion = |slot: &Slot| slot.report.opinion.clone().filter(|_| counts(slot));
        let opinions = self.slots.iter().map(opinion).collect();
        Case::new(Arc::clone(&self.current.fusion), self.of.classes, opinions)
    }

    /// The outcome, after the meta-learner has been asked where there is one.
    pub(super) async fn conclude(mut self, stopped: Stopped) -> Result<Outcome> {
        if !self.slots.iter().any(Slot::has_answered) && !self.abstaining_counts() {
            let cause = |slot: Slot| (slot.report.name.to_string(), slot.report.error.unwrap_or(SourceError::Closed));
            return Err(RequestError::NothingArrived { causes: self.slots.into_iter().map(cause).collect() }.into());
        }
        let verdict = self.of.fuser.fuse(self.case()?).await?;
        let (mut posterior, mut decision) = (verdict.posterior, verdict.decision.unwrap_or_default());
        let mut confidence = verdict.confidence.unwrap_or_default();
        self.weigh();
        let mut content = self.content(decision as usize);
        let mut flags = verdict.flags.unwrap_or_default();
        if self.slots.iter().any(|slot| slot.mended) {
            flags.0 |= Flags::RENORMALISED.0;
        }
        let mut judge = Judge::Fusion;
        let meta = self.ask_meta_learner().await;
        let mut reports: Vec<_> = self.slots.into_iter().map(|slot| slot.report).collect();
        if let Some((report, row)) = meta {
            judge = Judge::Fallback;
            if report.fate == Fate::Answered {
                judge = Judge::MetaLearner;
                let best = likeliest(&row);
                (decision, confidence, posterior) = (best as u32, row[best], row);
                content = report.content.clone().or(content);
            }
            reports.push(report);
        }
        let failures = reports.iter().filter(|report| report.fate.is_failure()).count();
        Ok(Outcome {
            confidence: penalised(confidence, failures as u32, self.of.options.penalty),
            cost: self.spent.total(),
            elapsed: self.started.elapsed(),
            disagreement: verdict.disagreement.unwrap_or_default(),
            flags,
            posterior,
            decision,
            content,
            judge,
            stopped,
            reports,
        })
    }

    /// Whether a source abstained, and that says something of the item.
    fn abstaining_counts(&self) -> bool {
        let counts = |rule: &Rule| matches!(rule, Rule::Confusion { .. });
        let rule_counts = match &self.current.fusion.rule {
            Rule::Ensemble(members) => members.iter().any(|member| counts(&member.rule)),
            rule => counts(rule),
        };
        rule_counts && self.slots.iter().any(|slot| slot.report.fate == Fate::Abstained)
    }

    /// Writes into the reports what share each opinion had.
    fn weigh(&mut self) {
        let fusion = &self.current.fusion;
        let row = |(source, slot): (usize, &Slot)| slot.has_answered().then(|| tempered(fusion, source, &slot.row));
        let rows: Vec<_> = self.slots.iter().enumerate().map(row).collect();
        let said = |(slot, p): (&Slot, _)| {
            let (opinion, p): (_, &Vec<f64>) = (slot.report.opinion.as_ref()?, Option::as_ref(p)?);
            Some((opinion.vote(&slot.row), opinion.given_confidence(), p))
        };
        let said: Vec<_> = self.slots.iter().zip(&rows).map(said).collect();
        let said: Vec<_> = said.into_iter().map(|said| said.map(|(vote, given, p)| Said { p, vote, given })).collect();
        let weights = self.current.weigh.normalised(&said, fusion.source_priors.as_deref());
        for (slot, weight) in self.slots.iter_mut().zip(weights) {
            slot.report.weight = weight;
        }
    }

    /// The words of whoever says most for the decision.
    fn content(&self, decision: usize) -> Option<String> {
        let says = |slot: &Slot| slot.report.weight * slot.row.get(decision).copied().unwrap_or_default();
        let with_words = self.slots.iter().filter(|slot| slot.report.content.is_some() && says(slot) > 0.0);
        let most = with_words.reduce(|most, slot| if says(slot) > says(most) { slot } else { most });
        most.and_then(|slot| slot.report.content.clone())
    }

    /// The meta-learner's report, with its opinion as probabilities.
    async fn ask_meta_learner(&self) -> Option<(Report, Vec<f32>)> {
        let (meta, _) = self.of.meta.as_ref()?;
        let peer = |slot: &Slot| {
            let opinion = slot.report.opinion.clone()?;
            Some(Peer { name: Arc::clone(&slot.report.name), opinion, content: slot.report.content.clone() })
        };
        let mut question = Question::new(Arc::clone(&self.input), self.of.classes, self.deadline);
        question.peers = self.slots.iter().filter_map(peer).collect();
        question.meter = self.spent.begin_call();
        let meter = question.meter.clone();
        let asked = Instant::now();
        let call = self.request.map(|request| request.ask(meta.name()));
        let span = call.as_ref().map_or_else(Span::none, |call| call.span().clone());
        let answer = timeout_at(self.deadline, ask(&**meta, 0, question, span)).await;
        let after = asked.elapsed();
        let reply = answer.map_or(Err(SourceError::TimedOut { after }), |ended| ended.reply);
        let mut report = Report { latency: after, ..Report::unanswered(Arc::from(meta.name())) };
        let mut row = vec![0.0; self.of.classes];
        report.take(reply, &mut row, self.current.fusion.on_invalid);
        report.cost = meter.total();
        if let Some(call) = call {
            call.finish(report.fate);
        }
        Some((report, row))
    }
}
