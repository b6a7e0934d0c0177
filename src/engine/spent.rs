//! What an engine spent, kernel by kernel.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::backend::{Regression, Timing};
use crate::engine::Engine;
use crate::error::Result;
use crate::kernel::Kernel;
use crate::kernel::stacking::softmax_regression::{Features, Row, Targets};
use crate::plan::Program;
use crate::plan::cost::Executor;

/// What an [`Engine`] spent on one kernel since it was opened, all calls together. What a call spent is what is more of it
/// after the call than before, [`Spent::since`].
///
/// # Examples
///
/// *An average reads two rows of two classes and writes one.*
///
/// ```
/// use consilience::kernel::Kernel;
/// use consilience::{Engine, Evidence, Fusion, Output, Rule};
///
/// let engine = Engine::cpu()?;
/// let (a, b) = ([0.75, 0.25], [0.5, 0.5]);
/// let average = Fusion::new(Rule::Linear).outputs(&[Output::Posterior]);
/// engine.fuse(&average, &Evidence::probabilities(2, &[&a, &b])?)?;
/// let spent = engine.spent(Kernel::Pool);
/// assert_eq!((spent.runs, spent.bytes), (1, 24));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct Spent {
    /// Runs over all items of a call.
    pub runs: u64,
    /// Where the time went.
    pub timing: Timing,
    /// What had to be read and written, in bytes, each value once.
    pub bytes: u64,
    /// Arithmetic operations, roughly, as the kernel's contract counts them; 0 where it counts none.
    pub operations: u64,
}

impl Spent {
    /// What came since an earlier state of the same engine and kernel.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            runs: self.runs.saturating_sub(earlier.runs),
            timing: self.timing.since(&earlier.timing),
            bytes: self.bytes.saturating_sub(earlier.bytes),
            operations: self.operations.saturating_sub(earlier.operations),
        }
    }

    fn add(&mut self, timing: Timing, bytes: u64, operations: u64) {
        self.runs += 1;
        self.timing += timing;
        self.bytes += bytes;
        self.operations += operations;
    }
}

/// What was spent on every kernel that ran.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// A call takes the lock once, for a few additions. Atomics would not do: what a call spent is read as the difference of
    /// two states, whose numbers have to be of the same calls.
    spent: Mutex<HashMap<Kernel, Spent>>,
}

impl Account {
    pub(super) fn of(&self, kernel: Kernel) -> Spent {
        self.with(|spent| spent.get(&kernel).copied().unwrap_or_default())
    }

    /// A kernel ran.
    pub(super) fn add(&self, kernel: Kernel, timing: Timing, bytes: u64, operations: u64) {
        self.with(|spent| spent.entry(kernel).or_default().add(timing, bytes, operations));
    }

    /// A fusion of so many items ran.
    pub(super) fn add_fusion(&self, program: &Program, items: usize, timing: Timing) {
        // There is one step to a program; of several the time could not be told apart.
        if let [step] = &program.steps[..] {
            let (read, written) = step.bytes_per_item();
            self.add(step.kernel(), timing, ((read + written) * items as f64) as u64, 0);
        }
    }

    /// Nothing panics under the lock.
    fn with<T>(&self, with: impl FnOnce(&mut HashMap<Kernel, Spent>) -> T) -> T {
        with(&mut self.spent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A regression whose evaluations are put to the engine's account.
#[derive(Debug)]
pub(super) struct Accounted<'a> {
    pub engine: &'a Engine,
    pub regression: Box<dyn Regression + 'a>,
}

impl Regression for Accounted<'_> {
    fn features(&self) -> &Features {
        self.regression.features()
    }

    fn label(&mut self, targets: &Targets) -> Result<()> {
        self.regression.label(targets)
    }

    fn evaluate(&mut self, parameters: &[f32], gradient: &mut [f64]) -> Result<f64> {
        let start = Instant::now();
        let loss = self.regression.evaluate(parameters, gradient)?;
        let executor = self.regression.executor();
        let timing = Timing {
            executor,
            total: start.elapsed(),
            kernels: self.regression.kernels(),
            chunks: 1,
            ..Timing::default()
        };
        let features = self.regression.features();
        let rows = features.rows.len() + features.tiles();
        let bytes = size_of::<Row>() * rows + size_of_val(parameters) + 4 * gradient.len();
        // A product and a sum for each parameter on the way to the logits, and again on the way back.
        let operations = 4 * features.items * features.parameters();
        self.engine.account.add(Kernel::SoftmaxRegression, timing, bytes as u64, operations as u64);
        Ok(loss)
    }

    fn executor(&self) -> Executor {
        self.regression.executor()
    }

    fn kernels(&self) -> Option<Duration> {
        self.regression.kernels()
    }
}
