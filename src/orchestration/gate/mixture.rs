//! The experts behind a gate, as one source.

use std::fmt;
use std::sync::Arc;

use futures_util::future::{BoxFuture, join_all};

use super::{Chosen, Gate, Score};
use crate::error::{Error, ErrorKind, RequestError, Result, SourceError};
use crate::orchestration::distribution::mean;
use crate::orchestration::source::{Answer, Question, Reply, Source, ask};
use crate::orchestration::{Cost, Opinion};

/// How sure each expert is to know the answer to a question, those left out not being candidates.
type Scores<I> = dyn for<'a> Fn(&'a I) -> Vec<Score<'a>> + Send + Sync;

/// A mixture of experts as a source: the gate chooses, those chosen are asked at once, and the opinion is the mean of
/// theirs by the gate's weights.
///
/// An expert that fails, abstains or gives no valid opinion is left out and the weights of the others take its place; one
/// that is not done is waited for until the question's deadline. A permit is held for as long as its expert is asked. The
/// words are those of the expert with the greatest weight that has any. Where all chosen abstain, so does the mixture.
///
/// As a source it fails as [`SourceError::Busy`] where the gate has no room, and as [`RequestError::NothingArrived`] with
/// each expert's cause where none of those chosen answered.
///
/// # Examples
///
/// *A question of law, which two of three experts are asked.*
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use consilience::orchestration::gate::{Expert, Mixture, Score};
/// use consilience::orchestration::{Gate, Opinion, Question, Source, source};
/// use tokio::time::Instant;
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let expert = |name: &str, p: f32| -> Arc<dyn Source<str>> {
///     Arc::new(source::of(name, move |_: Question<str>| async move { Ok(Opinion::Binary(p).into()) }))
/// };
/// let gate = Gate::new(["law", "medicine", "music"].map(Expert::new), Default::default())?;
/// let experts = vec![expert("law", 1.0), expert("medicine", 0.25), expert("music", 0.5)];
/// let experts = Mixture::new("experts", gate, experts, |question: &str| {
///     let law = if question.contains("contract") { 0.5 } else { 0.125 };
///     vec![Score::new("law", law), Score::new("medicine", 0.25), Score::new("music", 0.125)]
/// })?;
/// let deadline = Instant::now() + Duration::from_secs(1);
/// let reply = experts.ask(Question::new(Arc::from("Does the contract bind?"), 2, deadline)).await?;
/// assert_eq!(reply.opinion, Opinion::Probabilities(vec![0.75, 0.25]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Mixture<I: ?Sized> {
    name: String,
    gate: Gate,
    /// In the order of the gate's.
    experts: Vec<Arc<dyn Source<I>>>,
    scores: Box<Scores<I>>,
}

impl<I: ?Sized + Send + Sync + 'static> Mixture<I> {
    /// The experts behind a gate, one source of the same name for each, and what scores them: experts left out are not
    /// candidates. A closure is best written where it is passed, which tells the compiler that scores borrow the question.
    ///
    /// # Errors
    ///
    /// A source whose name is no expert's, an expert without a source or with two.
    pub fn new(
        name: impl Into<String>,
        gate: Gate,
        experts: Vec<Arc<dyn Source<I>>>,
        scores: impl for<'a> Fn(&'a I) -> Vec<Score<'a>> + Send + Sync + 'static,
    ) -> Result<Self> {
        let mut placed: Vec<Option<Arc<dyn Source<I>>>> = gate.names().map(|_| None).collect();
        for source in experts {
            let place = &mut placed[gate.place(source.name())?];
            if place.is_some() {
                return Err(RequestError::DuplicateName { what: "sources", name: source.name().to_owned() }.into());
            }
            *place = Some(source);
        }
        let named = |there| gate.names().zip(&placed).filter(move |(_, source)| source.is_some() == there);
        if let Some((missing, _)) = named(false).next() {
            let known = named(true).map(|(name, _)| name).collect::<Vec<_>>().join(", ");
            return Err(RequestError::UnknownName { what: "source", name: missing.to_owned(), known }.into());
        }
        let experts = placed.into_iter().flatten().collect();
        Ok(Self { name: name.into(), gate, experts, scores: Box::new(scores) })
    }

    /// The gate.
    #[must_use]
    pub const fn gate(&self) -> &Gate {
        &self.gate
    }

    async fn answer(&self, question: Question<I>) -> Result<Reply, SourceError> {
        let selection = self.gate.choose(&(self.scores)(&question.input)).map_err(refused)?;
        let answers = join_all(selection.chosen.into_iter().map(|chosen| self.ask_one(chosen, &question))).await;
        let mut causes = Vec::new();
        let mut given: Vec<(f64, Reply, Vec<f32>)> = Vec::new();
        for Asked { name, weight, answer } in answers {
            match answer {
                Ok((reply, Some(row))) => given.push((weight, reply, row)),
                Ok((_, None)) => causes.push((name, SourceError::Abstained)),
                Err(cause) => causes.push((name, cause)),
            }
        }
        if given.is_empty() {
            if causes.iter().all(|(_, cause)| matches!(cause, SourceError::Abstained)) {
                return Ok(Reply::from(Opinion::Abstained).cost(question.spent()));
            }
            return Err(SourceError::caused_by(Error::from(RequestError::NothingArrived { causes })));
        }
        given.sort_by(|(a, ..), (b, ..)| b.total_cmp(a));
        let rows = given.iter().map(|(weight, _, row)| (*weight, &row[..]));
        let opinion = Opinion::Probabilities(mean(rows, question.classes));
        let content = given.into_iter().find_map(|(_, reply, _)| reply.content);
        Ok(Reply { opinion, content, cost: question.spent() })
    }

    /// One of those chosen, who keeps its place until it has answered.
    async fn ask_one(&self, chosen: Chosen, question: &Question<I>) -> Asked {
        let Chosen { weight, permit, place, .. } = chosen;
        let expert = &self.experts[place];
        let mut own = Question::new(Arc::clone(&question.input), question.classes, question.deadline);
        (own.attempt, own.peers) = (question.attempt, Arc::clone(&question.peers));
        own.meter = question.meter.begin_call();
        let answer = ask(Arc::clone(expert), own).await;
        drop(permit);
        Asked { name: expert.name().to_owned(), weight, answer }
    }
}

/// What became of asking one expert.
struct Asked {
    name: String,
    weight: f64,
    answer: Answer,
}

impl<I: ?Sized + Send + Sync + 'static> Source<I> for Mixture<I> {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask(&self, question: Question<I>) -> BoxFuture<'_, Result<Reply, SourceError>> {
        Box::pin(self.answer(question))
    }

    /// The dearest experts that may be chosen together.
    fn expected_cost(&self) -> Cost {
        let mut costs: Vec<Cost> = self.experts.iter().map(|expert| expert.expected_cost()).collect();
        costs.sort_by_key(|cost| std::cmp::Reverse((cost.micros, cost.tokens_in + cost.tokens_out, cost.calls)));
        costs.into_iter().take(self.gate.options().k).sum()
    }

    fn may_be_asked_twice(&self) -> bool {
        self.experts.iter().all(|expert| expert.may_be_asked_twice())
    }
}

impl<I: ?Sized> fmt::Debug for Mixture<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mixture").field("name", &self.name).field("gate", &self.gate).finish_non_exhaustive()
    }
}

/// Why the gate chose nobody.
fn refused(error: Error) -> SourceError {
    match error.kind() {
        ErrorKind::Request(RequestError::Full { retry_after, .. }) => {
            SourceError::Busy { retry_after: Some(*retry_after) }
        }
        _ => SourceError::caused_by(error),
    }
}
