//! Shares of classes, learned from counts, where an engine holds them.

use super::super::DirichletCategorical;
use super::super::{params, tail};
use super::{Domain, Operation, Parameters, Params, fill, run};
use crate::engine::{Engine, ResidentArray, ResidentPlanes};
use crate::error::{BayesError, LengthError, Result};
use crate::kernel::Kernel;
use crate::kernel::bayes::conjugate::MOST_CLASSES;
use crate::kernel::bayes::special::{Function, LARGEST};
use crate::methods::bayes::check::reading;
use crate::methods::bayes::special::evaluate_resident;

/// [`DirichletCategorical`] in the memory of the engine that computes: a plane of parameters for each of K classes. Dropped,
/// the memory is free.
///
/// # Examples
///
/// *Two updates and the mean, which comes to the host at the end.*
///
/// ```
/// use consilience::Engine;
/// use consilience::bayes::DirichletCategorical;
///
/// let engine = Engine::cpu()?;
/// let prior = DirichletCategorical::new(2, vec![1.0; 2])?.upload(&engine)?;
/// let counts = engine.upload_planes(&[2.0_f32, 0.0], 2)?;
/// let posterior = prior.update(&engine, &counts)?.update(&engine, &counts)?;
/// assert_eq!(posterior.read(&engine)?.alpha(), [5.0, 1.0]);
/// assert!((posterior.moments(&engine)?.read(&engine)?[0] - 5.0 / 6.0).abs() < 1e-6);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug)]
pub struct ResidentDirichletCategorical {
    alpha: ResidentArray<f32>,
}

impl DirichletCategorical {
    /// Uploads the parameters.
    ///
    /// # Errors
    ///
    /// They pass what may be held, or the device fails.
    pub fn upload(&self, engine: &Engine) -> Result<ResidentDirichletCategorical> {
        Ok(ResidentDirichletCategorical { alpha: engine.upload_planes(self.alpha(), self.classes())? })
    }
}

impl ResidentDirichletCategorical {
    /// Of parameters that are held, a plane for each class.
    ///
    /// # Errors
    ///
    /// Not from 2 to 1024 planes, another engine holds them, the device fails. Of a parameter that
    /// [`DirichletCategorical::new`] refuses, in f32 where they are summed, whoever reads what is made of them is told.
    pub fn new(engine: &Engine, alpha: ResidentArray<f32>) -> Result<Self> {
        let classes = alpha.planes();
        if !(2..=MOST_CLASSES).contains(&classes) {
            let must = "from 2 to 1024";
            return Err(BayesError::Setting { what: "the number of classes", value: classes as f32, must }.into());
        }
        let parameters = Parameters {
            domains: &vec![Domain::Parameter; classes],
            sum: Some(LARGEST),
            must: "have parameters from 0.001 to 1000000 that sum to no more",
        };
        Ok(Self { alpha: parameters.of(engine, alpha)? })
    }

    /// Number of classes, K.
    #[must_use]
    pub const fn classes(&self) -> usize {
        self.alpha.planes()
    }

    /// Number of items, B.
    #[must_use]
    pub const fn items(&self) -> usize {
        self.alpha.items()
    }

    /// The parameters, [K, B].
    #[must_use]
    pub const fn alpha(&self) -> &ResidentArray<f32> {
        &self.alpha
    }

    /// The parameters on the host.
    ///
    /// # Errors
    ///
    /// Another engine holds them; an operation that led to them refused an item, or a parameter is none; the device fails.
    pub fn read(&self, engine: &Engine) -> Result<DirichletCategorical> {
        DirichletCategorical::new(self.classes(), self.alpha.read(engine)?)
    }

