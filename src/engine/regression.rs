//! A fit where it is expected to take less; one that begins on the device goes on on the CPU where that fails.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::backend::cpu::Cpu;
use crate::backend::gpu::Gpu;
use crate::backend::{Backend, Regression};
use crate::engine::Engine;
use crate::engine::attempt::attempt;
use crate::engine::choice::Choice;
use crate::engine::events::Job;
use crate::engine::placed::least;
use crate::error::{DeviceError, Result};
use crate::kernel::Kernel;
use crate::kernel::stacking::softmax_regression::{Features, LANES, Row, Targets};
use crate::plan::cost::{Demand, Evaluations, Executor, PROBE};

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
    /// What it asks; `None`: there is no choice.
    demand: Option<Demand>,
    expected: Evaluations,
    evaluated: u64,
}

impl<'engine> Movable<'engine> {
    /// No item is labelled yet.
    pub(super) fn new(engine: &'engine Engine, features: Features, expected: Evaluations) -> Result<Self> {
        let features = Arc::new(features);
        let Features { items, classes, len, .. } = *features;
        // Of none, or of a fit that the device has no room for, there is nothing to choose.
        let demand = engine.chooser.as_ref().filter(|_| items > 0);
        let demand = demand.and_then(|chooser| engine.fit_demand(items, classes, len, chooser.expected(expected)).ok());
        let tiles = demand.as_ref().map_or(0, probed).div_ceil(LANES);
        let executor = engine.place(demand.as_ref(), |executor| engine.probe_fit(executor, features.first(tiles)));
        let on_cpu = |cpu: &Arc<Cpu>| Ok((None, Arc::clone(cpu).regression(Arc::clone(&features))?));
        let (gpu, regression) = match executor {
            Executor::Cpu => on_cpu(engine.host.cpu()?),
            Executor::Gpu => engine.on_either(
                JOB,
                &mut (),
                |gpu, ()| Ok((Some(Arc::clone(gpu)), Arc::clone(gpu).regression(Arc::clone(&features))?)),
                |cpu, ()| on_cpu(cpu),
            ),
        }?;
        Ok(Self { engine, features, targets: None, gpu, regression, demand, expected, evaluated: 0 })
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
        let (executor, begin) = (self.executor(), Instant::now());
        let loss = self.ask(|regression| regression.evaluate(parameters, gradient))?;
        self.evaluated += 1;
        // What leaves the numbers may not have been evaluated at all, and what failed on the device was evaluated twice.
        if let (Some(chooser), Some(demand)) = (&self.engine.chooser, &self.demand)
            && loss.is_finite()
            && executor == self.executor()
        {
            chooser.observe(executor, demand, begin.elapsed());
        }
        Ok(loss)
    }

    fn executor(&self) -> Executor {
        self.regression.executor()
    }

    fn kernels(&self) -> Option<Duration> {
        self.regression.kernels()
    }
}

impl Drop for Movable<'_> {
    /// Those to come are expected to be evaluated as often.
    fn drop(&mut self) {
        if let (Some(chooser), 1..) = (&self.engine.chooser, self.evaluated) {
            chooser.observe_evaluations(self.expected, self.evaluated);
        }
    }
}

impl Engine {
    /// What a fit asks that evaluates so often.
    ///
    /// # Errors
    ///
    /// There is no device in use, or it cannot hold a part of the features.
    fn fit_demand(&self, items: usize, classes: usize, features: usize, evaluations: f64) -> Result<Demand> {
        let accelerator = self.accelerator.as_ref().ok_or(DeviceError::HeldElsewhere)?;
        accelerator.current(&self.log)?.fit(items, classes, features, evaluations)
    }

    /// Evaluates a regression over the features.
    fn probe_fit(&self, executor: Executor, features: Features) -> Result<(Demand, Duration)> {
        let demand = self.fit_demand(features.items, features.classes, features.len, 1.0)?;
        let targets = Targets::of(&vec![0; features.items], |_| true);
        let (parameters, mut gradient) = (vec![0.0; features.parameters()], vec![0.0; features.parameters()]);
        let mut took = |mut regression: Box<dyn Regression>| {
            regression.label(&targets)?;
            least(|| regression.evaluate(&parameters, &mut gradient))
        };
        let features = Arc::new(features);
        let took = match executor {
            Executor::Cpu => took(Arc::clone(self.host.cpu()?).regression(features)?),
            Executor::Gpu => self.on_gpu(JOB, |gpu| took(Arc::clone(gpu).regression(features)?)),
        }?;
        Ok((demand, took))
    }

    /// Where a fit of so many items, classes and features runs, and why. Evaluated are features of no one where it has to be
    /// measured: how long that takes does not depend on their values.
    pub(super) fn choice_of_fit(&self, items: usize, classes: usize, len: usize) -> Result<Choice> {
        let Some(chooser) = self.choosing() else { return Ok(self.only(Kernel::SoftmaxRegression.name())) };
        let demand = self.fit_demand(items, classes, len, chooser.expected(Evaluations::Fits(1)))?;
        chooser.executor(&demand, false, |executor| {
            let items = items.min(probed(&demand));
            let rows = vec![Row([-1.0; LANES]); items.div_ceil(LANES) * len];
            self.probe_fit(executor, Features { items, classes, len, rows })
        });
        Ok(Choice::of(&chooser.model(), &demand))
    }
}

/// How many items a fit is measured on.
fn probed(demand: &Demand) -> usize {
    ((PROBE / demand.work * demand.items) as usize).max(1)
}
