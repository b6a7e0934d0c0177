//! Opinions to be merged, and rules of sums alone as fusions, for the oracle.

use std::time::Duration;

use consilience::partial::{Pool, Said};
use consilience::{Fusion, Rule, Weighting};

use crate::support::problem::Random;

/// What a source says of three classes under a generation, always the same.
pub fn said(source: u64, generation: u64) -> Said {
    let mut random = Random::new(source * 1000 + generation + 1);
    let numbers: Vec<f32> = random.list(3, 0.01, 1.0);
    let sum: f32 = numbers.iter().sum();
    let opinion = numbers.iter().map(|x| x / sum).collect();
    Said { generation, at: Duration::from_secs(generation * 10), weight: 0.1 + 0.8 * random.unit(), opinion }
}

/// The fusion that a pool is, of sources with these weights. That of `Confusion` is without its class prior, which is a factor
/// of the posterior: [`posterior_of`] sees to it.
pub fn fusion_of(pool: Pool, weights: &[f32], prior: Option<&[f32]>) -> Fusion {
    let weights = weights.to_vec();
    let rule = match pool {
        Pool::Evidence | Pool::Confusion => return with_prior(pool, Rule::Evidence { exponents: weights }, prior),
        Pool::DempsterShafer(conflict) => Rule::DempsterShafer { conflict },
        Pool::Belief(belief) => Rule::Belief(belief),
        Pool::Linear => Rule::Linear,
        Pool::Vote => Rule::Vote,
        Pool::MaxVote => Rule::MaxVote,
        Pool::BayesianAverage => Rule::BayesianAverage,
        Pool::LogPool => Rule::LogPool,
        _ => Rule::default(),
    };
    match pool {
        Pool::DempsterShafer(_) | Pool::Belief(_) => with_prior(pool, rule, prior).reliabilities(weights),
        _ => Fusion::new(rule).weighting(Weighting::Fixed(weights)),
    }
}

fn with_prior(pool: Pool, rule: Rule, prior: Option<&[f32]>) -> Fusion {
    match prior {
        Some(prior) if pool != Pool::Confusion => Fusion::new(rule).class_prior(prior.to_vec()),
        _ => Fusion::new(rule),
    }
}

/// The posterior that the fusion's is to the pool.
pub fn posterior_of(pool: Pool, fused: &[f64], prior: Option<&[f32]>) -> Vec<f64> {
    match prior {
        Some(prior) if pool == Pool::Confusion => {
            let parts = fused.iter().zip(prior).map(|(p, &prior)| p * f64::from(prior));
            let whole: f64 = parts.clone().sum();
            parts.map(|part| part / whole).collect()
        }
        _ => fused.to_vec(),
    }
}
