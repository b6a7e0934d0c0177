//! Composed of candle-core's operations on the CPU, on as many threads as `RAYON_NUM_THREADS` allows.

mod fusions;

use candle_core::{Device, Result, Tensor};

use super::{Composable, Composed, Framework, Running};
use crate::Failure;

/// candle on the CPU.
pub struct Candle;

impl Framework for Candle {
    fn take(&self, given: &Composable<'_>) -> std::result::Result<Box<dyn Running>, Failure> {
        let [n, b, c] = given.shape;
        let inputs = Tensor::from_vec(given.stacked.clone(), (n, b, c), &Device::Cpu)?;
        Ok(Box::new(OnTensors { what: given.what, inputs, found: None }))
    }
}

struct OnTensors {
    what: Composed,
    inputs: Tensor,
    found: Option<Tensor>,
}

impl Running for OnTensors {
    fn run(&mut self) -> std::result::Result<(), Failure> {
        self.found = Some(compose(self.what, &self.inputs)?);
        Ok(())
    }

    fn answer(&self) -> std::result::Result<Vec<f32>, Failure> {
        let found = self.found.as_ref().ok_or("it did not run")?;
        Ok(found.flatten_all()?.to_vec1()?)
    }
}

/// What a user of candle would write.
fn compose(what: Composed, x: &Tensor) -> Result<Tensor> {
    match what {
        Composed::Linear => fusions::linear(x),
        Composed::Vote => fusions::vote(x),
        Composed::BayesianAverage => fusions::bayesian_average(x),
        Composed::LogPool => fusions::log_pool(x),
        Composed::Ensemble => fusions::ensemble(x),
        Composed::Cosine => cosine(x),
    }
}

/// [2, 9, B] to [B].
fn cosine(x: &Tensor) -> Result<Tensor> {
    let (a, b) = (x.get(0)?, x.get(1)?);
    let length = |x: &Tensor| x.sqr()?.sum(0)?.sqrt();
    (&a * &b)?.sum(0)? / (length(&a)? * length(&b)?)?
}
