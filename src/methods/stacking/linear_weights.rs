//! Weights for the linear pool, by expectation-maximisation.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::methods::stacking::examples::check_option;
use crate::methods::stacking::table::Table;
use crate::spec::LOG_FLOOR;
use crate::tensor::Evidence;

/// Fits weights w on the simplex that minimise the mean of -ln P(label) with P = sum w_n p_n / sum w_n, the sums over the
/// sources that say something of the item.
///
/// By EM on the mixture (Dempster, Laird and Rubin 1977): each label comes from one source, drawn by w until it is one
/// that says something; w becomes the expected share of the draws. The likelihood never falls. Probabilities below
/// 1e-7 count as 1e-7. Items of which no source says anything are left out.
///
/// # Examples
///
/// *The second source is right twice as surely as the first.*
///
/// ```
/// use consilience::stacking::LinearWeights;
/// use consilience::{Engine, Evidence, Fusion, Rule, Weighting};
///
/// let (a, b) = ([0.4, 0.6, 0.4, 0.6], [0.8, 0.2, 0.2, 0.8]);
/// let evidence = Evidence::probabilities(2, &[&a, &b])?;
/// let fit = LinearWeights::default().fit(&evidence, &[0, 1])?;
/// assert!(fit.weights[1] > 0.99);
/// let linear = Fusion::new(Rule::Linear).weighting(Weighting::Fixed(fit.weights));
/// assert_eq!(Engine::cpu()?.fuse(&linear, &evidence)?.decision(), [0, 1]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinearWeights {
    /// The fit is done once a step gains less than this, in nats per item; not negative, 1e-9 unless given.
    pub tolerance: f64,
    /// The most steps, 10,000 unless given; 0 answers equal weights.
    pub max_iterations: u64,
}

impl Default for LinearWeights {
    fn default() -> Self {
        Self { tolerance: 1e-9, max_iterations: 10_000 }
    }
}

/// Weights on the simplex and how they were come by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// One per source, not negative, summing to one.
    pub weights: Vec<f32>,
    /// The mean of -ln P(label) with each step's weights, in nats: the first of equal ones, the last of these.
    pub nll: Vec<f64>,
    /// Whether the tolerance was met.
    pub converged: bool,
}

impl LinearWeights {
    /// Fits the weights.
    ///
    /// # Errors
    ///
    /// No labels or not one per item, a label that is no class, an invalid opinion, no opinion at all, or an option out of
    /// its range.
    pub fn fit(&self, evidence: &Evidence<'_>, labels: &[u32]) -> Result<Weights> {
        let is_right = self.tolerance.is_finite() && self.tolerance >= 0.0;
        check_option("tolerance", self.tolerance, is_right, "finite and not negative")?;
        let table = Table::of(evidence, labels)?;
        let likelihoods = table.likelihoods(LOG_FLOOR);
        let mut weights = vec![1.0 / table.sources as f64; table.sources];
        let mut shares = vec![0.0; table.sources];
        let mut nll = vec![expect(&likelihoods, &weights, &mut shares)];
        let mut converged = false;
        while !converged && (nll.len() as u64) <= self.max_iterations {
            let sum: f64 = shares.iter().sum();
            weights.iter_mut().zip(&shares).for_each(|(w, share)| *w = share / sum);
            let next = expect(&likelihoods, &weights, &mut shares);
            converged = nll.last().is_none_or(|last| last - next <= self.tolerance);
            nll.push(next);
        }
        Ok(Weights { weights: weights.iter().map(|&w| w as f32).collect(), nll, converged })
    }
}

/// The mean of -ln P(label), and the expected number of draws of each source.
fn expect(likelihoods: &[Option<f64>], weights: &[f64], shares: &mut [f64]) -> f64 {
    shares.fill(0.0);
    let items = likelihoods.chunks_exact(weights.len());
    let count = items.len() as f64;
    let mut loss = 0.0;
    for item in items {
        let (mut mixed, mut present) = (0.0, 0.0);
        for (w, p) in weights.iter().zip(item) {
            if let Some(p) = p {
                mixed += w * p;
                present += w;
            }
        }
        // Weights that came to nothing on this item's sources: the pool falls back to equal ones, and nothing is learned.
        if present < f64::from(f32::MIN_POSITIVE) {
            let given = item.iter().flatten();
            loss -= (given.clone().sum::<f64>() / given.count() as f64).ln();
            continue;
        }
        loss -= (mixed / present).ln();
        for ((share, w), p) in shares.iter_mut().zip(weights).zip(item) {
            *share += p.map_or(w / present, |p| w * p / mixed);
        }
    }
    loss / count
}
