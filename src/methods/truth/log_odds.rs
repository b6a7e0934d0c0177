//! Votes that weigh the log-odds of being right (Nitzan and Paroush, International Economic Review 1982), in one pass.

use super::annotations::Annotations;
use super::fit::Fit;
use super::known::Known;
use super::one_coin;
use super::votes::Votes;
use crate::error::{Result, TruthError};

/// A vote weighs ln((C - 1) p / (1 - p)), which is what decides best among sources whose accuracies p are known and who err
/// towards every other class alike; the posterior is the softmax of the sums. Here p is how far a source agrees with all who
/// voted, itself among them: (sum of the shares of the votes on an item that are for its class + s) / (votes + C s), s =
/// `smoothing`. Whether it agrees with their majority instead says less: a narrow one counts like one without dissent.
///
/// A source without votes has the accuracy of chance, and one that is mostly outvoted speaks against what it says. The skill is
/// p, the objective the log-likelihood of the votes by it, one value. As a weight p is within 1e-9 and 1 - 1e-9.
///
/// # Examples
///
/// *p is 2/3 for a source that agreed once in one vote, where 1 is added to what it is and what it is not.*
///
/// ```
/// use consilience::truth::{Annotations, LogOdds};
///
/// let fit = LogOdds { smoothing: 1.0 }.fit(&Annotations::new(2, &[0], &[0], &[1])?)?;
/// assert_eq!(fit.posterior(), [1.0_f32 / 3.0, 2.0 / 3.0]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogOdds {
    /// How often each source is taken to have agreed before, and to have named each other class; above 0.
    pub smoothing: f64,
}

impl Default for LogOdds {
    fn default() -> Self {
        Self { smoothing: 0.1 }
    }
}

impl LogOdds {
    /// Fits to the annotations.
    ///
    /// # Errors
    ///
    /// A smoothing that is not a finite number of at least 1e-6: a source that always agreed would be beyond doubt.
    pub fn fit(&self, annotations: &Annotations) -> Result<Fit> {
        self.fit_with(annotations, &Known::default())
    }

    /// The same with what is known; of an earlier fit, its posterior by accuracies that are its skills is what is agreed with.
    ///
    /// # Errors
    ///
    /// As [`LogOdds::fit`]; a known class of no item, that is none, or two of one item; counts that are none, or do not fit; an earlier fit of
    /// other sources.
    pub fn fit_with(&self, annotations: &Annotations, known: &Known<'_>) -> Result<Fit> {
        let is_valid = self.smoothing.is_finite() && self.smoothing >= 1e-6;
        TruthError::check_option("the smoothing", self.smoothing, is_valid, "a finite number of at least 1e-6")?;
        let others = annotations.classes() as f64 - 1.0;
        let votes = Votes::new(annotations, known, [self.smoothing, self.smoothing * others])?;
        let shares = match known.skill(annotations)? {
            Some(skill) => one_coin::posterior(&votes, skill).0,
            None => votes.shares(&votes.sums(&vec![1.0; annotations.sources()])),
        };
        let skill = votes.agreement(&shares);
        let (posterior, likelihood) = one_coin::posterior(&votes, &skill);
        Ok(votes.fit(&posterior, skill, likelihood))
    }
}
