//! The rules that need sums alone.

use serde::{Deserialize, Serialize};

use super::fixed::{ONE, add, exp, fixed, ln};
use super::gathered::MOST_WEIGHT;
use crate::error::PartialError;
use crate::kernel::fusion::pool::{PRIOR_FLOOR, TIE};
use crate::methods::calibration::posterior;
use crate::spec::{BeliefFusion, Conflict, LOG_FLOOR, Rule};

/// A rule that needs sums alone, over opinions with a weight and, where it is given, a confidence each; [`Rule`] has the
/// formulas. Source priors are factors of the weights. Where no weight is above zero all count alike, and so do confidences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Pool {
    /// The weighted average.
    Linear,
    /// The weighted majority vote: an opinion votes for its likeliest class, the lowest of equals.
    Vote,
    /// The most confident of those that weigh anything; of several, their weighted average.
    MaxVote,
    /// The average weighted by weight and confidence.
    BayesianAverage,
    /// The weighted geometric mean.
    LogPool,
    /// The product of experts, each to the power of its weight, with the class prior counted once.
    Evidence,
    /// The product of likelihoods, which need not sum to one, each to the power of its weight, and of the class prior: opinions
    /// are rows of [`Rule::Confusion`], ln theta of what was said for each true class.
    Confusion,
    /// Dempster's rule, or Yager's. Weights are reliabilities, at most 1.
    DempsterShafer(Conflict),
    /// Fusion of subjective-logic opinions. Weights are reliabilities, at most 1.
    Belief(BeliefFusion),
    /// `Linear`, `Vote` and `BayesianAverage` in equal parts.
    Ensemble,
}

/// What is summed up over opinions p_n.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Term {
    /// w p and w.
    Average,
    /// The same of the likeliest class alone.
    Vote,
    /// w p and w of those with the largest confidence.
    Loudest,
    /// w c p and w c.
    Confident,
    /// w ln p and w, of at least one weight above zero.
    Logarithm,
    /// w ln p and w.
    Product,
    /// ln (a p + 1 - a) and ln (1 - a).
    Mass,
    /// t p, t, and what is counted of the prior.
    Belief(BeliefFusion),
}

/// What a term holds beside a sum for each class: its rank, the sum of weights, and what is counted of the prior.
const HEAD: usize = 3;