    /// [`DirichletCategorical::update`] by counts that are held, [K, B].
    ///
    /// # Errors
    ///
    /// Counts of another shape, another engine holds something, the posterior passes what may be held, the device fails. Of
    /// counts or parameters that are none whoever reads what is made of them is told.
    pub fn update<'a>(&self, engine: &Engine, counts: impl Into<ResidentPlanes<'a, f32>>) -> Result<Self> {
        Self::new(engine, self.with_counts(engine, Operation::DirichletUpdate, counts.into())?)
    }

    /// [`DirichletCategorical::merge`].
    ///
    /// # Errors
    ///
    /// As [`Self::update`], for the others.
    pub fn merge(&self, engine: &Engine, other: &Self, prior: &Self) -> Result<Self> {
        let all = self.reading_with("the other posterior", other)?;
        self.reading_with("the prior", prior)?;
        let arguments = all.and(&prior.alpha).reading(engine)?;
        Self::new(engine, run(engine, Operation::DirichletMerge, self.classes(), 0.0, self.items(), arguments)?)
    }

    /// [`DirichletCategorical::moments`]: K planes of means, then K of variances.
    ///
    /// # Errors
    ///
    /// Another engine holds the parameters, the moments pass what may be held, the device fails.
    pub fn moments(&self, engine: &Engine) -> Result<ResidentArray<f32>> {
        let arguments = self.alpha.reading(engine)?;
        run(engine, Operation::DirichletMoments, self.classes(), 0.0, self.items(), arguments)
    }

    /// [`DirichletCategorical::credible_interval`]: K planes of lower ends, then K of upper ones.
    ///
    /// # Errors
    ///
    /// The level is not above 0 and below 1, another engine holds the parameters, the ends pass what may be held, the device
    /// fails.
    pub fn credible_interval(&self, engine: &Engine, level: f64) -> Result<ResidentArray<f32>> {
        let (tail, classes) = (tail(level)?, self.classes());
        let mut ends = engine.new_array(2 * classes, self.items())?;
        for class in 0..classes {
            let of_class = |operation| Params { plane: class as u32, ..params(operation, classes, tail) };
            let mut tails = engine.new_array(3, self.items())?;
            let operation = Operation::DirichletTails;
            fill(engine, operation, of_class(operation), self.alpha.reading(engine)?, &mut tails)?;
            let lower = evaluate_resident(engine, Function::BetaQuantile, &tails)?;
            let swapped = tails.part(1..2)?.and(tails.part(0..1)?).and(tails.part(2..3)?);
            let odds = evaluate_resident(engine, Function::BetaQuantileOdds, swapped)?;
            let (operation, found) = (Operation::DirichletEnds, ResidentPlanes::from([&lower, &odds]));
            fill(engine, operation, of_class(operation), found.reading(engine)?, &mut ends)?;
        }
        Ok(ends)
    }

    /// [`DirichletCategorical::log_evidence`] of counts that are held, [K, B].
    ///
    /// # Errors
    ///
    /// As [`Self::update`].
    pub fn log_evidence<'a>(
        &self,
        engine: &Engine,
        counts: impl Into<ResidentPlanes<'a, f32>>,
    ) -> Result<ResidentArray<f32>> {
        self.with_counts(engine, Operation::DirichletEvidence, counts.into())
    }

    /// [`DirichletCategorical::divergence`].
    ///
    /// # Errors
    ///
    /// They differ in shape, another engine holds one, the divergences pass what may be held, the device fails.
    pub fn divergence(&self, engine: &Engine, other: &Self) -> Result<ResidentArray<f32>> {
        let arguments = self.reading_with("the other distribution", other)?.reading(engine)?;
        run(engine, Operation::DirichletDivergence, self.classes(), 0.0, self.items(), arguments)
    }

    fn with_counts(
        &self,
        engine: &Engine,
        operation: Operation,
        counts: ResidentPlanes<'_, f32>,
    ) -> Result<ResidentArray<f32>> {
        LengthError::check("the count", self.items(), counts.items())?;
        let counts = reading(engine, Kernel::Conjugate, ("the count", Domain::Count, counts), self.classes())?;
        let arguments = self.alpha.reading(engine)?.and(counts);
        run(engine, operation, self.classes(), 0.0, self.items(), arguments)
    }

    /// These parameters and those of another, of the same shape.
    fn reading_with<'a>(&'a self, what: &'static str, other: &'a Self) -> Result<ResidentPlanes<'a, f32>> {
        LengthError::check(what, self.items(), other.items())?;
        LengthError::check(format!("{what}: every item"), self.classes(), other.classes())?;
        Ok([&self.alpha, &other.alpha].into())
    }
}
