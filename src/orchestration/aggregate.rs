//! One answer of what was heard of sources by different ways and at different times.

mod aged;
mod agreement;
mod answer;
mod heard;
mod way;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use self::aged::{Left, aged, weights};
pub use self::agreement::Agreement;
pub use self::answer::{Answer, Provenance};
pub use self::heard::Heard;
pub use self::way::{Origin, Way};
use crate::error::{LengthError, PartialError, RequestError, Result};
use crate::methods::calibration::posterior;
use crate::methods::partial::{Pool, Said};
use crate::orchestration::Opinion;
use crate::orchestration::distribution::likeliest;
use crate::orchestration::fuse::{Case, Fuser, Verdict};
use crate::spec::Fusion;
use crate::tensor::{Output, Outputs};

/// Makes one answer of what was [`Heard`] of sources, by whichever ways: no source counts twice, and what is old counts for
/// less.
///
/// An opinion's weight is halved for every half-life of its source that has passed since it was given. Where a rule needs
/// sums alone, these give the answer at once, with the same bits in whatever parts and order the opinions came. Any other
/// fusion is carried out by a [`Fuser`] on the opinions in the order of its sources, those that were not heard missing; its
/// weights, reliabilities or exponents are multiplied by what is left of each opinion, where weights per class count by
/// their mean. A rule that goes by none of these takes an old opinion for as good as a new one until nothing is left of it.
///
/// # Examples
///
/// *One opinion kept for an hour, and one that was just given.*
///
/// ```
/// use std::time::Duration;
///
/// use consilience::orchestration::aggregate::{Aggregator, Heard, Origin, Way};
/// use consilience::orchestration::Cost;
/// use consilience::partial::{Pool, Said};
///
/// let hour = Duration::from_secs(3600);
/// let sources = [("cat", Some(hour)), ("dog", None)];
/// let aggregator = Aggregator::of_sums(Pool::Linear, None, 2, sources)?;
///
/// let mut heard = Heard::new(2)?;
/// heard.insert("cat", Said::now(&[1.0, 0.0]), Origin::CACHE)?;
/// let live = Said { at: hour, ..Said::now(&[0.25, 0.75]) };
/// heard.insert("dog", live, Origin { way: Way::Parallel, cost: Cost::CALL })?;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let answer = aggregator.answer(&heard, hour).await?;
/// assert_eq!((answer.posterior, answer.decision), (vec![0.5, 0.5], 0));
/// assert_eq!(answer.provenance[0].weight, 1.0 / 3.0);
/// assert_eq!((answer.provenance[1].origin.way, answer.provenance[1].origin.cost.calls), (Way::Parallel, 1));
/// # Ok::<(), consilience::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Aggregator {
    classes: usize,
    /// By their order in the fusion.
    sources: Vec<(String, Option<Duration>)>,
    rule: Rule,
}

#[derive(Debug, Clone)]
enum Rule {
    Sums { pool: Pool, class_prior: Option<Vec<f32>> },
    Fusion { fuser: Fuser, fusion: Arc<Fusion> },
}

impl Aggregator {
    /// By a rule that needs sums alone, with a class prior where it takes one, over opinions of sources by name, each with
    /// its half-life; without one its opinions stay as good as new.
    ///
    /// # Errors
    ///
    /// No class, no source, two of one name, or a prior that is no distribution over the classes.
    pub fn of_sums<N: Into<String>>(
        pool: Pool,
        class_prior: Option<Vec<f32>>,
        classes: usize,
        sources: impl IntoIterator<Item = (N, Option<Duration>)>,
    ) -> Result<Self> {
        if let Some(prior) = &class_prior {
            posterior::check_row(classes, 0, prior)?;
        }
        Self::new(Rule::Sums { pool, class_prior }, classes, sources)
    }

    /// By any fusion, whose sources these are, in this order. Posterior and decision are asked of it beside its own outputs.
    ///
    /// # Errors
    ///
    /// No class, no source, or two of one name.
    pub fn of_fusion<N: Into<String>>(
        fuser: Fuser,
        mut fusion: Fusion,
        classes: usize,
        sources: impl IntoIterator<Item = (N, Option<Duration>)>,
    ) -> Result<Self> {
        let outputs: Vec<Output> = fusion.outputs.iter().chain([Output::Posterior, Output::Decision]).collect();
        fusion.outputs = Outputs::of(&outputs);
        Self::new(Rule::Fusion { fuser, fusion: Arc::new(fusion) }, classes, sources)
    }