impl Pool {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Linear,
        Self::Vote,
        Self::MaxVote,
        Self::BayesianAverage,
        Self::LogPool,
        Self::Evidence,
        Self::Confusion,
        Self::DempsterShafer(Conflict::Normalise),
        Self::DempsterShafer(Conflict::Ignorance),
        Self::Belief(BeliefFusion::Cumulative),
        Self::Belief(BeliefFusion::Averaging),
        Self::Belief(BeliefFusion::Weighted),
        Self::Ensemble,
    ];

    /// Its name, which is that of the [`Rule`].
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linear => Rule::Linear.name(),
            Self::Vote => Rule::Vote.name(),
            Self::MaxVote => Rule::MaxVote.name(),
            Self::BayesianAverage => Rule::BayesianAverage.name(),
            Self::LogPool => Rule::LogPool.name(),
            Self::Evidence => "evidence",
            Self::Confusion => "confusion",
            Self::DempsterShafer(conflict) => Rule::DempsterShafer { conflict }.name(),
            Self::Belief(belief) => Rule::Belief(belief).name(),
            Self::Ensemble => "ensemble",
        }
    }

    const fn terms(self) -> &'static [Term] {
        match self {
            Self::Linear => &[Term::Average],
            // Equal votes are decided by the average.
            Self::Vote => &[Term::Vote, Term::Average],
            Self::MaxVote => &[Term::Loudest],
            Self::BayesianAverage => &[Term::Confident],
            Self::LogPool => &[Term::Logarithm],
            Self::Evidence | Self::Confusion => &[Term::Product],
            Self::DempsterShafer(_) => &[Term::Mass],
            Self::Belief(BeliefFusion::Cumulative) => &[Term::Belief(BeliefFusion::Cumulative)],
            Self::Belief(BeliefFusion::Averaging) => &[Term::Belief(BeliefFusion::Averaging)],
            Self::Belief(BeliefFusion::Weighted) => &[Term::Belief(BeliefFusion::Weighted)],
            Self::Ensemble => &[Term::Average, Term::Vote, Term::Confident],
        }
    }

    /// Whether it takes the class prior.
    #[must_use]
    pub const fn takes_prior(self) -> bool {
        matches!(self, Self::Evidence | Self::Confusion | Self::DempsterShafer(_) | Self::Belief(_))
    }

    /// Whether the confidence that a source gives counts.
    #[must_use]
    pub const fn takes_confidence(self) -> bool {
        matches!(self, Self::MaxVote | Self::BayesianAverage | Self::Ensemble)
    }

    /// Whether weights are reliabilities, at most 1.
    #[must_use]
    pub const fn takes_reliability(self) -> bool {
        matches!(self, Self::DempsterShafer(_) | Self::Belief(_))
    }

    /// The largest weight.
    pub(crate) const fn most_weight(self) -> f32 {
        if self.takes_reliability() { 1.0 } else { MOST_WEIGHT }
    }

    /// Whether [`Pool::write`] takes logarithms.
    pub(crate) fn takes_logs(self) -> bool {
        self.terms().iter().any(|term| matches!(term, Term::Logarithm | Term::Product))
    }

    /// How many integers its sums are.
    pub(crate) const fn width(self, classes: usize) -> usize {
        self.terms().len() * (HEAD + classes)
    }

    /// Over how many classes sums of this width are.
    #[cfg(feature = "datafusion")]
    pub(crate) const fn classes(self, width: usize) -> usize {
        width / self.terms().len() - HEAD
    }

    /// Writes the sums of one opinion, of a weight within its range. `logs` are [`log_all`] of it, where the rule
    /// [takes them](Pool::takes_logs).
    #[inline(always)]
    pub(crate) fn write(self, opinion: &[f32], logs: &[f64], weight: f64, confidence: Option<f32>, sums: &mut [i64]) {
        for (term, sums) in self.terms().iter().zip(sums.chunks_exact_mut(HEAD + opinion.len())) {
            term.write(opinion, logs, weight, confidence, sums);
        }
    }

    /// Adds sums of other sources to these.
    #[inline(always)]
    pub(crate) fn merge(self, sums: &mut [i64], other: &[i64]) -> Result<(), PartialError> {
        let each = sums.len() / self.terms().len();
        for (sums, other) in sums.chunks_exact_mut(each).zip(other.chunks_exact(each)) {
            // What outranks others stands alone.
            if other[0] == sums[0] {
                add(&mut sums[1..], &other[1..])?;
            } else if other[0] > sums[0] {
                sums.copy_from_slice(other);
            }
        }
        Ok(())
    }

    /// Whether nobody is in the sums.
    #[cfg(feature = "datafusion")]
    pub(crate) fn is_nothing(sums: &[i64]) -> bool {
        sums[0] == 0
    }

    /// Adds the posterior to zeros, unless nobody is in the sums.
    pub(crate) fn posterior(self, sums: &[i64], class_prior: Option<&[f32]>, posterior: &mut [f64]) {
        let terms = self.terms();
        // Of a vote's two terms the second decides between equals.
        let counted = if self == Self::Vote { 1 } else { terms.len() };
        let each = HEAD + posterior.len();
        for sums in sums.chunks_exact(each).take(counted) {
            let weight = sums[1] as f64 / ONE;
            let parts = || sums[HEAD..].iter().map(|&sum| sum as f64 / ONE);
            let uniform = 1.0 / posterior.len() as f64;
            let prior = |class: usize| class_prior.map_or(uniform, |prior| f64::from(prior[class]));
            let log_prior = |class| ln(f64::max(prior(class), f64::from(PRIOR_FLOOR)));
            match self {
                Self::LogPool => softmax(posterior, parts().map(|sum| sum / weight)),
                Self::Evidence => {
                    softmax(posterior, parts().enumerate().map(|(class, sum)| sum + (1.0 - weight) * log_prior(class)))
                }
                Self::Confusion => {
                    softmax(posterior, parts().enumerate().map(|(class, sum)| sum + log_prior(class)));
                }
                Self::DempsterShafer(conflict) => {
                    // Only ratios count with Dempster's rule, which keeps the largest from vanishing.
                    let most = match conflict {
                        Conflict::Normalise => parts().fold(weight, f64::max),
                        Conflict::Ignorance => 0.0,
                    };
                    let open = exp(weight - most);
                    let known: f64 = parts().map(|sum| exp(sum - most) - open).sum();
                    let rest = match conflict {
                        Conflict::Normalise => open,
                        Conflict::Ignorance => 1.0 - known,
                    };
                    let parts = parts().enumerate();
                    normalise(posterior, parts.map(|(class, sum)| exp(sum - most) - open + prior(class) * rest));
                }
                Self::Belief(_) => {
                    let base = sums[2] as f64 / ONE + f64::from(u8::from(self == CUMULATIVE));
                    // Whoever cannot be trusted at all leaves the prior.
                    let base = if sums[1] == 0 && base == 0.0 { 1.0 } else { base };
                    normalise(posterior, parts().enumerate().map(|(class, sum)| sum + base * prior(class)));
                }
                _ => normalise(posterior, parts()),
            }
        }
        let whole = 1.0 / counted as f64;
        posterior.iter_mut().for_each(|p| *p *= whole);
    }

    /// The class decided for: the lowest of the largest posterior, but of equal votes the one with the largest average.
    pub(crate) fn decision(self, sums: &[i64], posterior: &[f32]) -> usize {
        let likeliest = posterior::decision(posterior);
        if self != Self::Vote {
            return likeliest;
        }
        let [votes, averages] = [0, 1].map(|term| &sums[term * (HEAD + posterior.len())..][..HEAD + posterior.len()]);
        let apart = f64::from(TIE) * votes[1] as f64;
        let (votes, averages) = (&votes[HEAD..], &averages[HEAD..]);
        let tied = (0..posterior.len()).filter(|&class| (votes[likeliest] - votes[class]) as f64 <= apart);
        tied.reduce(|best, class| if averages[class] > averages[best] { class } else { best }).unwrap_or(likeliest)
    }
}

