//! A fit that begins on the device and goes on on the CPU where that fails.

use std::sync::Arc;
use std::time::Duration;

use crate::backend::gpu::Gpu;
use crate::backend::{Backend, Regression};
use crate::engine::Engine;
use crate::engine::attempt::attempt;
use crate::engine::events::Job;
use crate::error::Result;
use crate::kernel::Kernel;
use crate::kernel::stacking::softmax_regression::{Features, Targets};

const JOB: Job = Job::Run(Kernel::SoftmaxRegression);

/// A regression where it is now.
#[derive(Debug)]
pub(super) struct Movable<'engine> {
    engine: &'engine Engine,
    features: Arc<Features>,
    /// The last that were given.
    targets: Option<Targets>,
    /// `None`: on the CPU.
    gpu: Option<Arc<Gpu>>,
    regression: Box<dyn Regression>,
}

impl<'engine> Movable<'engine> {
    /// No item is labelled yet.
    pub(super) fn new(engine: &'engine Engine, features: Features) -> Result<Self> {
        let mut features = Arc::new(features);
        let (gpu, regression) = engine.on_either(
            JOB,
            &mut features,
            |gpu, features| Ok((Some(Arc::clone(gpu)), Arc::clone(gpu).regression(Arc::clone(features))?)),
            |cpu, features| Ok((None, Arc::clone(cpu).regression(Arc::clone(features))?)),
        )?;
        Ok(Self { engine, features, targets: None, gpu, regression })
    }

    /// Asks something of the regression, where it fails on the device of one on the CPU.
    fn ask<T>(&mut self, mut ask: impl FnMut(&mut dyn Regression) -> Result<T>) -> Result<T> {
        let Some(gpu) = &self.gpu else { return ask(&mut *self.regression) };
        let error = match attempt(|| ask(&mut *self.regression)) {
            Err(error) => error,
            done => {
                self.engine.succeeded();
                return done;
            }
        };
        self.engine.goes_on_on_cpu(JOB, gpu, error)?;
        let mut regression = Arc::clone(self.engine.host.cpu()?).regression(Arc::clone(&self.features))?;
        if let Some(targets) = &self.targets {
            regression.label(targets)?;
        }
        // What was on the device is freed.
        (self.regression, self.gpu) = (regression, None);
        ask(&mut *self.regression)
    }
}

impl Regression for Movable<'_> {
    fn features(&self) -> &Features {
        &self.features
    }

    fn label(&mut self, targets: &Targets) -> Result<()> {
        self.ask(|regression| regression.label(targets))?;
        if self.gpu.is_some() {
            self.targets = Some(targets.clone());
        }
        Ok(())
    }

    fn evaluate(&mut self, parameters: &[f32], gradient: &mut [f64]) -> Result<f64> {
        self.ask(|regression| regression.evaluate(parameters, gradient))
    }

    fn kernels(&self) -> Option<Duration> {
        self.regression.kernels()
    }
}
