//! Iterations until nothing rises any more.

use super::fit::Ending;
use crate::error::{Result, TruthError};

/// When fits end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    max_iterations: u32,
    tolerance: f64,
    look_every: u32,
}

/// How a fit went.
#[derive(Debug, Clone, Default)]
pub(super) struct Climb {
    pub objective: Vec<f64>,
    pub iterations: u32,
    pub ending: Option<Ending>,
}

impl Climb {
    /// The objective at the end.
    pub(super) fn height(&self) -> f64 {
        self.objective.last().copied().unwrap_or(f64::NEG_INFINITY)
    }
}

impl Schedule {
    /// Of options that a caller gave.
    pub(super) fn new(max_iterations: u32, tolerance: f64, look_every: u32) -> Result<Self> {
        TruthError::check_option("the number of iterations", max_iterations, max_iterations > 0, "at least 1")?;
        let between = "the number of iterations between two looks";
        TruthError::check_option(between, look_every, look_every > 0, "at least 1")?;
        let is_valid = tolerance.is_finite() && tolerance >= 0.0;
        TruthError::check_option("the tolerance", tolerance, is_valid, "a finite number of at least 0")?;
        Ok(Self { max_iterations, tolerance, look_every })
    }

    /// Brings fits forward, all by an iteration before any by the next, so that a device has the work of all at once; each
    /// until its objective rises no more. Answers the one that ends highest, of equals the first.
    pub(super) fn climb<S>(
        &self,
        fits: Vec<S>,
        step: impl Fn(&mut S) -> Result<()>,
        objective: impl Fn(&S) -> Result<f64>,
    ) -> Result<(S, Climb)> {
        let mut fits: Vec<(S, Climb)> = fits.into_iter().map(|fit| (fit, Climb::default())).collect();
        for iteration in 1..=self.max_iterations {
            let mut going = fits.iter_mut().filter(|(_, climb)| climb.ending.is_none()).peekable();
            if going.peek().is_none() {
                break;
            }
            for (fit, climb) in going {
                step(fit)?;
                climb.iterations = iteration;
            }
            if !self.looks(iteration) {
                continue;
            }
            for (fit, climb) in fits.iter_mut().filter(|(_, climb)| climb.ending.is_none()) {
                self.look(climb, objective(fit)?);
            }
        }
        let higher = |a: (S, Climb), b: (S, Climb)| if b.1.height() > a.1.height() { b } else { a };
        Ok(fits.into_iter().reduce(higher).ok_or(TruthError::NoAnnotations)?)
    }

    /// Whether this is the last iteration that is allowed, or one after which the objective is looked at.
    fn looks(&self, iteration: u32) -> bool {
        iteration.is_multiple_of(self.look_every) || iteration >= self.max_iterations
    }

    /// Takes an objective that was looked at.
    fn look(&self, climb: &mut Climb, objective: f64) {
        let before = climb.objective.last().copied();
        climb.objective.push(objective);
        let least = self.tolerance * f64::from(self.look_every) * objective.abs();
        if before.is_some_and(|before| objective - before <= least) {
            climb.ending = Some(Ending::Converged);
        }
    }

    /// Takes an iteration that was made elsewhere, with the objective that it came to. Answers whether there is another.
    #[cfg(feature = "datafusion")]
    pub(super) fn took(&self, climb: &mut Climb, objective: f64) -> bool {
        climb.iterations += 1;
        if self.looks(climb.iterations) {
            self.look(climb, objective);
        }
        climb.ending.is_none() && climb.iterations < self.max_iterations
    }
}