const CUMULATIVE: Pool = Pool::Belief(BeliefFusion::Cumulative);

/// The least 1 - a of a reliability a: what evidence divides by.
const LEAST_DOUBT: f64 = LOG_FLOOR as f64;

impl Term {
    #[inline(always)]
    fn write(self, opinion: &[f32], logs: &[f64], weight: f64, confidence: Option<f32>, sums: &mut [i64]) {
        let (head, parts) = sums.split_at_mut(HEAD);
        let confidence = || confidence.unwrap_or_else(|| largest(opinion));
        // Whoever weighs nothing counts where all weigh nothing, and is outranked by any other.
        let weighs = weight > 0.0;
        let (mut rank, mut counted, mut base) = (1 + i64::from(weighs), if weighs { weight } else { 1.0 }, 0.0);
        match self {
            Self::Average => scale(parts, opinion, counted),
            Self::Vote => {
                parts.fill(0);
                parts[posterior::decision(opinion)] = fixed(counted);
            }
            Self::Loudest => {
                // Bits of numbers that are not negative are in the order of the numbers.
                rank = (rank << 32) + i64::from(confidence().to_bits());
                scale(parts, opinion, counted);
            }
            Self::Confident => {
                let confidence = f64::from(confidence());
                let tells = confidence > 0.0;
                rank = 2 * rank + i64::from(tells);
                counted *= if tells { confidence } else { 1.0 };
                scale(parts, opinion, counted);
            }
            Self::Logarithm => parts.iter_mut().zip(logs).for_each(|(part, log)| *part = fixed(counted * log)),
            Self::Product => {
                (rank, counted) = (1, weight);
                parts.iter_mut().zip(logs).for_each(|(part, log)| *part = fixed(weight * log));
            }
            Self::Mass => {
                let doubt = 1.0 - weight;
                (rank, counted) = (1, floored_ln(doubt));
                let log = |p: f32| floored_ln(weight * f64::from(p) + doubt);
                parts.iter_mut().zip(opinion).for_each(|(part, &p)| *part = fixed(log(p)));
            }
            Self::Belief(belief) => {
                let sure = weight / (1.0 - weight).max(LEAST_DOUBT);
                rank = 1;
                (counted, base) = match belief {
                    BeliefFusion::Cumulative => (sure, 0.0),
                    BeliefFusion::Averaging => (sure, 1.0),
                    BeliefFusion::Weighted => (sure * weight, weight),
                };
                scale(parts, opinion, counted);
            }
        }
        head.copy_from_slice(&[rank, fixed(counted), fixed(base)]);
    }
}

/// In lanes, for one after another waits for each.
#[inline(always)]
fn largest(opinion: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let (quads, rest) = opinion.as_chunks::<4>();
    let mut most = [0.0; 4];
    for quad in quads {
        most.iter_mut().zip(quad).for_each(|(most, &p)| *most = larger(*most, p));
    }
    most.iter().chain(rest).copied().fold(0.0, larger)
}

#[inline(always)]
fn scale(parts: &mut [i64], opinion: &[f32], weight: f64) {
    parts.iter_mut().zip(opinion).for_each(|(part, &p)| *part = fixed(weight * f64::from(p)));
}

/// Logarithms of probabilities, of at least [`LOG_FLOOR`].
#[inline(always)]
pub(crate) fn log_all(opinions: &[f32], logs: &mut [f64]) {
    opinions.iter().zip(logs).for_each(|(&p, log)| *log = floored_ln(f64::from(p)));
}

#[inline(always)]
fn floored_ln(p: f64) -> f64 {
    ln(p.max(f64::from(LOG_FLOOR)))
}

/// Adds the distribution that is proportional to these.
fn normalise(to: &mut [f64], parts: impl Iterator<Item = f64> + Clone) {
    let whole: f64 = parts.clone().sum();
    to.iter_mut().zip(parts).for_each(|(to, part)| *to += part / whole);
}

/// Adds the distribution whose logarithms, but for a constant, these are.
fn softmax(to: &mut [f64], logs: impl Iterator<Item = f64> + Clone) {
    let most = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    normalise(to, logs.map(|log| exp(log - most)));
}
