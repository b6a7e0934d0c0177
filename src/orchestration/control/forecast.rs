//! The load of the next minute.

use std::collections::VecDeque;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Result, SpecError};

/// Predicts the next value of a series of evenly spaced ones, of the load of each minute for one.
pub trait Forecast: Send {
    /// Learns from the past, the oldest value first. It is called with ever more of the same past, its oldest values
    /// dropped at times.
    fn fit(&mut self, past: &[f64]);

    /// What comes next, after a past that ends with the newest value; `None` where that is too short, or nothing was learned.
    fn predict(&self, past: &[f64]) -> Option<f64>;
}

/// Predicts that everything stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LastValue;

impl Forecast for LastValue {
    fn fit(&mut self, _: &[f64]) {}

    fn predict(&self, past: &[f64]) -> Option<f64> {
        past.last().copied()
    }
}

/// A candidate beside the last value, used only where it has proved better.
///
/// With every value both predict the next before it is known, the candidate fitted to what was known by then: the errors are
/// of a rolling backtest, one step ahead. Over the last `window` of these, the candidate's mean absolute error must be
/// below 1 - `margin` times that of the last value for its prediction to be used.
///
/// # Examples
///
/// *A load that rises evenly, and a candidate that goes on as it was.*
///
/// ```
/// use consilience::orchestration::control::{Forecast, Forecaster, Horizon};
///
/// struct Straight;
///
/// impl Forecast for Straight {
///     fn fit(&mut self, _: &[f64]) {}
///
///     fn predict(&self, past: &[f64]) -> Option<f64> {
///         let [.., before, last] = past else { return None };
///         Some(2.0 * last - before)
///     }
/// }
///
/// let horizon = Horizon { window: 4, margin: 0.1, past: 60 };
/// let mut forecaster = Forecaster::new(Box::new(Straight), horizon)?;
/// let outlooks: Vec<_> = (1..9).map(|minute| forecaster.observe(10.0 * f64::from(minute))).collect();
/// assert_eq!((outlooks[4].value, outlooks[4].by_candidate), (50.0, false), "three errors are not enough");
/// assert_eq!((outlooks[5].value, outlooks[5].by_candidate), (70.0, true));
/// assert_eq!((outlooks[5].error_of_last, outlooks[5].error_of_candidate), (Some(10.0), Some(0.0)));
/// # Ok::<(), consilience::Error>(())
/// ```
pub struct Forecaster {
    candidate: Box<dyn Forecast>,
    horizon: Horizon,
    past: VecDeque<f64>,
    /// What the candidate predicted of the value to come.
    predicted: Option<f64>,
    /// Absolute errors of both, the last value's first, of the values that both predicted.
    errors: VecDeque<(f64, f64)>,
}

/// How far a forecaster looks back.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Horizon {
    /// Predictions that are compared; at least 2.
    pub window: usize,
    /// By what part the candidate's error must be the smaller, in [0, 1).
    pub margin: f64,
    /// Values that the candidate learns from; at least 2.
    pub past: usize,
}

impl Default for Horizon {
    /// Compared over half an hour of minutes, a tenth better, learned from a day.
    fn default() -> Self {
        Self { window: 30, margin: 0.1, past: 1_440 }
    }
}

/// What is expected of the next value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Outlook {
    /// The prediction.
    pub value: f64,
    /// Whether it is the candidate's, not the last value.
    pub by_candidate: bool,
    /// The mean absolute error of the last value, where there is one.
    pub error_of_last: Option<f64>,
    /// That of the candidate over the same values.
    pub error_of_candidate: Option<f64>,
}

impl Forecaster {
    /// A forecaster that has seen nothing.
    ///
    /// # Errors
    ///
    /// A number outside its range.
    pub fn new(candidate: Box<dyn Forecast>, horizon: Horizon) -> Result<Self> {
        let Horizon { window, margin, past } = horizon;
        SpecError::check("the number of predictions compared", window as f64, "at least 2", window >= 2)?;
        SpecError::check("the margin of the candidate", margin, "in [0, 1)", (0.0..1.0).contains(&margin))?;
        SpecError::check("the number of values learned from", past as f64, "at least 2", past >= 2)?;
        let (past, errors) = (VecDeque::new(), VecDeque::new());
        Ok(Self { candidate, horizon, past, predicted: None, errors })
    }

    /// Takes in a value and predicts the next. A value that is not finite is taken for the one before it.
    pub fn observe(&mut self, value: f64) -> Outlook {
        let last = self.past.back().copied();
        let value = if value.is_finite() { value } else { last.unwrap_or_default() };
        if let (Some(last), Some(predicted)) = (last, self.predicted) {
            if self.errors.len() == self.horizon.window {
                self.errors.pop_front();
            }
            self.errors.push_back(((last - value).abs(), (predicted - value).abs()));
        }
        if self.past.len() == self.horizon.past {
            self.past.pop_front();
        }
        self.past.push_back(value);
        let past = self.past.make_contiguous();
        self.candidate.fit(past);
        self.predicted = self.candidate.predict(past).filter(|predicted| predicted.is_finite());
        self.outlook(value)
    }

    fn outlook(&self, last: f64) -> Outlook {
        let count = self.errors.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| (count > 0.0).then(|| self.errors.iter().map(of).sum::<f64>() / count);
        let (error_of_last, error_of_candidate) = (mean(|errors| errors.0), mean(|errors| errors.1));
        let is_better = self.errors.len() == self.horizon.window
            && error_of_candidate < error_of_last.map(|error| (1.0 - self.horizon.margin) * error);
        let better = self.predicted.filter(|_| is_better);
        Outlook { value: better.unwrap_or(last), by_candidate: better.is_some(), error_of_last, error_of_candidate }
    }
}

impl fmt::Debug for Forecaster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forecaster")
            .field("horizon", &self.horizon)
            .field("values", &self.past.len())
            .field("predicted", &self.predicted)
            .finish_non_exhaustive()
    }
}
