//! A fusion of one item in naive f64, and its gradient by central differences: what the tests of burn's tensors compare
//! with. It shares no code with the crate.

use consilience::{Encoding, Fusion, Rule, Weighting};

use crate::support::problem::Random;

/// What is pooled, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    Linear,
    Logarithmic,
    Evidence,
}

pub const POOLS: [Pool; 3] = [Pool::Linear, Pool::Logarithmic, Pool::Evidence];
pub const ENCODINGS: [Encoding; 3] = [Encoding::Probabilities, Encoding::LogProbabilities, Encoding::Logits];

/// Weights of three sources, not one like the other; as exponents of evidence they do not sum to one either.
pub const FACTORS: [f32; 3] = [0.5, 1.25, 2.0];
/// Of three classes.
pub const PRIOR: [f32; 3] = [0.5, 0.3, 0.2];

const FLOOR: f64 = 1e-7;

impl Pool {
    /// The same as the crate's fusion.
    pub fn fusion(self) -> Fusion {
        let weighting = Weighting::Fixed(FACTORS.to_vec());
        match self {
            Self::Linear => Fusion::new(Rule::Linear).weighting(weighting),
            Self::Logarithmic => Fusion::new(Rule::LogPool).weighting(weighting),
            Self::Evidence => Fusion::new(Rule::Evidence { exponents: FACTORS.to_vec() }).class_prior(PRIOR.to_vec()),
        }
    }

    /// The posterior of one item, from the rows of three sources.
    pub fn posterior(self, encoding: Encoding, rows: &[Vec<f64>]) -> Vec<f64> {
        let rows = rows.iter().map(|row| match encoding {
            Encoding::Probabilities => row.clone(),
            Encoding::LogProbabilities => row.iter().map(|x| x.exp()).collect(),
            Encoding::Logits => normalised(row.iter().map(|x| x.exp()).collect()),
        });
        let weights = normalised(FACTORS.map(f64::from).to_vec());
        let mut pooled = vec![0.0; PRIOR.len()];
        for (n, row) in rows.enumerate() {
            for (k, p) in row.into_iter().enumerate() {
                let ln_p = p.max(FLOOR).ln();
                pooled[k] += match self {
                    Self::Linear => weights[n] * p,
                    Self::Logarithmic => weights[n] * ln_p,
                    Self::Evidence => f64::from(FACTORS[n]) * (ln_p - f64::from(PRIOR[k]).ln()),
                };
            }
        }
        normalised(match self {
            Self::Linear => pooled,
            Self::Logarithmic => pooled.into_iter().map(f64::exp).collect(),
            Self::Evidence => pooled.iter().zip(PRIOR).map(|(s, rho)| f64::from(rho) * s.exp()).collect(),
        })
    }
}

/// Rows of three classes by three sources on so many items, [N, B, C], in the encoding.
pub fn opinions(encoding: Encoding, items: usize, seed: u64) -> Vec<f32> {
    let mut random = Random::new(seed);
    let row = |_| {
        let logits = random.list(3, -2.0, 2.0);
        let row = normalised(logits.iter().map(|&x| f64::from(x).exp()).collect());
        match encoding {
            Encoding::Probabilities => row.iter().map(|&p| p as f32).collect(),
            Encoding::LogProbabilities => row.iter().map(|p| p.ln() as f32).collect(),
            Encoding::Logits => logits,
        }
    };
    (0..3 * items).flat_map(row).collect()
}

/// The rows of one item out of [N, B, C].
pub fn rows(values: &[f32], items: usize, item: usize) -> Vec<Vec<f64>> {
    let row = |n| values[(n * items + item) * 3..][..3].iter().map(|&x| f64::from(x)).collect();
    (0..3).map(row).collect()
}

/// The gradient [N, B, C] of a loss, a sum over items of what becomes of each item's rows, by central differences.
pub fn gradient(values: &[f32], items: usize, loss: impl Fn(usize, &[Vec<f64>]) -> f64) -> Vec<f64> {
    // Far smaller than the floor of logarithms, so that neither side of a difference crosses it.
    let step = 5e-9;
    let by = |at: usize| {
        let (n, item, k) = (at / (items * 3), at / 3 % items, at % 3);
        let moved = |by: f64| {
            let mut rows = rows(values, items, item);
            rows[n][k] += by;
            loss(item, &rows)
        };
        (moved(step) - moved(-step)) / (2.0 * step)
    };
    (0..values.len()).map(by).collect()
}

fn normalised(row: Vec<f64>) -> Vec<f64> {
    let sum: f64 = row.iter().sum();
    row.into_iter().map(|p| p / sum).collect()
}
