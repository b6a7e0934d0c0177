//! A mean, learned from observations around it whose precision is known.

use super::{Domain, Function, Intervals, Moments, Operation, Samples, check, evaluate, planes, run, tail};
use crate::engine::Engine;
use crate::error::{BayesError, LengthError, Result};

/// What is believed of a mean, per item: a normal distribution, where observations are normal around the mean with a
/// precision (one over the variance) that is known and the same for all items.
///
/// # Examples
///
/// *Four observations with mean 3 against a prior as strong as one of them.*
///
/// ```
/// use consilience::Engine;
/// use consilience::bayes::{NormalKnownPrecision, Samples};
///
/// let engine = Engine::cpu()?;
/// let prior = NormalKnownPrecision::new(vec![0.0], vec![1.0], 1.0)?;
/// let posterior = prior.update(&engine, &Samples { count: &[4.0], mean: &[3.0], squares: &[5.0] })?;
/// assert_eq!((posterior.mean(), posterior.precision()), (&[2.4][..], &[5.0][..]));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NormalKnownPrecision {
    mean: Vec<f32>,
    precision: Vec<f32>,
    pub(super) known: f32,
}

impl NormalKnownPrecision {
    /// Means, how precisely each is known, and the precision of an observation.
    ///
    /// # Errors
    ///
    /// They differ in length, a mean is farther than 1e9 from 0, or a precision outside [1e-9, 1e9].
    pub fn new(mean: Vec<f32>, precision: Vec<f32>, known: f32) -> Result<Self> {
        check("the mean", Domain::Location, &mean, mean.len())?;
        check("the precision", Domain::Scale, &precision, mean.len())?;
        if !Domain::Scale.holds(known) {
            let (what, must) = ("the precision of an observation", Domain::Scale.must());
            return Err(BayesError::Setting { what, value: known, must }.into());
        }
        Ok(Self { mean, precision, known })
    }

    /// Number of items, B.
    #[must_use]
    pub fn items(&self) -> usize {
        self.mean.len()
    }

    /// The expected mean.
    #[must_use]
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// How precisely the mean is known.
    #[must_use]
    pub fn precision(&self) -> &[f32] {
        &self.precision
    }

    /// The posterior after these observations.
    ///
    /// # Errors
    ///
    /// Samples of another length or outside their ranges, or a precision too large with them; the device fails.
    pub fn update(&self, engine: &Engine, samples: &Samples<'_>) -> Result<Self> {
        samples.check(self.items())?;
        let arguments = [&self.mean[..], &self.precision, samples.count, samples.mean];
        self.with(&run(engine, Operation::NormalUpdate, 0, self.known, &arguments)?)
    }

    /// What this posterior and another one say together, both from the prior given, on data of their own.
    ///
    /// # Errors
    ///
    /// They differ in length or in the precision of an observation, or are not both posteriors from that prior, so that a
    /// precision is none; the device fails.
    pub fn merge(&self, engine: &Engine, other: &Self, prior: &Self) -> Result<Self> {
        for (what, one) in [("the other posterior", other), ("the prior", prior)] {
            LengthError::check(what, self.items(), one.items())?;
            if one.known != self.known {
                let what = "the precision of an observation elsewhere";
                return Err(BayesError::Setting { what, value: one.known, must: "what it is here" }.into());
            }
        }
        let arguments = [self, other, prior].map(|one| [&one.mean[..], &one.precision]).concat();
        self.with(&run(engine, Operation::NormalMerge, 0, self.known, &arguments)?)
    }

    /// Mean and variance of the mean.
    #[must_use]
    pub fn moments(&self) -> Moments {
        Moments { mean: self.mean.clone(), variance: self.precision.iter().map(|l| 1.0 / l).collect() }
    }

    /// Mean and variance of the next observation, which is normal.
    #[must_use]
    pub fn predictive(&self) -> Moments {
        let variance = self.precision.iter().map(|l| 1.0 / l + 1.0 / self.known).collect();
        Moments { mean: self.mean.clone(), variance }
    }

    /// Where the mean lies with this probability, its width within 2e-6.
    ///
    /// # Errors
    ///
    /// The level is not above 0 and below 1; the device fails.
    pub fn credible_interval(&self, engine: &Engine, level: f64) -> Result<Intervals> {
        // The square of a standard normal variate is twice a gamma variate of shape a half.
        let square = evaluate(engine, Function::GammaQuantileAbove, [&[0.5], &[2.0 * tail(level)?]])?;
        let z = square.first().map_or(0.0, |half| (2.0 * half).sqrt());
        let ends = |sign: f32| self.mean.iter().zip(&self.precision).map(|(m, l)| m + sign * z / l.sqrt()).collect();
        Ok(Intervals { lower: ends(-1.0), upper: ends(1.0) })
    }

    /// ln of the density of these observations.
    ///
    /// # Errors
    ///
    /// As [`Self::update`].
    pub fn log_evidence(&self, engine: &Engine, samples: &Samples<'_>) -> Result<Vec<f32>> {
        samples.check(self.items())?;
        let arguments = [&self.mean[..], &self.precision, samples.count, samples.mean, samples.squares];
        run(engine, Operation::NormalEvidence, 0, self.known, &arguments)
    }

    /// KL(self || other) in nats, of the mean's distributions.
    ///
    /// # Errors
    ///
    /// They differ in length; the device fails.
    pub fn divergence(&self, engine: &Engine, other: &Self) -> Result<Vec<f32>> {
        LengthError::check("the other distribution", self.items(), other.items())?;
        let arguments = [&self.mean[..], &self.precision, &other.mean, &other.precision];
        run(engine, Operation::NormalDivergence, 0, self.known, &arguments)
    }

    fn with(&self, results: &[f32]) -> Result<Self> {
        let [mean, precision] = planes(results);
        Self::new(mean, precision, self.known)
    }
}
