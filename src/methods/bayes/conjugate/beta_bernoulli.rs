//! A probability, learned from successes and failures.

use super::{DirichletCategorical, Domain, Intervals, Moments, beta_intervals, check};
use crate::engine::Engine;
use crate::error::Result;

/// What is believed of a probability, per item: a Beta distribution.
///
/// # Examples
///
/// *Eight successes and two failures under a uniform prior.*
///
/// ```
/// use consilience::Engine;
/// use consilience::bayes::BetaBernoulli;
///
/// let engine = Engine::cpu()?;
/// let posterior = BetaBernoulli::new(&[1.0], &[1.0])?.update(&engine, &[8.0], &[2.0])?;
/// let interval = posterior.credible_interval(&engine, 0.95)?;
/// assert!((interval.lower[0] - 0.482_244).abs() < 1e-5 && (interval.upper[0] - 0.939_782).abs() < 1e-5);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct BetaBernoulli(pub(super) DirichletCategorical);

/// The planes of success and failure.
fn both(success: &[f32], failure: &[f32]) -> Vec<f32> {
    [success, failure].concat()
}

impl BetaBernoulli {
    /// Of both parameters, one per item.
    ///
    /// # Errors
    ///
    /// They differ in length, or one is outside [0.001, 1e6], or an item's sum to more.
    pub fn new(alpha: &[f32], beta: &[f32]) -> Result<Self> {
        check("alpha", Domain::Parameter, alpha, alpha.len())?;
        check("beta", Domain::Parameter, beta, alpha.len())?;
        Ok(Self(DirichletCategorical::new(2, both(alpha, beta))?))
    }

    /// Number of items, B.
    #[must_use]
    pub fn items(&self) -> usize {
        self.0.items()
    }

    /// The parameter of success.
    #[must_use]
    pub fn alpha(&self) -> &[f32] {
        &self.0.alpha()[..self.items()]
    }

    /// The parameter of failure.
    #[must_use]
    pub fn beta(&self) -> &[f32] {
        &self.0.alpha()[self.items()..]
    }

    /// The posterior after so many successes and failures.
    ///
    /// # Errors
    ///
    /// Counts of another length or outside [0, 1e6], or parameters too large with them; the device fails.
    pub fn update(&self, engine: &Engine, successes: &[f32], failures: &[f32]) -> Result<Self> {
        Ok(Self(self.0.update(engine, &self.counts(successes, failures)?)?))
    }

    /// What this posterior and another one say together, both from the prior given, on data of their own.
    ///
    /// # Errors
    ///
    /// They differ in length, or are not both posteriors from that prior, so that a parameter is none; the device fails.
    pub fn merge(&self, engine: &Engine, other: &Self, prior: &Self) -> Result<Self> {
        Ok(Self(self.0.merge(engine, &other.0, &prior.0)?))
    }

    /// Mean and variance of the probability. The mean is also the probability that the next observation is a success.
    ///
    /// # Errors
    ///
    /// The device fails.
    pub fn moments(&self, engine: &Engine) -> Result<Moments> {
        let Moments { mut mean, mut variance } = self.0.moments(engine)?;
        mean.truncate(self.items());
        variance.truncate(self.items());
        Ok(Moments { mean, variance })
    }

    /// The probability that the next observation is a success.
    ///
    /// # Errors
    ///
    /// The device fails.
    pub fn predictive(&self, engine: &Engine) -> Result<Vec<f32>> {
        Ok(self.moments(engine)?.mean)
    }

    /// Where the probability lies with this probability, within 2e-6 relative.
    ///
    /// # Errors
    ///
    /// The level is not above 0 and below 1; the device fails.
    pub fn credible_interval(&self, engine: &Engine, level: f64) -> Result<Intervals> {
        beta_intervals(engine, self.alpha(), self.beta(), level)
    }

    /// ln of the probability of so many successes and failures in a given order.
    ///
    /// # Errors
    ///
    /// As [`Self::update`].
    pub fn log_evidence(&self, engine: &Engine, successes: &[f32], failures: &[f32]) -> Result<Vec<f32>> {
        self.0.log_evidence(engine, &self.counts(successes, failures)?)
    }

    /// KL(self || other) in nats.
    ///
    /// # Errors
    ///
    /// They differ in length; the device fails.
    pub fn divergence(&self, engine: &Engine, other: &Self) -> Result<Vec<f32>> {
        self.0.divergence(engine, &other.0)
    }

    fn counts(&self, successes: &[f32], failures: &[f32]) -> Result<Vec<f32>> {
        check("the number of successes", Domain::Count, successes, self.items())?;
        check("the number of failures", Domain::Count, failures, self.items())?;
        Ok(both(successes, failures))
    }
}
