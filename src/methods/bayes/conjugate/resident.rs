//! Conjugate families whose parameters an engine holds.

mod beta_bernoulli;
mod dirichlet_categorical;
mod normal_inverse_gamma;
mod normal_known_precision;

use bytemuck::bytes_of;

pub use self::beta_bernoulli::ResidentBetaBernoulli;
pub use self::dirichlet_categorical::ResidentDirichletCategorical;
pub use self::normal_inverse_gamma::ResidentNormalInverseGamma;
pub use self::normal_known_precision::ResidentNormalKnownPrecision;
use super::{BLOCK, Domain, Operation, Params, params};
use crate::engine::{self, Engine, Read, ResidentArray, ResidentPlanes, Within};
use crate::error::{LengthError, Result};
use crate::kernel::Kernel;

/// Runs the operation on arguments that are held: the result's planes.
fn run(
    engine: &Engine,
    operation: Operation,
    classes: usize,
    known: f32,
    items: usize,
    arguments: Read<'_>,
) -> Result<ResidentArray<f32>> {
    let mut results = engine.new_array(operation.results(classes), items)?;
    fill(engine, operation, params(operation, classes, known), arguments, &mut results)?;
    Ok(results)
}

/// The same into planes of a result, of which a run need not fill all.
fn fill(
    engine: &Engine,
    operation: Operation,
    params: Params,
    arguments: Read<'_>,
    results: &mut ResidentArray<f32>,
) -> Result<()> {
    let items = results.items();
    engine.operate(engine::Operation {
        kernel: Kernel::Conjugate,
        items,
        block: BLOCK,
        operations: operation.operations(params.classes as usize),
        params: bytes_of(&params),
        inputs: vec![arguments],
        outputs: vec![if results.bytes() == 0 { results.written() } else { results.updated(engine)? }],
        refuses: None,
    })?;
    Ok(())
}

/// What the parameters of a family must be.
struct Parameters<'a> {
    domains: &'a [Domain],
    /// What they sum to at most.
    sum: Option<f32>,
    must: &'static str,
}

impl Parameters<'_> {
    /// Of an array that whoever reads it, or what is made of it, is to be told of a parameter that is none.
    fn of(&self, engine: &Engine, mut array: ResidentArray<f32>) -> Result<ResidentArray<f32>> {
        LengthError::check("the list of the parameters' planes", self.domains.len(), array.planes())?;
        let ranges: Vec<[f32; 2]> = self.domains.iter().map(|domain| domain.range()).collect();
        let sum = self.sum.map(|most| (ranges.len(), [0.0, most]));
        let within = Within { operation: Kernel::Conjugate.name(), must: self.must, ranges: &ranges, sum };
        let check = engine.within(&array, within)?;
        array.subject_to(check);
        Ok(array)
    }
}

/// What is known of observed numbers: their count, mean and squares.
fn samples<'a>(engine: &Engine, items: usize, samples: ResidentPlanes<'a, f32>) -> Result<Read<'a>> {
    LengthError::check("the samples' list of planes", 3, samples.planes())?;
    LengthError::check("the samples", items, samples.items())?;
    let domains = [Domain::Count, Domain::Location, Domain::Squares];
    let within = Within {
        operation: Kernel::Conjugate.name(),
        must: "have samples with a count from 0 to 1000000, a mean from -1e9 to 1e9 and squares from 0 to 1e18",
        ranges: &domains.map(Domain::range),
        sum: None,
    };
    let check = engine.within(samples.clone(), within)?;
    Ok(samples.reading(engine)?.subject_to(check))
}
