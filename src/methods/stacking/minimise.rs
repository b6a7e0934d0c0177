//! L-BFGS over any function with a gradient, through argmin: each point is evaluated once, and the best one seen is
//! answered whatever ended the search.

use std::cell::RefCell;

use argmin::core::{
    CostFunction, Error as ArgminError, Executor, Gradient, State, TerminationReason, TerminationStatus,
};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;

use crate::error::{Error, FitError, Result};

/// Pairs of steps and gradient changes that L-BFGS keeps.
const MEMORY: usize = 12;

/// Points remembered: argmin asks for the value, for the gradient, and again for the gradient of the point it takes.
const REMEMBERED: usize = 4;

/// Where the search ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Minimum {
    pub point: Vec<f64>,
    pub value: f64,
    pub gradient: Vec<f64>,
    pub iterations: u64,
    pub evaluations: u64,
    pub converged: bool,
}

/// When to stop: once the gradient's norm is below `tolerance`, or a step gains less than a tenth of its square; or once
/// either says that what is left to gain is no more than `rounding`, the error of the function's values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stop {
    pub tolerance: f64,
    pub rounding: f64,
    pub max_iterations: u64,
}

/// Minimises `function`, which answers its value and fills in its gradient.
pub(super) fn minimise(
    start: Vec<f64>,
    stop: Stop,
    function: impl FnMut(&[f64], &mut [f64]) -> Result<f64>,
) -> Result<Minimum> {
    let memo = Memo { function: RefCell::new(function), seen: RefCell::default() };
    let first = memo.at(&start).map_err(|error| memo.failure(&error))?;
    if !first.value.is_finite() {
        return Err(FitError::Optimiser { message: format!("it is {} at the start", first.value) }.into());
    }
    let tolerance = stop.tolerance.max((2.0 * stop.rounding).sqrt());
    let least_gain = (0.1 * stop.tolerance * stop.tolerance).max(stop.rounding);
    let (mut iterations, mut ended) = (0, None);
    if stop.max_iterations > 0 && norm(&first.gradient) > tolerance {
        let search = MoreThuenteLineSearch::new().with_c(1e-4, 0.9).and_then(|s| s.with_width_tolerance(1e-4));
        let failed = |error: ArgminError| Error::from(FitError::Optimiser { message: error.to_string() });
        let solver = LBFGS::new(search.map_err(failed)?, MEMORY)
            .with_tolerance_grad(tolerance)
            .and_then(|solver| solver.with_tolerance_cost(least_gain))
            .map_err(failed)?;
        let run = Executor::new(&memo, solver)
            .configure(|state| state.param(start).max_iters(stop.max_iterations))
            .timer(false)
            .run();
        match run {
            Ok(result) => {
                iterations = result.state.get_iter();
                ended = match result.state.get_termination_status() {
                    TerminationStatus::Terminated(reason) => Some(reason.clone()),
                    TerminationStatus::NotTerminated => None,
                };
            }
            Err(error) => return Err(memo.failure(&error)),
        }
    }
    let seen = memo.seen.into_inner();
    if let Some(error) = seen.error {
        return Err(error);
    }
    let best = seen.best.unwrap_or(first);
    let converged = ended == Some(TerminationReason::SolverConverged) || norm(&best.gradient) <= tolerance;
    Ok(Minimum {
        point: best.point,
        value: best.value,
        gradient: best.gradient,
        iterations,
        evaluations: seen.evaluations,
        converged,
    })
}

fn norm(gradient: &[f64]) -> f64 {
    gradient.iter().map(|g| g * g).sum::<f64>().sqrt()
}

/// A point with what the function says there.
#[derive(Debug, Clone, PartialEq)]
struct Evaluation {
    point: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// The function, and what it said lately.
struct Memo<F> {
    function: RefCell<F>,
    seen: RefCell<Seen>,
}

#[derive(Default)]
struct Seen {
    last: std::collections::VecDeque<Evaluation>,
    best: Option<Evaluation>,
    evaluations: u64,
    error: Option<Error>,
}

impl<F: FnMut(&[f64], &mut [f64]) -> Result<f64>> Memo<F> {
    fn at(&self, point: &[f64]) -> Result<Evaluation, ArgminError> {
        let mut seen = self.seen.borrow_mut();
        if let Some(known) = seen.last.iter().find(|known| known.point == point) {
            return Ok(known.clone());
        }
        let mut gradient = vec![0.0; point.len()];
        let value = match (self.function.borrow_mut())(point, &mut gradient) {
            Ok(value) => value,
            Err(error) => {
                let message = error.to_string();
                seen.error = Some(error);
                return Err(ArgminError::msg(message));
            }
        };
        seen.evaluations += 1;
        let evaluation = Evaluation { point: point.to_vec(), value, gradient };
        let is_finite = value.is_finite() && evaluation.gradient.iter().all(|g| g.is_finite());
        if !is_finite && seen.best.is_some() {
            return Err(ArgminError::msg("a step left the finite numbers"));
        }
        if is_finite && seen.best.as_ref().is_none_or(|best| value <= best.value) {
            seen.best = Some(evaluation.clone());
        }
        if seen.last.len() == REMEMBERED {
            seen.last.pop_front();
        }
        seen.last.push_back(evaluation.clone());
        Ok(evaluation)
    }

    /// The function's own error, or else argmin's.
    fn failure(&self, error: &ArgminError) -> Error {
        let own = self.seen.borrow_mut().error.take();
        own.unwrap_or_else(|| FitError::Optimiser { message: error.to_string() }.into())
    }
}

impl<F: FnMut(&[f64], &mut [f64]) -> Result<f64>> CostFunction for &Memo<F> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, point: &Vec<f64>) -> Result<f64, ArgminError> {
        Ok(self.at(point)?.value)
    }
}

impl<F: FnMut(&[f64], &mut [f64]) -> Result<f64>> Gradient for &Memo<F> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, point: &Vec<f64>) -> Result<Vec<f64>, ArgminError> {
        Ok(self.at(point)?.gradient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valley_is_walked_down_and_no_point_is_evaluated_twice() {
        let mut points = Vec::new();
        let minimum =
            minimise(vec![-1.2, 1.0], Stop { tolerance: 1e-8, rounding: 0.0, max_iterations: 200 }, |x, g| {
                assert!(!points.contains(&x.to_vec()), "{x:?} was evaluated before");
                points.push(x.to_vec());
                let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
                g[0] = -2.0 * a - 400.0 * x[0] * b;
                g[1] = 200.0 * b;
                Ok(a * a + 100.0 * b * b)
            });
        let minimum = minimum.expect("Rosenbrock's function has a minimum");
        assert!(minimum.converged && minimum.point.iter().all(|x| (x - 1.0).abs() < 1e-6), "{minimum:?}");
        assert_eq!(minimum.evaluations, points.len() as u64);
    }

    #[test]
    fn a_start_that_is_the_minimum_or_no_number_ends_at_once() {
        let stop = Stop { tolerance: 1e-8, rounding: 0.0, max_iterations: 10 };
        let there = minimise(vec![0.0], stop, |_, _| Ok(3.0)).expect("flat");
        assert_eq!((there.value, there.iterations, there.converged), (3.0, 0, true));
        assert!(minimise(vec![0.0], stop, |_, _| Ok(f64::NAN)).expect_err("no number").is_fit());
    }
}