    fn new<N: Into<String>>(
        rule: Rule,
        classes: usize,
        sources: impl IntoIterator<Item = (N, Option<Duration>)>,
    ) -> Result<Self> {
        // It refuses no class.
        Heard::new(classes)?;
        let mut held: Vec<(String, Option<Duration>)> = Vec::new();
        for (name, half_life) in sources {
            let name = name.into();
            if held.iter().any(|(other, _)| *other == name) {
                return Err(RequestError::DuplicateName { what: "sources", name }.into());
            }
            held.push((name, half_life));
        }
        if held.is_empty() {
            return Err(RequestError::NoSources.into());
        }
        Ok(Self { classes, sources: held, rule })
    }

    /// The answer by now, a time since when all times are counted. Nothing is waited for but a fuser's batcher.
    ///
    /// # Errors
    ///
    /// Another number of classes, a source that is none of these, nothing heard of which anything is left, more weight than
    /// sums hold, or the fuser's own error.
    pub async fn answer(&self, heard: &Heard, now: Duration) -> Result<Answer> {
        let gathered = heard.gathered();
        LengthError::check("the classes of what was heard", self.classes, gathered.classes())?;
        let half_lives: BTreeMap<&str, _> = self.sources.iter().map(|(name, life)| (name.as_str(), *life)).collect();
        if let Some((name, _)) = gathered.said().find(|(name, _)| !half_lives.contains_key(name.as_str())) {
            let known = half_lives.keys().copied().collect::<Vec<_>>().join(", ");
            return Err(RequestError::UnknownName { what: "source", name: name.clone(), known }.into());
        }
        let half_life = |name: &String| half_lives.get(name.as_str()).copied().flatten();
        let left: BTreeMap<&str, (&Said, f64)> = gathered
            .aged(now, half_life)
            .filter_map(|(name, said, weight)| Some((name.as_str(), (said, weight?))))
            .collect();
        if left.is_empty() {
            return Err(PartialError::Nothing.into());
        }
        let (by_name, posterior, decision, verdict) = match &self.rule {
            Rule::Sums { pool, class_prior } => {
                let sums = gathered.sums_at(*pool, now, half_life)?;
                let prior = class_prior.as_deref();
                let weights = left.iter().map(|(&name, &(_, weight))| (name, weight)).collect();
                (weights, sums.posterior(prior)?, sums.decision(prior)?, None)
            }
            Rule::Fusion { fuser, fusion } => {
                let (weights, verdict) = self.fused(fuser, fusion, &left).await?;
                let posterior = verdict.posterior.clone();
                let decision = verdict.decision.map_or_else(|| likeliest(&posterior), |decision| decision as usize);
                (weights, posterior, decision, Some(verdict))
            }
        };
        let opinions: Vec<_> = left
            .iter()
            .map(|(name, (said, _))| (by_name.get(name).copied().unwrap_or(0.0), &said.opinion[..]))
            .collect();
        let agreement = Agreement::of(&opinions, decision);
        let whole: f64 = by_name.values().sum();
        let part = |name: &str| by_name.get(name).map_or(0.0, |weight| if whole > 0.0 { weight / whole } else { 0.0 });
        let provenance = |(name, said): (&String, &Said)| {
            Some(Provenance {
                source: name.clone(),
                origin: heard.origin(name)?,
                generation: said.generation,
                age: now.saturating_sub(said.at),
                weight: part(name),
            })
        };
        let provenance = gathered.said().filter_map(provenance).collect();
        Ok(Answer { posterior, decision, agreement, provenance, verdict })
    }

    /// The verdict, and what each source weighs in it.
    async fn fused<'a>(
        &self,
        fuser: &Fuser,
        fusion: &Arc<Fusion>,
        left: &BTreeMap<&'a str, (&Said, f64)>,
    ) -> Result<(BTreeMap<&'a str, f64>, Verdict)> {
        let of = |name: &String| left.get_key_value(name.as_str());
        let opinions: Vec<Left<'_>> = self
            .sources
            .iter()
            .map(|(name, _)| of(name).map(|(_, (said, weight))| (*weight, &said.opinion[..])))
            .collect();
        let weights = weights(fusion, &opinions)?;
        let rows = opinions.iter().map(|left| left.map(|(_, row)| Opinion::Probabilities(row.to_vec()))).collect();
        let case = Case::new(aged(fusion, &opinions, &weights), self.classes, rows)?;
        let names = self.sources.iter().zip(weights);
        let by_name = names.filter_map(|((name, _), weight)| Some((*of(name)?.0, weight))).collect();
        Ok((by_name, fuser.fuse(case).await?))
    }
}
