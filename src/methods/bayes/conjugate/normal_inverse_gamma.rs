//! A mean and a variance, learned from observations.

use super::{Domain, Function, Intervals, Operation, Samples, check, evaluate, of_all, planes, run, tail};
use crate::engine::Engine;
use crate::error::{LengthError, Result};

/// What is believed of the mean and the variance of normal observations, per item: the variance is inverse gamma distributed
/// with a shape and a rate, the mean normal around its own mean with the variance over `count`.
///
/// # Examples
///
/// *Four observations against a weak prior.*
///
/// ```
/// use consilience::Engine;
/// use consilience::bayes::{NormalInverseGamma, Samples};
///
/// let engine = Engine::cpu()?;
/// let prior = NormalInverseGamma::new([vec![0.0], vec![1.0], vec![2.0], vec![1.0]])?;
/// let posterior = prior.update(&engine, &Samples { count: &[4.0], mean: &[2.5], squares: &[5.0] })?;
/// assert_eq!([posterior.mean()[0], posterior.count()[0], posterior.shape()[0], posterior.rate()[0]], [2.0, 5.0, 4.0, 6.0]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NormalInverseGamma {
    /// Mean, count, shape, rate.
    pub(super) planes: [Vec<f32>; 4],
}

/// Moments of mean and variance of each item; infinite where there are none.
#[derive(Debug, Clone, PartialEq)]
pub struct NormalInverseGammaMoments {
    /// The variance of the mean; infinite where the shape is at most 1.
    pub mean_variance: Vec<f32>,
    /// The mean of the variance; infinite where the shape is at most 1.
    pub variance_mean: Vec<f32>,
    /// The variance of the variance; infinite where the shape is at most 2.
    pub variance_variance: Vec<f32>,
}

/// Student's distribution of each item's next observation.
#[derive(Debug, Clone, PartialEq)]
pub struct StudentT {
    /// Its centre.
    pub mean: Vec<f32>,
    /// Its scale.
    pub scale: Vec<f32>,
    /// Its degrees of freedom.
    pub degrees: Vec<f32>,
}

/// Where mean and variance lie, each with the probability asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct NormalInverseGammaIntervals {
    /// Of the mean; without ends where the shape is so small that they do not fit f32.
    pub mean: Intervals,
    /// Of the variance; the upper end likewise.
    pub variance: Intervals,
}

impl NormalInverseGamma {
    /// Of mean, count, shape and rate, each with an entry per item.
    ///
    /// # Errors
    ///
    /// They differ in length; a mean is farther than 1e9 from 0, a count or rate outside [1e-9, 1e9], or a shape outside
    /// [0.001, 1e6].
    pub fn new(planes: [Vec<f32>; 4]) -> Result<Self> {
        let [mean, count, shape, rate] = &planes;
        check("the mean", Domain::Location, mean, mean.len())?;
        check("the count", Domain::Scale, count, mean.len())?;
        check("the shape", Domain::Parameter, shape, mean.len())?;
        check("the rate", Domain::Scale, rate, mean.len())?;
        Ok(Self { planes })
    }

    /// Number of items, B.
    #[must_use]
    pub fn items(&self) -> usize {
        self.mean().len()
    }

    /// The expected mean.
    #[must_use]
    pub fn mean(&self) -> &[f32] {
        &self.planes[0]
    }

    /// How many observations the mean is worth.
    #[must_use]
    pub fn count(&self) -> &[f32] {
        &self.planes[1]
    }

    /// The shape of the precision.
    #[must_use]
    pub fn shape(&self) -> &[f32] {
        &self.planes[2]
    }

    /// The rate of the precision.
    #[must_use]
    pub fn rate(&self) -> &[f32] {
        &self.planes[3]
    }

    /// The posterior after these observations.
    ///
    /// # Errors
    ///
    /// Samples of another length or outside their ranges, or a parameter too large with them; the device fails.
    pub fn update(&self, engine: &Engine, samples: &Samples<'_>) -> Result<Self> {
        samples.check(self.items())?;
        Self::new(planes(&self.run(engine, Operation::NormalGammaUpdate, &[], Some(samples))?))
    }

