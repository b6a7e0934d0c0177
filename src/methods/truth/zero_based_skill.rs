//! Votes that weigh as much as their source agrees with what they decide, step by step.

use super::annotations::Annotations;
use super::climb::Climb;
use super::fit::Fit;
use super::known::Known;
use super::votes::Votes;
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
        self.fit_with(annotations, &Known::default())
    }

    /// The same with what is known; an earlier fit's skills are those it begins with.
    ///
    /// # Errors
    ///
    /// As [`ZeroBasedSkill::fit`]; a known class of no item, that is none, or two of one item; counts that are none, or do not fit; an earlier fit of
    /// other sources.
    pub fn fit_with(&self, annotations: &Annotations, known: &Known<'_>) -> Result<Fit> {
        self.check()?;
        let votes = Votes::new(annotations, known, [0.0; 2])?;
        let chance = vec![1.0 / votes.classes as f64; annotations.sources()];
        let mut skill = known.skill(annotations)?.map_or(chance, <[f64]>::to_vec);
        let mut sums = votes.sums(&skill);
        let (mut rate, mut climb) = (self.rate, Climb { iterations: self.iterations, ..Climb::default() });
        for iteration in 1..=self.iterations {
            if iteration % self.halve_every == 0 {
                rate *= 0.5;
            }
            let agreement = votes.agreement(&votes.decided(&sums));
            skill.iter_mut().zip(agreement).for_each(|(s, a)| *s += rate * (a - *s));
            sums = votes.sums(&skill);
            climb.objective.push(objective(&votes, &votes.decided(&sums), &skill));
        }
        Ok(votes.climbed(&votes.shares(&sums), skill, climb))
    }

    fn check(&self) -> Result<()> {
        TruthError::check_option("the number of iterations", self.iterations, self.iterations > 0, "at least 1")?;
        let between = "the number of iterations between two halvings";
        TruthError::check_option(between, self.halve_every, self.halve_every > 0, "at least 1")?;
        let is_valid = self.rate > 0.0 && self.rate <= 1.0;
        Ok(TruthError::check_option("the rate", self.rate, is_valid, "above 0 and at most 1")?)
    }
}

/// The sum over votes of (s if decided so - s^2 / 2).
pub(super) fn objective(votes: &Votes, decided: &[f64], skill: &[f64]) -> f64 {
    let agreements = votes.agreements(decided);
    agreements.iter().zip(skill).zip(votes.totals()).map(|((agrees, s), count)| agrees * s - count * s * s / 2.0).sum()
}
