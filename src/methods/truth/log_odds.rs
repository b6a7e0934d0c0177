//! Votes that weigh the log-odds of being right (Nitzan and Paroush, International Economic Review 1982), in one pass.

use super::annotations::Annotations;
use super::fit::Fit;
use super::one_coin;
use super::votes::{Votes, decided};
use crate::error::{Result, TruthError};

/// A vote weighs ln((C - 1) p / (1 - p)), which is what decides best among sources whose accuracies p are known and who err
/// towards every other class alike; the posterior is the softmax of the sums. Here p is how often a source agrees with the
/// majority: (agreements + s) / (votes + C s), of a tie among m classes one m-th of an agreement, s = `smoothing`.
///
/// So a source without votes has the accuracy of chance, and one that was always outvoted speaks against what it says. The skill
/// is p, the objective the log-likelihood of the votes by it, one value.
///
/// # Examples
///
/// *p is 2/3 for a source that agreed once in one vote.*
///
/// ```
/// use consilience::truth::{Annotations, LogOdds};
///
/// let fit = LogOdds::default().fit(&Annotations::new(2, &[0], &[0], &[1])?)?;
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
        Self { smoothing: 1.0 }
    }
}

impl LogOdds {
    /// Fits to the annotations.
    ///
    /// # Errors
    ///
    /// A smoothing that is not a finite number of at least 1e-6: a source that always agreed would be beyond doubt.
    pub fn fit(&self, annotations: &Annotations) -> Result<Fit> {
        if !(self.smoothing.is_finite() && self.smoothing >= 1e-6) {
            let (what, must) = ("the smoothing", "a finite number of at least 1e-6");
            return Err(TruthError::Option { what, value: self.smoothing, must }.into());
        }
        let votes = Votes::of(annotations);
        let majority = decided(&votes.sums(&vec![1.0; annotations.sources()]), votes.classes);
        let all = self.smoothing * votes.classes.max(1) as f64;
        let accuracy = |(agrees, count): (f64, &f64)| (agrees + self.smoothing) / (count + all);
        let skill: Vec<f64> = votes.agreements(&majority).into_iter().zip(&votes.counts).map(accuracy).collect();
        let (posterior, likelihood) = one_coin::posterior(&votes, &skill);
        Ok(votes.fit(&posterior, skill, likelihood))
    }
}
