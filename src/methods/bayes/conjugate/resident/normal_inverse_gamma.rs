//! A mean and a variance, learned from observations, where an engine holds them.

use super::super::NormalInverseGamma;
use super::super::tail;
use super::{Domain, Operation, Parameters, run, samples};
use crate::engine::{Engine, ResidentArray, ResidentPlanes};
use crate::error::{LengthError, Result};
use crate::kernel::bayes::special::Function;
use crate::methods::bayes::special::evaluate_resident;

/// [`NormalInverseGamma`] in the memory of the engine that computes: planes of mean, count, shape and rate. Dropped, the
/// memory is free.
///
/// # Examples
///
/// *Four observations against a weak prior.*
///
/// ```
/// use consilience::Engine;
/// use consilience::bayes::NormalInverseGamma;
///
/// let engine = Engine::cpu()?;
/// let prior = NormalInverseGamma::new([vec![0.0], vec![1.0], vec![2.0], vec![1.0]])?.upload(&engine)?;
/// let samples = engine.upload_planes(&[4.0_f32, 2.5, 5.0], 3)?; // Count, mean, squares.
/// let posterior = prior.update(&engine, &samples)?;
/// assert_eq!(posterior.parameters().read(&engine)?, [2.0, 5.0, 4.0, 6.0]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug)]
pub struct ResidentNormalInverseGamma {
    planes: ResidentArray<f32>,
}

impl NormalInverseGamma {
    /// Uploads the parameters.
    ///
    /// # Errors
    ///
    /// They pass what may be held, or the device fails.
    pub fn upload(&self, engine: &Engine) -> Result<ResidentNormalInverseGamma> {
        Ok(ResidentNormalInverseGamma { planes: engine.upload_planes(&self.planes.concat(), self.planes.len())? })
    }
}

impl ResidentNormalInverseGamma {
    /// Of parameters that are held: planes of mean, count, shape and rate.
    ///
    /// # Errors
    ///
    /// Not four planes, another engine holds them, the device fails. Of a parameter that [`NormalInverseGamma::new`] refuses
    /// whoever reads what is made of them is told.
    pub fn new(engine: &Engine, planes: ResidentArray<f32>) -> Result<Self> {
        let parameters = Parameters {
            domains: &[Domain::Location, Domain::Scale, Domain::Parameter, Domain::Scale],
            sum: None,
            must: "have a mean from -1e9 to 1e9, a count and a rate from 1e-9 to 1e9 and a shape from 0.001 to 1000000",
        };
        Ok(Self { planes: parameters.of(engine, planes)? })
    }

    /// Number of items, B.
    #[must_use]
    pub const fn items(&self) -> usize {
        self.planes.items()
    }

    /// Means, counts, shapes and rates, [4, B].
    #[must_use]
    pub const fn parameters(&self) -> &ResidentArray<f32> {
        &self.planes
    }

    /// The parameters on the host.
    ///
    /// # Errors
    ///
    /// Another engine holds them; an operation that led to them refused an item, or a parameter is none; the device fails.
    pub fn read(&self, engine: &Engine) -> Result<NormalInverseGamma> {
        NormalInverseGamma::new(super::super::planes(&self.planes.read(engine)?))
    }

    /// [`NormalInverseGamma::update`] by samples that are held: planes of their count, their mean and their squares.
    ///
    /// # Errors
    ///
    /// Samples of another shape, another engine holds something, the posterior passes what may be held, the device fails. Of
    /// samples or parameters that are none whoever reads what is made of them is told.
    pub fn update<'a>(&self, engine: &Engine, samples: impl Into<ResidentPlanes<'a, f32>>) -> Result<Self> {
        Self::new(engine, self.with_samples(engine, Operation::NormalGammaUpdate, samples.into())?)
    }

    /// [`NormalInverseGamma::merge`].
    ///
    /// # Errors
    ///
    /// They differ in length, another engine holds one, the posterior passes what may be held, the device fails. Of a parameter
    /// that is none whoever reads what is made of it is told.
    pub fn merge(&self, engine: &Engine, other: &Self, prior: &Self) -> Result<Self> {
        LengthError::check("the other posterior", self.items(), other.items())?;
        LengthError::check("the prior", self.items(), prior.items())?;
        let arguments = ResidentPlanes::from([&self.planes, &other.planes, &prior.planes]).reading(engine)?;
        Self::new(engine, run(engine, Operation::NormalGammaMerge, 0, 0.0, self.items(), arguments)?)
    }

    /// Planes of the variance of the mean, the mean and the variance of the variance ([`NormalInverseGamma::moments`]), and the
    /// scale of the next observation ([`NormalInverseGamma::predictive`]).
    ///
    /// # Errors
    ///
    /// Another engine holds the parameters, the moments pass what may be held, the device fails.
    pub fn moments(&self, engine: &Engine) -> Result<ResidentArray<f32>> {
        run(engine, Operation::NormalGammaMoments, 0, 0.0, self.items(), self.planes.reading(engine)?)
    }

    /// [`NormalInverseGamma::credible_interval`]: planes of the lower and the upper ends of the mean, then of those of the
    /// variance.
    ///
    /// # Errors
    ///
    /// The level is not above 0 and below 1, another engine holds the parameters, the ends pass what may be held, the device
    /// fails.
    pub fn credible_interval(&self, engine: &Engine, level: f64) -> Result<ResidentArray<f32>> {
        let (items, tail) = (self.items(), tail(level)?);
        let tails = run(engine, Operation::NormalGammaTails, 0, tail, items, self.planes.reading(engine)?)?;
        let odds = evaluate_resident(engine, Function::BetaQuantileOdds, tails.part(0..3)?)?;
        let shape_and_mass = tails.part(0..1)?.and(tails.part(3..4)?);
        let above = evaluate_resident(engine, Function::GammaQuantileAbove, shape_and_mass.clone())?;
        let below = evaluate_resident(engine, Function::GammaQuantile, shape_and_mass)?;
        let found = ResidentPlanes::from([&self.planes, &odds, &above, &below]).reading(engine)?;
        run(engine, Operation::NormalGammaEnds, 0, 0.0, items, found)
    }

    /// [`NormalInverseGamma::log_evidence`] of samples that are held, as [`Self::update`] takes them.
    ///
    /// # Errors
    ///
    /// As [`Self::update`].
    pub fn log_evidence<'a>(
        &self,
        engine: &Engine,
        samples: impl Into<ResidentPlanes<'a, f32>>,
    ) -> Result<ResidentArray<f32>> {
        self.with_samples(engine, Operation::NormalGammaEvidence, samples.into())
    }

    /// [`NormalInverseGamma::divergence`].
    ///
    /// # Errors
    ///
    /// They differ in length, another engine holds one, the divergences pass what may be held, the device fails.
    pub fn divergence(&self, engine: &Engine, other: &Self) -> Result<ResidentArray<f32>> {
        LengthError::check("the other distribution", self.items(), other.items())?;
        let arguments = ResidentPlanes::from([&self.planes, &other.planes]).reading(engine)?;
        run(engine, Operation::NormalGammaDivergence, 0, 0.0, self.items(), arguments)
    }

    fn with_samples(
        &self,
        engine: &Engine,
        operation: Operation,
        samples: ResidentPlanes<'_, f32>,
    ) -> Result<ResidentArray<f32>> {
        let arguments = self.planes.reading(engine)?.and(self::samples(engine, self.items(), samples)?);
        run(engine, operation, 0, 0.0, self.items(), arguments)
    }
}
