//! Conjugate families: posteriors that are of the prior's family, one of each per item.

mod beta_bernoulli;
mod dirichlet_categorical;
mod normal_inverse_gamma;
mod normal_known_precision;
mod resident;

use bytemuck::bytes_of;

pub use self::beta_bernoulli::BetaBernoulli;
pub use self::dirichlet_categorical::DirichletCategorical;
pub use self::normal_inverse_gamma::{
    NormalInverseGamma, NormalInverseGammaIntervals, NormalInverseGammaMoments, StudentT,
};
pub use self::normal_known_precision::NormalKnownPrecision;
pub use self::resident::{
    ResidentBetaBernoulli, ResidentDirichletCategorical, ResidentNormalInverseGamma, ResidentNormalKnownPrecision,
};
use super::check::{Domain, check};
use super::special::evaluate;
use crate::backend::Backend;
use crate::engine::Engine;
use crate::error::{BayesError, Result};
use crate::kernel::Kernel;
use crate::kernel::bayes::conjugate::{BLOCK, Operation, Params};
use crate::kernel::bayes::special::{self, Function};
use crate::plan::batch::{Batch, Slot};

/// Where a parameter lies with the probability asked for, as probably below as above it.
#[derive(Debug, Clone, PartialEq)]
pub struct Intervals {
    /// The lower end of each.
    pub lower: Vec<f32>,
    /// The upper end of each.
    pub upper: Vec<f32>,
}

/// Mean and variance of each item.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// The mean of each.
    pub mean: Vec<f32>,
    /// The variance of each.
    pub variance: Vec<f32>,
}

/// What is known of observed numbers, one entry per item each; all that a normal likelihood asks of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Samples<'a> {
    /// How many there are; may be 0, and need not be whole.
    pub count: &'a [f32],
    /// Their mean; of none, any finite number.
    pub mean: &'a [f32],
    /// The sum of their squared distances from their mean.
    pub squares: &'a [f32],
}

impl Samples<'_> {
    fn check(&self, items: usize) -> Result<()> {
        check("the count", Domain::Count, self.count, items)?;
        check("the mean of the samples", Domain::Location, self.mean, items)?;
        check("the sum of squares", Domain::Squares, self.squares, items)
    }
}

/// Runs the operation on arguments that are in its domain: the result's planes, one behind the other.
fn run(engine: &Engine, operation: Operation, classes: usize, known: f32, arguments: &[&[f32]]) -> Result<Vec<f32>> {
    let items = arguments.first().map_or(0, |plane| plane.len());
    let mut results = vec![0.0; operation.results(classes) * items];
    engine.run_batch(Batch {
        kernel: Kernel::Conjugate,
        items,
        block: BLOCK,
        operations: operation.operations(classes),
        params: bytes_of(&params(operation, classes, known)),
        inputs: vec![Slot::<&[u8]>::items(arguments)],
        outputs: vec![Slot::<&mut [u8]>::items(results.chunks_exact_mut(items.max(1)))],
    })?;
    Ok(results)
}

fn params(operation: Operation, classes: usize, known: f32) -> Params {
    Params { operation: operation as u32, classes: classes as u32, known, ..Params::default() }
}

/// The planes of a result, each its own.
fn planes<const N: usize>(results: &[f32]) -> [Vec<f32>; N] {
    let items = results.len() / N;
    std::array::from_fn(|plane| results[plane * items..(plane + 1) * items].to_vec())
}

/// What is left on each side of an interval of this probability.
fn tail(level: f64) -> Result<f32> {
    if level > 0.0 && level < 1.0 {
        return Ok((0.5 * (1.0 - level)) as f32);
    }
    Err(BayesError::Setting { what: "the level", value: level as f32, must: "above 0 and below 1" }.into())
}

/// Within how many standard deviations of its mean a normal variate is with this probability: found on the host, so that nothing
/// that waits on a device is waited for.
fn normal_quantile(engine: &Engine, level: f64) -> Result<f32> {
    // The square of a standard normal variate is twice a gamma variate of shape a half.
    let mut half = [0.0_f32];
    engine.host()?.run_batch(Batch {
        kernel: Kernel::Special,
        items: 1,
        block: special::BLOCK,
        operations: 0,
        params: bytes_of(&special::Params { which: Function::GammaQuantileAbove as u32, ..special::Params::default() }),
        inputs: vec![Slot::<&[u8]>::items(&[&[0.5_f32][..], &[2.0 * tail(level)?]])],
        outputs: vec![Slot::<&mut [u8]>::items([&mut half[..]])],
    })?;
    Ok((2.0 * half[0]).sqrt())
}

/// The same mass for so many items.
fn of_all(mass: f32, items: usize) -> Vec<f32> {
    vec![mass; items]
}

/// Equal-tailed intervals of Beta(a, b).
fn beta_intervals(engine: &Engine, a: &[f32], b: &[f32], level: f64) -> Result<Intervals> {
    let tail = tail(level)?;
    let lower = evaluate(engine, Function::BetaQuantile, [a, b, &of_all(tail, a.len())])?;
    // What Beta(b, a) leaves to one, by its odds: so it keeps its digits near 0 and near 1.
    let upper = evaluate(engine, Function::BetaQuantileOdds, [b, a, &of_all(tail, a.len())])?;
    Ok(Intervals { lower, upper: upper.into_iter().map(|odds| 1.0 / (1.0 + odds)).collect() })
}
