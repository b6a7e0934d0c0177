//! How far sources agree.

use crate::orchestration::distribution::likeliest;

/// How far sources agree, each counted by its weight; equally where no weight is above zero.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Agreement {
    /// How far their opinions are apart, in [0, 1]: the generalised Jensen-Shannon divergence over ln C. 0 for one class.
    pub disagreement: f64,
    /// The share of the weight whose likeliest class, the lowest of equals, is the one decided for.
    pub top: f64,
}

impl Agreement {
    /// Of opinions with a weight each, of which there is at least one.
    pub(super) fn of(opinions: &[(f64, &[f32])], decision: usize) -> Self {
        let whole: f64 = opinions.iter().map(|(weight, _)| weight).sum();
        let weight = |weight: f64| if whole > 0.0 { weight / whole } else { 1.0 / opinions.len() as f64 };
        let classes = opinions.first().map_or(0, |(_, row)| row.len());
        let (mut mean, mut within, mut top) = (vec![0.0; classes], 0.0, 0.0);
        for &(raw, row) in opinions {
            let weight = weight(raw);
            // Rows sum to one within a tolerance.
            let sum: f64 = row.iter().map(|&p| f64::from(p)).sum();
            let row_p = || row.iter().map(|&p| f64::from(p) / sum);
            mean.iter_mut().zip(row_p()).for_each(|(mean, p)| *mean += weight * p);
            within += weight * entropy(row_p());
            if likeliest(row) == decision {
                top += weight;
            }
        }
        let apart = if classes > 1 { (entropy(mean.into_iter()) - within) / (classes as f64).ln() } else { 0.0 };
        Self { disagreement: apart.clamp(0.0, 1.0), top: top.clamp(0.0, 1.0) }
    }

    /// 1 less the disagreement.
    #[must_use]
    pub fn agreement(&self) -> f64 {
        1.0 - self.disagreement
    }
}

fn entropy(p: impl Iterator<Item = f64>) -> f64 {
    p.filter(|&p| p > 0.0).map(|p| -p * p.ln()).sum()
}
