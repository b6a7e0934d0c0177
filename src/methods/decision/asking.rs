//! What one more answer is worth before it is known.

use serde::{Deserialize, Serialize};

use super::candidate::Candidate;
use super::cost_matrix::{CostMatrix, normalised};
use crate::error::{CalibrationError, Result};
use crate::methods::calibration::posterior;

/// The source to ask next.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    /// Its index among the candidates.
    pub candidate: usize,
    /// The expected value of its answer, before its price.
    pub value: f64,
    /// The same less its price: above zero.
    pub net: f64,
}

impl CostMatrix {
    /// The expected value of a candidate's answer on one row: the least expected cost now, less the expectation over the
    /// answers of the least expected cost after each (the expected value of sample information; Raiffa and Schlaifer 1961).
    ///
    /// With the posterior p and the candidate's confusion matrix theta, the posterior after answer a is proportional to
    /// p_y theta[y, a]: given the true class, the answer says nothing about those that p was made of. The value is never
    /// negative, and the price is not in it. Rejecting, if it is an option, is one before and after.
    ///
    /// # Errors
    ///
    /// A row of another length or that is no distribution (the error calls it item 0), or a candidate for another number of
    /// classes.
    ///
    /// # Examples
    ///
    /// ```
    /// use consilience::decision::{Candidate, CostMatrix};
    ///
    /// let costs = CostMatrix::zero_one(2)?;
    /// let oracle = Candidate::new(2, 2, &[1.0, 0.0, 0.0, 1.0], 0.0)?;
    /// let coin = Candidate::new(2, 2, &[0.5; 4], 0.0)?;
    /// assert_eq!(costs.value_of_asking(&[0.75, 0.25], &oracle)?, 0.25);
    /// assert_eq!(costs.value_of_asking(&[0.75, 0.25], &coin)?, 0.0);
    /// # Ok::<(), consilience::Error>(())
    /// ```
    pub fn value_of_asking(&self, row: &[f32], candidate: &Candidate) -> Result<f64> {
        posterior::check_row(self.classes(), 0, row)?;
        self.check_candidates(std::slice::from_ref(candidate))?;
        Ok(self.value(&normalised(row), candidate))
    }

    /// [`CostMatrix::value_of_asking`] of each candidate on each row of a posterior [B, C]: row-major [B, candidates].
    ///
    /// # Errors
    ///
    /// No whole number of rows, a row that is no distribution, or a candidate for another number of classes.
    pub fn values_of_asking(&self, posterior: &[f32], candidates: &[Candidate]) -> Result<Vec<f64>> {
        let items = posterior::check(self.classes(), posterior)?;
        self.check_candidates(candidates)?;
        let mut values = Vec::with_capacity(items * candidates.len());
        for row in posterior.chunks_exact(self.classes()) {
            let p = normalised(row);
            values.extend(candidates.iter().map(|candidate| self.value(&p, candidate)));
        }
        Ok(values)
    }

    /// The candidate with the highest value less its price, for each row of a posterior [B, C]; the lower one of two. `None`
    /// where none is worth its price.
    ///
    /// # Errors
    ///
    /// As [`CostMatrix::values_of_asking`].
    pub fn next_to_ask(&self, posterior: &[f32], candidates: &[Candidate]) -> Result<Vec<Option<Ask>>> {
        let values = self.values_of_asking(posterior, candidates)?;
        if candidates.is_empty() {
            return Ok(vec![None; posterior.len() / self.classes()]);
        }
        let best = |values: &[f64]| {
            let asks = values.iter().zip(candidates).enumerate();
            asks.map(|(candidate, (&value, source))| Ask { candidate, value, net: value - source.price() })
                .filter(|ask| ask.net > 0.0)
                .reduce(|best, ask| if ask.net > best.net { ask } else { best })
        };
        Ok(values.chunks_exact(candidates.len()).map(best).collect())
    }

    fn value(&self, p: &[f64], candidate: &Candidate) -> f64 {
        let mut joint = vec![0.0; p.len()];
        let mut after = 0.0;
        for answer in 0..candidate.answers() {
            for (class, (mass, p)) in joint.iter_mut().zip(p).enumerate() {
                *mass = p * candidate.likelihood(class, answer);
            }
            after += self.least(&joint).expected_cost;
        }
        (self.least(p).expected_cost - after).max(0.0)
    }

    fn check_candidates(&self, candidates: &[Candidate]) -> Result<()> {
        for given in candidates.iter().map(Candidate::classes) {
            if given != self.classes() {
                let what = "the list of classes of a candidate";
                return Err(CalibrationError::Length { what, given, needed: self.classes() }.into());
            }
        }
        Ok(())
    }
}
