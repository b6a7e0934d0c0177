//! Votes that weigh as much as their source agrees with what they decide, step by step.

use super::annotations::Annotations;
use super::fit::{Ending, Fit};
use super::votes::{Votes, decided, shares};
use crate::error::{Result, TruthError};

/// Skills s and decisions are found in turn, as in Toloka's crowd-kit: an item's class is that of the largest sum of the skills
/// of those who voted for it, and s <- s + r (a - s) with a the share of a source's votes that were decided so, of a tie among
/// m classes one m-th. The rate r is halved every so many iterations. All begin with the skill of chance, 1/C, which a source
/// without votes keeps.
///
/// The posterior is the share of the skills of those who voted for a class; of an item without votes every class is as likely.
/// The objective is the sum over votes of (s if decided so - s^2 / 2): its largest decision given the skills is theirs, and its
/// largest skill given the decisions is a, so that it never falls.
///
/// # Examples
///
/// *A source nobody agrees with.*
///
/// ```
/// use consilience::truth::{Annotations, ZeroBasedSkill};
///
/// let annotations = Annotations::new(2, &[0, 0, 0, 1, 1, 1], &[0, 1, 2, 0, 1, 2], &[1, 1, 0, 0, 0, 1])?;
/// let fit = ZeroBasedSkill::default().fit(&annotations)?;
/// assert_eq!((fit.decision(), fit.skill()), (vec![1, 0], &[1.0, 1.0, 0.0][..]));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ZeroBasedSkill {
    /// Iterations.
    pub iterations: u32,
    /// The rate r of the first, in (0, 1].
    pub rate: f64,
    /// The rate is halved every so many iterations.
    pub halve_every: u32,
}

impl Default for ZeroBasedSkill {
    fn default() -> Self {
        Self { iterations: 100, rate: 1.0, halve_every: 20 }
    }
}

impl ZeroBasedSkill {
    /// Fits to the annotations.
    ///
    /// # Errors
    ///
    /// An option out of its range.
    pub fn fit(&self, annotations: &Annotations) -> Result<Fit> {
        self.check()?;
        let votes = Votes::of(annotations);
        let classes = votes.classes;
        let mut skill = vec![1.0 / classes.max(1) as f64; annotations.sources()];
        let mut sums = votes.sums(&skill);
        let (mut rate, mut values) = (self.rate, Vec::with_capacity(self.iterations as usize));
        for iteration in 1..=self.iterations {
            if iteration % self.halve_every == 0 {
                rate *= 0.5;
            }
            let agreement = votes.agreement(&decided(&sums, classes));
            skill.iter_mut().zip(agreement).for_each(|(s, a)| *s += rate * (a - *s));
            sums = votes.sums(&skill);
            values.push(objective(&votes, &decided(&sums, classes), &skill));
        }
        let fit = votes.fit(&shares(&sums, classes), skill, 0.0);
        Ok(Fit { objective: values, iterations: self.iterations, ending: Ending::Iterations, ..fit })
    }

    fn check(&self) -> Result<()> {
        let option = |what, value, must| Err(TruthError::Option { what, value, must }.into());
        if self.iterations == 0 {
            return option("the number of iterations", 0.0, "at least 1");
        }
        if self.halve_every == 0 {
            return option("the number of iterations between two halvings", 0.0, "at least 1");
        }
        if !(self.rate > 0.0 && self.rate <= 1.0) {
            return option("the rate", self.rate, "above 0 and at most 1");
        }
        Ok(())
    }
}

/// The sum over votes of (s if decided so - s^2 / 2).
pub(super) fn objective(votes: &Votes, decided: &[f64], skill: &[f64]) -> f64 {
    let agreements = votes.agreements(decided);
    agreements.iter().zip(skill).zip(&votes.counts).map(|((agrees, s), count)| agrees * s - count * s * s / 2.0).sum()
}
