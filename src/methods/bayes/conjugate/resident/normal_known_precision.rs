//! A mean, learned from observations whose precision is known, where an engine holds it.

use super::super::NormalKnownPrecision;
use super::super::normal_quantile;
use super::{Domain, Operation, Parameters, run, samples};
use crate::engine::{Engine, ResidentArray, ResidentPlanes};
use crate::error::{BayesError, LengthError, Result};

/// [`NormalKnownPrecision`] in the memory of the engine that computes: a plane of means and one of their precisions. Dropped,
/// the memory is free.
///
/// # Examples
///
/// *Four observations with mean 3 against a prior as strong as one of them.*
///
/// ```
/// use consilience::Engine;
/// use consilience::bayes::NormalKnownPrecision;
///
/// let engine = Engine::cpu()?;
/// let prior = NormalKnownPrecision::new(vec![0.0], vec![1.0], 1.0)?.upload(&engine)?;
/// let samples = engine.upload_planes(&[4.0_f32, 3.0, 5.0], 3)?; // Count, mean, squares.
/// let posterior = prior.update(&engine, &samples)?.read(&engine)?;
/// assert_eq!((posterior.mean(), posterior.precision()), (&[2.4][..], &[5.0][..]));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug)]
pub struct ResidentNormalKnownPrecision {
    planes: ResidentArray<f32>,
    known: f32,
}

impl NormalKnownPrecision {
    /// Uploads the parameters.
    ///
    /// # Errors
    ///
    /// They pass what may be held, or the device fails.
    pub fn upload(&self, engine: &Engine) -> Result<ResidentNormalKnownPrecision> {
        let planes = engine.upload_planes(&[self.mean(), self.precision()].concat(), 2)?;
        Ok(ResidentNormalKnownPrecision { planes, known: self.known })
    }
}

impl ResidentNormalKnownPrecision {
    /// Of parameters that are held, means and their precisions, and the precision of an observation.
    ///
    /// # Errors
    ///
    /// Not two planes, a precision of an observation outside [1e-9, 1e9], another engine holds the planes, the device fails. Of
    /// a parameter that [`NormalKnownPrecision::new`] refuses whoever reads what is made of them is told.
    pub fn new(engine: &Engine, planes: ResidentArray<f32>, known: f32) -> Result<Self> {
        if !Domain::Scale.holds(known) {
            let (what, must) = ("the precision of an observation", Domain::Scale.must());
            return Err(BayesError::Setting { what, value: known, must }.into());
        }
        let parameters = Parameters {
            domains: &[Domain::Location, Domain::Scale],
            sum: None,
            must: "have a mean from -1e9 to 1e9 and a precision from 1e-9 to 1e9",
        };
        Ok(Self { planes: parameters.of(engine, planes)?, known })
    }

    /// Number of items, B.
    #[must_use]
    pub const fn items(&self) -> usize {
        self.planes.items()
    }

    /// The expected means, and how precisely they are known, [2, B].
    #[must_use]
    pub const fn parameters(&self) -> &ResidentArray<f32> {
        &self.planes
    }

    /// The parameters on the host.
    ///
    /// # Errors
    ///
    /// Another engine holds them; an operation that led to them refused an item, or a parameter is none; the device fails.
    pub fn read(&self, engine: &Engine) -> Result<NormalKnownPrecision> {
        let mut mean = self.planes.read(engine)?;
        let precision = mean.split_off(self.items());
        NormalKnownPrecision::new(mean, precision, self.known)
    }

    /// [`NormalKnownPrecision::update`] by samples that are held: planes of their count, their mean and their squares.
    ///
    /// # Errors
    ///
    /// Samples of another shape, another engine holds something, the posterior passes what may be held, the device fails. Of
    /// samples or parameters that are none whoever reads what is made of them is told.
    pub fn update<'a>(&self, engine: &Engine, samples: impl Into<ResidentPlanes<'a, f32>>) -> Result<Self> {
        let given = self::samples(engine, self.items(), samples.into())?;
        // The squares say nothing of the mean; they are behind what the kernel reads.
        let arguments = self.planes.reading(engine)?.and(given);
        Self::new(engine, run(engine, Operation::NormalUpdate, 0, self.known, self.items(), arguments)?, self.known)
    }

    /// [`NormalKnownPrecision::merge`].
    ///
    /// # Errors
    ///
    /// They differ in length or in the precision of an observation, another engine holds one, the posterior passes what may be
    /// held, the device fails. Of a precision that is none whoever reads what is made of it is told.
    pub fn merge(&self, engine: &Engine, other: &Self, prior: &Self) -> Result<Self> {
        for (what, one) in [("the other posterior", other), ("the prior", prior)] {
            LengthError::check(what, self.items(), one.items())?;
            if one.known != self.known {
                let what = "the precision of an observation elsewhere";
                return Err(BayesError::Setting { what, value: one.known, must: "what it is here" }.into());
            }
        }
        let arguments = ResidentPlanes::from([&self.planes, &other.planes, &prior.planes]).reading(engine)?;
        Self::new(engine, run(engine, Operation::NormalMerge, 0, self.known, self.items(), arguments)?, self.known)
    }

    /// [`NormalKnownPrecision::credible_interval`]: a plane of lower ends and one of upper ones.
    ///
    /// # Errors
    ///
    /// The level is not above 0 and below 1, another engine holds the parameters, the ends pass what may be held, the device
    /// fails.
    pub fn credible_interval(&self, engine: &Engine, level: f64) -> Result<ResidentArray<f32>> {
        let z = normal_quantile(engine, level)?;
        run(engine, Operation::NormalIntervals, 0, z, self.items(), self.planes.reading(engine)?)
    }

    /// [`NormalKnownPrecision::log_evidence`] of samples that are held, as [`Self::update`] takes them.
    ///
    /// # Errors
    ///
    /// As [`Self::update`].
    pub fn log_evidence<'a>(
        &self,
        engine: &Engine,
        samples: impl Into<ResidentPlanes<'a, f32>>,
    ) -> Result<ResidentArray<f32>> {
        let arguments = self.planes.reading(engine)?.and(self::samples(engine, self.items(), samples.into())?);
        run(engine, Operation::NormalEvidence, 0, self.known, self.items(), arguments)
    }

    /// [`NormalKnownPrecision::divergence`].
    ///
    /// # Errors
    ///
    /// They differ in length, another engine holds one, the divergences pass what may be held, the device fails.
    pub fn divergence(&self, engine: &Engine, other: &Self) -> Result<ResidentArray<f32>> {
        LengthError::check("the other distribution", self.items(), other.items())?;
        let arguments = ResidentPlanes::from([&self.planes, &other.planes]).reading(engine)?;
        run(engine, Operation::NormalDivergence, 0, self.known, self.items(), arguments)
    }
}
