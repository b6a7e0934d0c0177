//! Votes that weigh as much as their source agrees with the majority: *worker agreement with aggregate*.

use super::annotations::Annotations;
use super::fit::Fit;
use super::known::Known;
use super::votes::Votes;
use crate::error::Result;

/// A source's skill is the share of its votes that are the majority's decision, of a tie among m classes one m-th; the
/// posterior is the share of the skills of those who voted for a class.
///
/// A source without votes has the skill of chance, 1/C; of an item without votes every class is as likely. The objective is
/// [`ZeroBasedSkill`](super::ZeroBasedSkill)'s with the last decision and these skills, one value.
///
/// # Examples
///
/// *Source 2 was outvoted once, and loses a tie for it.*
///
/// ```
/// use consilience::truth::{Annotations, Wawa};
///
/// let annotations = Annotations::new(2, &[0, 0, 0, 1, 1], &[0, 1, 2, 1, 2], &[1, 1, 0, 0, 1])?;
/// let fit = Wawa.fit(&annotations)?;
/// assert_eq!(fit.skill(), [1.0, 0.75, 0.25]);
/// assert_eq!(fit.posterior()[2..], [0.75, 0.25]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wawa;

impl Wawa {
    /// Fits to the annotations.
    ///
    /// # Errors
    ///
    /// None so far: annotations are checked as they are taken.
    pub fn fit(&self, annotations: &Annotations) -> Result<Fit> {
        self.fit_with(annotations, &Known::default())
    }

    /// The same with what is known: the majority of an earlier fit is that of its skills.
    ///
    /// # Errors
    ///
    /// A known class of no item, that is none, or two of one item; counts that are none, or do not fit; an earlier fit of
    /// other sources.
    pub fn fit_with(&self, annotations: &Annotations, known: &Known<'_>) -> Result<Fit> {
        let votes = Votes::new(annotations, known, [0.0; 2])?;
        let even = vec![1.0; annotations.sources()];
        let majority = votes.decided(&votes.sums(known.skill(annotations)?.unwrap_or(&even)));
        let skill = votes.agreement(&majority);
        let sums = votes.sums(&skill);
        let objective = super::zero_based_skill::objective(&votes, &votes.decided(&sums), &skill);
        Ok(votes.fit(&votes.shares(&sums), skill, objective))
    }
}