    /// What this posterior and another one say together, both from the prior given, on data of their own.
    ///
    /// # Errors
    ///
    /// They differ in length, or are not both posteriors from that prior, so that a parameter is none; the device fails.
    pub fn merge(&self, engine: &Engine, other: &Self, prior: &Self) -> Result<Self> {
        LengthError::check("the other posterior", self.items(), other.items())?;
        LengthError::check("the prior", self.items(), prior.items())?;
        Self::new(planes(&self.run(engine, Operation::NormalGammaMerge, &[other, prior], None)?))
    }

    /// The moments of mean and variance; the mean of the mean is [`Self::mean`].
    ///
    /// # Errors
    ///
    /// The device fails.
    pub fn moments(&self, engine: &Engine) -> Result<NormalInverseGammaMoments> {
        let [mean_variance, variance_mean, variance_variance, _] =
            planes(&self.run(engine, Operation::NormalGammaMoments, &[], None)?);
        Ok(NormalInverseGammaMoments { mean_variance, variance_mean, variance_variance })
    }

    /// What the next observation is distributed like.
    ///
    /// # Errors
    ///
    /// The device fails.
    pub fn predictive(&self, engine: &Engine) -> Result<StudentT> {
        let [_, _, _, scale] = planes(&self.run(engine, Operation::NormalGammaMoments, &[], None)?);
        let degrees = self.shape().iter().map(|shape| 2.0 * shape).collect();
        Ok(StudentT { mean: self.mean().to_vec(), scale, degrees })
    }

    /// Where mean and variance lie, each with this probability, within 2e-6 relative: of the width, and of the ends.
    ///
    /// # Errors
    ///
    /// The level is not above 0 and below 1; the device fails.
    pub fn credible_interval(&self, engine: &Engine, level: f64) -> Result<NormalInverseGammaIntervals> {
        let (tail, items) = (tail(level)?, self.items());
        // Of Student's t with 2 a degrees of freedom, 2 a / (2 a + t^2) is Beta(a, 1/2) distributed.
        let arguments = [self.shape(), &of_all(0.5, items), &of_all(2.0 * tail, items)];
        let odds = evaluate(engine, Function::BetaQuantileOdds, arguments)?;
        let width = |item: usize| {
            let scale = 2.0 * f64::from(self.rate()[item]) / f64::from(self.count()[item]);
            (scale / f64::from(odds[item])).sqrt()
        };
        let ends = |sign: f64| {
            let end = |item| (f64::from(self.mean()[item]) + sign * width(item)) as f32;
            (0..items).map(end).collect()
        };
        let mean = Intervals { lower: ends(-1.0), upper: ends(1.0) };
        let precision = |function| evaluate(engine, function, [self.shape(), &of_all(tail, items)]);
        let ends =
            |quantiles: Vec<f32>| self.rate().iter().zip(quantiles).map(|(rate, precision)| rate / precision).collect();
        let lower = ends(precision(Function::GammaQuantileAbove)?);
        let upper = ends(precision(Function::GammaQuantile)?);
        Ok(NormalInverseGammaIntervals { mean, variance: Intervals { lower, upper } })
    }

    /// ln of the density of these observations.
    ///
    /// # Errors
    ///
    /// As [`Self::update`].
    pub fn log_evidence(&self, engine: &Engine, samples: &Samples<'_>) -> Result<Vec<f32>> {
        samples.check(self.items())?;
        self.run(engine, Operation::NormalGammaEvidence, &[], Some(samples))
    }

    /// KL(self || other) in nats.
    ///
    /// # Errors
    ///
    /// They differ in length; the device fails.
    pub fn divergence(&self, engine: &Engine, other: &Self) -> Result<Vec<f32>> {
        LengthError::check("the other distribution", self.items(), other.items())?;
        self.run(engine, Operation::NormalGammaDivergence, &[other], None)
    }

    /// The operation on these parameters and, behind them, those of others and samples.
    fn run(
        &self,
        engine: &Engine,
        operation: Operation,
        others: &[&Self],
        samples: Option<&Samples<'_>>,
    ) -> Result<Vec<f32>> {
        let all = [self].into_iter().chain(others.iter().copied());
        let mut arguments: Vec<&[f32]> = all.flat_map(|one| one.planes.iter().map(Vec::as_slice)).collect();
        if let Some(samples) = samples {
            arguments.extend([samples.count, samples.mean, samples.squares]);
        }
        run(engine, operation, 0, 0.0, &arguments)
    }
}
