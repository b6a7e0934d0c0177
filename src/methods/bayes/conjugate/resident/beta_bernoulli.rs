//! A probability, learned from successes and failures, where an engine holds it.

use super::super::BetaBernoulli;
use super::ResidentDirichletCategorical;
use crate::engine::{Engine, ResidentArray, ResidentPlanes};
use crate::error::{LengthError, Result};

/// [`BetaBernoulli`] in the memory of the engine that computes: a plane of alpha and one of beta. Dropped, the memory is free.
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
/// let prior = BetaBernoulli::new(&[1.0], &[1.0])?.upload(&engine)?;
/// let (successes, failures) = (engine.upload_array(&[8.0_f32])?, engine.upload_array(&[2.0_f32])?);
/// let posterior = prior.update(&engine, [&successes, &failures])?;
/// assert_eq!(posterior.read(&engine)?, BetaBernoulli::new(&[9.0], &[3.0])?);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug)]
pub struct ResidentBetaBernoulli(ResidentDirichletCategorical);

impl BetaBernoulli {
    /// Uploads the parameters.
    ///
    /// # Errors
    ///
    /// They pass what may be held, or the device fails.
    pub fn upload(&self, engine: &Engine) -> Result<ResidentBetaBernoulli> {
        Ok(ResidentBetaBernoulli(self.0.upload(engine)?))
    }
}

impl ResidentBetaBernoulli {
    /// Of parameters that are held: a plane of alpha and one of beta.
    ///
    /// # Errors
    ///
    /// Not two planes, another engine holds them, the device fails. Of a parameter that [`BetaBernoulli::new`] refuses
    /// whoever reads what is made of them is told.
    pub fn new(engine: &Engine, parameters: ResidentArray<f32>) -> Result<Self> {
        LengthError::check("the list of the parameters' planes", 2, parameters.planes())?;
        Ok(Self(ResidentDirichletCategorical::new(engine, parameters)?))
    }

    /// Number of items, B.
    #[must_use]
    pub const fn items(&self) -> usize {
        self.0.items()
    }

    /// Both parameters, [2, B].
    #[must_use]
    pub const fn parameters(&self) -> &ResidentArray<f32> {
        self.0.alpha()
    }

    /// The parameters on the host.
    ///
    /// # Errors
    ///
    /// Another engine holds them; an operation that led to them refused an item, or a parameter is none; the device fails.
    pub fn read(&self, engine: &Engine) -> Result<BetaBernoulli> {
        Ok(BetaBernoulli(self.0.read(engine)?))
    }

    /// [`BetaBernoulli::update`] by a plane of successes and one of failures that are held.
    ///
    /// # Errors
    ///
    /// Counts of another shape, another engine holds something, the posterior passes what may be held, the device fails. Of
    /// counts or parameters that are none whoever reads what is made of them is told.
    pub fn update<'a>(&self, engine: &Engine, counts: impl Into<ResidentPlanes<'a, f32>>) -> Result<Self> {
        Ok(Self(self.0.update(engine, counts)?))
    }

    /// [`BetaBernoulli::merge`].
    ///
    /// # Errors
    ///
    /// As [`Self::update`], for the others.
    pub fn merge(&self, engine: &Engine, other: &Self, prior: &Self) -> Result<Self> {
        Ok(Self(self.0.merge(engine, &other.0, &prior.0)?))
    }

    /// The moments of success, then of failure: the means in the first two planes, the variances, which are the same, in the
    /// last two.
    ///
    /// # Errors
    ///
    /// Another engine holds the parameters, the moments pass what may be held, the device fails.
    pub fn moments(&self, engine: &Engine) -> Result<ResidentArray<f32>> {
        self.0.moments(engine)
    }

    /// [`BetaBernoulli::credible_interval`] of success, then of failure: the lower ends in the first two planes, the upper ones
    /// in the last two.
    ///
    /// # Errors
    ///
    /// The level is not above 0 and below 1, another engine holds the parameters, the ends pass what may be held, the device
    /// fails.
    pub fn credible_interval(&self, engine: &Engine, level: f64) -> Result<ResidentArray<f32>> {
        self.0.credible_interval(engine, level)
    }

    /// [`BetaBernoulli::log_evidence`] of a plane of successes and one of failures that are held.
    ///
    /// # Errors
    ///
    /// As [`Self::update`].
    pub fn log_evidence<'a>(
        &self,
        engine: &Engine,
        counts: impl Into<ResidentPlanes<'a, f32>>,
    ) -> Result<ResidentArray<f32>> {
        self.0.log_evidence(engine, counts)
    }

    /// [`BetaBernoulli::divergence`].
    ///
    /// # Errors
    ///
    /// They differ in length, another engine holds one, the divergences pass what may be held, the device fails.
    pub fn divergence(&self, engine: &Engine, other: &Self) -> Result<ResidentArray<f32>> {
        self.0.divergence(engine, &other.0)
    }
}
