//! Shares of classes, learned from counts.

use super::{Domain, Intervals, Moments, beta_intervals, run};
use crate::engine::Engine;
use crate::error::{BayesError, LengthError, Result};
use crate::kernel::bayes::conjugate::{MOST_CLASSES, Operation};
use crate::kernel::bayes::special::LARGEST;

/// What is believed of the shares of K classes, per item: a Dirichlet distribution. Everything of [K, B] is one plane of B
/// items for each class.
///
/// # Examples
///
/// *A die of three sides, under a uniform prior, after ten throws.*
///
/// ```
/// use consilience::Engine;
/// use consilience::bayes::DirichletCategorical;
///
/// let engine = Engine::cpu()?;
/// let prior = DirichletCategorical::new(3, vec![1.0; 3])?;
/// let posterior = prior.update(&engine, &[2.0, 1.0, 7.0])?;
/// assert_eq!(posterior.alpha(), [3.0, 2.0, 8.0]);
/// let mean = posterior.moments(&engine)?.mean;
/// assert!((mean[2] - 8.0 / 13.0).abs() < 1e-6);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DirichletCategorical {
    classes: usize,
    alpha: Vec<f32>,
}

impl DirichletCategorical {
    /// Of parameters [K, B].
    ///
    /// # Errors
    ///
    /// Not from 2 to 1024 classes, parameters that are no whole planes, one outside [0.001, 1e6], or an item's that sum to
    /// more.
    pub fn new(classes: usize, alpha: Vec<f32>) -> Result<Self> {
        if !(2..=MOST_CLASSES).contains(&classes) {
            let must = "from 2 to 1024";
            return Err(BayesError::Setting { what: "the number of classes", value: classes as f32, must }.into());
        }
        let dirichlet = Self { classes, alpha };
        dirichlet.check("alpha", Domain::Parameter, &dirichlet.alpha)?;
        let items = dirichlet.items();
        for item in 0..items {
            let sum: f64 = dirichlet.alpha.iter().skip(item).step_by(items).map(|&a| f64::from(a)).sum();
            if sum > f64::from(LARGEST) {
                let (what, value, must) = ("the sum of alpha", sum as f32, "at most 1000000");
                return Err(BayesError::Domain { what, item, value, must }.into());
            }
        }
        Ok(dirichlet)
    }

    /// Number of classes, K.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of items, B.
    #[must_use]
    pub fn items(&self) -> usize {
        self.alpha.len() / self.classes
    }

    /// The parameters, [K, B].
    #[must_use]
    pub fn alpha(&self) -> &[f32] {
        &self.alpha
    }

    /// The posterior after so many observations of each class, [K, B].
    ///
    /// # Errors
    ///
    /// Counts of another shape or outside [0, 1e6], or parameters too large with them; the device fails.
    pub fn update(&self, engine: &Engine, counts: &[f32]) -> Result<Self> {
        self.check("the count", Domain::Count, counts)?;
        Self::new(self.classes, self.run(engine, Operation::DirichletUpdate, &[counts])?)
    }

    /// What this posterior and another one say together, both from the prior given, on data of their own.
    ///
    /// # Errors
    ///
    /// They differ in shape, or are not both posteriors from that prior, so that a parameter is none; the device fails.
    pub fn merge(&self, engine: &Engine, other: &Self, prior: &Self) -> Result<Self> {
        self.same_shape("the other posterior", other)?;
        self.same_shape("the prior", prior)?;
        Self::new(self.classes, self.run(engine, Operation::DirichletMerge, &[&other.alpha, &prior.alpha])?)
    }

    /// Mean and variance of each share, [K, B]. The mean is also the probability that the next observation is of the class.
    ///
    /// # Errors
    ///
    /// The device fails.
    pub fn moments(&self, engine: &Engine) -> Result<Moments> {
        let mut mean = self.run(engine, Operation::DirichletMoments, &[])?;
        let variance = mean.split_off(self.alpha.len());
        Ok(Moments { mean, variance })
    }

    /// The probability that the next observation is of each class, [K, B].
    ///
    /// # Errors
    ///
    /// The device fails.
    pub fn predictive(&self, engine: &Engine) -> Result<Vec<f32>> {
        Ok(self.moments(engine)?.mean)
    }

    /// Where each share lies with this probability, [K, B], within 2e-6 relative.
    ///
    /// # Errors
    ///
    /// The level is not above 0 and below 1; the device fails.
    pub fn credible_interval(&self, engine: &Engine, level: f64) -> Result<Intervals> {
        let items = self.items();
        let mut rest = Vec::with_capacity(self.alpha.len());
        for class in 0..self.classes {
            for item in 0..items {
                let of = |k: usize| f64::from(self.alpha[k * items + item]);
                let others: f64 = (0..self.classes).filter(|k| *k != class).map(of).sum();
                rest.push(others as f32);
            }
        }
        beta_intervals(engine, &self.alpha, &rest, level)
    }

    /// ln of the probability of observations in a given order, of each class so many, [K, B].
    ///
    /// # Errors
    ///
    /// As [`Self::update`].
    pub fn log_evidence(&self, engine: &Engine, counts: &[f32]) -> Result<Vec<f32>> {
        self.check("the count", Domain::Count, counts)?;
        self.run(engine, Operation::DirichletEvidence, &[counts])
    }

    /// KL(self || other) in nats.
    ///
    /// # Errors
    ///
    /// They differ in shape; the device fails.
    pub fn divergence(&self, engine: &Engine, other: &Self) -> Result<Vec<f32>> {
        self.same_shape("the other distribution", other)?;
        self.run(engine, Operation::DirichletDivergence, &[&other.alpha])
    }

    fn same_shape(&self, what: &'static str, other: &Self) -> Result<()> {
        LengthError::check(what, self.alpha.len(), other.alpha.len())?;
        Ok(LengthError::check(format!("{what}: every item"), self.classes, other.classes)?)
    }

    fn check(&self, what: &'static str, domain: Domain, values: &[f32]) -> Result<()> {
        let items = self.items();
        LengthError::check(what, self.classes * items, values.len())?;
        match values.iter().position(|&x| !domain.holds(x)) {
            Some(place) => {
                let (plane, item) = (place / items, place % items);
                Err(BayesError::Entry { what, plane, item, value: values[place], must: domain.must() }.into())
            }
            None => Ok(()),
        }
    }

    /// The operation on these parameters and, behind them, others of their shape.
    fn run(&self, engine: &Engine, operation: Operation, others: &[&[f32]]) -> Result<Vec<f32>> {
        let all = [&self.alpha[..]].into_iter().chain(others.iter().copied());
        let planes: Vec<&[f32]> = all.flat_map(|planes| planes.chunks_exact(self.items().max(1))).collect();
        run(engine, operation, self.classes, 0.0, &planes)
    }
}
