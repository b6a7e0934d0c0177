//! Weights for the log pool, by L-BFGS on their logarithms.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::methods::stacking::Weights;
use crate::methods::stacking::examples::check_option;
use crate::methods::stacking::minimise::{Stop, minimise};
use crate::methods::stacking::table::Table;
use crate::spec::LOG_FLOOR;
use crate::tensor::Evidence;

/// Fits weights w on the simplex that minimise the mean of -ln P(label) with P = softmax(sum w_n ln p_n / sum w_n), the
/// sums over the sources that say something of the item, the logarithms of p clamped to [1e-7, 1].
///
/// L-BFGS over t with w = softmax t, from equal weights. A weight that should be zero ends close to it. Items of which no
/// source says anything are left out.
///
/// # Examples
///
/// *The first source has nothing to say.*
///
/// ```
/// use consilience::Evidence;
/// use consilience::stacking::LogWeights;
///
/// let (a, b) = ([0.5, 0.5, 0.5, 0.5], [0.8, 0.2, 0.2, 0.8]);
/// let evidence = Evidence::probabilities(2, &[&a, &b])?;
/// let fit = LogWeights::default().fit(&evidence, &[0, 1])?;
/// assert!(fit.weights[1] > 0.99);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogWeights {
    /// The fit is done once the gradient's norm is below this, or a step gains less than a tenth of its square; above
    /// zero, 1e-6 unless given.
    pub tolerance: f64,
    /// The most L-BFGS steps, 500 unless given; 0 answers equal weights.
    pub max_iterations: u64,
}

impl Default for LogWeights {
    fn default() -> Self {
        Self { tolerance: 1e-6, max_iterations: 500 }
    }
}

impl LogWeights {
    /// Fits the weights.
    ///
    /// # Errors
    ///
    /// No labels or not one per item, a label that is no class, an invalid opinion, no opinion at all, or an option out of
    /// its range.
    pub fn fit(&self, evidence: &Evidence<'_>, labels: &[u32]) -> Result<Weights> {
        let is_right = self.tolerance.is_finite() && self.tolerance > 0.0;
        check_option("tolerance", self.tolerance, is_right, "finite and above zero")?;
        let mut table = Table::of(evidence, labels)?;
        table.rows.iter_mut().for_each(|p| *p = p.clamp(LOG_FLOOR, 1.0).ln());
        let stop = Stop { tolerance: self.tolerance, rounding: 1e-12, max_iterations: self.max_iterations };
        let mut first = None;
        let minimum = minimise(vec![0.0; table.sources], stop, |t, gradient| {
            let value = loss(&table, &softmax(t), gradient);
            first.get_or_insert(value);
            Ok(value)
        })?;
        let weights = softmax(&minimum.point).into_iter().map(|w| w as f32).collect();
        let nll = vec![first.unwrap_or(minimum.value), minimum.value];
        Ok(Weights { weights, nll, converged: minimum.converged })
    }
}

/// The mean of -ln P(label) and its gradient in the logarithms of the weights; `table` holds logarithms.
fn loss(table: &Table, weights: &[f64], gradient: &mut [f64]) -> f64 {
    let classes = table.classes;
    gradient.fill(0.0);
    let mut loss = 0.0;
    let (mut z, mut residual) = (vec![0.0; classes], vec![0.0; classes]);
    for (label, given, rows) in table.iter() {
        let sources = || weights.iter().zip(given).zip(rows.chunks_exact(classes));
        let present = weights.iter().zip(given).filter(|(_, given)| **given).map(|(w, _)| w).sum::<f64>();
        let present = present.max(f64::MIN_POSITIVE);
        z.fill(0.0);
        for ((w, given), row) in sources() {
            if *given {
                z.iter_mut().zip(row).for_each(|(z, &l)| *z += w / present * f64::from(l));
            }
        }
        residual.copy_from_slice(&softmax(&z));
        loss -= residual[label].max(f64::MIN_POSITIVE).ln();
        residual[label] -= 1.0;
        for (((w, given), row), g) in sources().zip(gradient.iter_mut()) {
            if *given {
                let terms = residual.iter().zip(row).zip(&z).map(|((r, &l), z)| r * (f64::from(l) - z));
                *g += w / present * terms.sum::<f64>();
            }
        }
    }
    // d w_m / d t_n = w_n ([m = n] - w_m): the sum over n of what is weighted so is zero on every item already.
    let scale = 1.0 / table.items() as f64;
    gradient.iter_mut().for_each(|g| *g *= scale);
    loss * scale
}

fn softmax(z: &[f64]) -> Vec<f64> {
    let most = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = z.iter().map(|z| (z - most).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|p| p / sum).collect()
}
