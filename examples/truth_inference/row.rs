//! What is told of one method.

use std::time::{Duration, Instant};

use consilience::Engine;
use consilience::truth::{Fit, Known, Method};

use crate::Failure;
use crate::score::Score;
use crate::task::Task;

/// What one method did.
pub struct Row {
    pub method: Method,
    /// The last.
    pub objective: Option<f64>,
    pub iterations: u32,
    pub time: Duration,
    /// Where truth is given.
    pub score: Option<Score>,
}

impl Row {
    /// Fits a method; its objective never falls but by rounding.
    pub fn of(engine: &Engine, task: &Task, method: &Method) -> Result<(Self, Fit), Failure> {
        let known = Known { gold: &task.gold, ..Known::default() };
        let start = Instant::now();
        let fit = method.fit_with(engine, task.annotations(), &known)?;
        let time = start.elapsed();
        for pair in fit.objective().windows(2) {
            assert!(pair[1] >= pair[0] - 1e-6 * pair[0].abs(), "{}: the objective fell: {pair:?}", method.name());
        }
        let score = Score::of(fit.posterior(), task)?;
        let (objective, iterations) = (fit.objective().last().copied(), fit.iterations());
        Ok((Self { method: method.clone(), objective, iterations, time, score }, fit))
    }
}
